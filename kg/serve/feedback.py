"""CDS Hooks feedback: what users did with cards, kept without anything of a patient."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from kg.guidance.cards import OVERRIDES
from kg.serve.hooks import parsed
from kg.serve.problem import Problem


def read(hook: str, body: bytes) -> list[dict]:
    """The rows of a feedback request, one a card: only ids, outcome, time, and a reason if it is one that the card offered.

    Comments are left out, because they may be about the patient. Raises Problem 400 when the request is not what CDS Hooks
    2.0 asks for."""
    given = parsed(body).get("feedback")
    if not isinstance(given, list) or not given:
        raise Problem(400, "no feedback", "Send feedback, an array with one object a card.")
    return [_row(hook, one) for one in given]


def keep(rows: Iterable[dict], path: Path) -> None:
    """Append the rows to a file, one JSON object a line."""
    with path.open("a", encoding="utf-8") as file:
        file.write("".join(json.dumps(row) + "\n" for row in rows))


def _row(hook: str, one: object) -> dict:
    if not isinstance(one, dict) or one.get("outcome") not in ("accepted", "overridden"):
        raise Problem(400, "no outcome", "Each feedback is an object whose outcome is accepted or overridden.")
    row = {"hook": hook, "card": _id(one.get("card")), "outcome": one["outcome"], "outcomeTimestamp": _time(one.get("outcomeTimestamp"))}
    if one["outcome"] == "accepted":
        accepted = one.get("acceptedSuggestions")
        if not isinstance(accepted, list) or not accepted or not all(isinstance(each, dict) for each in accepted):
            raise Problem(400, "no suggestions", "An accepted card names its acceptedSuggestions, objects with an id.")
        row["acceptedSuggestions"] = [_id(each.get("id")) for each in accepted]
    said = one.get("overrideReason")
    coding = said.get("reason") if isinstance(said, dict) else None
    code = coding.get("code") if isinstance(coding, dict) else None
    return row | ({"overrideReason": code} if isinstance(code, str) and code in OVERRIDES else {})


def _id(text: object) -> str:
    """A uuid in its usual form. Raises Problem 400."""
    try:
        return str(uuid.UUID(text))  # type: ignore[arg-type]
    except (ValueError, AttributeError, TypeError):
        raise Problem(400, "no uuid", "Cards and suggestions are named by their uuid.") from None


def _time(text: object) -> str:
    """An ISO 8601 time. Raises Problem 400."""
    try:
        return datetime.fromisoformat(text).isoformat()  # type: ignore[arg-type]
    except (ValueError, TypeError):
        raise Problem(400, "no time", "outcomeTimestamp is an ISO 8601 time.") from None

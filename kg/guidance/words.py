"""The words that cards and resources share."""

from __future__ import annotations

import re

STRENGTHS = {"strong": "strongly recommended", "conditional": "conditionally recommended", "unstated": "recommended, strength not stated"}
AGAINST = {"strong": "strongly advised against", "conditional": "conditionally advised against", "unstated": "advised against, strength not stated"}
REASONS = {
    "ongoing": "already on it or on another of its kind, nothing calls for a change: this does not mean stop",
    "source-silent": "the source says nothing for it: this does not mean stop",
    "criteria-unmet": "what it asks for is not met: this does not mean stop",
}
NOT_CHECKED = "Not checked, the source is silent"
DISCLAIMER = "Not a medical device; the source is an unreviewed digest."
_MARKS = re.compile(r"([\\`*_\[\]#|~<>&$:@]|(?<=www)\.)", re.IGNORECASE)


def markdown(text: str) -> str:
    """Text that a Markdown reader shows as it is, on one line: nothing of a record can become a link, an image or HTML.

    It must not stand at the start of a line, where some more characters have a meaning."""
    return _MARKS.sub(r"\\\1", " ".join(text.split()))


def shortened(text: str, limit: int) -> str:
    """The text on one line, in at most so many characters."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1].rstrip(" ,;:") + "…"


def places(rule: dict) -> str:
    """Where a recommendation stands in the source: its lines and statements."""
    if not rule["lines"]:
        return "no source line"
    return f"source lines {', '.join(map(str, rule['lines']))}; statements {', '.join(rule['statements'])}"


def decisive(treatment: dict) -> list[dict]:
    """The recommendations that give a treatment its verdict for or against it; none for any other verdict."""
    direction = {"eligible": "for", "advised-against": "against"}.get(treatment["verdict"])
    return [rule for rule in treatment["recommendations"] if rule["status"] == "applies" and rule["direction"] == direction]

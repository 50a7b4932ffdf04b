"""What is missing: the questions that leave verdicts open, those that leave the most open first."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Missing:
    """One question: the criterion (local name), what to ask, and the treatments (labels) that it leaves open."""

    criterion: str
    ask: str
    treatments: tuple[str, ...]


def missing(treatments: list[dict]) -> list[Missing]:
    """The questions of the undetermined ones of these treatment rows; each question once."""
    asked: dict[str, list[tuple[str, str]]] = {}
    for row in treatments:
        if row["verdict"] == "undetermined":
            for one in row["missing"] or _doubts(row):
                asked.setdefault(one["ask"] or one["label"], []).append((one["criterion"], row["label"]))
    found = [Missing(pairs[0][0], ask, tuple(dict.fromkeys(label for _, label in pairs))) for ask, pairs in asked.items()]
    return sorted(found, key=lambda one: (-len(one.treatments), one.ask))


def _doubts(row: dict) -> list[dict]:
    """The criteria of the cautions that leave a verdict open, where no question of a recommendation does."""
    return [one for rule in row["recommendations"] if rule["direction"] == "caution" and rule["status"] == "unknown"
            for one in rule["criteria"] if one["result"] != "unmet" and one["ask"]]

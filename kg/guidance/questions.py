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
            for one in row["missing"]:
                asked.setdefault(one["ask"] or one["label"], []).append((one["criterion"], row["label"]))
    found = [Missing(pairs[0][0], ask, tuple(dict.fromkeys(label for _, label in pairs))) for ask, pairs in asked.items()]
    return sorted(found, key=lambda one: (-len(one.treatments), one.ask))

"""Where a patient stands on the treatment pathway: a mark on every rule and condition of the diagram."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import pyoxigraph as ox

from kg.docs.pathway import Mark, Plan, Step, svg
from kg.documentation import Answer
from kg.index import Index
from kg.terms import GL, RDF

_HERE, _OPEN, _AWAY = Mark("● applies", "here"), Mark("? open", "maybe"), Mark("○ does not apply", "away")
_OUTSIDE = Mark("○ outside the population", "away")
_RULES = {GL.Applies: _HERE, GL.StatusUnknown: _OPEN, GL.DoesNotApply: _AWAY, GL.NotApplicable: _OUTSIDE}
_BEFORE = {
    GL.PrerequisiteMet: Mark("✓ met", "here"), GL.PrerequisiteNotMet: Mark("✗ not met", "away"),
    GL.PrerequisiteIndeterminate: Mark("? indeterminate", "maybe"), GL.PrerequisiteUnknown: Mark("? not known", "maybe"),
}  # fmt: skip
_CONDITIONS = {"Met": Mark("✓ met", "here"), "Unmet": Mark("✗ not met", "away"), "Unknown": Mark("? not known", "maybe")}
_ORDER = (_HERE, _OPEN, _AWAY, _OUTSIDE)


@dataclass(frozen=True)
class Position:
    """The diagram (SVG) with its marks, and the rules that apply or are open, in the diagram's order."""

    drawing: str
    here: tuple[Step, ...]
    open: tuple[Step, ...]


def position(plan: Plan, derived: Index, patient: str, answers: Mapping[str, Answer], title: str) -> Position:
    """The pathway as one patient (IRI) stands to it; `answers` are those of `kg.documentation.answers`."""
    marks = _rules(derived, patient) | {iri: _CONDITIONS[answer.truth] for iri, answer in answers.items()}
    by = {tone: tuple(step for step in plan.steps if step.rule in marks and marks[step.rule].tone == tone) for tone in ("here", "maybe")}
    return Position(re.sub(r' id="[^"]*"', "", svg(plan.dot(marks), title)), by["here"], by["maybe"])


def _rules(derived: Index, patient: str) -> dict[str, Mark]:
    """The mark of each rule: of a recommendation the strongest of its statuses over the treatments."""
    found: dict[str, Mark] = {}
    for node in _of(derived, GL.RecommendationStatus, patient):
        rule, mark = derived.text(node, GL.recommendation) or "", _RULES[derived.text(node, GL.status) or ""]
        found[rule] = min(found.get(rule, mark), mark, key=_ORDER.index)
    for node in _of(derived, GL.PrerequisiteStatus, patient):
        found[derived.text(node, GL.rule) or ""] = _BEFORE[derived.text(node, GL.prerequisite) or ""]
    return found


def _of(derived: Index, kind: str, patient: str) -> list:
    nodes = derived.subjects(RDF.type, ox.NamedNode(kind))
    return [node for node in nodes if derived.text(node, GL.patient) == patient]

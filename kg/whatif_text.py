"""What-if and counterfactuals for people and as JSON: what was supposed, what would follow."""

from __future__ import annotations

from collections.abc import Sequence

import pyoxigraph as ox
from rich.console import Console
from rich.markup import escape

from kg.counterfactual import Counterfactual
from kg.evaluate import Evaluation
from kg.hypotheses import Edit
from kg.results import word
from kg.terms import GL, PT, RDF, RDFS
from kg.whatif import Comparison

_SHOWN = 12
_NOTE = "What would have to be true; nothing to record unless it is so."


def comparison_row(evaluation: Evaluation, name: str, edits: Sequence[Edit], found: Comparison) -> dict:
    """The comparison as JSON."""
    return {
        "patient": name, "asOf": evaluation.as_of.isoformat(), "hypothetical": True, "supposed": [line for edit in edits for line in _edited(evaluation, edit)],
        "changed": [{"treatment": one.treatment, "before": one.before, "after": one.after} for one in found.differences if one.changed],
        "unchanged": [{"treatment": one.treatment, "verdict": one.before} for one in found.differences if not one.changed],
        "flagsRaised": list(found.flags_raised), "flagsGone": list(found.flags_gone),
    }


def comparison(console: Console, evaluation: Evaluation, name: str, edits: Sequence[Edit], found: Comparison) -> None:
    """Print what was supposed, the verdicts that would change, side by side, and those that would not."""
    line = console.print
    line(f"[bold]{escape(name)}[/bold]  as of {evaluation.as_of.isoformat()}  —  [bold]supposed, not recorded[/bold]")
    for edit in edits:
        for said in _edited(evaluation, edit):
            line(f"  {escape(said)}")
    changed = [one for one in found.differences if one.changed]
    line("\n[bold]CHANGES[/bold]" if changed else "\nno verdict changes")
    width = max((len(one.label) for one in changed), default=0)
    left = max((len(one.before) for one in changed), default=0)
    for one in changed:
        line(f"  {escape(one.label):{width}}  {one.before:{left}} → [bold]{one.after}[/bold]")
    for label, flags in (("raised", found.flags_raised), ("gone", found.flags_gone)):
        for flag in flags:
            line(f"  ⚑ {label}: {escape(flag)}")
    same: dict[str, list[str]] = {}
    for one in found.differences:
        if not one.changed:
            same.setdefault(one.before, []).append(one.label)
    line("[bold]UNCHANGED[/bold]")
    for verdict, labels in same.items():
        line(f"  {verdict}: {escape(', '.join(labels))}")
    line()


def _edited(evaluation: Evaluation, edit: Edit) -> list[str]:
    rules = evaluation.guideline.index

    def words(term) -> str:
        return term.value if isinstance(term, ox.Literal) else rules.text(term, RDFS.label) or term.value

    said = [f"{rules.text(t.predicate, RDFS.label) or t.predicate.value}: {words(t.object)}" for t in edit.added if t.predicate.value not in (RDF.type, PT.patient)]
    if not said:
        return [f"− {edit.fact}"]
    return [f"{'~' if edit.gone else '+'} {edit.fact}: {'; '.join(said)}"]


def counterfactual_row(evaluation: Evaluation, name: str, found: Counterfactual) -> dict:
    """The counterfactuals as JSON."""
    rules = evaluation.guideline.index
    return {
        "patient": name, "asOf": evaluation.as_of.isoformat(), "hypothetical": True, "note": _NOTE, "treatment": rules.text(ox.NamedNode(found.treatment), GL.slug),
        "verdict": word(ox.NamedNode(found.verdict)), "facts": found.size, "wouldHaveToBeTrue": [[change.words for change in one] for one in found.sets],
        "noneUpTo": found.none_up_to, "cut": found.cut, "tried": found.tried,
    }


def counterfactual(console: Console, evaluation: Evaluation, name: str, found: Counterfactual) -> None:
    """Print what would have to be true for a treatment to be eligible."""
    line = console.print
    label = evaluation.guideline.index.text(ox.NamedNode(found.treatment), RDFS.label)
    line(f"[bold]{escape(label or found.treatment)}[/bold] for {escape(name)} as of {evaluation.as_of.isoformat()}: {(word(ox.NamedNode(found.verdict)) or '').replace('-', ' ')}")
    if found.size == 0:
        line("it is eligible as the record stands\n")
        return
    if found.size is None:
        line(f"no change of up to {found.none_up_to} facts makes it eligible")
    else:
        line(f"[bold]WHAT WOULD HAVE TO BE TRUE[/bold] for it to be eligible ({found.size} {'fact' if found.size == 1 else 'facts'}), not advice to record it:")
        for one in found.sets[:_SHOWN]:
            line(f"  • {escape(' and '.join(change.words for change in one))}")
        if len(found.sets) > _SHOWN:
            line(f"  • and {len(found.sets) - _SHOWN} more of the same size (--format json)")
    if found.cut:
        line(f"  ! the search was cut after {found.tried} hypothetical records")
    line()

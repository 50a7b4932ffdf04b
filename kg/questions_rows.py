"""The next questions as the published JSON (`kg/schema/ask.schema.json`) and as plain text: one patient each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

import pyoxigraph as ox
from rich.console import Console
from rich.markup import escape

from kg.asking import NextQuestions, OpenVerdict, QuestionSet
from kg.evaluate import Evaluation
from kg.questions import Question, ranked_value
from kg.results import word
from kg.terms import DCTERMS, GL, RDFS

_TYPES = {"number": "a number", "days": "a number of days", "boolean": "yes or no", "date": "a date"}


def row(evaluation: Evaluation, found: NextQuestions) -> dict:
    """One patient's questions as JSON: what each answer alone settles, and the sets of questions that settle each verdict."""
    rules = evaluation.guideline.index
    names = (t.object.value for t in evaluation.facts if t.subject == found.patient and t.predicate.value == DCTERMS.identifier)

    def slug(treatment: str) -> str:
        return rules.text(ox.NamedNode(treatment), GL.slug) or treatment

    def sets(groups: Sequence[QuestionSet]) -> list[dict]:
        return [{"questions": list(group.questions), "leads": [{"answers": list(answers), "verdict": _word(verdict)} for answers, verdict in group.leads]} for group in groups]

    return {
        "patient": next(names, found.patient.value), "iri": found.patient.value, "asOf": evaluation.as_of.isoformat(),
        "guideline": {"iri": evaluation.guideline.iri.value, "slug": evaluation.guideline.slug, "label": rules.text(evaluation.guideline.iri, RDFS.label),
                      "version": evaluation.guideline.version},
        "tried": found.tried, "cut": found.cut,
        "questions": [{
            "id": one.id, "text": one.text, "type": one.type, "unit": one.unit, "least": _number(one.least), "most": _number(one.most),
            "answers": [{"value": answer.value, "label": answer.label, "settles": {slug(t): _word(v) for t, v in found.flips[one.id][answer.value].items()}}
                        for answer in one.answers]} for one in found.questions],
        "open": [{"treatment": slug(one.treatment), "label": rules.text(ox.NamedNode(one.treatment), RDFS.label), "questions": list(one.questions),
                  "smallest": sets(one.smallest), "deciding": sets(one.deciding), "cut": one.cut} for one in found.open],
    }


def _word(verdict: str) -> str:
    return word(ox.NamedNode(verdict)) or ""


def _number(value: Decimal | None) -> float | None:
    return None if value is None else float(value)


def text(console: Console, evaluation: Evaluation, found: NextQuestions) -> None:
    """Print one patient's questions, those that settle most first, and which of them decide which verdicts."""
    rules, line = evaluation.guideline.index, console.print
    shown = row(evaluation, found)
    line(f"[bold]{escape(shown['patient'])}[/bold]  as of {shown['asOf']}  —  {escape(shown['guideline']['label'])} {shown['guideline']['version']}")
    if not found.open:
        line("nothing is undetermined: no question\n")
        return
    numbers = {one.id: number for number, one in enumerate(found.questions, 1)}
    line(f"{len(found.open)} verdicts are undetermined\n")
    if found.questions:
        line("[bold]? ASK[/bold], what settles most first")
    for one in found.questions:
        line(f"  {numbers[one.id]}. {escape(one.text)}  [dim]{escape(_kind(one))}[/dim]")
        for said, settled in grouped(one, found.flips[one.id]):
            groups: dict[str, list[str]] = {}
            for treatment, verdict in settled.items():
                groups.setdefault(_word(verdict).replace("-", " "), []).append(rules.text(ox.NamedNode(treatment), RDFS.label) or treatment)
            leads = "; ".join(f"{verdict}: {names_of(names)}" for verdict, names in groups.items()) or "settles nothing by itself"
            line(f"     {escape(said)} → {escape(leads)}")
    line("\n[bold]⊢ WHAT SETTLES EACH VERDICT[/bold]")
    for (smallest, deciding, cut), treatments in _alike(found.open, numbers).items():
        line(f"  {escape(names_of([rules.text(ox.NamedNode(one.treatment), RDFS.label) or one.treatment for one in treatments]))}")
        if deciding:
            line(f"    every answer to {deciding} settles it")
        if smallest != deciding:
            line(f"    some answer to {smallest} settles it")
        if not (smallest or cut):
            line("    nothing that could be asked settles it")
        elif not deciding:
            line(f"    {'the search was cut before a set was found that always settles it' if cut else 'no set of these questions settles it whatever the answers'}")
    if found.cut:
        line(f"  ! the search was cut after {found.tried} hypothetical patients: larger or further sets may exist")
    line()


def _alike(verdicts: Sequence[OpenVerdict], numbers: dict[str, int]) -> dict[tuple, list[OpenVerdict]]:
    found: dict[tuple, list[OpenVerdict]] = {}
    for one in verdicts:
        smallest, deciding = (" or ".join(" with ".join(str(numbers[name]) for name in group.questions) for group in groups) for groups in (one.smallest, one.deciding))
        found.setdefault((smallest, deciding, one.cut), []).append(one)
    return found


def names_of(names: Sequence[str]) -> str:
    """Names in one line, the number of them where they are many."""
    return ", ".join(names) if len(names) <= 8 else f"{', '.join(names[:4])} and {len(names) - 4} more"


def _kind(one: Question) -> str:
    if one.type == "choice":
        return f"[{' / '.join(answer.label for answer in one.answers)}]"
    bounds = f" from {one.least:f} to {one.most:f}" if one.least is not None and one.most is not None else ""
    unit = " %" if one.unit == "%" else ""
    return f"[{_TYPES[one.type]}{bounds}{unit}]"


def grouped(question: Question, flips: dict[str, dict[str, str]]) -> Iterator[tuple[str, dict[str, str]]]:
    """Answers that alone settle the same, in words: numbers and dates as ranges, choices joined by "or"."""
    runs: list[tuple[list, dict[str, str]]] = []
    for answer in question.answers:
        settled = flips[answer.value]
        if runs and runs[-1][1] == settled:
            runs[-1][0].append(answer)
        else:
            runs.append(([answer], settled))
    if question.type in ("choice", "boolean"):
        same: dict[tuple, tuple[list[str], dict[str, str]]] = {}
        for answers, settled in runs:
            same.setdefault(tuple(settled.items()), ([], settled))[0].extend(answer.label for answer in answers)
        yield from ((" or ".join(labels), settled) for labels, settled in same.values())
        return
    for position, (answers, settled) in enumerate(runs):
        low = None if position == 0 else answers[0]
        high = None if position == len(runs) - 1 else answers[-1]
        if low is None and high is None:
            yield "any answer", settled
        elif question.type == "date":
            yield (f"until {high.value}" if low is None else f"from {low.value}" if high is None else f"{low.value} to {high.value}"), settled
        else:
            yield _range(question, low, high), settled


def _range(question: Question, low, high) -> str:
    if low is not None and high is not None and low is high:
        return low.label
    if low is None:
        return f"under {_after(question, high)}" if _after(question, high) else f"up to {high.label}"
    if high is None:
        return f"over {_before(question, low)}" if _before(question, low) else f"{low.label} or more"
    return f"{low.label} to {high.label}"


def _after(question: Question, answer) -> str | None:
    """The next answer, where it is a threshold: the one in the middle of the three that stand for it."""
    return _threshold(question, question.answers.index(answer) + 1)


def _before(question: Question, answer) -> str | None:
    position = question.answers.index(answer)
    return None if _threshold(question, position) else _threshold(question, position - 1)


def _threshold(question: Question, position: int) -> str | None:
    values = [ranked_value(answer) for answer in question.answers]
    if not 0 < position < len(values) - 1:
        return None
    step = values[position + 1] - values[position]
    return question.answers[position].label if values[position] - values[position - 1] == step and step <= 1 else None

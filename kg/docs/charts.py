"""Bars of the findings behind a recommendation: value on a common scale, size of the study, indirectness in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from kg.docs.book import Book, Node
from kg.terms import GL
from kg.words import number, unit

_PERCENT = "%"


@dataclass(frozen=True)
class Bar:
    """One finding: when it was measured, the value in words, the bar's two ends and the study's size in % of the whole.

    `start` and `end` are None where the finding gives no number; `people` is "" where the size is not known."""

    node: Node
    when: str
    shown: str
    start: float | None
    end: float | None
    people: str
    share: float
    population: str
    indirect: bool
    note: str


@dataclass(frozen=True)
class Chart:
    """Findings of one outcome in one unit; `top` is the end of the scale."""

    outcome: str
    unit: str
    top: str
    bars: tuple[Bar, ...]


def charts(book: Book, findings: Iterable[Node]) -> list[Chart]:
    """The findings as charts, one an outcome and unit, in the order given."""
    findings = list(findings)
    groups: dict[tuple[str, str], list[Node]] = {}
    for node in findings:
        groups.setdefault((book.first(node.iri, GL.outcome), book.first(node.iri, GL.unit)), []).append(node)
    largest = max((int(book.first(node.iri, GL.sampleSize, "0")) for node in findings), default=0)
    return [_chart(book, outcome, code, nodes, largest) for (outcome, code), nodes in groups.items()]


def ceiling(value: float) -> float:
    """The smallest of 1, 2, 5, 10, 20, 50 ... that is not under a value."""
    step = 1.0
    while True:
        for factor in (1, 2, 5):
            if step * factor >= value:
                return step * factor
        step *= 10


def _chart(book: Book, outcome: str, code: str, nodes: list[Node], largest: int) -> Chart:
    ends = {node.iri: _ends(book, node.iri) for node in nodes}
    highest = max((end for _, end in filter(None, ends.values())), default=0.0)
    top = 100.0 if code == _PERCENT else ceiling(highest)
    bars = tuple(_bar(book, node, ends[node.iri], top, code, largest) for node in nodes)
    return Chart(outcome, unit(code, book.units), f"{top:g}" if highest else "", bars)


def _ends(book: Book, iri: str) -> tuple[float, float] | None:
    """Where a bar begins and ends: 0 and the value, or both ends of a range."""
    value, reach = book.first(iri, GL.value), book.first(iri, GL.valueRange)
    if value:
        return 0.0, float(value)
    low, _, high = reach.partition("-")
    return (float(low), float(high)) if high else None


def _bar(book: Book, node: Node, ends: tuple[float, float] | None, top: float, code: str, largest: int) -> Bar:
    iri, people = node.iri, book.first(node.iri, GL.sampleSize)
    amount = number(book.first(iri, GL.value)) or book.first(iri, GL.valueRange).replace("-", "–")
    sign = {"~": "about "}.get(book.first(iri, GL.operator), "")
    words = f"{sign}{amount} {unit(code, book.units, amount)}".strip() if amount else "no figure given"
    notes = (book.first(iri, GL.populationNote), book.first(iri, GL.unitNote))
    start, end = (None, None) if ends is None else (round(100 * ends[0] / top, 2), round(100 * ends[1] / top, 2))
    return Bar(
        node, book.first(iri, GL.timePoint), words,
        start, end, people, round(100 * int(people) / largest, 2) if people else 0.0,
        book.text(iri, GL.population), book.first(iri, GL.indirect) == "true", " ".join(filter(None, notes)),
    )  # fmt: skip

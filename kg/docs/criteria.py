"""Criteria as trees of words: how a criterion combines others, which cases it knows, what it compares with."""

from __future__ import annotations

from dataclasses import dataclass

from kg.docs.book import Book, Fact
from kg.docs.links import CONDITIONS
from kg.terms import GL, RDF, RDFS
from kg.words import comparator, number, unit

_KINDS = {str(GL) + kind for kind in CONDITIONS}
_IF, _IS = f"{GL}if", f"{GL}is"
_APART = {
    GL.of, GL.case, GL.otherwise, GL.combine, GL.basis, GL.decision, GL.statement, GL.reference, GL.ask,
    GL.threshold, GL.years, GL.unit, GL.comparator, RDF.type, RDFS.label,
}  # fmt: skip


@dataclass(frozen=True)
class Branch:
    """What leads from a criterion to others: words before them, and the criteria."""

    words: str
    members: tuple[Criterion, ...]


@dataclass(frozen=True)
class Case:
    """One case: the criterion that is asked and the answer looked for; what then holds, a criterion or an answer."""

    asked: Criterion
    answer: str
    then: Criterion | str


@dataclass(frozen=True)
class Criterion:
    """A criterion or constraint with everything below it. `joined` is AND or OR between `parts`."""

    iri: str
    label: str
    sort: str
    basis: str
    threshold: str
    facts: tuple[Fact, ...]
    joined: str = ""
    parts: tuple[Criterion, ...] = ()
    cases: tuple[Case, ...] = ()
    otherwise: Criterion | str = ""
    branches: tuple[Branch, ...] = ()


def tree(book: Book, iri: str, seen: frozenset[str] = frozenset()) -> Criterion:
    """A criterion with what it rests on; one that stands above itself is not followed again."""
    seen = seen | {iri}

    def below(other: str) -> Criterion:
        return leaf(book, other) if other in seen else tree(book, other, seen)

    def outcome(fact: Fact) -> Criterion | str:
        return below(fact.value) if _is_condition(book, fact.value) else fact.text

    own = leaf(book, iri)
    cases = sorted(book.values(iri, GL.case), key=lambda case: int(book.first(case, GL.order, "0")))
    groups: dict[str, list[str]] = {}
    for fact in book.facts.get(iri, ()):
        if fact.property not in _APART and _is_condition(book, fact.value):
            groups.setdefault(fact.name, []).append(fact.value)
    return Criterion(
        own.iri, own.label, own.sort, own.basis, own.threshold, own.facts,
        joined="OR" if book.first(iri, GL.combine) == GL.AnyOf else "AND",
        parts=tuple(below(one) for one in book.values(iri, GL.of)),
        cases=tuple(
            Case(below(book.first(one, _IF)), book.text(one, _IS), outcome(book.said(one, GL.then)[0])) for one in cases
        ),
        otherwise=next((outcome(fact) for fact in book.said(iri, GL.otherwise)), ""),
        branches=tuple(Branch(name, tuple(map(below, members))) for name, members in groups.items()),
    )  # fmt: skip


def leaf(book: Book, iri: str) -> Criterion:
    """A criterion alone, without what it rests on."""
    node = book.nodes[iri]
    facts = tuple(
        fact for fact in book.facts.get(iri, ()) if fact.property not in _APART and not _is_condition(book, fact.value)
    )
    return Criterion(iri, node.label, node.sort_label, book.first(iri, GL.basis), threshold(book, iri), facts)


def threshold(book: Book, iri: str) -> str:
    """The number that a node compares with: sign, amount and unit in words; "" when there is none."""
    amount = book.first(iri, GL.threshold) or book.first(iri, GL.years)
    if not amount:
        return ""
    sign = next((comparator(fact.value, fact.text) for fact in book.said(iri, GL.comparator)), "")
    return f"{sign} {number(amount)} {unit(book.first(iri, GL.unit), book.units, amount)}".strip()


def _is_condition(book: Book, value: str) -> bool:
    return value in book.nodes and book.nodes[value].kind in _KINDS

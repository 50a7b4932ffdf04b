"""Grades and source checks in words, signs and class names for the stylesheet, from a book."""

from __future__ import annotations

from collections import Counter

from kg.docs.book import Book, Node
from kg.terms import GL
from kg.words import sign

_CHECKS = {GL.Confirmed: ("good", "✓"), GL.PartlyConfirmed: ("partly", "◐"), GL.NotVerified: ("open", "?")}


def tone(book: Book, iri: str) -> str:
    """Class names of a grade: its way, and whether it is strong."""
    ways = {GL.For: "for", GL.Against: "against"}
    strong = " strong" if book.first(iri, GL.strength) == GL.Strong else ""
    return ways.get(book.first(iri, GL.direction), "neutral") + strong


def grade_words(book: Book, iri: str) -> str:
    """Strength and direction in words, as the vocabulary labels them."""
    strength, way = book.text(iri, GL.strength), book.text(iri, GL.direction)
    if not strength:
        return way
    said = "strength not stated" if book.first(iri, GL.strength) == GL.Unstated else strength.lower()
    return f"{way}, {said}" if way else said[:1].upper() + said[1:]


def rule_sign(book: Book, iri: str) -> str:
    """The sign of a rule's direction and strength."""
    return sign(book.first(iri, GL.direction), book.first(iri, GL.strength))


def check_tone(verdict: str) -> str:
    """Class name of the verdict (IRI) of a source check."""
    return _CHECKS.get(verdict, ("warning", "!"))[0]


def check_sign(verdict: str) -> str:
    """Sign of the verdict (IRI) of a source check."""
    return _CHECKS.get(verdict, ("warning", "!"))[1]


def checks_of(book: Book, iri: str) -> list[Node]:
    """The source checks of a statement, or of the statements that a rule and its parts rest on."""
    rules = [iri, *(part.iri for part in book.using(iri, GL.partOf))]
    statement = book.nodes[iri].kind == GL.Statement
    checked = {iri} if statement else {one for rule in rules for one in book.values(rule, GL.statement)}
    return [check for one in sorted(checked) for check in book.using(one, GL.checks, "SourceCheck")]


def check_counts(book: Book, iri: str) -> list[tuple[str, int]]:
    """How many source checks came to which verdict, most frequent first."""
    counts = Counter(book.first(one.iri, GL.checkVerdict) for one in checks_of(book, iri))
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))


def findings_of(book: Book, iri: str) -> list[Node]:
    """The findings that support a rule or that its statements report."""
    reported = {one.iri: one for said in book.values(iri, GL.statement) for one in book.using(said, GL.statement, "Finding")}
    reported |= {one.iri: one for one in book.using(iri, GL.supports, "Finding")}
    return sorted(reported.values(), key=lambda one: one.iri)

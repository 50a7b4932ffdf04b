"""A read-only look-up over triples, for the few places that walk the graph instead of querying it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property

import pyoxigraph as ox


class Index:
    """Triples by subject and predicate, and by predicate and object. Terms go in and out as pyoxigraph terms."""

    def __init__(self, triples: Iterable[ox.Triple]) -> None:
        # each attribute of a triple is a new object: taken once
        self._triples = [(t.subject, t.predicate.value, t.object) for t in triples]

    @cached_property
    def _objects(self) -> dict:
        found: dict = defaultdict(list)
        for subject, predicate, value in self._triples:
            found[subject, predicate].append(value)
        return found

    @cached_property
    def _subjects(self) -> dict:
        found: dict = defaultdict(list)
        for subject, predicate, value in self._triples:
            found[predicate, value].append(subject)
        return found

    @cached_property
    def _predicates(self) -> dict:
        found: dict = defaultdict(set)
        for subject, predicate, _ in self._triples:
            found[subject].add(predicate)
        return found

    def objects(self, subject, predicate: str) -> list:
        """The objects of a subject and predicate (full IRI), without repeats, in a stable order."""
        found = self._objects.get((subject, predicate), ())
        return list(found) if len(found) < 2 else sorted(set(found), key=lambda term: term.value)

    def value(self, subject, predicate: str):
        """The first object, or None."""
        found = self.objects(subject, predicate)
        return found[0] if found else None

    def text(self, subject, predicate: str) -> str | None:
        """The first object's IRI or lexical form, or None."""
        found = self.value(subject, predicate)
        return None if found is None else found.value

    def predicates(self, subject) -> list[str]:
        """The predicates (full IRIs) that a subject has, in order."""
        return sorted(self._predicates.get(subject, ()))

    def subjects(self, predicate: str, value) -> list:
        """The subjects that have this value, without repeats, in a stable order."""
        return sorted(set(self._subjects.get((predicate, value), ())), key=lambda term: term.value)

    def having(self, predicate: str) -> list:
        """The subjects that have the predicate at all, in a stable order."""
        return sorted({subject for subject, own in self._objects if own == predicate}, key=lambda term: term.value)

"""A guideline kept ready: one engine that holds the closed rules, and one patient record after the other on top of it.

Loading the rules into a fresh engine costs a third of an evaluation; here a record's triples are added, judged and taken away
again. One session serves one caller at a time: use one for each thread or process."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date

import pyoxigraph as ox

from kg import derive
from kg.engine import OxigraphEngine, Triple
from kg.evaluate import Evaluation, record
from kg.guideline import Guideline


class Session:
    """Evaluates records against one guideline; what it gives is what `kg.evaluate.evaluate` gives."""

    def __init__(self, guideline: Guideline) -> None:
        self._guideline = guideline
        self._engine = OxigraphEngine((*guideline.triples, *guideline.closure))
        # as written and as the store gives them back: it writes numbers in a form of its own
        self._rules = frozenset((*guideline.triples, *guideline.closure, *self._engine.triples()))

    @contextmanager
    def evaluated(self, facts: Iterable[Triple], as_of: date, detail: bool = True) -> Iterator[Evaluation]:
        """The evaluation of these facts (pt: vocabulary) as known on `as_of`; its engine holds them until the block ends.
        Without `detail` it is enough for `kg.results`, not for explanations and questions."""
        given, dated, patients = record(facts, as_of)
        derived: list[Triple] = []
        try:
            self._engine.add((*given, *dated))
            derive.derive(self._engine, into=derived, detail=detail)
            yield Evaluation(guideline=self._guideline, as_of=as_of, facts=given, derived=tuple(derived), patients=patients, engine=self._engine)
        finally:
            for triple in {*given, *dated, *derived} - self._rules:
                self._engine.store.remove(ox.Quad(triple.subject, triple.predicate, triple.object))

"""Verdicts of some patients at a time: one embedded store a batch, the derivation inside it, and rows out."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

import pyoxigraph as ox

from kg import store
from kg.derive import Depth
from kg.engine import Triple
from kg.evaluate import record
from kg.guideline import Guideline
from kg.queries import Query, folder
from kg.terms import GL

#: Patients in a store at a time: fewer repeat the planning of queries, more leave the processor's cache.
BATCH = 32


@dataclass
class Judged:
    """What follows for one patient; everything as IRIs but the words of verdict, strength and reason, which are IRIs too.

    `verdicts`: treatment to (verdict, strength, current, reason), empty where there is none; `rules`: (rule, treatment) to
    degree (2 applies, 1 may); `missing`: treatment to questions; `findings`: (sort, about, status); `answers`: criterion to degree."""

    iri: str
    identifier: str
    verdicts: dict[str, tuple[str, str, bool, str]] = field(default_factory=dict)
    rules: dict[tuple[str, str], int] = field(default_factory=dict)
    missing: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    findings: list[tuple[str, str, str]] = field(default_factory=list)
    answers: dict[str, int] = field(default_factory=dict)

    def about(self, sort: str) -> list[tuple[str, str]]:
        """(about, status) of the findings of a sort (IRI), in order."""
        return sorted((what, status) for one, what, status in self.findings if one == sort)

    @property
    def applicability(self) -> str:
        """gl:Applies, gl:StatusUnknown or gl:NotApplicable."""
        ((_, status),) = self.about(GL.applicability)
        return status


class Judge:
    """A guideline ready to judge batches as of a day. One a process."""

    def __init__(self, guideline: Guideline, as_of: date) -> None:
        self.guideline, self.as_of = guideline, as_of

    @cached_property
    def _rules(self) -> list[ox.Quad]:
        return self.guideline.read_by((*folder("derive"), *folder("cohort")))

    def judge(self, facts: Iterable[Triple], step: Callable[[Query], None] | None = None) -> list[Judged]:
        """The patients among the facts (pt: vocabulary), in the order of their IRIs; `step` is told of each step of the derivation."""
        given, dated, _ = record(facts, self.as_of)
        held = ox.Store()
        held.extend(self._rules)
        held.extend(ox.Quad(*t) for t in (*given, *dated))
        store.derive(held.update, lambda: len(held), step, stages=Depth.VERDICTS.value, form=store.plain_form)
        return rows(held)


def rows(held: ox.Store) -> list[Judged]:
    """What stands in a store of derived triples, by the queries of `queries/cohort/`; patients in the order of their IRIs."""
    asked = {query.name: query for query in folder("cohort")}
    found = {iri: Judged(iri, identifier or iri) for iri, identifier in sorted(_select(held, asked["names"]), reverse=True)}
    for iri, treatment, verdict, strength, current, reason in _select(held, asked["verdicts"]):
        # where rules of equal rank differ in strength, the first by name counts, as in the JSON
        known = found[iri].verdicts.get(treatment, (verdict, strength, False, reason))
        found[iri].verdicts[treatment] = (verdict, min(known[1], strength), known[2] or current == "true", min(known[3], reason))
    for iri, rule, treatment, degree in _select(held, asked["rules"]):
        found[iri].rules[rule, treatment] = int(degree)
    for iri, treatment, question in _select(held, asked["missing"]):
        found[iri].missing[treatment].append(question)
    for iri, sort, about, status in _select(held, asked["findings"]):
        found[iri].findings.append((sort, about, status))
    for iri, criterion, degree in _select(held, asked["answers"]):
        found[iri].answers[criterion] = int(degree)
    return [found[iri] for iri in sorted(found)]


def _select(held: ox.Store, query: Query) -> Iterator[list[str]]:
    """The rows of a query as text; through CSV, which costs a third of asking each term for its text."""
    text = held.query(query.text).serialize(format=ox.QueryResultsFormat.CSV).decode()
    lines = csv.reader(io.StringIO(text))
    next(lines)
    return lines

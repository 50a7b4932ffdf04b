"""Counterfactuals: the smallest changes of a record with which a treatment would be eligible. What would have to be true,
never advice to record it.

Found by trying: every change is a hypothetical record judged by the derivation. Sets of changes are tried by the number
of facts they touch; only sets that reach everything that stands in the way of some rule for the treatment are worth
trying, and a change reaches what it alters when it is made alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

import pyoxigraph as ox

from kg.changes import Change, Changing
from kg.errors import InputError
from kg.evaluate import Evaluation
from kg.hypotheses import Outcome, bearing, outcomes, sliced
from kg.terms import GL, RDF

_ALL = 400  # changes tried one by one


@dataclass(frozen=True)
class Bounds:
    """How far the search goes: facts changed together, and hypothetical records tried."""

    facts: int = 4
    records: int = 1500


@dataclass(frozen=True)
class Counterfactual:
    """What would have to be true for a treatment (IRI) to be eligible: sets of changes of the least number of facts.

    `size` is that number; `none_up_to` says how many facts were surely not enough; `cut` that the search was ended."""

    treatment: str
    verdict: str
    size: int | None
    sets: tuple[tuple[Change, ...], ...]
    none_up_to: int
    cut: bool
    tried: int


def counterfactuals(evaluation: Evaluation, patient: ox.NamedNode, treatment: str, bounds: Bounds = Bounds()) -> Counterfactual:
    """The smallest changes that would make a treatment (slug or IRI) eligible for a patient of an evaluation.

    Raises InputError when there is no such treatment."""
    rules = evaluation.guideline.index
    slugs = {rules.text(one, GL.slug) or one.value: one for one in rules.subjects(RDF.type, ox.NamedNode(GL.Treatment))}
    node = slugs.get(treatment) or next((one for one in slugs.values() if one.value == treatment), None)
    if node is None:
        raise InputError(treatment, "--eligible", "no such treatment", f"give one of: {', '.join(get_close_matches(treatment, slugs, 4, 0.3) or sorted(slugs))}")
    return _Search(evaluation, patient, node, bounds).run()


class _Search:
    def __init__(self, evaluation: Evaluation, patient: ox.NamedNode, treatment: ox.NamedNode, bounds: Bounds) -> None:
        self.rules, self.bounds, self.treatment, self.as_of = evaluation.guideline.index, bounds, treatment, evaluation.as_of
        self.slice = sliced(evaluation.guideline, [treatment])
        self.population = self.rules.objects(evaluation.guideline.iri, GL.population)
        changing = Changing(evaluation, patient, treatment)
        self.record, self.all = changing.asking.record, changing.all()
        self.tried = 0

    def _judge(self, sets: Sequence[tuple[Change, ...]]) -> list[Outcome]:
        self.tried += len(sets)
        return outcomes(self.slice, self.record, self.as_of, [tuple(edit for change in one for edit in change.edits) for one in sets])

    def _eligible(self, outcome: Outcome) -> bool:
        return outcome.verdicts[self.treatment.value] == GL.Eligible

    def run(self) -> Counterfactual:
        base = self._judge([()])[0]
        verdict = base.verdicts[self.treatment.value]
        if self._eligible(base):
            return Counterfactual(self.treatment.value, verdict, 0, ((),), -1, False, self.tried)
        cut = len(self.all) > _ALL
        singles = list(zip(self.all[:_ALL], self._judge([(one,) for one in self.all[:_ALL]]), strict=True))
        useful = self._useful(base, singles)
        for size in range(1, self.bounds.facts + 1):
            wanted = [one for one in self._sets(base, useful, size)]
            room = max(self.bounds.records - self.tried, 0)
            found = [one for one, outcome in zip(wanted[:room], self._judge(wanted[:room]), strict=True) if self._eligible(outcome)]
            if found:
                return Counterfactual(self.treatment.value, verdict, size, tuple(found), size - 1, cut or len(wanted) > room, self.tried)
            if len(wanted) > room:
                return Counterfactual(self.treatment.value, verdict, None, (), size - 1, True, self.tried)
        return Counterfactual(self.treatment.value, verdict, None, (), self.bounds.facts, cut, self.tried)

    def _useful(self, base: Outcome, singles: Sequence[tuple[Change, Outcome]]) -> list[tuple[Change, Outcome]]:
        """Changes that alter anything, one for each way in which the changes of the same facts do."""
        first: dict[tuple, tuple[Change, Outcome]] = {}
        for change, outcome in singles:
            if outcome.signature != base.signature:
                first.setdefault((change.facts, outcome.signature), (change, outcome))
        return list(first.values())

    def _sets(self, base: Outcome, useful: Sequence[tuple[Change, Outcome]], size: int) -> Iterator[tuple[Change, ...]]:
        """Sets that edit so many facts and reach all that stands in the way of one rule for the treatment, without repeats."""
        seen: set[frozenset[int]] = set()
        for obstacles in self._obstacles(base):
            reached = [frozenset(number for number, one in enumerate(obstacles) if self._reaches(one, base, outcome)) for _, outcome in useful]
            for chosen in self._covers([one for one, _ in useful], reached, len(obstacles), size, 0, (), frozenset()):
                key = frozenset(chosen)
                if key not in seen:
                    seen.add(key)
                    yield tuple(useful[number][0] for number in chosen)

    def _covers(self, changes: Sequence[Change], reached: Sequence[frozenset[int]], needed: int, size: int, start: int,
                chosen: tuple[int, ...], facts: frozenset[str]) -> Iterator[tuple[int, ...]]:
        if len(facts) == size:
            if len(frozenset().union(*(reached[one] for one in chosen))) == needed:
                yield chosen
            return
        for number in range(start, len(changes)):
            more = changes[number].facts
            if reached[number] and not facts & more and len(facts | more) <= size:
                yield from self._covers(changes, reached, needed, size, number + 1, (*chosen, number), facts | more)

    def _obstacles(self, base: Outcome) -> Iterator[list[frozenset[str]]]:
        """For each rule for the treatment: the criteria in its way, each with those it draws on; the bars, as one."""
        def group(criterion) -> frozenset[str]:
            return frozenset((criterion.value, *(one.value for one in self.rules.objects(criterion, GL.drawsOn))))

        def unmet(criteria) -> list[frozenset[str]]:
            return [group(one) for one in criteria if base.degrees.get(one.value, 1) < 2]

        rules = bearing(self.rules, self.treatment)
        barred = [frozenset(("bar",))] if base.bars and any(treatment == self.treatment.value for treatment, _ in base.bars) else []
        for rule in rules:
            caution = ox.NamedNode(GL.Caution) in self.rules.objects(rule, RDF.type)
            against = self.rules.text(rule, GL.direction) == GL.Against
            criteria = self.rules.objects(rule, GL.needs)
            if (caution or against) and all(base.degrees.get(one.value, 1) > 0 for one in criteria):
                lifted = [*criteria, *(one for other in self.rules.objects(rule, GL.exception) for one in self.rules.objects(other, GL.needs)),
                          *(one for compared in self.rules.objects(rule, GL.compares) for one in self.rules.objects(compared, GL.criterion))]
                barred.append(frozenset().union(*map(group, lifted)))
        for rule in rules:
            if self.rules.text(rule, GL.direction) == GL.For and self.treatment in self.rules.objects(rule, GL.targets):
                yield [*unmet((*self.population, *self.rules.objects(rule, GL.needs))), *barred] or [frozenset(("*",))]

    def _reaches(self, obstacle: frozenset[str], base: Outcome, outcome: Outcome) -> bool:
        if "*" in obstacle:
            return True
        if "bar" in obstacle:
            return outcome.bars != base.bars
        return any(outcome.degrees.get(one) != base.degrees.get(one) for one in obstacle)

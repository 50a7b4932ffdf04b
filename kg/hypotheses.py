"""Hypothetical patients: copies of a record with edits, many of them in one evaluation, judged by the derivation itself.

A copy is the patient's facts under other IRIs. Only the rules that bear on the treatments asked about are loaded; a
verdict on such a slice is the verdict of the whole (a test holds them together)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

import pyoxigraph as ox

from kg.derive import ANSWERS, Depth
from kg.engine import Triple
from kg.evaluate import evaluate
from kg.guideline import Guideline
from kg.index import Index
from kg.terms import GL, PT, RDF

_LEADS = ("needs", "exception", "compares", "criterion", "of", "case", "if", "then", "otherwise", "first", "second",
          "amongCounted", "than", "countsInference", "beside")
_RULES = ("Recommendation", "Advice", "Caution", "Flag", "MonitoringRule", "PrerequisiteRule", "DocumentationItem",
          "ResponseInference", "Criterion", "FactCriterion", "AgeCriterion", "CountCriterion", "TotalDaysCriterion",
          "PairCriterion", "EveryTargetCriterion")
_BATCH = 60


@dataclass(frozen=True)
class Edit:
    """A change of one fact: what it no longer says (predicates, or None for all of it) and what it says as well."""

    fact: str
    gone: tuple[str | None, ...] = ()
    added: tuple[Triple, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What follows from a hypothetical record: verdict by treatment, and degree (0 unmet, 1 unknown, 2 met) by criterion;
    terms as IRIs. `signature` tells apart what differs in any criterion or bar."""

    verdicts: dict[str, str]
    degrees: dict[str, int]
    bars: frozenset[tuple[str, int]]

    @property
    def signature(self) -> tuple:
        return tuple(sorted(self.degrees.items())), self.bars, tuple(sorted(self.verdicts.items()))


@dataclass(frozen=True)
class Slice(Guideline):
    """A guideline without the rules that bear on none of some treatments, already closed."""

    closed: tuple[Triple, ...] = field(default=(), repr=False)

    @property
    def closure(self) -> tuple[Triple, ...]:  # type: ignore[override]
        return self.closed


def of_patient(facts: Iterable[Triple], patient: ox.NamedNode) -> tuple[Triple, ...]:
    """The triples of one patient among those of many: the patient's own and those of the facts that name it."""
    facts = tuple(facts)
    own = {t.subject for t in facts if t.predicate.value == PT.patient and t.object == patient} | {patient}
    return tuple(t for t in facts if t.subject in own)


def bearing(index: Index, treatment: ox.NamedNode) -> tuple[ox.NamedNode, ...]:
    """The rules that can change a treatment's verdict: for it, against it, exceptions, and cautions."""
    found = []
    for rule in index.subjects(GL.targets, treatment):
        caution = ox.NamedNode(GL.Caution) in index.objects(rule, RDF.type)
        if caution or index.text(rule, GL.direction) in (GL.For, GL.Against):
            found += [rule, *index.objects(rule, GL.exception)]
    return tuple(dict.fromkeys(found))


def sliced(guideline: Guideline, treatments: Iterable[ox.NamedNode]) -> Slice:
    """The guideline as far as it bears on these treatments."""
    index, wanted = guideline.index, set(treatments)
    kept = {rule for treatment in wanted for rule in bearing(index, treatment)}
    todo = [*kept, *index.objects(guideline.iri, GL.population)]
    kept.update(todo)
    while todo:
        node = todo.pop()
        for lead in _LEADS:
            new = [other for other in index.objects(node, getattr(GL, lead)) if other not in kept]
            kept.update(new)
            todo.extend(new)
    rules = {node for kind in _RULES for node in index.subjects(RDF.type, ox.NamedNode(getattr(GL, kind)))}
    others = set(index.subjects(RDF.type, ox.NamedNode(GL.Treatment))) - wanted

    def needed(t: Triple) -> bool:
        if t.subject in rules and t.subject not in kept:
            return False
        predicate = t.predicate.value
        if predicate in (GL.targets, GL.bars):
            return t.object in wanted
        if predicate == GL.above:
            return t.subject in wanted
        return predicate != GL.setsAside and not (predicate == RDF.type and t.subject in others and t.object.value == GL.Treatment)

    return Slice(guideline.iri, guideline.slug, guideline.version, tuple(filter(needed, guideline.triples)),
                 tuple(filter(needed, guideline.closure)))


def applied(record: Sequence[Triple], edits: Iterable[Edit]) -> tuple[Triple, ...]:
    """A record with these edits made, each of another fact."""
    edits = tuple(edits)
    whole = {edit.fact for edit in edits if None in edit.gone}
    parts = {(edit.fact, predicate) for edit in edits for predicate in edit.gone}
    kept = [t for t in record if t.subject.value not in whole and (t.subject.value, t.predicate.value) not in parts]
    return (*kept, *(triple for edit in edits for triple in edit.added))


def outcomes(guideline: Guideline, record: Sequence[Triple], as_of: date, versions: Sequence[Iterable[Edit]]) -> list[Outcome]:
    """What follows from each version of one patient's record, in their order."""
    found: list[Outcome] = []
    for start in range(0, len(versions), _BATCH):
        batch = versions[start:start + _BATCH]
        facts = [t for number, edits in enumerate(batch) for t in _copy(applied(record, edits), number)]
        found += _read(evaluate(facts, guideline, as_of, depth=Depth.VERDICTS).derived, len(batch))
    return found


def _copy(record: Sequence[Triple], number: int) -> Iterable[Triple]:
    # the number stands in front, so that IRIs keep their order
    own = {t.subject for t in record}
    names = {node: ox.NamedNode(f"urn:kg:copy:{number}:{node.value}") for node in own}
    return [Triple(names[t.subject], t.predicate, names.get(t.object, t.object)) for t in record]


def _number(copy: str) -> int:
    return int(copy.split(":", 4)[3])


def _read(derived: Iterable[Triple], count: int) -> list[Outcome]:
    wanted = (GL.patient, GL.treatment, GL.verdict, GL.degree)
    found = [Outcome({}, {}, frozenset()) for _ in range(count)]
    nodes: dict[ox.NamedNode, dict[str, str]] = {}
    kinds: dict[ox.NamedNode, str] = {}
    for t in derived:
        predicate = t.predicate.value
        if predicate in wanted:
            nodes.setdefault(t.subject, {})[predicate] = t.object.value
        elif predicate in ANSWERS:
            found[_number(t.subject.value)].degrees[t.object.value] = ANSWERS.index(predicate)
        elif predicate == RDF.type and t.object.value in (GL.Verdict, GL.Bar):
            kinds[t.subject] = t.object.value
    bars: list[set] = [set() for _ in range(count)]
    for node, kind in kinds.items():
        said = nodes[node]
        number = _number(said[GL.patient])
        if kind == GL.Verdict:
            found[number].verdicts[said[GL.treatment]] = said[GL.verdict]
        else:
            bars[number].add((said[GL.treatment], int(said[GL.degree])))
    return [Outcome(one.verdicts, one.degrees, frozenset(bar)) for one, bar in zip(found, bars, strict=True)]

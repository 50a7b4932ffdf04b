"""Changes of a record from which counterfactuals are made: other values of facts on record, facts gone, facts added.

What is tried is read from the criteria that bear on one treatment; a number stands for the values around each threshold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import pyoxigraph as ox

from kg.engine import Triple
from kg.evaluate import Evaluation
from kg.hypotheses import Edit, bearing
from kg.questions import Asking
from kg.slots import Slot
from kg.terms import GL, PT, RDF, RDFS, XSD

_KINDS = (PT.Observation, PT.Diagnosis, PT.Course, PT.Procedure, PT.Plan)
_DATED = {PT.Course: (PT.start, PT.end, PT.recorded), PT.Plan: (PT.start, PT.end), PT.Observation: (PT.date,), PT.Procedure: (PT.date,), PT.Diagnosis: (PT.start,)}


@dataclass(frozen=True)
class Change:
    """A change in words, with the facts it edits or makes; two changes of one fact exclude each other."""

    words: str
    edits: tuple[Edit, ...]

    @property
    def facts(self) -> frozenset[str]:
        return frozenset(edit.fact for edit in self.edits)


class Changing:
    """The changes of one patient's record that can bear on one treatment."""

    def __init__(self, evaluation: Evaluation, patient: ox.NamedNode, treatment: ox.NamedNode) -> None:
        self.asking = Asking(evaluation, patient)
        self.rules, self.facts, self.patient, self.day, self.treatment = self.asking.rules, self.asking.facts, patient, evaluation.as_of, treatment
        needs = [*self.rules.objects(evaluation.guideline.iri, GL.population)]
        for rule in bearing(self.rules, treatment):
            needs += self.rules.objects(rule, GL.needs)
            needs += [one for compared in self.rules.objects(rule, GL.compares) for one in self.rules.objects(compared, GL.criterion)]
        self.leaves = list(dict.fromkeys(leaf for need in needs for leaf in (need, *self.rules.objects(need, GL.drawsOn))
                                         if any(self.rules.value(leaf, one) for one in (GL.reads, GL.years, GL.counts, GL.target))))

    def all(self) -> list[Change]:
        """Every change, without repeats: of facts on record, then of facts that would be new."""
        found: dict[tuple, Change] = {}
        for change in (*self._recorded(), *self._measured(), *self._added(), *self._bars()):
            found.setdefault(change.edits, change)
        return list(found.values())

    def _label(self, iri: str | None) -> str:
        return (self.rules.text(ox.NamedNode(iri), RDFS.label) if iri and ":" in iri else None) or iri or ""

    def _recorded(self) -> Iterator[Change]:
        for leaf in self.leaves:
            for kind in _KINDS:
                for fact in self.asking.read_by(leaf, kind):
                    named = self.asking.named(fact)
                    yield Change(f"{named}: not on record", (Edit(fact.value, (None,)),))
                    for predicate, values in self._values(leaf, kind, fact):
                        said = self.facts.objects(fact, predicate)
                        words = {one.value: self._words(one.value) for one in said}
                        for value in values:
                            if value not in words:
                                yield Change(f"{named}: {self._label(predicate)} {self._words(value)} instead of {', '.join(words.values()) or 'nothing recorded'}",
                                             (Edit(fact.value, (predicate,), (self._triple(fact, predicate, value),)),))

    def _values(self, leaf, kind: str, fact) -> Iterator[tuple[str, list[str]]]:
        constraints = self.rules.objects(leaf, GL.constraint)
        properties = {self.rules.text(one, GL.property) for one in constraints}
        about = self.facts.text(fact, PT.about)
        if GL.presence in properties:
            yield PT.presence, [PT.Present, PT.Absent, *([PT.Resolved] if kind == PT.Diagnosis else [])]
        if PT.finding in properties:
            yield PT.finding, sorted({row["choice"] for row in self.asking.rows if row["property"] == PT.finding and row.get("concept") == about})
        if kind == PT.Course and ({GL.response, GL.setback} & properties or self.rules.value(leaf, GL.counts)):
            yield PT.response, [one.value for one in self.rules.subjects(RDF.type, ox.NamedNode(PT.Response)) if one.value != PT.UnreadReason]
        if kind == PT.Course:
            yield PT.status, [PT.Active, PT.Stopped]
        if GL.route in properties:
            yield PT.route, [PT.Oral]
        for predicate in _DATED[kind]:
            if self.facts.value(fact, predicate) is not None or predicate == PT.end:
                yield predicate, [day.isoformat() for day in sorted(self.asking.days(leaf, kind, fact, predicate, False), key=lambda day: self._away(fact, predicate, day))]

    def _away(self, fact, predicate: str, day: date) -> int:
        """Days between a date and the one on record: of dates that do the same the nearest is taken."""
        known = (self.facts.text(fact, predicate) or self.day.isoformat()) + "-01-01"
        return abs((day - date.fromisoformat(known[:10])).days)

    def _words(self, value: str) -> str:
        label = self._label(value)
        return label if label[:2].isupper() else label[:1].lower() + label[1:]

    def _triple(self, fact, predicate: str, value: str) -> Triple:
        dated = predicate in (PT.start, PT.end, PT.recorded, PT.date)
        said = ox.Literal(value, datatype=ox.NamedNode(XSD.date)) if dated else ox.NamedNode(value)
        return Triple(fact, ox.NamedNode(predicate), said)

    def _measured(self) -> Iterator[Change]:
        """Values of numbers on record beyond each threshold, and new answers to what criteria read."""
        leaves = {leaf.value for leaf in self.leaves}
        slots: dict[Slot, list[dict[str, str]]] = {}
        for row in self.asking.rows:
            if row["criterion"] in leaves and row["property"] != PT.response:
                wholes = self.asking.read_by(ox.NamedNode(row["criterion"]), PT.Procedure) if not self.asking.reads(ox.NamedNode(row["criterion"]), PT.Observation) and row["kind"] == PT.Observation else [None]
                for whole in wholes:
                    slots.setdefault(Slot(row["kind"], row["property"], row.get("concept"), None, whole.value if whole else None), []).append(row)
        for slot, rows in slots.items():
            question = self.asking.question(slot, "", rows, set())
            about = self._label(slot.concept) if slot.concept else "Date of birth"
            after = f" after {self.asking.named(ox.NamedNode(slot.whole))}" if slot.whole else ""
            for answer in question.answers:
                said = f"{answer.label} with {self._words(slot.property)}" if slot.kind == PT.Course else answer.label
                yield Change(f"{about}{after}: {said} ({'' if slot.kind == PT.Patient else 'new, '}dated {self.day.isoformat()})".replace(" (dated", " (as of"), (answer.edit,))
                if slot.property != PT.value:
                    continue
                for fact in self.facts.subjects(PT.about, ox.NamedNode(slot.concept or "")):
                    belongs = self.facts.text(fact, PT.partOf) == slot.whole
                    if belongs and self.facts.text(fact, PT.value) is not None and self.facts.text(fact, PT.unit) == question.unit:
                        value = ox.Literal(answer.value, datatype=ox.NamedNode(XSD.decimal))
                        words = f"{self.asking.named(fact)}{after}: {answer.label} instead of {self.facts.text(fact, PT.value)}"
                        yield Change(words, (Edit(fact.value, (PT.value,), (Triple(fact, ox.NamedNode(PT.value), value),)),))

    def _added(self) -> Iterator[Change]:
        """Courses, plans and procedures that criteria ask for, as short as a threshold allows."""
        for leaf in self.leaves:
            constraints = self.rules.objects(leaf, GL.constraint)
            limits = {self.rules.text(one, GL.on): int(float(self.rules.text(one, GL.limit) or 0)) for one in constraints if self.rules.text(one, GL.on)}
            for concept in self._concepts(leaf):
                if self.asking.reads(leaf, PT.Course):
                    failed = {value.value for one in constraints if self.rules.text(one, GL.property) == GL.response for value in self.rules.objects(one, GL.metIf) if value.value.startswith(PT.iri)}
                    for response in sorted(failed):
                        days = self._long_enough()
                        start = self.day - timedelta(days=days)
                        yield self._new(PT.Course, concept, f"{days} days with {self._words(response)}", {PT.response: response, PT.status: PT.Stopped}, {PT.start: start, PT.end: self.day, PT.recorded: self.day})
                if self.asking.reads(leaf, PT.Plan):
                    days = max(limits.get(GL.scheduled, 2) - 1, 1)
                    route = {PT.route: value.value for one in constraints if self.rules.text(one, GL.property) == GL.route for value in self.rules.objects(one, GL.metIf)}
                    end = {PT.end: self.day + timedelta(days=days)} if GL.scheduled in limits else {}
                    said = f"planned from {self.day.isoformat()}" + (f" for {days} days" if end else "")
                    yield self._new(PT.Plan, concept, said, route, {PT.authored: self.day, PT.start: self.day, **end})
                if self.asking.reads(leaf, PT.Procedure):
                    yield from self._procedures(leaf, concept)

    def _long_enough(self) -> int:
        """The days after which a failure counts for every criterion that bears on the treatment."""
        constraints = [one for leaf in self.leaves for one in self.rules.objects(leaf, GL.constraint) if self.rules.text(one, GL.on) == GL.failedAfter]
        return max((int(float(self.rules.text(one, GL.limit) or 0)) for one in constraints), default=1)

    def _procedures(self, leaf, concept: str) -> Iterator[Change]:
        """A procedure with the effects that the criterion reads, each just on either side of its threshold."""
        done = self.day - timedelta(days=100)
        bare = self._new(PT.Procedure, concept, f"done {done.isoformat()}", {}, {PT.date: done})
        rows = [row for row in self.asking.rows if row["criterion"] == leaf.value and row["kind"] == PT.Observation]
        yield bare
        node = bare.edits[0].fact
        effects = []
        for row in rows:
            slot = Slot(PT.Observation, PT.value, row["concept"], None, node)
            effects.append([(f"{self._label(row['concept'])} {answer.label}", answer.edit) for answer in self.asking.question(slot, "", [row], set()).answers])
        for group in effects:
            for words, edit in group:
                yield Change(f"{bare.words}, {words}", (*bare.edits, edit))
        for first in effects[:1]:
            for words, edit in first:
                for more in effects[1:]:
                    for further, other in more:
                        yield Change(f"{bare.words}, {words}, {further}", (*bare.edits, edit, other))

    def _concepts(self, leaf) -> list[str]:
        """What a new fact can be about: the class that a criterion reads, and each agent of it that can be told apart."""
        abouts = [*self.rules.objects(leaf, GL.about), *self.rules.objects(leaf, GL.aboutItself)]
        agents = [one for about in abouts for one in self.rules.objects(about, GL.covers) if self.rules.text(one, GL.activeSubstance) == one.value]
        return [one.value for one in dict.fromkeys((*abouts, *(agents if self.asking.reads(leaf, PT.Course) else ())))]

    def _new(self, kind: str, concept: str, said: str, values: dict[str, str], days: dict) -> Change:
        local = concept.rpartition("#")[2]
        node = ox.NamedNode(f"{self.patient.value}/supposed/{kind.removeprefix(PT.iri)}-{local}")
        triples = [Triple(node, ox.NamedNode(RDF.type), ox.NamedNode(kind)), Triple(node, ox.NamedNode(PT.patient), self.patient), Triple(node, ox.NamedNode(PT.about), ox.NamedNode(concept))]
        triples += [Triple(node, ox.NamedNode(key), ox.NamedNode(value)) for key, value in values.items()]
        triples += [Triple(node, ox.NamedNode(key), ox.Literal(day.isoformat(), datatype=ox.NamedNode(XSD.date))) for key, day in days.items()]
        return Change(f"{self._label(concept)}: {said} (new)", (Edit(node.value, (), tuple(triples)),))

    def _bars(self) -> Iterator[Change]:
        """Contraindications on record as if absent, courses on record that bar, and one that bars all that a criterion lists."""
        for fact in self.facts.subjects(RDF.type, ox.NamedNode(PT.Contraindication)):
            yield Change(f"Contraindication to {self._words(self.facts.text(fact, PT.about) or '')}: not on record", (Edit(fact.value, (None,)),))
            yield Change(f"Contraindication to {self._words(self.facts.text(fact, PT.about) or '')}: confirmed",
                         (Edit(fact.value, (PT.certainty,), (Triple(fact, ox.NamedNode(PT.certainty), ox.NamedNode(PT.Confirmed)),)),))
        for bar in self.asking.derived.subjects(GL.treatment, self.treatment):
            for fact in self.asking.derived.objects(bar, GL.usedFact):
                if self.facts.value(fact, PT.response) is not None:
                    named = self.asking.named(fact)
                    yield Change(f"{named}: not on record", (Edit(fact.value, (None,)),))
                    for response in (one for one in self.rules.subjects(RDF.type, ox.NamedNode(PT.Response)) if one not in self.facts.objects(fact, PT.response)):
                        yield Change(f"{named}: {self._label(PT.response)} {self._words(response.value)} instead of {self._words(self.facts.text(fact, PT.response) or '')}",
                                     (Edit(fact.value, (PT.response,), (Triple(fact, ox.NamedNode(PT.response), response),)),))
        for leaf in self.leaves:
            targets = set(self.rules.objects(leaf, GL.target))
            if not targets:
                continue
            wholes = {one: set(self.rules.objects(one, GL.bars)) for one in {one for target in targets for one in self.rules.subjects(GL.bars, target)}}
            reaching = sorted((len(barred), one.value) for one, barred in wholes.items() if targets <= barred and self.treatment not in barred)
            for _, concept in reaching[:1]:
                change = self._new(PT.Contraindication, concept, "contraindicated", {PT.certainty: PT.Confirmed}, {PT.recorded: self.day})
                yield change

"""What if the record said otherwise: edits given in words, the verdicts before and after them side by side."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches

import pyoxigraph as ox

from kg.engine import Triple
from kg.errors import InputError
from kg.evaluate import Evaluation, evaluate
from kg.hypotheses import Edit, applied, of_patient
from kg.index import Index
from kg.results import results
from kg.terms import DCTERMS, GL, PT, RDF, RDFS, XSD

_DATES = ("birthDate", "date", "start", "end", "recorded", "authored")
_DAY = {"Observation": "date", "Procedure": "date", "Diagnosis": "recorded", "Contraindication": "recorded", "Course": "recorded", "Plan": "authored"}
_SHAPES = {4: "gYear", 7: "gYearMonth", 10: "date"}


@dataclass(frozen=True)
class Difference:
    """One verdict before and after (words, strength after the verdict where there is one)."""

    treatment: str
    label: str
    before: str
    after: str

    @property
    def changed(self) -> bool:
        return self.before != self.after


@dataclass(frozen=True)
class Comparison:
    """The verdicts of one patient before and after edits, those that changed first; review flags that came and went."""

    differences: tuple[Difference, ...]
    flags_raised: tuple[str, ...]
    flags_gone: tuple[str, ...]


def compare(evaluation: Evaluation, patient: ox.NamedNode, edits: Sequence[Edit]) -> Comparison:
    """The verdicts of a patient as recorded, and as they would be with the edits. The record itself stays as it is."""
    record = of_patient(evaluation.facts, patient)
    after = results(evaluate(applied(record, edits), evaluation.guideline, evaluation.as_of, detail=False))[0]
    before = next(row for row in results(evaluation) if row["iri"] == patient.value)
    then = {row["treatment"]: row for row in after["treatments"]}
    found = [Difference(row["treatment"], row["label"], _verdict(row), _verdict(then[row["treatment"]])) for row in before["treatments"]]
    flags = [{flag["flag"]: flag["label"] for flag in row["flags"]} for row in (before, after)]
    return Comparison(tuple(sorted(found, key=lambda one: not one.changed)),
                      tuple(label for flag, label in flags[1].items() if flag not in flags[0]), tuple(label for flag, label in flags[0].items() if flag not in flags[1]))


def _verdict(row: dict) -> str:
    return f"{row['verdict'].replace('-', ' ')} ({row['strength']})" if row["strength"] else row["verdict"].replace("-", " ")


class Editor:
    """Reads edits in words for one patient of an evaluation. Raises InputError for what names no fact, property or value."""

    def __init__(self, evaluation: Evaluation, patient: ox.NamedNode) -> None:
        self.rules, self.patient, self.as_of = evaluation.guideline.index, patient, evaluation.as_of
        self.record = of_patient(evaluation.facts, patient)
        self.facts = Index(self.record)
        self._added = 0

    def set(self, text: str) -> Edit:
        """`FACT.property=value`: the property of a fact, in place of what it says."""
        left, equals, value = text.partition("=")
        name, dot, property_ = left.rpartition(".")
        if not (equals and dot and value):
            raise InputError(text, "--set", "not an edit", "write it as FACT.property=value")
        fact = self._fact(name, "--set")
        kind = next(one.value for one in self.facts.objects(fact, RDF.type) if one.value.startswith(PT.iri))
        said = self._said(fact, kind, self.facts.text(fact, PT.about), property_, value, "--set")
        return Edit(fact.value, (said[0].predicate.value,), tuple(said))

    def remove(self, name: str) -> Edit:
        """A fact, as if it were not on record."""
        fact = self._fact(name, "--remove")
        if fact == self.patient:
            raise InputError(name, "--remove", "is the patient", "name one of the facts")
        return Edit(fact.value, (None,))

    def add(self, text: str) -> Edit:
        """`kind about [property=value ...]`: a new fact; dated by the day of the evaluation unless it says otherwise."""
        kind, *rest = text.split()
        known = {name.casefold(): name for name in _DAY}
        if kind.casefold() not in known or not rest:
            raise InputError(text, "--add", "not a fact", f"write it as KIND CONCEPT property=value ...; kinds are {', '.join(sorted(known.values()))}")
        name, about = known[kind.casefold()], self._term(rest[0], "--add")
        self._added += 1
        node = ox.NamedNode(f"{self.patient.value}/what-if/{self._added}")
        triples = [Triple(node, ox.NamedNode(RDF.type), ox.NamedNode(PT.iri + name)), Triple(node, ox.NamedNode(PT.patient), self.patient),
                   Triple(node, ox.NamedNode(PT.about), ox.NamedNode(about))]
        pairs = [part.partition("=") for part in rest[1:]]
        if not any(property_ in _DATES for property_, _, _ in pairs):
            pairs.append((_DAY[name], "=", self.as_of.isoformat()))
        for property_, equals, value in pairs:
            if not (equals and value):
                raise InputError(text, "--add", f"'{property_}' is no property with a value", "write property=value")
            triples += self._said(node, PT.iri + name, about, property_, value, "--add")
        return Edit(node.value, (), tuple(triples))

    def _fact(self, name: str, option: str) -> ox.NamedNode:
        known = sorted({t.subject for t in self.record}, key=lambda one: one.value)
        if name in (self.facts.text(self.patient, DCTERMS.identifier), self.patient.value):
            return self.patient
        found = [one for one in known if one.value == name] or [one for one in known if one.value.endswith(name) and one.value[-len(name) - 1] in "/#:"]
        if len(found) == 1:
            return found[0]
        ends = [one.value.rsplit("/", 2)[-2] + "/" + one.value.rsplit("/", 1)[-1] for one in found or known if one != self.patient]
        raise InputError(name, option, "names several facts" if found else "names no fact of the patient", f"give the end of one IRI, such as {', '.join(ends[:6])}")

    def _said(self, node, kind: str, about: str | None, property_: str, value: str, option: str) -> list[Triple]:
        predicate = ox.NamedNode(PT.iri + property_)
        allowed = self._properties(kind)
        if predicate.value not in allowed:
            names = sorted(one.removeprefix(PT.iri) for one in allowed)
            raise InputError(property_, option, f"no property of {kind.removeprefix(PT.iri)}", f"give one of {', '.join(get_close_matches(property_, names, 3, 0.4) or names)}")
        if property_ in _DATES:
            return [Triple(node, predicate, ox.Literal(_date(value, option), datatype=ox.NamedNode(XSD.iri + _SHAPES[len(value)])))]
        if property_ == "value":
            unit = self._measured(about, value, option)
            said = [Triple(node, predicate, ox.Literal(value, datatype=ox.NamedNode(XSD.decimal)))]
            return said if self.facts.value(node, PT.unit) is not None else [*said, Triple(node, ox.NamedNode(PT.unit), ox.Literal(unit))]
        if property_ in ("unit", "text"):
            return [Triple(node, predicate, ox.Literal(value))]
        if property_ == "supply":
            return [Triple(node, predicate, ox.Literal(value, datatype=ox.NamedNode(XSD.boolean)))]
        if property_ in ("partOf", "patient"):
            return [Triple(node, predicate, self._fact(value, option))]
        term = self._term(value, option)
        range_ = self.rules.value(predicate, RDFS.range)
        if range_ is not None and range_ not in self.rules.objects(ox.NamedNode(term), RDF.type):
            choices = sorted(one.value.removeprefix(PT.iri) for one in self.rules.subjects(RDF.type, range_))
            raise InputError(value, option, f"no value of {property_}", f"give one of {', '.join(choices)}")
        return [Triple(node, predicate, ox.NamedNode(term))]

    def _properties(self, kind: str) -> set[str]:
        """The properties whose domain is the kind, a class above it or a union with it."""
        found = set()
        above = {kind, *(one.value for one in self.rules.objects(ox.NamedNode(kind), RDFS.subClassOf))}
        for predicate in (*self.rules.subjects(RDF.type, ox.NamedNode(_OWL + "ObjectProperty")), *self.rules.subjects(RDF.type, ox.NamedNode(_OWL + "DatatypeProperty")),
                          *self.rules.subjects(RDF.type, ox.NamedNode(_OWL + "AnnotationProperty"))):
            for domain in self.rules.objects(predicate, RDFS.domain):
                if predicate.value.startswith(PT.iri) and above & {domain.value, *self._members(domain)}:
                    found.add(predicate.value)
        return found - {PT.asOf, PT.patient}

    def _members(self, domain) -> Iterable[str]:
        rest = self.rules.value(domain, _OWL + "unionOf")
        while rest is not None and rest.value != RDF.nil:
            first = self.rules.value(rest, RDF.first)
            if first is None:
                return
            yield first.value
            rest = self.rules.value(rest, RDF.rest)

    def _term(self, name: str, option: str) -> str:
        """The IRI of a concept or value called by IRI, local name or slug."""
        terms = self._terms()
        found = terms.get(_plain(name)) or (name if name in terms.values() else None)
        if found is None:
            near = get_close_matches(_plain(name), terms, 4, 0.5)
            raise InputError(name, option, "no concept or value of that name", f"give a local name or slug, such as {', '.join(near or ['those of `kg docs`'])}")
        return found

    def _terms(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for node in self.rules.having(RDFS.label):
            if isinstance(node, ox.NamedNode) and (node.value.startswith(PT.iri) or self.rules.value(node, GL.covers) is not None):
                for name in (node.value.rpartition("#")[2], self.rules.text(node, GL.slug)):
                    found.setdefault(_plain(name or ""), node.value)
        return found

    def _measured(self, about: str | None, value: str, option: str) -> str:
        """The unit of a measure, its number checked against the range."""
        measure = ox.NamedNode(about or "")
        unit, least, most = (self.rules.text(measure, one) for one in (GL.unit, GL.minValue, GL.maxValue))
        try:
            number = Decimal(value)
        except InvalidOperation:
            raise InputError(value, option, "not a number", "give one in the unit of the measure") from None
        if unit is None:
            raise InputError((about or "").rpartition("#")[2], option, "is not measured by a number", "give presence or finding instead")
        if (least is not None and number < Decimal(least)) or (most is not None and number > Decimal(most)):
            raise InputError(value, option, "outside what is possible", f"give a number from {least} to {most or 'above'}")
        return unit


def _plain(name: str) -> str:
    """A name as it is compared: hyphens and letter case aside."""
    return name.replace("-", "").replace("_", "").casefold()


_OWL = "http://www.w3.org/2002/07/owl#"


def _date(value: str, option: str) -> str:
    try:
        if len(value) not in _SHAPES:
            raise ValueError(value)
        date.fromisoformat((value + "-01-01")[:10])
    except ValueError:
        raise InputError(value, option, "not a date", "write YYYY-MM-DD, YYYY-MM or YYYY") from None
    return value

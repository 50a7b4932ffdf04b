"""The facts of a record in words: what each is about, what it says, when, and which resource it came from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pyoxigraph as ox

from kg.evaluate import Evaluation
from kg.index import Index
from kg.terms import GL, PT, RDF, RDFS, local
from kg.words import number, unit

_NOTATION = "http://www.w3.org/2004/02/skos/core#notation"
_DATES = (PT.date, PT.start, PT.end, PT.authored, PT.recorded, PT.birthDate)
_SHOWN = {RDF.type, PT.about, PT.patient, PT.source, PT.value, PT.unit, PT.text, PT.partOf, PT.element, *_DATES}
_RESOURCE = re.compile(r"(?:^|[/:])([A-Z][A-Za-z]+)/([^/#]+)(?:/_history/[^/#]+)?$")


@dataclass(frozen=True)
class Fact:
    """One fact: IRI, patient (IRI), kind, subject, what it says, the record's own text, dates, day that orders it, origin.

    `when` are the dates as the record gives them, partial ones too; `day` is the earliest of them ("" without any).
    `resource` and `resource_id` are of the FHIR resource; without one, `resource` is "" and `resource_id` the source
    as written, "" where none is named; `element` is the one it was read from, without the resource's type."""

    iri: str
    patient: str
    kind: str
    about: str
    says: tuple[str, ...]
    text: tuple[str, ...]
    when: str
    day: str
    resource: str
    resource_id: str
    element: str

    @property
    def origin(self) -> str:
        """Resource and id, or the source as written, or that there is none; with the element."""
        named = f"{self.resource}/{self.resource_id}".strip("/") or "no source recorded"
        return f"{named} ({self.element})" if self.element else named

    def __str__(self) -> str:
        said = ", ".join((*self.says, *(f"“{one}”" for one in self.text)))
        return f"{self.about}{f': {said}' if said else ''}; {self.when}; {self.kind.lower()}, {self.origin}"


def read(evaluation: Evaluation) -> dict[str, Fact]:
    """Every fact of the evaluated records, by IRI."""
    rules, given = evaluation.guideline.index, Index(evaluation.facts)
    patient = ox.NamedNode(PT.patient)
    nodes = dict.fromkeys(one.subject for one in evaluation.facts if one.predicate == patient)
    said: dict[ox.NamedNode, list[ox.Triple]] = {node: [] for node in nodes}
    for one in evaluation.facts:
        if one.subject in said:
            said[one.subject].append(one)
    return {node.value: _fact(rules, given, node, said[node]) for node in nodes}


def in_order(facts: Mapping[str, Fact], iris: Iterable[str]) -> tuple[Fact, ...]:
    """The facts with these IRIs by day; one that the record does not describe is shown by its IRI."""
    found = (facts.get(iri) or Fact(iri, "", "", local(iri), (), (), "no date", "", "", iri, "") for iri in set(iris))
    return tuple(sorted(found, key=lambda fact: (fact.day, fact.about, fact.iri)))


def units(rules: Index) -> dict[str, str]:
    """Labels of the units of time, by UCUM code."""
    found = rules.subjects(RDF.type, ox.NamedNode(GL.Unit))
    return {rules.text(one, _NOTATION) or "": rules.text(one, RDFS.label) or "" for one in found}


def _fact(rules: Index, given: Index, node: ox.NamedNode, said: list[ox.Triple]) -> Fact:
    kinds = [_label(rules, kind) for kind in given.objects(node, RDF.type)]
    about = [_label(rules, one) for one in given.objects(node, PT.about)]
    resource, name = _origin(given.text(node, PT.source) or "")
    when, day = _when(given, node)
    return Fact(
        node.value, given.text(node, PT.patient) or "", ", ".join(kinds), ", ".join(about) or "nothing that is known", _says(rules, given, node, said),
        tuple(one.value for one in given.objects(node, PT.text)), when, day, resource, name,
        (given.text(node, PT.element) or "").removeprefix(f"{resource}."),
    )  # fmt: skip


def _says(rules: Index, given: Index, node: ox.NamedNode, said: list[ox.Triple]) -> tuple[str, ...]:
    """Value with unit, then every other thing said, by its label; what is true or false by the property's."""
    words = []
    for one in given.objects(node, PT.value):
        code = given.text(node, PT.unit) or ""
        words.append(f"{number(one.value)} {unit(code, units(rules), number(one.value))}".strip())
    for predicate, value, term in sorted({(s.predicate.value, s.object.value, s.object) for s in said if s.predicate.value not in _SHOWN}, key=lambda row: row[:2]):
        name = rules.text(ox.NamedNode(predicate), RDFS.label) or local(predicate)
        if isinstance(term, ox.NamedNode):
            words.append(_label(rules, term)[:1].lower() + _label(rules, term)[1:])
        else:
            words.append(f"{name}: {value}")
    for whole in given.objects(node, PT.partOf):
        words.append("after " + ", ".join(_label(rules, one) for one in given.objects(whole, PT.about)))
    return tuple(words)


def _when(given: Index, node: ox.NamedNode) -> tuple[str, str]:
    """The dates in words, and the earliest."""
    day, start, end, authored, recorded, born = (given.text(node, one) or "" for one in _DATES)
    begins = f"from {start}" if start else ""
    words = [day, f"{start} to {end}" if start and end else begins or (f"until {end}" if end else "")]
    words += [f"ordered {authored}" if authored else "", f"recorded {recorded}" if recorded else "", f"born {born}" if born else ""]
    known = sorted(filter(None, (day, start, end, authored, recorded)))
    return ", ".join(filter(None, words)) or "no date", known[0] if known else ""


def _origin(source: str) -> tuple[str, str]:
    found = _RESOURCE.search(source)
    return (found[1], found[2]) if found else ("", source)


def _label(rules: Index, term) -> str:
    return rules.text(term, RDFS.label) or local(term.value)

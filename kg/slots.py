"""What can be asked of a record, and how an answer is written into it: one property of one fact, there already or new.

The same writing serves hypothetical answers and those of a FHIR QuestionnaireResponse, so that both mean the same."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import pyoxigraph as ox

from kg.engine import Triple
from kg.hypotheses import Edit
from kg.terms import CL, PT, RDF, XSD, local

#: Answer to "is it so?" that leaves nothing to record: a bar that is not confirmed is taken off.
NOT_SO = PT.Absent
DATES = (PT.birthDate, PT.date, PT.start, PT.end)
_WHEN = {PT.Observation: PT.date, PT.Procedure: PT.date, PT.Diagnosis: PT.recorded, PT.Contraindication: PT.recorded, PT.Course: PT.recorded}
_PLAIN = re.compile(r"(?:(?P<fact>\S+)\|)?(?:(?P<kind>[A-Z]\w*)/)?(?:(?P<concept>\S+)/)?(?P<property>[A-Za-z]\w*)")


@dataclass(frozen=True)
class Slot:
    """One property (pt: IRI) of a fact of a kind (pt: class IRI) about a concept (IRI; None for the patient).

    `fact` is the IRI of the fact that it completes; None asks for a new one. `whole` is the procedure whose effect a
    new observation measures. Where `property` is a response, the slot asks for the days of a course with it."""

    kind: str
    property: str
    concept: str | None
    fact: str | None = None
    whole: str | None = None

    @property
    def link_id(self) -> str:
        """How a FHIR Questionnaire item names the slot: what it completes or belongs to, then kind, concept, property."""
        if self.fact:
            return f"{self.fact}|{local(self.property)}"
        path = "/".join(filter(None, (local(self.kind or ""), _short(self.concept), local(self.property or ""))))
        return f"{self.whole}|{path}" if self.whole else path


def parse(link_id: str) -> Slot | None:
    """The slot that a linkId names, kind and concept of a completed fact left empty; None when it names none."""
    match = _PLAIN.fullmatch(link_id)
    if match is None:
        return None
    fact, kind, concept, said = match["fact"], match["kind"], match["concept"], PT.iri + match["property"]
    if fact and not kind:
        return Slot("", said, None, fact)
    if not kind or (concept is None and kind != "Patient"):
        return None
    return Slot(PT.iri + kind, said, _long(concept) if concept else None, None, fact)


def edit(slot: Slot, value: str, day: date, patient: ox.NamedNode, record: Sequence[Triple], unit: str | None = None) -> Edit:
    """What an answer given on a day changes in the record of a patient.

    `value` is an IRI, a number or a date in lexical form; `unit` the UCUM code of a measured number."""
    if slot.kind == PT.Patient:
        return Edit(patient.value, (slot.property,), (_said(patient, slot, value),))
    if slot.fact:
        if slot.property == PT.certainty and value == NOT_SO:
            return Edit(slot.fact, (None,))
        node = ox.NamedNode(slot.fact)
        added = [_said(node, slot, value)]
        gone: list[str | None] = [slot.property]
        if slot.property == PT.end and not any(t.subject == node and t.predicate.value == PT.status and t.object.value in (PT.Stopped, PT.Completed) for t in record):
            plan = any(t.subject == node and t.predicate.value == RDF.type and t.object.value == PT.Plan for t in record)
            if not plan and date.fromisoformat(value) <= day:
                gone.append(PT.status)
                added.append(Triple(node, ox.NamedNode(PT.status), ox.NamedNode(PT.Completed)))
        return Edit(slot.fact, tuple(gone), tuple(added))
    node = ox.NamedNode(f"{patient.value}/answer/{local(slot.kind or '')}-{local(slot.concept or '')}-{day.isoformat()}" + (f"-{_digest(slot.whole)}" if slot.whole else ""))
    if slot.property == PT.certainty and value == NOT_SO:
        return Edit(node.value)
    return Edit(node.value, (None,), tuple(_new(slot, value, day, patient, node, unit)))


def _new(slot: Slot, value: str, day: date, patient: ox.NamedNode, node: ox.NamedNode, unit: str | None) -> list[Triple]:
    def says(predicate: str, iri: str) -> Triple:
        return Triple(node, ox.NamedNode(predicate), ox.NamedNode(iri))

    said = [says(RDF.type, slot.kind), says(PT.patient, patient.value), says(PT.about, slot.concept or ""), _dated(node, _WHEN[slot.kind], day)]
    if slot.kind == PT.Course:
        start = day - timedelta(days=int(float(value)))
        return [*said, says(PT.response, slot.property), says(PT.status, PT.Stopped), _dated(node, PT.start, start), _dated(node, PT.end, day)]
    said.append(_said(node, slot, value))
    if unit:
        said.append(Triple(node, ox.NamedNode(PT.unit), ox.Literal(unit)))
    if slot.whole:
        said.append(says(PT.partOf, slot.whole))
    return said


def _said(node: ox.NamedNode, slot: Slot, value: str) -> Triple:
    if slot.property in DATES:
        kind = {4: "gYear", 7: "gYearMonth"}.get(len(value), "date")
        return Triple(node, ox.NamedNode(slot.property), ox.Literal(value, datatype=ox.NamedNode(XSD.iri + kind)))
    if slot.property == PT.value:
        return Triple(node, ox.NamedNode(slot.property), ox.Literal(value, datatype=ox.NamedNode(XSD.decimal)))
    return Triple(node, ox.NamedNode(slot.property), ox.NamedNode(value))


def _dated(node: ox.NamedNode, predicate: str, day: date) -> Triple:
    return Triple(node, ox.NamedNode(predicate), ox.Literal(day.isoformat(), datatype=ox.NamedNode(XSD.date)))


def _digest(iri: str) -> str:
    from hashlib import sha256

    return sha256(iri.encode()).hexdigest()[:8]


def _short(iri: str | None) -> str | None:
    return "cl:" + iri.removeprefix(CL.iri) if iri and iri.startswith(CL.iri) else iri


def _long(name: str) -> str:
    return CL.iri + name[3:] if name.startswith("cl:") else name

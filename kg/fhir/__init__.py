"""FHIR R4 to patient facts (spec/fhir-input.md): `parse` gives the documents, `lift` the facts and the findings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property

import pyoxigraph as ox

from kg.codes import CodeIndex
from kg.fhir import alerts, conditions, facts, medications, observations, patients, procedures
from kg.fhir.context import Context
from kg.fhir.facts import Fact
from kg.fhir.findings import VIOLATION, Finding
from kg.fhir.reading import Unread, parse, read_line
from kg.fhir.record import Entry, collect, contained

__all__ = ["READ", "Finding", "Lifted", "Unread", "lift", "parse", "read_line"]

_READERS: dict[str, Callable[[Entry, Context], list[Fact]]] = {
    "AllergyIntolerance": alerts.allergy,
    "CarePlan": procedures.care_plan,
    "Condition": conditions.condition,
    "DetectedIssue": alerts.detected_issue,
    "DiagnosticReport": observations.report,
    "MedicationAdministration": medications.administration,
    "MedicationDispense": medications.dispense,
    "MedicationRequest": medications.request,
    "MedicationStatement": medications.statement,
    "Observation": observations.observation,
    "Procedure": procedures.procedure,
    "ServiceRequest": procedures.service_request,
}

#: The element whose code says what the facts of a resource are about, where all of them come from one.
_ELEMENTS = {
    "CarePlan": "activity",
    "Condition": "code",
    "DetectedIssue": "implicated",
    "DiagnosticReport": "code",
    "MedicationAdministration": "medication",
    "MedicationDispense": "medication",
    "MedicationRequest": "medication",
    "MedicationStatement": "medication",
    "Procedure": "code",
    "ServiceRequest": "code",
}

#: The resource types whose content becomes facts by itself; each can be searched for by `patient`, but for the Patient.
READ = ("Patient", *_READERS)


@dataclass(frozen=True)
class Lifted:
    """The facts of an input and what was found wrong in it; entries = relevant (gave a fact or a finding) + ignored."""

    triples: tuple[ox.Triple, ...] = field(repr=False)
    findings: tuple[Finding, ...]
    entries: int
    relevant: int
    ignored: int
    patients: tuple[ox.NamedNode, ...]
    responses: tuple[Entry, ...] = field(default=(), repr=False)

    @property
    def has_violations(self) -> bool:
        return any(finding.severity == VIOLATION for finding in self.findings)

    @cached_property
    def graph(self):
        """The triples as an rdflib graph (rdflib is imported only when this is asked for)."""
        from kg.engine import to_rdflib

        return to_rdflib(self.triples)


def lift(documents: Iterable[tuple[str, object]], codes: CodeIndex) -> Lifted:
    """Read FHIR documents (place, parsed JSON) into facts of the pt: vocabulary.
    Odd content is a finding, never an error. QuestionnaireResponses are kept for kg.fhir.answers: what they complete
    may stand in another input."""
    record = collect(documents)
    people = [entry for entry in record.entries if entry.kind == "Patient"]
    people += _contained_patients(record.entries)
    context = Context(codes, record, births=patients.births(people))
    relevant = set(record.reported) | {entry.index for entry in people}
    triples = []
    for person in {person.iri: person for person in people}.values():
        triples.extend(patients.triples(person, context.births.get(person.iri)))
    numbers: dict[str, int] = defaultdict(int)
    readable = [entry for entry in record.entries if entry.kind in _READERS]
    # procedures first: observations are part of them
    for entry in sorted(readable, key=lambda entry: (entry.kind != "Procedure", entry.index)):
        found = _facts(entry, context)
        owner = context.patient(entry) if found else None
        if found and owner is None:
            _no_patient(entry)
        for one in found if owner else ():
            numbers[entry.iri] += 1
            iri = f"{entry.iri}#fact-{numbers[entry.iri]}"
            triples.extend(facts.triples(one, iri, owner.iri, entry.iri))
            triples.append(facts.element(one, iri, ".".join(filter(None, (entry.kind, _ELEMENTS.get(entry.kind))))))
            relevant.add(entry.index)
            if one.kind == "Procedure":
                context.procedures.setdefault(entry.iri, (iri, owner.iri))
    findings = [*record.findings, *(f for entry in (*record.entries, *people) for f in entry.view.findings)]
    responses = tuple(entry for entry in record.entries if entry.kind == "QuestionnaireResponse")
    relevant |= {entry.index for entry in responses}
    relevant |= context.used | {entry.index for entry in record.entries if entry.view.findings}
    named = tuple(dict.fromkeys(facts.node(person.iri) for person in people))
    return Lifted(
        tuple(triples), tuple(dict.fromkeys(findings)), record.count, len(relevant), record.count - len(relevant), named, responses
    )


def _facts(entry: Entry, context: Context) -> list[Fact]:
    """The facts of a resource; only bars, unconfirmed, and a finding when it has a modifier that is not understood."""
    found = _READERS[entry.kind](entry, context)
    if not (found and entry.view.has("modifierExtension")):
        return found
    kept = [facts.unconfirmed(one) for one in found if one.kind == "Contraindication"]
    how = "read as unconfirmed" if kept else "not read"
    entry.view.violation("modifierExtension", f"may change the meaning and is not understood; {how}, check it by hand")
    return kept


def _contained_patients(entries: Iterable[Entry]) -> list[Entry]:
    """Patients contained in a resource that names them as its subject."""
    found = []
    for entry in entries:
        owner = entry.data.get("subject") or entry.data.get("patient")
        named = owner.get("reference") if isinstance(owner, dict) else None
        if isinstance(named, str) and named.startswith("#"):
            inner = contained(entry, named[1:])
            found.extend([inner] if inner and inner.kind == "Patient" else [])
    return found


def _no_patient(entry: Entry) -> None:
    """Say why the facts of a resource belong to nobody."""
    owner = "patient" if "patient" in entry.data and "subject" not in entry.data else "subject"
    if entry.kind in ("AllergyIntolerance", "DetectedIssue"):
        owner = "patient"
    if entry.view.has(owner):
        entry.view.violation(owner, "names no Patient of the input; not read, add the Patient or correct the reference")
    else:
        entry.view.violation(owner, "is missing; not read, name the Patient")

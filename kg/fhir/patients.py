"""Patient -> pt:Patient (spec/fhir-input.md: age, partial dates)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import pyoxigraph as ox

from kg.fhir.facts import date_literal, node
from kg.fhir.record import Entry
from kg.terms import DCTERMS, PT, RDF


def births(patients: Iterable[Entry]) -> dict[str, str]:
    """Date of birth (as precise as given) by patient IRI; one that two Patients of one identity give differently is
    left out."""
    found: dict[str, set[str]] = defaultdict(set)
    for entry in patients:
        day = entry.view.day("birthDate")
        found[entry.iri] |= {day} if day else set()
        if len(found[entry.iri]) > 1:
            entry.view.violation(
                "birthDate", "differs from another Patient of this identity; left out, keep one Patient"
            )
    return {iri: days.pop() for iri, days in found.items() if len(days) == 1}


def triples(entry: Entry, birth: str | None) -> list[ox.Triple]:
    """The pt:Patient node of a Patient."""
    subject = node(entry.iri)
    identifier = entry.local or entry.iri.rsplit("/")[-1]
    found = [
        ox.Triple(subject, node(RDF.type), node(PT.Patient)),
        ox.Triple(subject, node(DCTERMS.identifier), ox.Literal(identifier)),
    ]
    return found + ([ox.Triple(subject, node(PT.birthDate), date_literal(birth))] if birth else [])

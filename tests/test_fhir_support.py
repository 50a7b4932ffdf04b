"""Helpers of the importer's tests: a resource in, its facts as short lines out.
The lines are what the tables compare."""

from __future__ import annotations

import json
from functools import cache

import pyoxigraph as ox

from kg.codes import CodeIndex
from kg.fhir import Lifted, lift
from kg.paths import data
from kg.terms import GL, RECORD, SKOS

ICD = "http://hl7.org/fhir/sid/icd-10-cm"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ATC = "http://www.whocc.no/atc"
SNOMED = "http://snomed.info/sct"
LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
ACT = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
PATIENT = {"resourceType": "Patient", "id": "p", "birthDate": "1980-06-15"}


@cache
def codes() -> CodeIndex:
    """The index of the project's own code files; the visual analogue scale needs a unit that tells its scale."""
    store = ox.Store()
    for name in ("core.ttl", "patient.ttl", "clinical.ttl", "codes.ttl", "codes-cpt.ttl"):
        store.bulk_load(path=str(data("ontology", name)), format=ox.RdfFormat.TURTLE)
    for quad in list(store.quads_for_pattern(None, ox.NamedNode(SKOS.notation), ox.Literal("38214-3"), None)):
        yes = ox.Literal("true", datatype=ox.NamedNode("http://www.w3.org/2001/XMLSchema#boolean"))
        store.add(ox.Quad(quad.subject, ox.NamedNode(GL.needsScaleUnit), yes))
    return CodeIndex.from_store(store)


def concept(system: str, code: str, **more: object) -> dict:
    return {"coding": [{"system": system, "code": code}], **more}


def kg(code: str) -> dict:
    return concept(RECORD, code)


def quantity(value: object, unit: str | None = None) -> dict:
    return {"value": value} | ({"unit": unit, "system": UCUM, "code": unit} if unit else {})


def lifted(*resources: dict, patient: dict | None = PATIENT) -> Lifted:
    """Lift resources as a Bundle with one Patient; a resource without subject and patient is given that one."""
    own = []
    for number, resource in enumerate(resources, 1):
        owner = "patient" if resource["resourceType"] in ("AllergyIntolerance", "DetectedIssue") else "subject"
        linked = {owner: {"reference": "Patient/p"}} if not {"subject", "patient"} & set(resource) else {}
        own.append({"id": f"r{number}", **resource, **linked})
    entries = [{"resource": one} for one in ([patient] if patient else []) + own]
    return lift([("bundle.json", {"resourceType": "Bundle", "type": "collection", "entry": entries})], codes())


def lines(found: Lifted) -> list[str]:
    """Each fact as `Kind about property=value ...`, properties in order of name;
    the patient, the source and its element left out."""
    facts: dict[str, dict[str, list[str]]] = {}
    for triple in found.triples:
        name = _short(triple.predicate.value)
        facts.setdefault(triple.subject.value, {}).setdefault(name, []).append(_short(triple.object.value))
    return sorted(_line(fact) for fact in facts.values() if fact["type"] != ["Patient"])


def _line(fact: dict[str, list[str]]) -> str:
    rest = sorted(
        f"{name}={'+'.join(sorted(values))}"
        for name, values in fact.items()
        if name not in ("type", "about", "patient", "source", "element")
    )
    return " ".join([*fact["type"], *fact.get("about", ["-"]), *rest])


def _short(text: str) -> str:
    return text.rsplit("#", 1)[-1] if text.startswith("http") else text


def said(found: Lifted) -> list[str]:
    """Each finding as `severity resource element`."""
    return [f"{finding.severity} {finding.resource} {finding.element}".strip() for finding in found.findings]


def test_a_vignette_lifts_without_a_word():
    found = lifted({"resourceType": "Condition", "code": concept(ICD, "M46.1")})
    assert lines(found) == ["Diagnosis Sacroiliitis presence=Present"]
    assert said(found) == []
    assert (found.entries, found.relevant, found.ignored) == (2, 2, 0)
    assert json.dumps(PATIENT)

"""Whatever stands in a resource, the rest is read (spec/fhir-input.md: Bad input)."""

from __future__ import annotations

import json

import pytest

from kg.fhir import lift, parse
from tests.test_fhir_reading import BUNDLE, bundle, entry
from tests.test_fhir_support import ICD, LOINC, PATIENT, codes, concept, lines


KINDS = (
    "Patient",
    "Condition",
    "Observation",
    "DiagnosticReport",
    "Procedure",
    "CarePlan",
    "ServiceRequest",
    "AllergyIntolerance",
    "DetectedIssue",
    "Medication",
    "MedicationStatement",
    "MedicationRequest",
    "MedicationDispense",
    "MedicationAdministration",
)
ELEMENTS = (
    "code",
    "medicationCodeableConcept",
    "medicationReference",
    "status",
    "intent",
    "subject",
    "effectiveDateTime",
    "effectivePeriod",
    "valueQuantity",
    "component",
    "partOf",
    "bodySite",
    "interpretation",
    "activity",
    "reaction",
    "category",
    "implicated",
    "evidence",
    "dosage",
    "dosageInstruction",
    "dispenseRequest",
    "daysSupply",
    "statusReason",
    "clinicalStatus",
    "verificationStatus",
    "onsetAge",
    "performedPeriod",
    "outcome",
    "contained",
    "conclusionCode",
    "doNotPerform",
    "meta",
    "id",
)
ODD = (
    None,
    True,
    0,
    -1.5,
    "x",
    "",
    [],
    {},
    [None],
    ["x"],
    [[]],
    [{}],
    {"x": []},
    {"coding": "x"},
    {"coding": ["x"]},
    {"coding": [{"system": 1, "code": 2}]},
    {"reference": {}},
    {"start": 1, "end": []},
    [{"reference": "#x"}],
    [{"detail": 7}],
    [{"detail": {"code": "x"}}],
    [{"timing": {"repeat": []}}],
)


@pytest.mark.parametrize("kind", KINDS)
def test_odd_content_never_stops_the_reading(kind):
    good = {
        "code": concept(ICD, "M46.1"),
        "medicationCodeableConcept": concept("http://www.whocc.no/atc", "M01AE02"),
        "status": "active",
    }
    for element in ELEMENTS:
        for value in ODD:
            for base in ({}, good):
                found = lift(
                    bundle(
                        *BUNDLE["entry"],
                        entry(
                            {
                                "resourceType": kind,
                                "id": "o",
                                "subject": {"reference": "Patient/p"},
                                **base,
                                element: value,
                            }
                        ),
                    ),
                    codes(),
                )
                assert found.entries == found.relevant + found.ignored == 3
                assert all("\n" not in str(finding) for finding in found.findings)


def test_a_large_bundle_is_read_whole():
    many = [
        entry(
            {
                "resourceType": "Observation",
                "id": f"o{n}",
                "status": "final",
                "subject": {"reference": "Patient/p"},
                "valueInteger": n % 10,
                "code": concept(LOINC, "72514-3"),
                "effectiveDateTime": "2025-01-01",
            }
        )
        for n in range(2000)
    ]
    data = json.dumps(bundle(entry(PATIENT), *many)[0][1]).encode()
    found = lift(parse(data, "big.json"), codes())
    assert len(lines(found)) == 2000

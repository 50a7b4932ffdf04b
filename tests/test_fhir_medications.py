"""Courses and plans of drugs (spec/fhir-input.md: drug course, NSAID pattern, response, plan, Courses)."""

from __future__ import annotations

import pytest

from tests.test_fhir_support import ATC, RXNORM, SNOMED, concept, kg, lifted, lines, said

NAPROXEN = {"medicationCodeableConcept": concept(RXNORM, "7258")}
SPAN = {"effectivePeriod": {"start": "2025-07-09", "end": "2025-09-07"}}
HL7_REASON = "http://terminology.hl7.org/CodeSystem/medicationrequest-status-reason"


def statement(**more: object) -> dict:
    return {"resourceType": "MedicationStatement", "status": "stopped", **NAPROXEN, **more}


@pytest.mark.parametrize(
    ("medication", "expected", "findings"),
    [
        (concept(RXNORM, "7258"), "Naproxen", 0),
        (concept(RXNORM, "198014"), "Naproxen", 0),
        (concept(ATC, "M01AE02"), "Naproxen", 0),
        (concept(ATC, "L04AC05"), "InterleukinInhibitor", 0),
        ({"coding": [{"system": ATC, "code": "L04AB"}, {"system": RXNORM, "code": "327361"}]}, "Adalimumab", 0),
        ({"coding": [{"system": RXNORM, "code": "7258"}, {"system": RXNORM, "code": "5640"}]}, "Naproxen", 1),
        (concept(RXNORM, "327361", text="adalimumab"), "Adalimumab", 0),
        (concept(RXNORM, "327361", text="adalimumab-aaty 40 MG"), "AdalimumabBiosimilar", 0),
        (
            {"coding": [{"system": RXNORM, "code": "327361", "display": "adalimumab-adbm pen"}]},
            "AdalimumabBiosimilar",
            0,
        ),
        (concept(RXNORM, "327361", text="adalimumab-zzzz"), "AdalimumabBiosimilar", 1),
        (concept(RXNORM, "819300", text="golimumab-zzzz"), "Golimumab", 1),
        (concept(RXNORM, "1790541"), "InfliximabBiosimilar", 0),
        (concept(RXNORM, "327361", text="Hyrimoz"), "AdalimumabBiosimilar", 0),
        (concept(RXNORM, "1", text="adalimumab-aaty"), "AdalimumabBiosimilar", 0),
        ({"text": "Adalimumab"}, "Adalimumab", 1),
        ({"text": "adalimumab, new pen"}, None, 1),
        (concept(RXNORM, "1", text="naproxen gel"), None, 1),
        (concept(RXNORM, "1", text="amoxicillin"), None, 0),
        ("naproxen", None, 1),
    ],
)
def test_a_drug_is_known_by_code_or_biosimilar_suffix(medication, expected, findings):
    found = lifted(statement(medicationCodeableConcept=medication))
    assert lines(found) == ([f"Course {expected} status=Stopped"] if expected else [])
    assert len(found.findings) == findings


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (SPAN, "Course Naproxen end=2025-09-07 start=2025-07-09 status=Stopped"),
        (SPAN | {"status": "completed"}, "Course Naproxen end=2025-09-07 start=2025-07-09 status=Completed"),
        (
            {"status": "active", "effectivePeriod": {"start": "2025-10-24"}},
            "Course Naproxen start=2025-10-24 status=Active",
        ),
        ({"status": "active", "effectivePeriod": {"start": "2025"}}, "Course Naproxen start=2025 status=Active"),
        (SPAN | {"status": "on-hold"}, "Course Naproxen end=2025-09-07 start=2025-07-09 status=OnHold"),
        (SPAN | {"status": "unknown"}, "Course Naproxen end=2025-09-07 start=2025-07-09 status=StatusUnknown"),
        ({"status": "active"}, "Course Naproxen status=Active"),
        ({"effectiveDateTime": "2025-07-09"}, "Course Naproxen start=2025-07-09 status=Stopped"),
        (
            SPAN | {"status": "intended", "dateAsserted": "2025-07-01"},
            "Plan Naproxen authored=2025-07-01 end=2025-09-07 start=2025-07-09",
        ),
        (SPAN | {"status": "not-taken"}, None),
        (SPAN | {"status": "entered-in-error"}, None),
        ({"dateAsserted": "2025-09-08"}, "Course Naproxen recorded=2025-09-08 status=Stopped"),
        ({"statusReason": [kg("primary-non-response")]}, "Course Naproxen response=PrimaryNonResponse status=Stopped"),
        (
            {"statusReason": [kg("secondary-non-response")]},
            "Course Naproxen response=SecondaryNonResponse status=Stopped",
        ),
        ({"statusReason": [kg("adequate-response")]}, "Course Naproxen response=AdequateResponse status=Stopped"),
        (
            {"statusReason": [kg("inadequate-response"), kg("intolerance")]},
            "Course Naproxen response=InadequateResponse+Intolerance status=Stopped",
        ),
        (
            {"statusReason": [concept(SNOMED, "182841002")]},
            "Course Naproxen response=InadequateResponse status=Stopped",
        ),
        (
            {"statusReason": [concept(SNOMED, "266721009")]},
            "Course Naproxen response=InadequateResponse status=Stopped",
        ),
        ({"statusReason": [concept(SNOMED, "182842009")]}, "Course Naproxen response=Intolerance status=Stopped"),
        ({"statusReason": [concept(SNOMED, "407563006")]}, "Course Naproxen response=Intolerance status=Stopped"),
        ({"statusReason": [concept(HL7_REASON, "sintol")]}, "Course Naproxen response=Intolerance status=Stopped"),
        ({"statusReason": [concept(SNOMED, "182846007")]}, "Course Naproxen response=AdequateResponse status=Stopped"),
        ({"statusReason": [concept(SNOMED, "182868002")]}, "Course Naproxen status=Stopped"),
        ({"dosage": [{"asNeededBoolean": True}]}, "Course Naproxen pattern=OnDemand status=Stopped"),
        (
            {"dosage": [{"asNeededCodeableConcept": {"text": "pain"}}]},
            "Course Naproxen pattern=OnDemand status=Stopped",
        ),
        ({"dosage": [{"asNeededBoolean": False}]}, "Course Naproxen pattern=Continuous status=Stopped"),
        (
            {"dosage": [{"timing": {"repeat": {"frequency": 2, "period": 1, "periodUnit": "d"}}}]},
            "Course Naproxen pattern=Continuous status=Stopped",
        ),
        ({"dosage": [{"timing": {"code": {"text": "BID"}}}]}, "Course Naproxen pattern=Continuous status=Stopped"),
        (
            {"dosage": [{"asNeededBoolean": True, "timing": {"code": {"text": "BID"}}}]},
            "Course Naproxen pattern=OnDemand status=Stopped",
        ),
        ({"dosage": [{"asNeededBoolean": True}, {"asNeededBoolean": False}]}, "Course Naproxen status=Stopped"),
        ({"dosage": [{"route": concept(SNOMED, "26643006")}]}, "Course Naproxen route=Oral status=Stopped"),
        ({"dosage": [{"route": {"text": "Oral"}}]}, "Course Naproxen route=Oral status=Stopped"),
        ({"dosage": [{"text": "one tablet by mouth"}]}, "Course Naproxen route=Oral status=Stopped"),
        ({"dosage": [{"text": "5 mg PO daily"}]}, "Course Naproxen route=Oral status=Stopped"),
        ({"dosage": [{"route": {"text": "PO"}}]}, "Course Naproxen route=Oral status=Stopped"),
        ({"dosage": [{"route": {"text": "p.o."}}]}, "Course Naproxen route=Oral status=Stopped"),
        ({"dosage": [{"route": {"text": "per os"}}]}, "Course Naproxen route=Oral status=Stopped"),
        ({"dosage": [{"route": concept(SNOMED, "47625008")}]}, "Course Naproxen route=OtherRoute status=Stopped"),
        ({"dosage": [{"route": {"text": "intravenous"}}]}, "Course Naproxen route=OtherRoute status=Stopped"),
        ({"dosage": [{"route": concept("urn:site", "7")}]}, "Course Naproxen status=Stopped"),
        ({"dosage": [{"text": "one tablet"}]}, "Course Naproxen status=Stopped"),
    ],
)
def test_a_statement_is_a_course_or_a_plan(given, expected):
    found = lifted(statement(**given))
    assert lines(found) == ([expected] if expected else [])
    assert said(found) == []


@pytest.mark.parametrize(
    ("given", "expected", "finding"),
    [
        (
            {"effectivePeriod": {"start": "2025-02-30", "end": "2025-09-07"}},
            "Course Naproxen end=2025-09-07 status=Stopped",
            "violation MedicationStatement/r1 effectivePeriod.start",
        ),
        (
            {"status": "active", "effectivePeriod": {"start": "2025-07-09", "end": "2025-09-31"}},
            "Course Naproxen start=2025-07-09 status=StatusUnknown",
            "violation MedicationStatement/r1 effectivePeriod.end",
        ),
        (
            {"effectivePeriod": {"start": "2025-09-07", "end": "2025-07-09"}},
            "Course Naproxen status=Stopped",
            "violation MedicationStatement/r1 effectivePeriod",
        ),
        (
            {"effectivePeriod": "2025"},
            "Course Naproxen status=Stopped",
            "violation MedicationStatement/r1 effectivePeriod",
        ),
        ({"status": "recorded"}, "Course Naproxen status=StatusUnknown", "violation MedicationStatement/r1 status"),
        ({"status": None}, "Course Naproxen status=StatusUnknown", "warning MedicationStatement/r1 status"),
        ({"status": ["active"]}, "Course Naproxen status=StatusUnknown", "violation MedicationStatement/r1 status"),
        (
            {"statusReason": kg("intolerance")},
            "Course Naproxen response=Intolerance status=Stopped",
            "violation MedicationStatement/r1 statusReason",
        ),
        (
            {"statusReason": "intolerance"},
            "Course Naproxen status=Stopped",
            "violation MedicationStatement/r1 statusReason",
        ),
        (
            {"statusReason": [{"text": "moved away"}]},
            "Course Naproxen response=UnreadReason status=Stopped text=moved away",
            "warning MedicationStatement/r1 statusReason[0]",
        ),
        (
            {"statusReason": [concept("urn:site", "x7")]},
            "Course Naproxen response=UnreadReason status=Stopped text=x7",
            "warning MedicationStatement/r1 statusReason[0]",
        ),
        (
            {"status": "active", "statusReason": [{"text": "odd"}]},
            "Course Naproxen response=UnreadReason status=Active text=odd",
            "warning MedicationStatement/r1 statusReason[0]",
        ),
        (
            {"dosage": [{"asNeededBoolean": "yes"}]},
            "Course Naproxen status=Stopped",
            "violation MedicationStatement/r1 dosage[0].asNeededBoolean",
        ),
        ({"modifierExtension": [{"url": "urn:x"}]}, None, "violation MedicationStatement/r1 modifierExtension"),
    ],
)
def test_odd_content_is_said_and_the_course_stays_a_question(given, expected, finding):
    found = lifted(statement(**given))
    assert lines(found) == ([expected] if expected else [])
    assert said(found) == [finding]


MEDICATION = {"resourceType": "Medication", "id": "m", "code": concept(RXNORM, "7258")}
MIXED = {
    "resourceType": "Medication",
    "id": "m",
    "code": {"text": "combination"},
    "ingredient": [
        {"itemCodeableConcept": concept(RXNORM, "7258")},
        {"itemCodeableConcept": concept(RXNORM, "723")},
        {"itemCodeableConcept": concept(RXNORM, "5640"), "isActive": False},
    ],
}
SUBSTANCE = {"resourceType": "Substance", "id": "s", "code": concept(RXNORM, "7258")}


def made_of(reference: str) -> dict:
    return {"resourceType": "Medication", "id": "m", "ingredient": [{"itemReference": {"reference": reference}}]}


NAMED = {"medicationCodeableConcept": None, "medicationReference": {"reference": "Medication/m"}}


@pytest.mark.parametrize(
    ("given", "others", "expected", "finding"),
    [
        (NAMED, [MEDICATION], "Course Naproxen status=Stopped", None),
        (NAMED, [MIXED], "Course Naproxen status=Stopped", None),
        (
            NAMED | {"medicationReference": {"reference": "#m"}, "contained": [MEDICATION]},
            [],
            "Course Naproxen status=Stopped",
            None,
        ),
        (NAMED, [made_of("Substance/s"), SUBSTANCE], "Course Naproxen status=Stopped", None),
        (
            NAMED | {"medicationReference": {"reference": "#m"}, "contained": [made_of("#s"), SUBSTANCE]},
            [],
            "Course Naproxen status=Stopped",
            None,
        ),
        (NAMED, [made_of("Medication/m")], None, None),
        (NAMED, [made_of("Substance/s")], None, "violation Medication/m ingredient[0].itemReference.reference"),
        (NAMED, [MEDICATION | {"status": "entered-in-error"}], None, None),
        (NAMED, [], None, "violation MedicationStatement/r1 medicationReference.reference"),
        (
            NAMED,
            [MEDICATION | {"resourceType": "Substance"}],
            None,
            "violation MedicationStatement/r1 medicationReference.reference",
        ),
        (
            NAMED | {"medicationReference": {"reference": "Medication/x", "display": "Naproxen"}},
            [],
            "Course Naproxen status=Stopped",
            None,
        ),
        (
            NAMED | {"medicationReference": {"display": "some pill"}},
            [],
            None,
            "violation MedicationStatement/r1 medicationReference.reference",
        ),
    ],
)
def test_a_medication_is_resolved_inside_the_input(given, others, expected, finding):
    found = lifted(statement(**given), *others)
    assert lines(found) == ([expected] if expected else [])
    assert said(found) == ([finding] if finding else [])
    assert found.entries == found.relevant + found.ignored
    if expected:
        assert found.ignored == 0

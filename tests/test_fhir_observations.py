"""Observations and reports (spec/fhir-input.md: pain, scores, asserted facts, maneuvers, imaging,
therapy, relief)."""

from __future__ import annotations

import pytest

from tests.test_fhir_support import LOINC, PATIENT, SNOMED, concept, kg, lifted, lines, quantity, said

DAY = {"effectiveDateTime": "2026-01-05"}
POS, NEG, IND = (
    concept("http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation", c) for c in ("POS", "NEG", "IND")
)
PAIN, VAS = concept(LOINC, "72514-3"), concept(LOINC, "38214-3")


def observation(code: dict, **more: object) -> dict:
    return {"resourceType": "Observation", "status": "final", "code": code, **DAY, **more}


@pytest.mark.parametrize(
    ("code", "value", "expected"),
    [
        (PAIN, quantity(6, "{score}"), "value=6 unit={score}"),
        (PAIN, quantity(4.1, "1"), "4.1 {score}"),
        (PAIN, quantity(0), "0 {score}"),
        (PAIN, quantity(10, "{nrs}"), "10 {score}"),
        (PAIN, {"value": 6, "unit": "/10"}, "6 {score}"),
        (PAIN, {"value": 60, "unit": "/100"}, "6.0 {score}"),
        (PAIN, {"value": 6, "unit": "points"}, "6 {score}"),
        (PAIN, quantity(10.1, "{score}"), None),
        (PAIN, quantity(60, "{score}"), None),
        (PAIN, quantity(-1, "{score}"), None),
        (PAIN, quantity(6, "kg"), None),
        (PAIN, quantity(60, "%"), None),
        (PAIN, {"value": "6"}, None),
        (PAIN, {"value": True}, None),
        (PAIN, {"value": float("nan")}, None),
        (PAIN, {"value": 1e300}, None),
        (PAIN, {"unit": "{score}"}, None),
        (PAIN, {"value": 4, "comparator": ">"}, None),
        (VAS, quantity(60, "mm"), "6.0 {score}"),
        (VAS, quantity(41, "mm"), "4.1 {score}"),
        (VAS, quantity(6, "cm"), "6 {score}"),
        (VAS, quantity(101, "mm"), None),
        (VAS, quantity(6, "{score}"), None),
        (VAS, quantity(6), None),
        (VAS, quantity(60), None),
        (kg("si-pain-duration"), quantity(90, "d"), "90 d"),
        (kg("si-pain-duration"), quantity(6, "wk"), "6 wk"),
        (kg("si-pain-duration"), quantity(1.5, "mo"), "1.5 mo"),
        (kg("si-pain-duration"), {"value": 2, "unit": "years"}, "2 a"),
        (kg("si-pain-duration"), {"value": 2, "unit": "Months"}, "2 mo"),
        (kg("si-pain-duration"), quantity(3, "min"), None),
        (kg("si-pain-duration"), quantity(3), None),
        (kg("si-pain-duration"), quantity(-3, "d"), None),
        (kg("asdas"), quantity(2.1, "{score}"), "2.1 {score}"),
        (kg("asdas"), quantity(-0.1, "{score}"), None),
        (kg("basdai"), quantity(11, "{score}"), None),
        (kg("rmdq"), quantity(24, "{score}"), "24 {score}"),
        (kg("rmdq"), quantity(25, "{score}"), None),
        (kg("percent-relief"), quantity(80, "%"), "80 %"),
        (kg("percent-relief"), quantity(101, "%"), None),
        (kg("percent-relief"), quantity(0.8, "1"), None),
        (kg("relief-duration"), quantity(2, "mo"), "2 mo"),
    ],
)
def test_a_number_counts_in_its_unit_and_range(code, value, expected):
    found = lifted(observation(code, valueQuantity=value))
    if expected is None:
        assert lines(found) == []
        assert said(found) and all("Observation/r1 valueQuantity" in line for line in said(found))
        return
    number, unit = expected.removeprefix("value=").replace("unit=", "").split()
    assert [line.split(" ", 2)[2] for line in lines(found)] == [f"date=2026-01-05 unit={unit} value={number}"]
    assert said(found) == []


@pytest.mark.parametrize(
    ("code", "name", "value", "expected", "finding"),
    [
        (PAIN, "valueInteger", 6, "Observation PainIntensity date=2026-01-05 unit={score} value=6", None),
        (PAIN, "valueInteger", 11, None, "violation Observation/r1 valueInteger"),
        (PAIN, "valueInteger", "6", None, "violation Observation/r1 valueInteger"),
        (VAS, "valueInteger", 6, None, "violation Observation/r1 valueInteger"),
        (PAIN, "valueString", "6", None, "violation Observation/r1 valueString"),
        (PAIN, "valueBoolean", True, None, "violation Observation/r1 valueBoolean"),
        (PAIN, "dataAbsentReason", {"text": "asked"}, None, None),
        (
            kg("gi-risk-high"),
            "valueBoolean",
            True,
            "Observation HighGastrointestinalRisk date=2026-01-05 presence=Present",
            None,
        ),
        (
            kg("gi-risk-high"),
            "valueBoolean",
            False,
            "Observation HighGastrointestinalRisk date=2026-01-05 presence=Absent",
            None,
        ),
        (kg("gi-risk-high"), "valueBoolean", "true", None, "violation Observation/r1 valueBoolean"),
        (kg("gi-risk-high"), "valueInteger", 1, None, "violation Observation/r1 valueInteger"),
        (
            kg("disease-state"),
            "valueCodeableConcept",
            kg("active"),
            "Observation DiseaseState date=2026-01-05 finding=ActiveDisease",
            None,
        ),
        (
            kg("disease-state"),
            "valueCodeableConcept",
            kg("odd"),
            "Observation DiseaseState date=2026-01-05",
            "warning Observation/r1 valueCodeableConcept",
        ),
        (kg("disease-state"), "valueString", "active", None, "violation Observation/r1 valueString"),
        (
            kg("pain-site"),
            "valueCodeableConcept",
            kg("buttock"),
            "Observation PainSite date=2026-01-05 finding=Buttock",
            None,
        ),
        (
            concept(LOINC, "24900-3"),
            "valueCodeableConcept",
            kg("equivocal"),
            "Observation SacroiliacRadiograph date=2026-01-05 finding=EquivocalImaging",
            None,
        ),
        (concept(LOINC, "8302-2"), "valueQuantity", quantity(180, "cm"), None, None),
        (kg("faber"), "interpretation", [POS], "Observation Faber date=2026-01-05 presence=Present", None),
        (kg("faber"), "interpretation", [NEG], "Observation Faber date=2026-01-05 presence=Absent", None),
        (kg("faber"), "interpretation", [IND], None, None),
        (kg("faber"), "interpretation", [POS, NEG], None, "violation Observation/r1 interpretation"),
        (kg("faber"), "interpretation", "POS", None, "violation Observation/r1 interpretation"),
    ],
)
def test_an_answer_is_read_as_its_concept_says(code, name, value, expected, finding):
    found = lifted(observation(code, **{name: value}))
    assert lines(found) == ([expected] if expected else [])
    assert said(found) == ([finding] if finding else [])
    assert found.ignored == (0 if expected or finding else 1)


def test_a_boolean_and_an_interpretation_that_disagree_are_left_out():
    found = lifted(observation(kg("faber"), valueBoolean=True, interpretation=[NEG]))
    assert (lines(found), said(found)) == ([], ["violation Observation/r1 interpretation"])


def test_two_values_are_left_out():
    found = lifted(observation(PAIN, valueInteger=6, valueString="x"))
    assert (lines(found), said(found)) == ([], ["violation Observation/r1 valueString"])


@pytest.mark.parametrize(
    ("status", "counts"),
    [
        ("final", True),
        ("amended", True),
        ("corrected", True),
        ("preliminary", True),
        ("unknown", True),
        ("entered-in-error", False),
        ("cancelled", False),
        ("registered", False),
    ],
)
def test_status_of_an_observation(status, counts):
    found = lifted(observation(PAIN, valueInteger=6, status=status))
    assert bool(lines(found)) is counts
    assert (found.ignored, said(found)) == (0 if counts else 1, [])


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([concept(SNOMED, "7771000")], "Left"),
        ([concept(SNOMED, "24028007")], "Right"),
        ([concept(SNOMED, "419161000")], "Left"),
        ([concept(SNOMED, "419465000")], "Right"),
        ([concept(SNOMED, "51440002")], "Left+Right"),
        ([concept(SNOMED, "39723000")], None),
    ],
)
def test_a_side_is_known_by_its_code(given, expected):
    maneuver = lifted(observation(kg("faber"), valueBoolean=True, bodySite=given[0]))
    injection = lifted(
        {
            "resourceType": "Procedure",
            "status": "completed",
            "code": kg("si-injection-ct"),
            "bodySite": given,
            "performedDateTime": "2025-01-02",
        }
    )
    side = f" side={expected}" if expected else ""
    assert lines(maneuver) == ["Observation Faber date=2026-01-05 presence=Present" + side]
    assert lines(injection) == ["Procedure SiInjectionCt date=2025-01-02" + side]


@pytest.mark.parametrize(
    ("effective", "date", "finding"),
    [
        ({"effectiveDateTime": "2026-01-05T10:00:00Z"}, "date=2026-01-05 ", None),
        ({"effectiveDateTime": "2026-01"}, "date=2026-01 ", None),
        ({"effectiveInstant": "2026-01-05T10:00:00.123+01:00"}, "date=2026-01-05 ", None),
        ({"effectivePeriod": {"start": "2026-01-01", "end": "2026-01-05"}}, "date=2026-01-05 ", None),
        ({"effectivePeriod": {"start": "2026-01-01"}}, "date=2026-01-01 ", None),
        (
            {"effectivePeriod": {"start": "2026-01-05", "end": "2026-01-01"}},
            "",
            "violation Observation/r1 effectivePeriod",
        ),
        ({"effectiveDateTime": "2026-02-30"}, "", "violation Observation/r1 effectiveDateTime"),
        ({"effectiveDateTime": "2026-01-05T25:00:00Z"}, "", "violation Observation/r1 effectiveDateTime"),
        ({}, "", "warning Observation/r1 effectiveDateTime"),
    ],
)
def test_the_day_of_an_observation(effective, date, finding):
    found = lifted({"resourceType": "Observation", "status": "final", "code": PAIN, "valueInteger": 6, **effective})
    assert lines(found) == [f"Observation PainIntensity {date}unit={{score}} value=6"]
    assert said(found) == ([finding] if finding else [])


def test_components_are_observations_of_their_own():
    parts = [
        {"code": kg("asdas"), "valueQuantity": quantity(2.5, "{score}")},
        {"code": concept(LOINC, "1988-5"), "valueInteger": 1},
        {"code": kg("basdai"), "valueQuantity": quantity(99, "{score}")},
    ]
    found = lifted(observation({"text": "panel"}, component=parts))
    assert lines(found) == ["Observation Asdas date=2026-01-05 unit={score} value=2.5"]
    assert said(found) == ["violation Observation/r1 component[2].valueQuantity.value"]


INJECTION = {
    "resourceType": "Procedure",
    "id": "i",
    "status": "completed",
    "code": kg("si-diagnostic-block"),
    "performedDateTime": "2025-11-16",
}
RELIEF = observation(kg("percent-relief"), valueQuantity=quantity(81, "%"), partOf=[{"reference": "Procedure/i"}])


def test_relief_is_part_of_its_procedure_whatever_their_order():
    found = lifted(RELIEF, INJECTION)
    assert lines(found) == [
        "Observation PercentRelief date=2026-01-05 partOf=urn:kg:record:Procedure/i#fact-1 unit=% value=81",
        "Procedure SiDiagnosticBlock date=2025-11-16",
    ]
    assert said(found) == []


@pytest.mark.parametrize(
    ("others", "finding"),
    [
        ([], "violation Observation/r1 partOf[0].reference"),
        ([INJECTION | {"status": "entered-in-error"}], "info Observation/r1 partOf[0].reference"),
        (
            [INJECTION | {"subject": {"reference": "Patient/q"}}, PATIENT | {"id": "q"}],
            "violation Observation/r1 partOf[0].reference",
        ),
    ],
)
def test_relief_of_a_procedure_that_is_not_there_stands_alone(others, finding):
    found = lifted(RELIEF, *others)
    assert lines(found)[0] == "Observation PercentRelief date=2026-01-05 unit=% value=81"
    assert said(found) == [finding]


def report(**more: object) -> dict:
    return {"resourceType": "DiagnosticReport", "status": "final", "code": concept(LOINC, "36031-3"), **DAY, **more}


@pytest.mark.parametrize(
    ("given", "expected", "findings"),
    [
        (
            {"conclusionCode": [kg("bone-marrow-edema"), kg("bilateral-sacroiliitis")]},
            ["Observation SacroiliacMri date=2026-01-05 finding=BilateralSacroiliitis+BoneMarrowEdema"],
            0,
        ),
        ({"conclusionCode": [kg("odd")]}, ["Observation SacroiliacMri date=2026-01-05"], 2),
        ({"conclusion": "normal"}, ["Observation SacroiliacMri date=2026-01-05"], 1),
        ({"result": [{"reference": "Observation/x"}]}, [], 0),
        ({"conclusionCode": [kg("inflammation")], "status": "entered-in-error"}, [], 0),
        ({"conclusionCode": [kg("inflammation")], "code": concept(LOINC, "57698-3")}, [], 0),
    ],
)
def test_a_report_gives_its_coded_conclusions(given, expected, findings):
    found = lifted(report(**given))
    assert lines(found) == expected
    assert len(found.findings) == findings


def test_an_observation_about_something_else_is_not_the_patients():
    found = lifted(observation(PAIN, valueInteger=6, focus=[{"reference": "Patient/child"}]))
    assert (lines(found), said(found)) == ([], ["info Observation/r1 focus"])


def test_a_score_without_a_value_is_said_unless_its_absence_is_explained():
    silent = {"resourceType": "Observation", "status": "final", "code": concept(LOINC, "72514-3")}
    assert said(lifted(silent)) == ["info Observation/r1 value[x]"]
    assert said(lifted(silent | {"dataAbsentReason": {"text": "asleep"}})) == []
    assert said(lifted(silent | {"hasMember": [{"reference": "Observation/x"}]})) == []


def test_a_result_contained_in_a_report_is_read():
    result = {
        "resourceType": "Observation",
        "id": "o",
        "status": "final",
        "effectiveDateTime": "2026-01-01",
        "code": concept(LOINC, "24900-3"),
        "valueCodeableConcept": kg("equivocal"),
    }
    report = {
        "resourceType": "DiagnosticReport",
        "status": "final",
        "code": concept(LOINC, "24900-3"),
        "contained": [result],
        "result": [{"reference": "#o"}],
    }
    read = ["Observation SacroiliacRadiograph date=2026-01-01 finding=EquivocalImaging"]
    assert lines(lifted(report)) == read
    assert lines(lifted({**report, "contained": [result | {"status": "entered-in-error"}]})) == []
    assert lines(lifted({**report, "status": "cancelled"})) == []

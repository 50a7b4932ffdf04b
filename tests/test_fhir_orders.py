"""Requests, dispenses and administrations of drugs (spec/fhir-input.md: drug course, plan, Courses)."""

from __future__ import annotations

import pytest

from tests.test_fhir_support import RXNORM, concept, kg, lifted, lines, quantity, said

NAPROXEN = {"medicationCodeableConcept": concept(RXNORM, "7258")}


def request(**more: object) -> dict:
    return {
        "resourceType": "MedicationRequest",
        "status": "completed",
        "intent": "order",
        "authoredOn": "2025-09-27",
        **NAPROXEN,
        **more,
    }


def bounds(**period: str) -> dict:
    return {"dosageInstruction": [{"timing": {"repeat": {"boundsPeriod": period}}}]}


SUPPLY = {"dispenseRequest": {"expectedSupplyDuration": quantity(15, "d")}}
VALID = {"dispenseRequest": {"validityPeriod": {"start": "2025-10-01", "end": "2025-12-01"}}}
ACTIVE, PLAN = {"status": "active"}, {"status": "active", "intent": "plan"}
N, A = "Course Naproxen authored=2025-09-27 ", "authored=2025-09-27 "


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, N + "start=2025-09-27 status=Completed"),
        (ACTIVE, N + "start=2025-09-27 status=Active"),
        ({"status": "stopped"}, N + "start=2025-09-27 status=Stopped"),
        ({"status": "on-hold"}, N + "start=2025-09-27 status=OnHold"),
        ({"status": "unknown"}, N + "start=2025-09-27 status=StatusUnknown"),
        ({"status": "cancelled"}, None),
        ({"status": "entered-in-error"}, None),
        ({"doNotPerform": True}, None),
        ({"intent": "option"}, None),
        ({"intent": "filler-order"}, N + "start=2025-09-27 status=Completed"),
        (SUPPLY, N + "end=2025-10-12 start=2025-09-27 status=Completed supply=true"),
        (SUPPLY | ACTIVE, N + "end=2025-10-12 start=2025-09-27 status=Active supply=true"),
        (SUPPLY | {"status": "stopped"}, N + "end=2025-10-12 start=2025-09-27 status=Stopped"),
        (
            {"dispenseRequest": {"expectedSupplyDuration": quantity(2, "wk")}},
            N + "end=2025-10-11 start=2025-09-27 status=Completed supply=true",
        ),
        (
            {"dispenseRequest": {"expectedSupplyDuration": {"value": 1, "unit": "month"}}},
            N + "end=2025-10-27 start=2025-09-27 status=Completed supply=true",
        ),
        (
            {"authoredOn": "2025-09"} | SUPPLY,
            "Course Naproxen authored=2025-09 end=2025 start=2025-09 status=Completed supply=true",
        ),
        (
            bounds(start="2025-10-01", end="2025-11-01"),
            N + "end=2025-11-01 start=2025-10-01 status=Completed",
        ),
        (bounds(start="2025-10-01") | ACTIVE, N + "start=2025-10-01 status=Active"),
        (bounds(end="2025-11-01"), N + "end=2025-11-01 start=2025-09-27 status=Completed"),
        (bounds(start="2025-10-05") | VALID, N + "end=2025-12-01 start=2025-10-05 status=Completed supply=true"),
        (VALID, N + "end=2025-12-01 start=2025-10-01 status=Completed supply=true"),
        (
            {"dosageInstruction": [{"timing": {"repeat": {"boundsDuration": quantity(10, "d")}}}]},
            N + "end=2025-10-07 start=2025-09-27 status=Completed",
        ),
        (
            {
                "dosageInstruction": [
                    {"timing": {"repeat": {"boundsPeriod": {"start": "2025-10-01", "end": "2025-10-08"}}}},
                    {"timing": {"repeat": {"boundsPeriod": {"start": "2025-10-08", "end": "2025-10-15"}}}},
                ]
            },
            N + "end=2025-10-15 start=2025-10-01 status=Completed",
        ),
        (PLAN, "Plan Naproxen authored=2025-09-27"),
        (PLAN | {"intent": "proposal", "status": "on-hold"}, "Plan Naproxen authored=2025-09-27"),
        (PLAN | bounds(start="2025-10-01"), N + "start=2025-10-01 status=Active"),
        (PLAN | SUPPLY, "Plan Naproxen authored=2025-09-27 end=2025-10-12"),
        (bounds(start="2025-10-01") | {"status": "draft"}, "Plan Naproxen authored=2025-09-27 start=2025-10-01"),
        ({"status": "draft"}, "Plan Naproxen authored=2025-09-27"),
        (
            {"statusReason": kg("inadequate-response")},
            N + "response=InadequateResponse start=2025-09-27 status=Completed",
        ),
        (
            {"dosageInstruction": [{"asNeededBoolean": True, "route": {"text": "oral"}}]},
            N + "pattern=OnDemand route=Oral start=2025-09-27 status=Completed",
        ),
        ({"authoredOn": None}, "Course Naproxen status=Completed"),
    ],
)
def test_a_request_is_a_course_from_its_start_or_a_plan_without_one(given, expected):
    found = lifted(request(**given))
    assert lines(found) == ([expected] if expected else [])
    assert said(found) == []


@pytest.mark.parametrize(
    ("given", "expected", "finding"),
    [
        (
            ACTIVE | {"dispenseRequest": {"expectedSupplyDuration": quantity(15, "kg")}},
            N + "start=2025-09-27 status=StatusUnknown",
            "violation MedicationRequest/r1 dispenseRequest.expectedSupplyDuration.unit",
        ),
        (
            ACTIVE | {"dispenseRequest": {"expectedSupplyDuration": quantity(900_000_000, "d")}},
            N + "start=2025-09-27 status=StatusUnknown",
            "violation MedicationRequest/r1 dispenseRequest.expectedSupplyDuration.value",
        ),
        (
            ACTIVE | {"authoredOn": "2025-09-31"},
            "Course Naproxen status=Active",
            "violation MedicationRequest/r1 authoredOn",
        ),
        (
            ACTIVE | bounds(end="2025-01-01"),
            N + "status=StatusUnknown",
            "violation MedicationRequest/r1 dispenseRequest",
        ),
        (
            ACTIVE | {"intent": "wish"},
            N + "start=2025-09-27 status=StatusUnknown",
            "violation MedicationRequest/r1 intent",
        ),
        (
            ACTIVE | {"statusReason": [kg("intolerance")]},
            N + "response=Intolerance start=2025-09-27 status=Active",
            "violation MedicationRequest/r1 statusReason",
        ),
        (PLAN | {"status": "completed"}, None, "info MedicationRequest/r1 status"),
    ],
)
def test_an_odd_request_stays_a_question(given, expected, finding):
    found = lifted(request(**given))
    assert lines(found) == ([expected] if expected else [])
    assert said(found) == [finding]


def dispense(**more: object) -> dict:
    return {
        "resourceType": "MedicationDispense",
        "status": "completed",
        "whenHandedOver": "2025-09-27",
        **NAPROXEN,
        **more,
    }


@pytest.mark.parametrize(
    ("given", "expected", "findings"),
    [
        (
            {"daysSupply": quantity(30, "d")},
            "Course Naproxen end=2025-10-27 start=2025-09-27 status=Completed supply=true",
            0,
        ),
        (
            {"daysSupply": {"value": 30}},
            "Course Naproxen end=2025-10-27 start=2025-09-27 status=Completed supply=true",
            0,
        ),
        (
            {"daysSupply": {"value": 30, "unit": "Day"}},
            "Course Naproxen end=2025-10-27 start=2025-09-27 status=Completed supply=true",
            0,
        ),
        ({}, "Course Naproxen start=2025-09-27 status=Completed supply=true", 0),
        ({"daysSupply": quantity(30, "mL")}, "Course Naproxen start=2025-09-27 status=Completed supply=true", 1),
        ({"whenHandedOver": None, "daysSupply": quantity(30, "d")}, "Course Naproxen status=Completed supply=true", 1),
        ({"status": "cancelled"}, None, 0),
        ({"status": "declined"}, None, 0),
        ({"status": "entered-in-error"}, None, 0),
        ({"status": "in-progress", "whenHandedOver": None}, None, 0),
        ({"status": "stopped"}, "Course Naproxen start=2025-09-27 status=StatusUnknown supply=true", 0),
    ],
)
def test_a_dispense_covers_the_days_of_its_supply(given, expected, findings):
    found = lifted(dispense(**given))
    assert lines(found) == ([expected] if expected else [])
    assert len(found.findings) == findings


@pytest.mark.parametrize(
    ("given", "expected", "findings"),
    [
        (
            {"effectiveDateTime": "2025-09-27T09:00:00Z"},
            "Course Naproxen end=2025-09-27 start=2025-09-27 status=Completed supply=true",
            0,
        ),
        (
            {"effectivePeriod": {"start": "2025-09-27", "end": "2025-09-28"}},
            "Course Naproxen end=2025-09-28 start=2025-09-27 status=Completed supply=true",
            0,
        ),
        (
            {"status": "in-progress", "effectivePeriod": {"start": "2025-09-27"}},
            "Course Naproxen end=2025-09-27 start=2025-09-27 status=Completed supply=true",
            0,
        ),
        ({"status": "not-done", "effectiveDateTime": "2025-09-27"}, None, 0),
        ({"status": "entered-in-error", "effectiveDateTime": "2025-09-27"}, None, 0),
        (
            {"effectiveDateTime": "2025-09-27", "dosage": {"route": {"text": "oral"}}},
            "Course Naproxen end=2025-09-27 route=Oral start=2025-09-27 status=Completed supply=true",
            0,
        ),
        (
            {"status": "stopped", "effectiveDateTime": "2025-09-27", "statusReason": [kg("intolerance")]},
            "Course Naproxen end=2025-09-27 response=Intolerance start=2025-09-27 status=Stopped supply=true",
            0,
        ),
        ({}, "Course Naproxen status=Completed supply=true", 1),
    ],
)
def test_an_administration_covers_its_day(given, expected, findings):
    found = lifted({"resourceType": "MedicationAdministration", "status": "completed", **NAPROXEN, **given})
    assert lines(found) == ([expected] if expected else [])
    assert len(found.findings) == findings

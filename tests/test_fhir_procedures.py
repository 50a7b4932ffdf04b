"""Procedures, care plans and service requests (spec/fhir-input.md: physical therapy, injection, block, plan)."""

from __future__ import annotations

import pytest

from tests.test_fhir_support import ICD, SNOMED, concept, kg, lifted, lines, said


def therapy(**more: object) -> dict:
    return {"resourceType": "Procedure", "status": "completed", "code": concept(SNOMED, "91251008"), **more}


PERIOD = {"performedPeriod": {"start": "2025-10-07", "end": "2025-12-06"}}
PT = "Course PhysicalTherapyUnspecified end=2025-12-06 "


@pytest.mark.parametrize(
    ("given", "expected", "findings"),
    [
        (PERIOD, [PT + "start=2025-10-07 status=Completed"], 0),
        (
            PERIOD | {"outcome": concept(SNOMED, "385671000")},
            [PT + "response=InadequateResponse start=2025-10-07 status=Completed"],
            0,
        ),
        (
            PERIOD | {"outcome": concept(SNOMED, "385669000")},
            [PT + "response=AdequateResponse start=2025-10-07 status=Completed"],
            0,
        ),
        (
            PERIOD | {"outcome": kg("inadequate-response")},
            [PT + "response=InadequateResponse start=2025-10-07 status=Completed"],
            0,
        ),
        (
            PERIOD | {"outcome": {"text": "so so"}},
            [PT + "response=UnreadReason start=2025-10-07 status=Completed text=so so"],
            1,
        ),
        (PERIOD | {"status": "stopped"}, [PT + "start=2025-10-07 status=Stopped"], 0),
        (
            {"status": "in-progress", "performedPeriod": {"start": "2025-10-07"}},
            ["Course PhysicalTherapyUnspecified start=2025-10-07 status=Active"],
            0,
        ),
        (
            {"performedDateTime": "2025-10-07"},
            ["Course PhysicalTherapyUnspecified end=2025-10-07 start=2025-10-07 status=Completed"],
            0,
        ),
        ({"performedString": "autumn"}, ["Course PhysicalTherapyUnspecified status=Completed"], 1),
        ({}, ["Course PhysicalTherapyUnspecified status=Completed"], 1),
        (PERIOD | {"status": "entered-in-error"}, [], 0),
        (PERIOD | {"status": "not-done"}, [], 0),
        (PERIOD | {"status": "preparation"}, [], 0),
        (PERIOD | {"status": "unknown"}, [PT + "start=2025-10-07 status=StatusUnknown"], 0),
        (
            PERIOD | {"code": concept("http://www.ama-assn.org/go/cpt", "97110")},
            ["Course ActivePhysicalTherapy end=2025-12-06 start=2025-10-07 status=Completed"],
            0,
        ),
        (PERIOD | {"code": kg("si-injection-ct"), "status": "in-progress"}, [], 0),
        (PERIOD | {"code": kg("si-injection-ct"), "status": "unknown"}, [], 1),
        (PERIOD | {"code": kg("si-injection-ct")}, ["Procedure SiInjectionCt end=2025-12-06 start=2025-10-07"], 0),
        (
            {
                "code": kg("si-injection-ct"),
                "performedPeriod": {"start": "2025-10-07T08:00:00Z", "end": "2025-10-07T09:00:00Z"},
            },
            ["Procedure SiInjectionCt date=2025-10-07"],
            0,
        ),
        (
            {"code": concept("http://www.ama-assn.org/go/cpt", "27096"), "performedDateTime": "2025-10-07"},
            ["Procedure SiInjectionPurposeNotStated date=2025-10-07"],
            0,
        ),
        ({"code": kg("si-injection-ct"), "performedDateTime": "2025-13-01"}, ["Procedure SiInjectionCt"], 1),
    ],
)
def test_a_procedure_is_an_event_or_a_course_of_therapy(given, expected, findings):
    found = lifted(therapy(**given))
    assert lines(found) == expected
    assert len(found.findings) == findings


def activity(status: str, **more: object) -> dict:
    return {"detail": {"code": concept(SNOMED, "229065009"), "status": status, **more}}


SPAN = {"scheduledPeriod": {"start": "2025-10-07", "end": "2025-12-06"}}
CARE = "Course ActivePhysicalTherapy "


@pytest.mark.parametrize(
    ("plan", "given", "expected"),
    [
        ({}, activity("completed", **SPAN), [CARE + "end=2025-12-06 start=2025-10-07 status=Completed"]),
        (
            {},
            activity("in-progress", scheduledPeriod={"start": "2025-10-07"}),
            [CARE + "start=2025-10-07 status=Active"],
        ),
        ({}, activity("in-progress"), [CARE + "status=Active"]),
        (
            {},
            activity("stopped", **SPAN, statusReason=kg("inadequate-response")),
            [CARE + "end=2025-12-06 response=InadequateResponse start=2025-10-07 status=Stopped"],
        ),
        (
            {},
            activity("completed", **SPAN) | {"outcomeCodeableConcept": [concept(SNOMED, "385671000")]},
            [CARE + "end=2025-12-06 response=InadequateResponse start=2025-10-07 status=Completed"],
        ),
        (
            {"created": "2025-09-01"},
            activity("scheduled", **SPAN),
            ["Plan ActivePhysicalTherapy authored=2025-09-01 end=2025-12-06 start=2025-10-07"],
        ),
        ({"created": "2025-09-01"}, activity("not-started"), ["Plan ActivePhysicalTherapy authored=2025-09-01"]),
        ({}, activity("cancelled", **SPAN), []),
        ({}, activity("entered-in-error", **SPAN), []),
        ({}, activity("completed", **SPAN, doNotPerform=True), []),
        ({"status": "entered-in-error"}, activity("completed", **SPAN), []),
        (
            {"status": "revoked"},
            activity("in-progress", **SPAN),
            [CARE + "end=2025-12-06 start=2025-10-07 status=StatusUnknown"],
        ),
        ({"status": "revoked"}, activity("scheduled", **SPAN), []),
        ({"intent": "option"}, activity("scheduled", **SPAN), []),
        ({}, {"reference": {"reference": "Procedure/x"}}, []),
    ],
)
def test_a_care_plan_gives_the_activities_that_it_details(plan, given, expected):
    found = lifted({"resourceType": "CarePlan", "status": "active", "intent": "plan", "activity": [given], **plan})
    assert lines(found) == expected
    assert said(found) == []


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, ["Plan SiInjectionCt authored=2026-01-12"]),
        ({"status": "draft", "intent": "proposal"}, ["Plan SiInjectionCt authored=2026-01-12"]),
        ({"status": "on-hold", "intent": "order"}, ["Plan SiInjectionCt authored=2026-01-12"]),
        ({"intent": "original-order"}, ["Plan SiInjectionCt authored=2026-01-12"]),
        ({"occurrenceDateTime": "2026-02-01"}, ["Plan SiInjectionCt authored=2026-01-12 start=2026-02-01"]),
        ({"status": "completed"}, []),
        ({"status": "revoked"}, []),
        ({"status": "entered-in-error"}, []),
        ({"status": "unknown"}, []),
        ({"intent": "option"}, []),
        ({"intent": "directive"}, []),
        ({"doNotPerform": True}, []),
        ({"code": concept(ICD, "M99")}, []),
    ],
)
def test_an_open_service_request_is_a_plan(given, expected):
    asked = {
        "resourceType": "ServiceRequest",
        "status": "active",
        "intent": "plan",
        "code": kg("si-injection-ct"),
        "authoredOn": "2026-01-12",
    }
    found = lifted(asked | given)
    assert lines(found) == expected
    assert said(found) == []

"""Procedure, CarePlan and ServiceRequest -> pt:Procedure, pt:Course, pt:Plan (spec/fhir-input.md:
physical therapy, injection, block, plan)."""

from __future__ import annotations

from kg.fhir import codings
from kg.fhir.context import Context
from kg.fhir.dates import Period
from kg.fhir.facts import Fact, fact
from kg.fhir.record import Entry
from kg.fhir.views import View
from kg.terms import PT

_PROCEDURE = frozenset(
    ("preparation", "in-progress", "not-done", "on-hold", "stopped", "completed", "entered-in-error", "unknown")
)
_COURSE = {
    "in-progress": PT.Active,
    "on-hold": PT.OnHold,
    "stopped": PT.Stopped,
    "completed": PT.Completed,
    "unknown": PT.StatusUnknown,
}
_ACTIVITY = frozenset(("not-started", "scheduled", "cancelled", "entered-in-error", *_COURSE))
_CARE_PLAN = frozenset(("draft", "active", "on-hold", "revoked", "completed", "entered-in-error", "unknown"))
_REQUEST = frozenset(("draft", "active", "on-hold", "revoked", "completed", "entered-in-error", "unknown"))
_INTENTS = frozenset(
    (
        "proposal",
        "plan",
        "directive",
        "order",
        "original-order",
        "reflex-order",
        "filler-order",
        "instance-order",
        "option",
    )
)
_PLANNED = frozenset(("draft", "active", "on-hold"))
_NOT_PLANS = frozenset(("directive", "option"))


def procedure(entry: Entry, context: Context) -> list[Fact]:
    """A Procedure: a course when its concept is a therapy that runs in courses, else one event, which counts once
    completed."""
    view, codes = entry.view, context.codes
    meaning = codings.one_meaning(view.object("code"), codes)
    if meaning is None or meaning.concept in codes.drugs:
        return []
    status = view.word("status", _PROCEDURE)
    if status in ("entered-in-error", "not-done", "preparation"):
        return []
    if meaning.concept in codes.courses:
        period = _performed(view)
        single = view.has("performedDateTime") and status != "in-progress"
        period = Period(period.start, period.start if single else period.end, period.start_lost, period.end_lost)
        reasons = [r for name in ("outcome", "statusReason") if (r := view.object(name))]
        return [_therapy(meaning.concept, _COURSE.get(status), period, reasons, context)]
    if status != "completed":
        if status in (None, "unknown"):
            view.warning("status", "does not say that the procedure was done; not read, correct it")
        return []
    done = _performed(view)
    day = done.start if view.has("performedDateTime") or (done.start and done.start == done.end) else None
    sides = codings.sides(view.objects("bodySite"), codes)
    return [
        fact(
            "Procedure",
            meaning.concept,
            date=day,
            start=None if day else done.start,
            end=None if day else done.end,
            side=sides,
        )
    ]


def _performed(view: View) -> Period:
    if view.has("performedPeriod"):
        return view.period("performedPeriod")
    if view.has("performedDateTime"):
        day = view.day("performedDateTime")
        return Period(day, None, day is None)
    other = view.present(("performedString", "performedAge", "performedRange"))
    view.warning(
        other[0] if other else "performedDateTime",
        "gives no date that can be read; read as without a date, give a date",
    )
    return Period()


def _therapy(
    concept: str, status: str | None, period: Period, reasons: list[View], context: Context, **more: object
) -> Fact:
    said, unread = codings.responses(reasons, context.codes)
    sure = PT.StatusUnknown if status is None or (status == PT.Active and period.end_lost) else status
    return fact("Course", concept, start=period.start, end=period.end, status=sure, **more, response=said, text=unread)


def care_plan(entry: Entry, context: Context) -> list[Fact]:
    """The activities that a CarePlan details: plans while not begun, courses of therapy once they have."""
    view = entry.view
    if not view.has("activity"):
        return []
    found = []
    for activity in view.objects("activity"):
        detail = activity.object("detail")
        meaning = codings.one_meaning(detail.object("code"), context.codes) if detail else None
        if meaning:
            found.append((activity, detail, meaning.concept))
    if not found:
        return []
    status, intent = view.word("status", _CARE_PLAN), view.word("intent", _INTENTS)
    if status == "entered-in-error" or intent == "option":
        return []
    authored = view.day("created")
    return [
        one
        for activity, detail, concept in found
        for one in _activity(activity, detail, concept, status, authored, context)
    ]


def _activity(
    activity: View, detail: View, concept: str, plan: str | None, authored: str | None, context: Context
) -> list[Fact]:
    status = detail.word("status", _ACTIVITY)
    if status in ("cancelled", "entered-in-error") or detail.flag("doNotPerform"):
        return []
    period = _scheduled(detail)
    if status in ("not-started", "scheduled"):
        return (
            []
            if plan == "revoked" or plan == "completed"
            else [fact("Plan", concept, authored=authored, start=period.start, end=period.end)]
        )
    if concept not in context.codes.courses or concept in context.codes.drugs:
        return []
    stands = None if status == "in-progress" and plan in ("revoked", "completed") else _COURSE.get(status)
    reasons = [*activity.objects("outcomeCodeableConcept"), *([r] if (r := detail.object("statusReason")) else [])]
    return [_therapy(concept, stands, period, reasons, context)]


def _scheduled(detail: View) -> Period:
    if detail.has("scheduledPeriod"):
        return detail.period("scheduledPeriod")
    timing = detail.object("scheduledTiming")
    repeat = timing.object("repeat") if timing else None
    return repeat.period("boundsPeriod") if repeat and repeat.has("boundsPeriod") else Period()


def service_request(entry: Entry, context: Context) -> list[Fact]:
    """A ServiceRequest that proposes, plans or orders something and is still open:
    a plan from the day it was authored."""
    view = entry.view
    meaning = codings.one_meaning(view.object("code"), context.codes)
    if meaning is None or view.flag("doNotPerform"):
        return []
    status, intent = view.word("status", _REQUEST), view.word("intent", _INTENTS)
    if status not in _PLANNED or intent in _NOT_PLANS:
        return []
    period = view.period("occurrencePeriod")
    start = view.day("occurrenceDateTime") if view.has("occurrenceDateTime") else period.start
    return [fact("Plan", meaning.concept, authored=view.day("authoredOn"), start=start, end=period.end)]

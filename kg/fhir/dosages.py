"""Dosage elements: as needed or fixed, the route, and the period that they bound (spec/fhir-input.md:
pattern, Courses)."""

from __future__ import annotations

from kg.codes import CodeIndex
from kg.fhir import codings, dates, quantities
from kg.fhir.dates import Period
from kg.fhir.views import View
from kg.terms import PT

_FIXED = ("frequency", "period", "timeOfDay", "dayOfWeek", "when")


def pattern(doses: list[View]) -> str | None:
    """pt:OnDemand, pt:Continuous, or None when the dosages do not say or disagree."""
    found = {said for dose in doses if (said := _pattern(dose))}
    return found.pop() if len(found) == 1 else None


def _pattern(dose: View) -> str | None:
    needed = dose.flag("asNeededBoolean")
    if needed or (needed is None and dose.has("asNeededCodeableConcept")):
        return PT.OnDemand
    timing = dose.object("timing") if dose.has("timing") else None
    repeat = timing.object("repeat") if timing else None
    fixed = timing and (timing.has("code") or timing.has("event") or (repeat and repeat.present(_FIXED)))
    return PT.Continuous if needed is False or fixed else None


def route(doses: list[View], codes: CodeIndex) -> str | None:
    """pt:Oral, pt:OtherRoute, or None when the route is not recorded, cannot be read, or differs among the dosages."""
    found = {said for dose in doses if (said := _route(dose, codes))}
    return found.pop() if len(found) == 1 else None


def _route(dose: View, codes: CodeIndex) -> str | None:
    holder = dose.object("route")
    if holder is None:
        return PT.Oral if any(codes.is_oral(dose.text(name)) for name in ("text", "patientInstruction")) else None
    words = codings.texts(holder)
    known = {m.concept for m in codings.meanings(holder, codes)}
    if PT.Oral in known or any(map(codes.is_oral, words)):
        return PT.Oral
    elsewhere = any(codes.knows_route(c.text("system")) for c in holder.objects("coding"))
    return PT.OtherRoute if known or words or elsewhere else None


def bounds(doses: list[View], authored: str | None, codes: CodeIndex) -> Period:
    """From the earliest start to the latest end that the timings of the dosages bound;
    open when one of them is open."""
    found = [bound for dose in doses if (bound := _bound(dose, authored, codes))]
    starts, ends = [p.start for p in found if p.start], [p.end for p in found]
    lost = any(p.end_lost for p in found)
    return Period(
        min(starts, key=dates.first, default=None),
        max(filter(None, ends), key=dates.last) if ends and all(ends) else None,
        not starts and any(p.start_lost for p in found),
        lost,
    )


def _bound(dose: View, authored: str | None, codes: CodeIndex) -> Period | None:
    timing = dose.object("timing") if dose.has("timing") else None
    repeat = timing.object("repeat") if timing else None
    if repeat and repeat.has("boundsPeriod"):
        return repeat.period("boundsPeriod")
    if repeat and repeat.has("boundsDuration"):
        length = repeat.object("boundsDuration")
        end = quantities.ends_after(authored, length, codes) if length else None
        return Period(None, end, False, end is None)
    return None

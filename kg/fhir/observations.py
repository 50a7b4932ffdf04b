"""Observation and DiagnosticReport -> pt:Observation (spec/fhir-input.md:
pain, scores, asserted facts, sites, maneuvers, imaging, relief)."""

from __future__ import annotations

from dataclasses import replace

from kg.codes import Mapping
from kg.fhir import codings, quantities
from kg.fhir.context import Context
from kg.fhir.facts import Fact, fact
from kg.fhir.record import Entry
from kg.fhir.views import View
from kg.terms import CL, PT

_STATUS = frozenset(
    ("registered", "preliminary", "final", "amended", "corrected", "cancelled", "entered-in-error", "unknown")
)
_REPORT_STATUS = _STATUS | {"partial", "appended"}
_VOID = frozenset(("entered-in-error", "cancelled", "registered"))
_EFFECTIVE = ("effectiveDateTime", "effectiveInstant", "effectivePeriod", "effectiveTiming")
_SAID = (PT.Present, PT.Absent)


def observation(entry: Entry, context: Context) -> list[Fact]:
    """The facts of an Observation and of its components, which are read as observations of their own."""
    view, codes = entry.view, context.codes
    components = view.objects("component") if view.has("component") else []
    parts = [(part, codings.one_meaning(part.object("code"), codes)) for part in (view, *components)]
    parts = [(part, meaning) for part, meaning in parts if meaning and meaning.concept not in codes.drugs]
    if not parts or view.word("status", _STATUS) in _VOID:
        return []
    if view.has("focus"):
        view.info("focus", "says that it is about something other than the patient; not read")
        return []
    found = [_placed(read, entry, part) for part, meaning in parts if (read := _value(part, meaning, context))]
    if not found:
        explained = ("dataAbsentReason", "interpretation")
        if not (view.findings or view.has("hasMember") or any(part.present(explained) for part, _ in parts)):
            view.info("value[x]", "is missing, and why (dataAbsentReason) is not said; there is nothing to read")
        return []
    day, whole = _day(view), _whole(entry, context)
    sides = codings.sides([view.object("bodySite")], codes)
    shared = fact("", None, date=day, side=sides, partOf=whole).properties
    return [replace(one, properties=(*shared, *one.properties)) for one in found]


def _placed(read: Fact, entry: Entry, part: View) -> Fact:
    """The fact with the element that it was read from: the Observation's code or that of a component."""
    path = ".".join(filter(None, (entry.kind, part.path, "code")))
    return replace(read, properties=(*read.properties, ("element", path)))


def report(entry: Entry, context: Context) -> list[Fact]:
    """The coded conclusions of a DiagnosticReport whose code is a measure with coded answers."""
    view, codes = entry.view, context.codes
    meaning = codings.one_meaning(view.object("code"), codes)
    if meaning is None or meaning.concept in codes.measures or view.word("status", _REPORT_STATUS) in _VOID:
        return []
    conclusions = view.objects("conclusionCode")
    findings = [m.concept for c in conclusions for m in codings.concepts(c, codes)]
    own = [fact for result in _contained_results(entry, context) for fact in observation(result, context)]
    for conclusion in conclusions:
        if not codings.concepts(conclusion, codes):
            conclusion.warning("", "is a conclusion that the mappings do not know; not read, map it with --codes")
    if not findings and not conclusions and view.has("result"):
        return own
    if not findings:
        view.warning("conclusionCode", "gives no finding that can be read; the study counts without one")
    return [fact("Observation", meaning.concept, date=_day(view), finding=list(dict.fromkeys(findings))), *own]


def _contained_results(entry: Entry, context: Context) -> list[Entry]:
    """The Observations that a report contains and names as its results; others are entries and read as such."""
    named = (context.target(entry, reference) for reference in entry.view.objects("result"))
    return [target for target in named if target and target.holder and target.kind == "Observation"]


def _value(view: View, meaning: Mapping, context: Context) -> Fact | None:
    """The value of an Observation or component, by what its concept measures; None when there is none to read."""
    codes = context.codes
    given = view.present(name for name in view.data if name.startswith("value"))
    if len(given) > 1:
        view.violation(given[1], "is a second value; left out with the first, keep one")
        return None
    measure = codes.measures.get(meaning.concept)
    if measure and given:
        if given[0] not in ("valueQuantity", "valueInteger"):
            view.violation(given[0], f"is not a number; give a valueQuantity in {measure.unit}")
            return None
        number = quantities.measured(view, given[0], meaning, measure, codes)
        return fact("Observation", meaning.concept, value=number[0], unit=number[1]) if number else None
    return None if measure else _answer(view, meaning, given[0] if given else None, context)


def _answer(view: View, meaning: Mapping, name: str | None, context: Context) -> Fact | None:
    """A yes, a no or a coded answer; an answer that the mappings do not know is kept without what it says."""
    read = _interpretation(view, context)
    if name is None:
        return fact("Observation", meaning.concept, presence=read) if read else None
    if name == "valueBoolean":
        flag = view.flag(name)
        said = None if flag is None else PT.Present if flag else PT.Absent
        if said and read and said != read:
            view.violation("interpretation", f"contradicts {name}; left out, correct one of them")
            return None
        return fact("Observation", meaning.concept, presence=said) if said else None
    if name != "valueCodeableConcept":
        view.violation(name, "is not an answer that can be read; give a valueBoolean or a valueCodeableConcept")
        return None
    answer = view.object(name)
    meant = [m.concept for m in codings.meanings(answer, context.codes)]
    findings = [concept for concept in meant if concept.startswith(CL.iri)]
    said = next((concept for concept in meant if concept in _SAID), read)
    if not findings and not said:
        view.warning(name, "is an answer that the mappings do not know; kept without it, map it with --codes")
    return fact("Observation", meaning.concept, presence=said, finding=findings)


def _interpretation(view: View, context: Context) -> str | None:
    found = {m.concept for one in view.objects("interpretation") for m in codings.meanings(one, context.codes)}
    said = [concept for concept in _SAID if concept in found]
    if len(said) > 1:
        view.violation("interpretation", "is both positive and negative; left out, keep one")
    return said[0] if len(said) == 1 else None


def _day(view: View) -> str | None:
    """The day of an Observation or report: its effective date, the end of a period (its start while open)."""
    given = view.present(_EFFECTIVE)
    if not given:
        view.warning("effectiveDateTime", "is missing; without a date it cannot be told whether it is the latest")
        return None
    if given[0] == "effectivePeriod":
        period = view.period(given[0])
        return period.end or (None if period.end_lost else period.start)
    if given[0] == "effectiveTiming":
        view.warning(given[0], "gives no single date; read as without a date, give effectiveDateTime")
        return None
    return view.day(given[0])


def _whole(entry: Entry, context: Context) -> list[str]:
    """The facts of the procedures that an Observation is part of."""
    found = []
    for reference in entry.view.objects("partOf"):
        target = context.target(entry, reference)
        procedure = context.procedures.get(target.iri) if target else None
        patient = context.patient(entry)
        if target is None:
            reference.violation("reference", "names nothing in the input; add the Procedure or correct the reference")
        elif procedure and patient and procedure[1] != patient.iri:
            reference.violation("reference", "names a procedure of another patient; not read as part of it, correct it")
        elif procedure:
            found.append(procedure[0])
        else:
            reference.info("reference", "names a resource that gave no fact; read on its own")
    return found

"""Condition -> pt:Diagnosis (spec/fhir-input.md: diagnosis, other cause, silent risks, Conditions)."""

from __future__ import annotations

from kg.codes import Mapping
from kg.fhir import codings, dates
from kg.fhir.context import Context
from kg.fhir.facts import Fact, fact
from kg.fhir.record import Entry
from kg.fhir.views import View
from kg.terms import PT

_CLINICAL = frozenset(("active", "recurrence", "relapse", "inactive", "remission", "resolved"))
CONDITION_VERIFICATION = frozenset(
    ("unconfirmed", "provisional", "differential", "confirmed", "refuted", "entered-in-error")
)
_OPEN = frozenset(("unconfirmed", "provisional", "differential"))
_RUNNING = frozenset(("active", "recurrence", "relapse"))
_AGE_UNITS = frozenset(("a", "mo", "wk", "d"))


def condition(entry: Entry, context: Context) -> list[Fact]:
    """One diagnosis for each distinct concept that the codes of a Condition mean."""
    view = entry.view
    code = view.object("code")
    found = codings.concepts(code, context.codes)
    if not found:
        return []
    verification, doubted = codings.coded_status(view, "verificationStatus", CONDITION_VERIFICATION)
    if verification == "entered-in-error":
        return []
    clinical, unclear = codings.coded_status(view, "clinicalStatus", _CLINICAL)
    if len(found) > 1:
        code.warning("coding", "holds codes of different meaning; each is read as a diagnosis, keep one")
    start, end = _moment(entry, context, "onset"), _moment(entry, context, "abatement")
    if end and clinical in _RUNNING:
        view.warning(
            "clinicalStatus", "says that the condition goes on although it has an abatement; correct one of them"
        )
    if not dates.ordered(start, end):
        view.violation("abatement", "lies before the onset; both are left out, correct them")
        start = end = None
    ended = clinical is None and end is None and bool(_given(view, "abatement"))
    recorded = view.day("recordedDate")
    facts = []
    for meaning in found:
        presence = _presence(meaning, verification, clinical, doubted or unclear or ended)
        if presence and meaning.concept in context.codes.drugs:
            facts.extend(_reaction(view, code, meaning.concept, presence, recorded))
        elif presence:
            facts.append(fact("Diagnosis", meaning.concept, presence=presence, start=start, end=end, recorded=recorded))
    return facts


def _presence(meaning: Mapping, verification: str | None, clinical: str | None, doubtful: bool) -> str | None:
    """The pt: presence of a diagnosis; None when nothing can be said (a refuted history)."""
    if verification == "refuted":
        return None if meaning.presence else PT.Absent
    if verification in _OPEN or doubtful:
        return PT.Unconfirmed
    if clinical == "resolved":
        return PT.Resolved
    return meaning.presence or PT.Present


def _reaction(view: View, code: View, drug: str, presence: str, recorded: str | None) -> list[Fact]:
    """A Condition that says a drug is not borne is not an allergy record, but no silence either: an unconfirmed bar."""
    if presence not in (PT.Present, PT.Unconfirmed):
        return []
    view.warning("code", "records an allergy as a Condition; read as unconfirmed, record it as an AllergyIntolerance")
    return [fact("Contraindication", drug, certainty=PT.Unconfirmed, recorded=recorded, text=codings.as_written(code))]


def _given(view: View, stem: str) -> list[str]:
    return view.present(stem + kind for kind in ("DateTime", "Period", "Age", "Range", "String"))


def _moment(entry: Entry, context: Context, stem: str) -> str | None:
    """The date of onset[x] or abatement[x], as precise as it is certain;
    a form that gives no date becomes a finding."""
    view = entry.view
    for name in _given(view, stem)[:1]:
        if name.endswith("DateTime"):
            return view.day(name)
        if name.endswith("Period"):
            period = view.period(name)
            return period.start if stem == "onset" else period.end
        if name.endswith("Age"):
            return _at_age(view.object(name), context.births.get(_patient_iri(entry, context)))
        view.warning(name, "gives no date that can be read; give a date, or the year or month alone")
    return None


def _patient_iri(entry: Entry, context: Context) -> str:
    patient = context.patient(entry)
    return patient.iri if patient else ""


def _at_age(age: View | None, birth: str | None) -> str | None:
    value = age.number("value") if age else None
    unit = (age.text("code") or age.text("unit")) if age else None
    if value is None or unit not in _AGE_UNITS or value != int(value) or birth is None:
        if age:
            age.warning("", "is an age that cannot be placed in time; give a date, or the year alone")
        return None
    try:
        found = dates.at_age(birth, int(value), unit)
    except (OverflowError, ValueError):
        age.violation("value", "is no possible age; correct it")
        return None
    if found is None:
        age.info("", "is not certain to the year, so it gives no date; give a date, or the year alone")
    return found

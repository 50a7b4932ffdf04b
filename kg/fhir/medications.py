"""Medication resources -> pt:Course and pt:Plan (spec/fhir-input.md: drug course, response, plan, Courses)."""

from __future__ import annotations

from kg.fhir import codings, dates, dosages, quantities
from kg.fhir.context import Context
from kg.fhir.dates import Period
from kg.fhir.facts import Fact, fact
from kg.fhir.record import Entry
from kg.fhir.views import View
from kg.terms import PT

_STATEMENT = {
    "active": PT.Active,
    "completed": PT.Completed,
    "stopped": PT.Stopped,
    "on-hold": PT.OnHold,
    "unknown": PT.StatusUnknown,
    "intended": None,
    "entered-in-error": None,
    "not-taken": None,
}
_REQUEST = {
    "active": PT.Active,
    "completed": PT.Completed,
    "stopped": PT.Stopped,
    "on-hold": PT.OnHold,
    "unknown": PT.StatusUnknown,
    "draft": None,
    "entered-in-error": None,
    "cancelled": None,
}
_INTENTS = frozenset(
    ("proposal", "plan", "order", "original-order", "reflex-order", "filler-order", "instance-order", "option")
)
_DISPENSE = {
    "completed": PT.Completed,
    "stopped": PT.StatusUnknown,
    "unknown": PT.StatusUnknown,
    "preparation": None,
    "in-progress": None,
    "on-hold": None,
    "cancelled": None,
    "declined": None,
    "entered-in-error": None,
}
_ADMINISTRATION = {
    "completed": PT.Completed,
    "stopped": PT.Stopped,
    "in-progress": PT.Active,
    "on-hold": PT.OnHold,
    "unknown": PT.StatusUnknown,
    "not-done": None,
    "entered-in-error": None,
}


def medication(entry: Entry, context: Context) -> tuple[str, ...]:
    """The drugs of a resource's medication[x], a reference resolved inside the input;
    () when the mappings know none."""
    view = entry.view
    if view.has("medicationCodeableConcept"):
        return _known(view.object("medicationCodeableConcept"), context)
    reference = view.object("medicationReference")
    if reference is None:
        return ()
    target = context.target(entry, reference)
    if target is None or target.kind != "Medication":
        named = context.codes.by_name(reference.text("display"))
        if not named:
            reference.violation("reference", "names no Medication in the input; add it or give the code")
        return named
    return of_medication(target, context)


def of_medication(
    target: Entry, context: Context, report: bool = True, within: frozenset[str] = frozenset()
) -> tuple[str, ...]:
    """The drugs of a Medication or Substance: its code, else its active ingredients, coded or by reference.

    `report`: say when a name is not read. `within`: what it is an ingredient of, so that no ring is followed."""
    holder = target.view
    if holder.text("status") == "entered-in-error" or target.iri in within:
        return ()
    found = _known(holder.object("code"), context, report)
    for part in () if found else holder.objects("ingredient"):
        if part.flag("isActive") is not False:
            found += _ingredient(target, part, context, report, within | {target.iri})
    if found:
        context.used.add(target.index)
    return context.codes.most_specific(found)


def _ingredient(
    whole: Entry, part: View, context: Context, report: bool, within: frozenset[str]
) -> tuple[str, ...]:
    """The drugs that one ingredient is, by its code or by the Substance or Medication that it names."""
    reference = part.object("itemReference")
    if reference is None:
        return _known(part.object("itemCodeableConcept"), context, report)
    named = context.target(whole, reference)
    if named is None or named.kind not in ("Medication", "Substance"):
        reference.violation("reference", "names no Substance or Medication in the input; add it or give the code")
        return ()
    return of_medication(named, context, report, within)


def _known(holder: View | None, context: Context, report: bool = True) -> tuple[str, ...]:
    """The drug of a CodeableConcept; a name in the text of an unknown code is reported, not read."""
    found = codings.drugs(holder, context.codes)
    if len(found) > 1:
        holder.warning("coding", "holds codes of different drugs; the first is read, keep one")
    if report and not found and any(codings.named_drugs(holder, context.codes)):
        holder.warning(
            "coding", "is not known although its text names a known drug; not read, map the code with --codes"
        )
    return found[:1]


def statement(entry: Entry, context: Context) -> list[Fact]:
    """A MedicationStatement: a course by its effective period, or a plan when it is only intended."""
    view = entry.view
    drugs = medication(entry, context)
    status = view.word("status", _STATEMENT) if drugs else "not-taken"
    if status in ("not-taken", "entered-in-error"):
        return []
    period = view.period("effectivePeriod")
    if view.has("effectiveDateTime") and not view.has("effectivePeriod"):
        day = view.day("effectiveDateTime")
        period = Period(day, None, day is None)
    doses = view.objects("dosage")
    recorded = view.day("dateAsserted")
    if status == "intended":
        return [
            fact(
                "Plan",
                drug,
                authored=recorded,
                start=period.start,
                end=period.end,
                route=dosages.route(doses, context.codes),
            )
            for drug in drugs
        ]
    said, unread = codings.responses(view.objects("statusReason"), context.codes)
    return [
        _course(
            drug,
            _sure(_STATEMENT.get(status), period),
            period,
            doses,
            context,
            recorded=recorded,
            response=said,
            text=unread,
        )
        for drug in drugs
    ]


def request(entry: Entry, context: Context) -> list[Fact]:
    """A MedicationRequest: a course from its start or authoring, or a plan when proposed, planned or drafted without
    one."""
    view = entry.view
    drugs = medication(entry, context)
    if not drugs or view.flag("doNotPerform"):
        return []
    status, intent = view.word("status", _REQUEST), view.word("intent", _INTENTS)
    if status in ("entered-in-error", "cancelled") or intent == "option":
        return []
    authored = view.day("authoredOn")
    doses = view.objects("dosageInstruction")
    period = _ordered_for(view, doses, authored, context)
    if status == "draft" or (intent in ("proposal", "plan") and period.start is None and not period.start_lost):
        if status not in ("draft", "active", "on-hold"):
            view.info("status", "is that of a plan which is no longer one; not read")
            return []
        return [
            fact(
                "Plan",
                drug,
                authored=authored,
                start=period.start,
                end=period.end,
                route=dosages.route(doses, context.codes),
            )
            for drug in drugs
        ]
    if period.start is None and not period.start_lost:
        period = Period(authored, period.end, view.has("authoredOn") and authored is None, period.end_lost)
    said, unread = codings.responses([r] if (r := view.object("statusReason")) else [], context.codes)
    # the end of what was supplied is no stop; bounds of the dosage are one, planned
    bounded = dosages.bounds(doses, period.start or authored, context.codes).end is not None
    supply = period.end is not None and not bounded and status != "stopped"
    stands = _sure(None if intent is None and view.has("intent") else _REQUEST.get(status), period)
    return [
        _course(drug, stands, period, doses, context, authored=authored, supply=supply, response=said, text=unread)
        for drug in drugs
    ]


def _ordered_for(view: View, doses: list[View], authored: str | None, context: Context) -> Period:
    """The period of an order: bounds of its dosage, else validity; its end, failing both, from the expected supply.

    The start is None when only the authoring dates it."""
    dispense = view.object("dispenseRequest")
    validity = dispense.period("validityPeriod") if dispense and dispense.has("validityPeriod") else Period()
    bounds = dosages.bounds(doses, validity.start or authored, context.codes)
    start, end = bounds.start or validity.start, bounds.end or validity.end
    lost = bounds.end_lost or validity.end_lost
    if end is None and not lost and dispense and (supply := dispense.object("expectedSupplyDuration")):
        end = quantities.ends_after(start or authored, supply, context.codes)
        lost = end is None
    if not dates.ordered(start or authored, end):
        view.violation("dispenseRequest", "ends before it starts; correct its periods")
        return Period(start_lost=True, end_lost=True)
    return Period(start, end, start is None and (bounds.start_lost or validity.start_lost), lost and end is None)


def dispense(entry: Entry, context: Context) -> list[Fact]:
    """A MedicationDispense: a course from its handing over for the days of its supply."""
    view = entry.view
    drugs = medication(entry, context)
    if not drugs:
        return []
    status = view.word("status", _DISPENSE)
    if (
        status
        and _DISPENSE[status] is None
        and (status in ("cancelled", "declined", "entered-in-error") or not view.has("whenHandedOver"))
    ):
        return []
    start = view.day("whenHandedOver")
    if not view.has("whenHandedOver"):
        view.warning("whenHandedOver", "is missing; the dispense is read as a course without a start")
    supply = view.object("daysSupply")
    end = quantities.ends_after(start, supply, context.codes, bare="d") if supply else None
    reason = view.object("statusReasonCodeableConcept")
    said, unread = codings.responses([reason] if reason else [], context.codes)
    stands = _DISPENSE.get(status) or PT.StatusUnknown
    return [
        _course(
            drug,
            stands,
            Period(start, end),
            view.objects("dosageInstruction"),
            context,
            supply=True,
            response=said,
            text=unread,
        )
        for drug in drugs
    ]


def administration(entry: Entry, context: Context) -> list[Fact]:
    """A MedicationAdministration: a course of the day, or of the period, on which it was given."""
    view = entry.view
    drugs = medication(entry, context)
    if not drugs:
        return []
    status = view.word("status", _ADMINISTRATION)
    if status in ("not-done", "entered-in-error"):
        return []
    period = view.period("effectivePeriod")
    if not view.has("effectivePeriod"):
        day = view.day("effectiveDateTime")
        period = Period(day, day, day is None, day is None)
        if not view.has("effectiveDateTime"):
            view.warning("effectiveDateTime", "is missing; the administration is read as a course without dates")
    period = Period(
        period.start, period.end or (None if period.end_lost else period.start), period.start_lost, period.end_lost
    )
    said, unread = codings.responses(view.objects("statusReason"), context.codes)
    stands = (
        PT.Completed
        if status in ("in-progress", "on-hold") and period.end
        else _ADMINISTRATION.get(status) or PT.StatusUnknown
    )
    dose = view.object("dosage")
    return [
        _course(drug, stands, period, [dose] if dose else [], context, supply=True, response=said, text=unread)
        for drug in drugs
    ]


def _course(drug: str, status: str, period: Period, doses: list[View], context: Context, **more: object) -> Fact:
    return fact(
        "Course",
        drug,
        start=period.start,
        end=period.end,
        status=status,
        **more,
        pattern=dosages.pattern(doses),
        route=dosages.route(doses, context.codes),
    )


def _sure(status: str | None, period: Period) -> str:
    """A status that an end which cannot be read makes unsure: such a course may be over."""
    return PT.StatusUnknown if status is None or (period.end_lost and status == PT.Active) else status

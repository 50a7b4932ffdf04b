"""AllergyIntolerance and DetectedIssue -> pt:Contraindication and pt:UnreadAlert (spec/fhir-input.md:
contraindication)."""

from __future__ import annotations

from kg.fhir import codings, medications
from kg.fhir.conditions import CONDITION_VERIFICATION
from kg.fhir.context import Context
from kg.fhir.facts import Fact, fact
from kg.fhir.record import Entry
from kg.fhir.views import View
from kg.terms import GL, PT

_CLINICAL = frozenset(("active", "inactive", "resolved"))
_VERIFICATION = frozenset(("unconfirmed", "presumed", "confirmed", "refuted", "entered-in-error"))
_OTHER_CATEGORIES = frozenset(("food", "environment"))
_ISSUE_STATUS = frozenset(
    ("registered", "preliminary", "final", "amended", "corrected", "cancelled", "entered-in-error", "unknown")
)
_ALERT_KINDS = frozenset((GL.NotAContraindication, GL.ContraindicationAlert))


def allergy(entry: Entry, context: Context) -> list[Fact]:
    """The bars of an active allergy: confirmed for a drug known by code or exact name, else unconfirmed or unread."""
    view = entry.view
    clinical, unclear = codings.coded_status(view, "clinicalStatus", _CLINICAL)
    verification, doubted = codings.coded_status(view, "verificationStatus", _VERIFICATION)
    if clinical in ("inactive", "resolved") or verification in ("refuted", "entered-in-error"):
        return []
    unsure = unclear or doubted or verification in ("unconfirmed", "presumed")
    recorded = view.day("recordedDate")
    code = view.object("code")
    substances = [s for reaction in view.objects("reaction") if (s := reaction.object("substance"))]
    told = _bars(code, context, unsure, recorded) if code else []
    more = [one for substance in substances for one in _bars(substance, context, unsure, recorded)]
    facts = list(dict.fromkeys([*told, *more]))
    if told or (more and not code) or (code and codings.no_allergy(code, context.codes)) or _no_drug(view):
        return facts
    written = next(filter(None, map(codings.as_written, filter(None, [code, *substances]))), None)
    if written is None:
        view.warning("code", "does not say to what the allergy is; give a code or a text")
    return [*facts, fact("UnreadAlert", None, recorded=recorded, text=written or "no substance stated")]


def _bars(holder: View, context: Context, unsure: bool, recorded: str | None) -> list[Fact]:
    """The contraindications that one CodeableConcept of an allergy states; a text counts only without a known code."""
    sure, written = PT.Unconfirmed if unsure else PT.Confirmed, codings.as_written(holder)
    if codings.meanings(holder, context.codes):
        known = codings.drugs(holder, context.codes)
        if len(known) > 1:
            holder.warning("coding", "holds codes of different drugs; each counts as a bar, keep one")
        return [fact("Contraindication", drug, certainty=sure, recorded=recorded) for drug in known]
    exact, contained = codings.named_drugs(holder, context.codes)
    certainty = sure if exact else PT.Unconfirmed
    return [
        fact("Contraindication", drug, certainty=certainty, recorded=recorded, text=written)
        for drug in exact or contained
    ]


def _no_drug(view: View) -> bool:
    """True when the categories of an allergy say that it is to no drug."""
    given = view.data.get("category") or []
    if isinstance(given, list) and all(isinstance(word, str) for word in given):
        return bool(given) and set(given) <= _OTHER_CATEGORIES
    view.violation("category", "is not a list of words; give it as FHIR says")
    return False


def detected_issue(entry: Entry, context: Context) -> list[Fact]:
    """The bars of a safety alert: confirmed when it is a contraindication, unconfirmed when of a kind that is not
    read."""
    view = entry.view
    status = view.word("status", _ISSUE_STATUS)
    code = view.object("code")
    kinds = {m.concept for m in codings.meanings(code, context.codes)} & _ALERT_KINDS
    if status in ("entered-in-error", "cancelled") or kinds == {GL.NotAContraindication}:
        return []
    read = not view.has("code") or kinds == {GL.ContraindicationAlert}
    dated = view.has("identifiedDateTime")
    recorded = view.day("identifiedDateTime") if dated else view.period("identifiedPeriod").start
    written = codings.as_written(code)
    drugs, unknown = _implicated(entry, context)
    certain = read and not (status is None and view.has("status"))
    facts = [
        fact(
            "Contraindication",
            drug,
            certainty=PT.Confirmed if certain and sure else PT.Unconfirmed,
            recorded=recorded,
            reason=_reasons(entry, context),
            text=None if read else written,
        )
        for drug, sure in drugs.items()
    ]
    if read and drugs and not unknown:
        return facts
    said = ", ".join(unknown) if read and unknown else written or ", ".join(unknown) or "safety alert"
    return [*facts, fact("UnreadAlert", None, recorded=recorded, text=said)]


def _implicated(entry: Entry, context: Context) -> tuple[dict[str, bool], list[str]]:
    """The drugs that an alert is about, each with whether it is named for sure;
    and the medications not known, as written."""
    drugs: dict[str, bool] = {}
    unknown: list[str] = []
    for reference in entry.view.objects("implicated"):
        target = context.target(entry, reference)
        display = reference.text("display")
        if target is None:
            reference.violation("reference", "names nothing in the input; add the resource or correct the reference")
            unknown.append(display or reference.text("reference") or "medication")
            continue
        element = {"Medication": "code", "Substance": "code"}.get(target.kind, "medicationCodeableConcept")
        if element != "code" and not target.kind.startswith("Medication"):
            continue
        known, holder = _medication(target, context), target.view.object(element)
        exact, contained = ((), ()) if known or holder is None else codings.named_drugs(holder, context.codes)
        for drug in known or exact or contained:
            drugs[drug] = drugs.get(drug, False) or not contained or drug in exact
        if not (known or exact or contained):
            unknown.append(codings.as_written(holder) or display or target.name)
    return drugs, unknown


def _medication(target: Entry, context: Context) -> tuple[str, ...]:
    if target.kind == "Medication":
        return medications.of_medication(target, context, report=False)
    if target.kind == "Substance":
        return codings.drugs(target.view.object("code"), context.codes)
    return medications.medication(target, context)


def _reasons(entry: Entry, context: Context) -> list[str]:
    """The concepts that an alert gives as its evidence, directly or by reference to a resource that holds."""
    found = []
    for evidence in entry.view.objects("evidence"):
        holders = evidence.objects("code")
        for reference in evidence.objects("detail"):
            target = context.target(entry, reference)
            holder = target.view.object("code") if target else None
            holders += [holder] if holder and not _void(target) else []
        found.extend(m.concept for holder in holders for m in codings.concepts(holder, context.codes))
    return list(dict.fromkeys(found))


def _void(target: Entry) -> bool:
    """True for a Condition that is refuted or was entered in error."""
    if target.kind != "Condition":
        return target.data.get("status") == "entered-in-error"
    return codings.coded_status(target.view, "verificationStatus", CONDITION_VERIFICATION)[0] in (
        "refuted",
        "entered-in-error",
    )

"""QuestionnaireResponse -> changes of the facts it answers about: an item's linkId says which (kg.slots)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

import pyoxigraph as ox

from kg.codes import CodeIndex
from kg.engine import Triple
from kg.fhir import quantities
from kg.fhir.record import Entry
from kg.fhir.views import View
from kg.hypotheses import Edit, applied, of_patient
from kg.slots import DATES, NOT_SO, Slot, edit, parse
from kg.terms import PT, RDF, UCUM

_STATUS = frozenset(("in-progress", "completed", "amended", "entered-in-error", "stopped"))
_READ = frozenset(("completed", "amended"))
_NEW = {PT.Observation: (PT.value, PT.presence, PT.finding), PT.Diagnosis: (PT.presence,), PT.Contraindication: (PT.certainty,), PT.Patient: (PT.birthDate,)}
_COMPLETED = {PT.response: (PT.Course,), PT.status: (PT.Course,), PT.certainty: (PT.Contraindication,), PT.presence: (PT.Diagnosis,),
              PT.about: (PT.Procedure,), PT.date: (PT.Observation, PT.Procedure), PT.start: (PT.Course, PT.Diagnosis, PT.Plan), PT.end: (PT.Course, PT.Plan)}
_WORDS = {PT.presence: (PT.Present, PT.Absent, PT.Resolved), PT.certainty: (PT.Confirmed, NOT_SO), PT.status: (PT.Active, PT.Stopped),
          PT.response: (PT.PrimaryNonResponse, PT.SecondaryNonResponse, PT.InadequateResponse, PT.AdequateResponse, PT.Intolerance)}
#: What may be said more exactly by an answer: of a property and a recorded value, the values that complete it.
_VAGUE = {(PT.certainty, PT.Unconfirmed): (PT.Confirmed, NOT_SO), (PT.presence, PT.Unconfirmed): _WORDS[PT.presence], (PT.presence, PT.Present): (PT.Resolved,),
          (PT.status, PT.StatusUnknown): _WORDS[PT.status], (PT.response, PT.UnreadReason): _WORDS[PT.response],
          (PT.response, PT.InadequateResponse): (PT.PrimaryNonResponse, PT.SecondaryNonResponse)}


def apply(triples: Iterable[Triple], responses: Iterable[Entry], codes: CodeIndex) -> tuple[Triple, ...]:
    """The facts with the answers of completed responses written into them; what cannot be read is a finding of its entry.

    Answers are dated by `authored`. The responses count in the order of their dates, so that the last one holds."""
    facts = tuple(triples)
    for entry in sorted(responses, key=lambda one: str(one.data.get("authored") or "")):
        facts = _response(facts, entry, codes)
    return facts


def _response(facts: tuple[Triple, ...], entry: Entry, codes: CodeIndex) -> tuple[Triple, ...]:
    view = entry.view
    status = view.word("status", _STATUS)
    if status not in _READ:
        view.warning("status", f"is {status or 'not known'}: the answers are not read; give them as completed")
        return facts
    if view.has("modifierExtension"):
        view.violation("modifierExtension", "may change the meaning and is not understood; not read")
        return facts
    patient = _patient(facts, view)
    authored = view.day("authored")
    if patient is None or authored is None or len(authored) < 10:
        if patient is not None:
            view.violation("authored", "gives no day; answers are dated by it, not read")
        return facts
    day = date.fromisoformat(authored)
    seen: set[str] = set()
    for item in _items(view):
        record = of_patient(facts, patient)
        change = _change(item, day, patient, record, codes, seen)
        if change is not None:
            kept = set(record)
            facts = (*(t for t in facts if t not in kept), *applied(record, [change]))
    return facts


def _items(holder: View) -> Iterable[View]:
    for item in holder.objects("item"):
        yield item
        yield from _items(item)


def _patient(facts: tuple[Triple, ...], view: View) -> ox.NamedNode | None:
    subject = view.object("subject")
    named = subject.text("reference") if subject else None
    people = {t.subject for t in facts if t.predicate.value == RDF.type and t.object.value == PT.Patient}
    found = [one for one in people if named and (one.value in (named, f"urn:kg:record:{named}") or one.value.endswith(f"/{named}"))]
    if len(found) == 1:
        return found[0]
    view.violation("subject", "names no Patient of the input; not read, name the Patient" if named else "is missing; not read, name the Patient")
    return None


def _change(item: View, day: date, patient: ox.NamedNode, record: tuple[Triple, ...], codes: CodeIndex, seen: set[str]) -> Edit | None:
    answers = item.objects("answer")
    if not answers:
        return None
    link = item.text("linkId") or ""
    slot = _slot(link, patient, record, codes)
    if slot is None:
        item.violation("linkId", f"'{link[:60]}' names nothing that can be answered here; not read, keep the linkId of the Questionnaire")
        return None
    if link in seen or len(answers) > 1:
        item.violation("answer", "is a second answer to one question; not read, keep one")
        return None
    seen.add(link)
    value = _value(answers[0], slot, codes)
    if value is None:
        return None
    if not _open(slot, value, patient, record, codes):
        item.violation("answer", "says otherwise than the record, which leaves nothing open here; not read, correct the record itself")
        return None
    change = edit(slot, value, day, patient, record, codes.measures[slot.concept].unit if slot.property == PT.value and slot.concept else None)
    if slot.property == PT.certainty and value == NOT_SO:
        item.info("answer", "takes the bar off that was not confirmed" if slot.fact else "is an answer that no fact can hold; nothing changes")
    return change


def _open(slot: Slot, value: str, patient: ox.NamedNode, record: tuple[Triple, ...], codes: CodeIndex) -> bool:
    """False when the record already says something definite that the answer would overwrite: a confirmed bar, a recorded
    response, a whole date. An answer completes a record, it never corrects one."""
    node = slot.fact or (patient.value if slot.kind == PT.Patient else None)
    if node is None:
        return True
    said = {t.object.value for t in record if t.subject.value == node and t.predicate.value == slot.property}
    if not said or said == {value}:
        return True
    if slot.property in DATES:
        return all(len(one) < 10 and value.startswith(one) for one in said)
    if slot.property == PT.about:
        return any(value in codes.may_be.get(one, ()) for one in said)
    if slot.property == PT.response and len(said) > 1:
        return value in said
    return value in _VAGUE.get((slot.property, next(iter(said))), ())


def _slot(link: str, patient: ox.NamedNode, record: tuple[Triple, ...], codes: CodeIndex) -> Slot | None:
    """The slot of a linkId, completed from the record; None unless it is one that an answer can fill."""
    slot = parse(link)
    if slot is None:
        return None
    about = {t.subject.value: t.object.value for t in record if t.predicate.value == PT.about}
    kinds = {t.subject.value: t.object.value for t in record if t.predicate.value == RDF.type and t.object.value.startswith(PT.iri)}
    if slot.fact:
        kind = kinds.get(slot.fact, "")
        return Slot(kind, slot.property, about.get(slot.fact), slot.fact) if kind in _COMPLETED.get(slot.property, ()) else None
    if slot.whole and (kinds.get(slot.whole) != PT.Procedure or slot.kind != PT.Observation):
        return None
    course = slot.kind == PT.Course and slot.property in _WORDS[PT.response]
    if not course and slot.property not in _NEW.get(slot.kind, ()):
        return None
    known = slot.concept is None or slot.concept in codes.above or any(slot.concept in above for above in codes.above.values()) or slot.concept in codes.measures
    measured = slot.property != PT.value or slot.concept in codes.measures
    return slot if known and measured and (slot.concept is None) == (slot.kind == PT.Patient) else None


def _value(answer: View, slot: Slot, codes: CodeIndex) -> str | None:
    """The lexical form of an answer that fits its slot; None, with a finding, for any other."""
    given = answer.present(name for name in answer.data if name.startswith("value"))
    if len(given) != 1:
        answer.violation("", "needs exactly one value; not read")
        return None
    if slot.property in DATES:
        return answer.day("valueDate") if given[0] == "valueDate" else _wrong(answer, given[0], "valueDate")
    if slot.property == PT.value or slot.kind == PT.Course and not slot.fact:
        return _number(answer, given[0], slot, codes)
    if given[0] == "valueBoolean" and slot.property == PT.presence:
        flag = answer.flag(given[0])
        return None if flag is None else PT.Present if flag else PT.Absent
    if given[0] != "valueCoding":
        return _wrong(answer, given[0], "valueBoolean or valueCoding" if slot.property == PT.presence else "valueCoding")
    said = answer.object(given[0])
    iri = _meant(said, codes) if said else None
    allowed = _WORDS.get(slot.property)
    if iri is None or (allowed is not None and iri not in allowed) or (allowed is None and iri not in codes.above and not any(iri in above for above in codes.above.values())):
        answer.violation(given[0], "is an answer that does not belong to this question; not read, keep an answerOption of the Questionnaire")
        return None
    return iri


def _meant(said: View, codes: CodeIndex) -> str | None:
    system, code = said.text("system"), said.text("code")
    mapped = codes.lookup(system, code)
    return mapped[0].concept if len(mapped) == 1 else f"{system}#{code}" if system and code else None


def _number(answer: View, name: str, slot: Slot, codes: CodeIndex) -> str | None:
    measure = codes.measures.get(slot.concept or "")
    unit = measure.unit if slot.property == PT.value and measure else "d"
    if name == "valueQuantity":
        holder = answer.object(name)
        if holder is None:
            return None
        if unit in codes.days:
            days = quantities.whole_days(holder, codes)
            return None if days is None else str(days)
        if holder.has("comparator") or (holder.text("system") not in (None, UCUM)) or holder.text("code") not in (None, unit):
            holder.violation("code", f"is not {unit}; not read, answer in the unit of the question")
            return None
        value = holder.number("value")
    elif name in ("valueDecimal", "valueInteger"):
        value = answer.number(name)
    else:
        return _wrong(answer, name, "valueDecimal or valueInteger")
    least, most = (measure.least, measure.most) if measure and slot.property == PT.value else (Decimal(1), None)
    if value is None or (least is not None and value < least) or (most is not None and value > most):
        if value is not None:
            answer.violation(name, f"{value} lies outside what is possible; correct it")
        return None
    if slot.kind == PT.Course and value != int(value):
        return _wrong(answer, name, "a whole number of days")
    return f"{value.normalize():f}"


def _wrong(answer: View, name: str, wanted: str) -> None:
    answer.violation(name, f"is not what the question asks for; give {wanted}")

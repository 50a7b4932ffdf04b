"""The days on which something changed: what is derived of a patient on each of them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

import pyoxigraph as ox

from kg.engine import Triple
from kg.evaluate import DatedSnapshot, evaluate_on
from kg.guideline import Guideline
from kg.terms import GL, PT

_DATES = (PT.date, PT.start, PT.end, PT.recorded, PT.authored)
_SHOWN = (GL.applicability, GL.verdict, GL.strength, GL.reason, GL.flag, GL.monitoringStatus, GL.prerequisite, GL.inState, GL.stateByMeasurement)
_DAY = timedelta(days=1)


def of_patient(facts: Iterable[Triple], patient: ox.NamedNode) -> tuple[Triple, ...]:
    """The patient's own triples among facts (pt: vocabulary) of several."""
    facts = tuple(facts)
    mine = {t.subject for t in facts if t.predicate.value == PT.patient and t.object == patient} | {patient}
    return tuple(t for t in facts if t.subject in mine)


def period(text: str) -> tuple[date, date]:
    """The first and the last day that a date of a record can mean: YYYY, YYYY-MM or YYYY-MM-DD."""
    year, month = int(text[:4]), int(text[5:7] or 0)
    if len(text) >= 10:
        return (day := date.fromisoformat(text[:10])), day
    if month:
        return date(year, month, 1), date(year + month // 12, month % 12 + 1, 1) - _DAY
    return date(year, 1, 1), date(year, 12, 31)


def marks(facts: Iterable[Triple], as_of: date) -> list[date]:
    """The days on which a fact begins, ends or is recorded, up to the as-of date, which is the last; of a partial date both ends."""
    found = {day for t in facts if t.predicate.value in _DATES for day in period(t.object.value)}
    return sorted({day for day in found if day < as_of} | {as_of})


def history(facts: Iterable[Triple], guideline: Guideline, as_of: date, engine: str = "oxigraph") -> tuple[DatedSnapshot, ...]:
    """What was derived of one patient on each day on which it changed, from the first day on record to the as-of date, which is always the last.

    Evaluated are the days of the record and the day before each; where those differ a threshold fell due in between, and its day is
    searched by halves."""
    facts = tuple(facts)
    days = marks(facts, as_of)
    spans = [(start, end - _DAY) for start, end in zip(days, days[1:], strict=False)]
    known: dict[date, DatedSnapshot] = {}
    wanted = {day for span in spans for day in span} | set(days)
    while wanted:
        known.update({one.as_of: one for one in evaluate_on(facts, guideline, wanted, engine)})
        shown = {day: _shown(one) for day, one in known.items()}
        spans = [half for span in spans for half in _halves(span, shown)]
        wanted = {day for span in spans for day in span} - set(known)
    ordered = [known[day] for day in sorted(known)]
    changed = [one for before, one in zip([None, *ordered], ordered, strict=False) if before is None or shown[one.as_of] != shown[before.as_of]]
    return tuple(changed if changed[-1] is ordered[-1] else [*changed, ordered[-1]])


def _shown(snapshot: DatedSnapshot) -> frozenset[Triple]:
    """Equal on two days between which nothing changed that a timeline shows."""
    return frozenset(t for t in (*snapshot.derived, *snapshot.classified) if t.predicate.value in _SHOWN)


def _halves(span: tuple[date, date], shown: dict[date, frozenset[Triple]]) -> list[tuple[date, date]]:
    """The two halves of a span in which something changed; nothing when nothing did or its two days are neighbours."""
    start, end = span
    if end - start <= _DAY or shown[start] == shown[end]:
        return []
    middle = start + (end - start) // 2
    return [(start, middle), (middle, end)]

"""One evaluation: patient facts, a guideline and an as-of date in; derived triples out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date

import pyoxigraph as ox

from kg import derive
from kg.derive import Depth
from kg.engine import Engine, Triple
from kg.guideline import Guideline
from kg.queries import Query

PT = "https://w3id.org/sacroiliitis-kg/patient#"
_TYPE = ox.NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type")
_PATIENT = ox.NamedNode(PT + "Patient")
_AS_OF = ox.NamedNode(PT + "asOf")
_COPY = "urn:kg:as-of:"
_DATE = ox.NamedNode("http://www.w3.org/2001/XMLSchema#date")


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """What is derived of patients as of one date: the facts as given, the derived triples, the patients in order."""

    guideline: Guideline
    as_of: date
    facts: tuple[Triple, ...]
    derived: tuple[Triple, ...]
    patients: tuple[ox.NamedNode, ...]


@dataclass(frozen=True, kw_only=True)
class Evaluation(Snapshot):
    """A snapshot with the engine that holds everything; of the guideline, where less than nodes was derived, what the derivation reads."""

    engine: Engine


@dataclass(frozen=True, kw_only=True)
class DatedSnapshot(Snapshot):
    """A snapshot with the classification of the courses (gl:CourseClassification), which no verdict reads."""

    classified: tuple[Triple, ...]


def evaluate(facts: Iterable[Triple], guideline: Guideline, as_of: date, engine: str = "oxigraph",
             step: Callable[[Query, int], None] | None = None, depth: Depth = Depth.NODES) -> Evaluation:
    """Derive the verdicts of every pt:Patient among the facts (pt: vocabulary), as known on `as_of`.

    An as-of date in the facts is replaced: the caller's counts."""
    store, given, patients = prepare(facts, guideline, as_of, engine, words=depth is Depth.NODES)
    derived = tuple(derive.derive(store, step, depth=depth))
    return Evaluation(guideline=guideline, as_of=as_of, facts=given, derived=derived, patients=patients, engine=store)


def evaluate_on(facts: Iterable[Triple], guideline: Guideline, dates: Iterable[date], engine: str = "oxigraph") -> tuple[DatedSnapshot, ...]:
    """Derive what was known of the patients on each of several dates, in one run; the dates in order.

    Each date has a copy of the patients and their facts under IRIs of its own; what comes out bears the given IRIs again."""
    given = tuple(t for t in facts if t.predicate != _AS_OF)
    patients = _patients(given)
    days = sorted(set(dates))
    own = {t.subject for t in given}
    store = guideline.engine(engine)
    for day in days:
        store.add(_copies(given, own, _prefix(day)))
        store.add(_as_of(map(_renamer(own, _prefix(day)), patients), day))
    derived, classified = _by_date(derive.derive(store)), _by_date(derive.classify(store))
    return tuple(DatedSnapshot(guideline=guideline, as_of=day, facts=given, derived=derived.get(_prefix(day), ()), patients=patients,
                               classified=classified.get(_prefix(day), ())) for day in days)


def prepare(facts: Iterable[Triple], guideline: Guideline, as_of: date, engine: str = "oxigraph", words: bool = True) -> tuple[Engine, tuple[Triple, ...], tuple[ox.NamedNode, ...]]:
    """An engine that holds the closed rules (`words`: as in `Guideline.engine`), the facts and the as-of date; the facts kept; the patients in order."""
    given, dated, patients = record(facts, as_of)
    store = guideline.engine(engine, words)
    store.add((*given, *dated))
    return store, given, patients


def record(facts: Iterable[Triple], as_of: date) -> tuple[tuple[Triple, ...], tuple[Triple, ...], tuple[ox.NamedNode, ...]]:
    """The facts without any as-of date, the as-of date of each patient, and the patients in order."""
    given = tuple(t for t in facts if t.predicate != _AS_OF)
    patients = _patients(given)
    return given, tuple(_as_of(patients, as_of)), patients


def by_patient(facts: Iterable[Triple]) -> dict[str, list[Triple]]:
    """The triples of each patient: those of the patient and of the facts that name it (pt:patient), by the patient's IRI, in order of the IRIs.

    What a fact names as its patient counts, also where nothing says that it is one."""
    facts = list(facts)
    owner = {t.subject: t.object.value for t in facts if t.predicate.value == f"{PT}patient"}
    named = set(owner.values()) | {t.subject.value for t in facts if t.predicate == _TYPE and t.object == _PATIENT}
    found: dict[str, list[Triple]] = {patient: [] for patient in sorted(named)}
    for t in facts:
        patient = owner.get(t.subject, t.subject.value)
        if patient in found:
            found[patient].append(t)
    return found


def _patients(facts: Iterable[Triple]) -> tuple[ox.NamedNode, ...]:
    return tuple(sorted({t.subject for t in facts if t.predicate == _TYPE and t.object == _PATIENT}, key=lambda node: node.value))


def _as_of(patients: Iterable[ox.NamedNode], day: date) -> list[Triple]:
    return [Triple(patient, _AS_OF, ox.Literal(day.isoformat(), datatype=_DATE)) for patient in patients]


def _prefix(day: date) -> str:
    """What the IRIs of a date's copies begin with: a prefix, so that they sort as the given ones do; the same length for every date."""
    return f"{_COPY}{day.isoformat()}:"


def _renamer(own: set, prefix: str) -> Callable:
    return lambda node: ox.NamedNode(prefix + node.value) if node in own else node


def _copies(facts: Iterable[Triple], own: set, prefix: str) -> list[Triple]:
    name = _renamer(own, prefix)
    return [Triple(name(t.subject), t.predicate, name(t.object)) for t in facts]


def _by_date(triples: Iterable[Triple]) -> dict[str, tuple[Triple, ...]]:
    """Derived triples by the prefix of their subject, which is taken off every IRI again."""
    length = len(_prefix(date.min))
    groups: dict[str, list[Triple]] = {}
    common: list[Triple] = []
    for t in triples:
        prefix = t.subject.value[:length]
        if not prefix.startswith(_COPY):  # said of the guideline
            common.append(t)
            continue
        term = t.object
        if isinstance(term, ox.NamedNode) and term.value.startswith(prefix):
            term = ox.NamedNode(term.value[length:])
        groups.setdefault(prefix, []).append(Triple(ox.NamedNode(t.subject.value[length:]), t.predicate, term))
    return {prefix: (*common, *group) for prefix, group in groups.items()}

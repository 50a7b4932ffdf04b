"""One evaluation: patient facts, a guideline and an as-of date in; derived triples out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date

import pyoxigraph as ox

from kg import derive
from kg.engine import Engine, Triple
from kg.guideline import Guideline
from kg.queries import Query

PT = "https://w3id.org/sacroiliitis-kg/patient#"
_TYPE = ox.NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type")
_PATIENT = ox.NamedNode(PT + "Patient")
_AS_OF = ox.NamedNode(PT + "asOf")
_DATE = ox.NamedNode("http://www.w3.org/2001/XMLSchema#date")


@dataclass(frozen=True)
class Evaluation:
    """What was derived: the engine that holds everything, the facts as given, the derived triples, the patients in order."""

    guideline: Guideline
    as_of: date
    engine: Engine
    facts: tuple[Triple, ...]
    derived: tuple[Triple, ...]
    patients: tuple[ox.NamedNode, ...]


def evaluate(facts: Iterable[Triple], guideline: Guideline, as_of: date, engine: str = "oxigraph",
             step: Callable[[Query, int], None] | None = None) -> Evaluation:
    """Derive the verdicts of every pt:Patient among the facts (pt: vocabulary), as known on `as_of`.

    An as-of date in the facts is replaced: the caller's counts."""
    store, given, patients = prepare(facts, guideline, as_of, engine)
    return Evaluation(guideline, as_of, store, given, tuple(derive.derive(store, step)), patients)


def prepare(facts: Iterable[Triple], guideline: Guideline, as_of: date, engine: str = "oxigraph") -> tuple[Engine, tuple[Triple, ...], tuple[ox.NamedNode, ...]]:
    """An engine that holds the closed rules, the facts and the as-of date; the facts kept; the patients in order."""
    given, dated, patients = record(facts, as_of)
    store = guideline.engine(engine)
    store.add((*given, *dated))
    return store, given, patients


def record(facts: Iterable[Triple], as_of: date) -> tuple[tuple[Triple, ...], tuple[Triple, ...], tuple[ox.NamedNode, ...]]:
    """The facts without any as-of date, the as-of date of each patient, and the patients in order."""
    given = tuple(t for t in facts if t.predicate != _AS_OF)
    patients = tuple(sorted({t.subject for t in given if t.predicate == _TYPE and t.object == _PATIENT}, key=lambda node: node.value))
    day = ox.Literal(as_of.isoformat(), datatype=_DATE)
    return given, tuple(Triple(patient, _AS_OF, day) for patient in patients), patients

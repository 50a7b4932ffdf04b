"""Reading the pt: facts of one patient into plain records; dates become (first day, last day) ordinals."""

import calendar
import datetime
import re
from dataclasses import dataclass
from decimal import Decimal

from rdflib import URIRef
from rdflib.namespace import RDF

from tests.oracle.vocabulary import CL, PT, STANDS_FOR

KINDS = ("Diagnosis", "Observation", "Course", "Procedure", "Plan", "Contraindication", "UnreadAlert")
DAYS_OF_UNIT = {"d": 1, "wk": 7, "mo": 30, "a": 365}


def p(name):
    """IRI of a pt: term."""
    return URIRef(PT + name)


def span_of(literal):
    """(first, last) ordinal day of an xsd:date, xsd:gYearMonth or xsd:gYear literal; None for anything else."""
    parts = [int(n) for n in re.match(r"(\d{4})(?:-(\d\d))?(?:-(\d\d))?", str(literal)).groups() if n]
    kind = str(literal.datatype).rsplit("#", 1)[-1]
    year = parts[0]
    if kind == "gYear" or len(parts) == 1:
        return datetime.date(year, 1, 1).toordinal(), datetime.date(year, 12, 31).toordinal()
    if kind == "gYearMonth" or len(parts) == 2:
        last = calendar.monthrange(year, parts[1])[1]
        return datetime.date(year, parts[1], 1).toordinal(), datetime.date(year, parts[1], last).toordinal()
    day = datetime.date(*parts).toordinal()
    return day, day


@dataclass(frozen=True)
class Fact:
    """One fact as recorded; spans are (first, last) ordinals or None, names are local names of pt: or cl: terms."""

    iri: str
    kind: str
    about: str | None
    date: tuple | None
    start: tuple | None
    end: tuple | None
    recorded: tuple | None
    authored: tuple | None
    presence: str | None
    status: str | None
    certainty: str | None
    side: str | None
    route: str | None
    pattern: str | None
    part_of: str | None
    reason: str | None
    supply: bool
    responses: frozenset
    findings: frozenset
    values: tuple  # (Decimal, unit)

    def days(self):
        """Values as days (only those with a unit of time)."""
        return [value * DAYS_OF_UNIT[unit] for value, unit in self.values if unit in DAYS_OF_UNIT]


def _name(node, base):
    return str(node)[len(base):] if node is not None and str(node).startswith(base) else None


def _concept(node):
    name = _name(node, CL)
    return STANDS_FOR.get(name, name)


def read_fact(graph, iri, kind):
    """One Fact from the graph."""
    def span(name):
        node = graph.value(iri, p(name))
        return None if node is None else span_of(node)

    def term(name):
        return _name(graph.value(iri, p(name)), PT)

    value, unit = graph.value(iri, p("value")), graph.value(iri, p("unit"))
    part_of, reason = graph.value(iri, p("partOf")), graph.value(iri, p("reason"))
    supply = graph.value(iri, p("supply"))
    return Fact(
        iri=str(iri), kind=kind, about=_concept(graph.value(iri, p("about"))),
        date=span("date"), start=span("start"), end=span("end"), recorded=span("recorded"), authored=span("authored"),
        presence=term("presence"), status=term("status"), certainty=term("certainty"), side=term("side"),
        route=term("route"), pattern=term("pattern"), part_of=None if part_of is None else str(part_of),
        reason=None if reason is None else str(reason), supply=str(supply).lower() in ("true", "1"),
        responses=frozenset(_name(o, PT) for o in graph.objects(iri, p("response"))),
        findings=frozenset(_name(o, CL) for o in graph.objects(iri, p("finding"))),
        values=() if value is None else ((Decimal(str(value)), str(unit)),),
    )


@dataclass(frozen=True)
class Record:
    """All facts of a patient that count at the as-of day (an ordinal); facts wholly after it are left out."""

    asof: int
    birth: tuple | None
    facts: tuple

    def of(self, kind):
        """The facts of one kind."""
        return [fact for fact in self.facts if fact.kind == kind]


def cut(span, asof):
    """A span cut at the as-of day; an absent one reaches back without limit (None, asof)."""
    return (None, asof) if span is None else (span[0], min(span[1], asof))


def counts(fact, asof):
    """Is the fact on record at the as-of day? False only when what dates it lies wholly after that day (section 3)."""
    def after(span):
        return span is not None and span[0] > asof

    if fact.kind in ("Plan", "UnreadAlert", "Contraindication"):
        return not after(fact.authored) and not after(fact.recorded)
    if fact.kind == "Course":
        if fact.start is not None:
            planned = fact.authored is not None and not after(fact.authored)
            return not after(fact.start) or planned
        return not after(fact.authored) and not (fact.end is None and after(fact.recorded))
    if fact.kind == "Diagnosis":
        return not after(fact.start) and not after(fact.recorded)
    return not after(fact.date) and not after(fact.start)


def read(graph, patient, as_of):
    """The Record of one patient at a date."""
    asof = as_of.toordinal()
    facts = []
    for kind in KINDS:
        for iri in graph.subjects(RDF.type, p(kind)):
            if (iri, p("patient"), patient) in graph:
                fact = read_fact(graph, iri, kind)
                if counts(fact, asof):
                    facts.append(fact)
    birth = graph.value(patient, p("birthDate"))
    return Record(asof, None if birth is None else span_of(birth), tuple(sorted(facts, key=lambda f: f.iri)))

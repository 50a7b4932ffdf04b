"""A small builder of pt: facts for made-up patients; every choice comes from one random.Random."""

import datetime

from rdflib import RDF, XSD, Graph, Literal, URIRef
from rdflib.namespace import DCTERMS

from tests.oracle.vocabulary import CL, PT

TERMS = ("presence", "status", "certainty", "side", "route", "pattern")
DATES = ("date", "start", "end", "recorded", "authored")


def days(count):
    """A timedelta of whole days."""
    return datetime.timedelta(days=count)


class Maker:
    """Collects the facts of one patient; days are given as 'days before the as-of date' (negative: after it).

    A `typical` patient has active disease, pain and failed NSAIDs without doubt, so that what comes later decides.
    """

    def __init__(self, rng, iri, as_of):
        self.rng, self.as_of, self.graph = rng, as_of, Graph()
        self.patient = URIRef(iri)
        self.count = 0
        self.partial = 0.12 if self.chance(0.15) else 0.004
        self.undated = 0.08 if self.chance(0.08) else 0.002
        self.typical = self.chance(0.5)
        self.graph.add((self.patient, RDF.type, URIRef(PT + "Patient")))
        self.graph.add((self.patient, DCTERMS.identifier, Literal(str(iri).rsplit("/", 1)[-1])))

    def chance(self, probability):
        """True with a probability."""
        return self.rng.random() < probability

    def pick(self, *choices):
        """One of the choices; a choice given as (value, weight) pairs when all are such pairs is weighted."""
        if all(isinstance(c, tuple) and len(c) == 2 and isinstance(c[1], int | float) for c in choices):
            return self.rng.choices([c[0] for c in choices], [c[1] for c in choices])[0]
        return self.rng.choice(choices)

    def literal(self, ago):
        """A date literal some days before the as-of date, now and then partial."""
        day = self.as_of - days(ago)
        if self.chance(self.partial):
            if self.chance(0.25):
                return Literal(f"{day.year:04d}", datatype=XSD.gYear)
            return Literal(f"{day.year:04d}-{day.month:02d}", datatype=XSD.gYearMonth)
        return Literal(day.isoformat(), datatype=XSD.date)

    def birth(self, literal):
        """Sets the date of birth."""
        self.graph.add((self.patient, URIRef(PT + "birthDate"), literal))

    def fact(self, kind, about=None, **properties):
        """Adds one fact; DATES take days before the as-of date, TERMS a pt: local name, value a (text, unit) pair."""
        self.count += 1
        iri = URIRef(f"{self.patient}#fact-{self.count}")
        self.graph.add((iri, RDF.type, URIRef(PT + kind)))
        self.add(iri, "patient", self.patient)
        self.add(iri, "source", URIRef(f"{self.patient}/resource-{self.count}"))
        if about is not None:
            self.add(iri, "about", URIRef(CL + about))
        forget = self.chance(self.undated)
        for name, value in properties.items():
            if value is None or (forget and name in ("date", "start", "recorded") and kind != "Plan"):
                continue
            if name in DATES:
                self.add(iri, name, self.literal(value))
            elif name in TERMS:
                self.add(iri, name, URIRef(PT + value))
            elif name == "value":
                self.add(iri, "value", Literal(str(value[0]), datatype=XSD.decimal))
                self.add(iri, "unit", Literal(value[1]))
            elif name in ("responses", "findings"):
                base = PT if name == "responses" else CL
                for item in value:
                    self.add(iri, name[:-1], URIRef(base + item))
            elif name == "reason":
                self.add(iri, "reason", URIRef(CL + value))
            elif name == "partOf":
                self.add(iri, "partOf", value)
            elif name == "supply":
                self.add(iri, "supply", Literal(bool(value)))
            elif name == "text":
                self.add(iri, "text", Literal(value))
        self._order_end(iri)
        return iri

    def add(self, iri, name, value):
        """One triple with a pt: property."""
        self.graph.add((iri, URIRef(PT + name), value))

    def _order_end(self, iri):
        """Drops an end that a partial date has put before its start in every reading."""
        start, end = (self.graph.value(iri, URIRef(PT + n)) for n in ("start", "end"))
        if start is not None and end is not None and str(end) < str(start)[:len(str(end))]:
            self.graph.remove((iri, URIRef(PT + "end"), None))

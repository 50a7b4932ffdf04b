"""Facts in the pt: vocabulary, before and after they have an IRI."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import quote

import pyoxigraph as ox

from kg.terms import PT, RDF, XSD

_DATES = frozenset(("start", "end", "date", "recorded", "authored"))
_STRINGS = frozenset(("text", "unit"))
_BY_LENGTH = {4: XSD.gYear, 7: XSD.gYearMonth, 10: XSD.date}


@dataclass(frozen=True)
class Fact:
    """A fact of one kind about one concept (IRI; None for an alert that cannot be read), with its properties in
    order."""

    kind: str
    about: str | None
    properties: tuple[tuple[str, object], ...]

    def get(self, name: str) -> object:
        return next((value for key, value in self.properties if key == name), None)


def fact(kind: str, about: str | None, **properties: object) -> Fact:
    """A fact; a property that is None, False or empty is left out, a list or tuple gives one value each."""
    pairs = []
    for name, value in properties.items():
        for one in value if isinstance(value, (list, tuple)) else (value,):
            if one is not None and one is not False:
                pairs.append((name, one))
    return Fact(kind, about, tuple(pairs))


def unconfirmed(bar: Fact) -> Fact:
    """The same contraindication, not certain."""
    kept = [(name, value) for name, value in bar.properties if name != "certainty"]
    return Fact(bar.kind, bar.about, (("certainty", PT.Unconfirmed), *kept))


def date_literal(day: str) -> ox.Literal:
    """xsd:date, xsd:gYearMonth or xsd:gYear, by the precision of the date."""
    return ox.Literal(day, datatype=node(_BY_LENGTH[len(day)]))


def node(iri: str) -> ox.NamedNode:
    """The term of an IRI; characters that no IRI may hold are percent-encoded, and what then is none stands in a urn: whole."""
    try:
        return ox.NamedNode(quote(iri, safe=":/?#[]@!$&'()*+,;=%~-._"))
    except ValueError:
        return ox.NamedNode(f"urn:kg:odd:{quote(iri, safe='')}")


_TYPE, _PATIENT, _SOURCE, _ABOUT = map(node, (RDF.type, PT.patient, PT.source, PT.about))


def triples(item: Fact, iri: str, patient: str, source: str) -> Iterator[ox.Triple]:
    """The triples of a fact under its IRI."""
    subject = node(iri)
    yield ox.Triple(subject, _TYPE, node(getattr(PT, item.kind)))
    yield ox.Triple(subject, _PATIENT, node(patient))
    yield ox.Triple(subject, _SOURCE, node(source))
    if item.about:
        yield ox.Triple(subject, _ABOUT, node(item.about))
    for name, value in item.properties:
        if name != "element":
            yield ox.Triple(subject, node(getattr(PT, name)), _term(name, value))


def element(item: Fact, iri: str, usual: str) -> ox.Triple:
    """The triple that says which element of its resource a fact was read from: its own, else the usual one."""
    return ox.Triple(node(iri), node(PT.element), ox.Literal(item.get("element") or usual))


def _term(name: str, value: object) -> ox.Literal | ox.NamedNode:
    if name in _DATES:
        return date_literal(value)
    if name in _STRINGS:
        return ox.Literal(value)
    if value is True:
        return ox.Literal("true", datatype=node(XSD.boolean))
    if isinstance(value, Decimal):
        return ox.Literal(format(value, "f"), datatype=node(XSD.decimal))
    return node(value)

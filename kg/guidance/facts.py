"""The facts behind a verdict: in words for people, and as references to the resources they came from."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pyoxigraph as ox

from kg.engine import Triple
from kg.fhir.facts import node
from kg.guidance.rules import Rules
from kg.index import Index
from kg.terms import PT, RDF

_RECORD = "urn:kg:record:"
_RELATIVE = re.compile(r"[A-Za-z]+/(?!entry-\d+$)[A-Za-z0-9.-]{1,64}")
_ABSOLUTE = re.compile(r"https?://\S+|urn:(?:uuid|oid):\S+")
_DAYS = ("date", "recorded", "authored", "start", "end")


class Facts:
    """The facts of a record (pt: vocabulary), to be named by their IRIs."""

    def __init__(self, triples: Iterable[Triple], rules: Rules) -> None:
        self._index, self._rules = Index(triples), rules

    def words(self, iri: str) -> str:
        """A fact in words: what kind, about what, its value, when, from which resource."""
        fact = ox.NamedNode(iri)
        kind = self._index.text(fact, RDF.type)
        about = self._index.text(fact, PT.about)
        named = self._rules.label(about) if about else self._index.text(fact, PT.text) or ""
        value, unit = self._index.text(fact, PT.value), self._index.text(fact, PT.unit)
        said = [self._rules.label(found) for name in ("certainty", "presence", "response") for found in [self._index.text(fact, getattr(PT, name))] if found]
        days = [f"{name} {day}" for name in _DAYS for day in [self._index.text(fact, getattr(PT, name))] if day]
        parts = [named, " ".join(part for part in (value, unit) if part), *said, *days]
        source = self.source(iri)
        address = source.get("reference") or source["display"]
        return f"{self._rules.label(kind) if kind else 'fact'}: {', '.join(part for part in parts if part)} ({'/'.join(address.split('/')[-2:])})"

    def source(self, iri: str) -> dict:
        """The FHIR Reference to the resource that a fact came from; only its name where it has no address."""
        found = self._index.text(ox.NamedNode(iri), PT.source) or iri
        return reference(found)

    def bars(self, concept: str, as_of: str) -> list[str]:
        """The contraindications on record, on that day, to a concept that is this one, above it or of the same agent."""
        found = []
        for bar in self._index.subjects(RDF.type, ox.NamedNode(PT.Contraindication)):
            about, recorded = self._index.text(bar, PT.about), self._index.text(bar, PT.recorded)
            if about and self._rules.covers(about, concept) and (recorded or "") <= as_of:
                found.append(bar.value)
        return found

    def certain(self, iri: str) -> bool:
        """Is a contraindication confirmed?"""
        return self._index.text(ox.NamedNode(iri), PT.certainty) == PT.Confirmed

    def of_source(self, source: str) -> list[str]:
        """The concepts (IRIs) that the facts from a resource (IRI) are about."""
        return [about for one in self._index.subjects(PT.source, node(source)) for about in [self._index.text(one, PT.about)] if about]


def reference(iri: str) -> dict:
    """A FHIR Reference to a resource of the record by its IRI."""
    name = iri.removeprefix(_RECORD).split("#")[0]
    if iri.startswith(_RECORD):
        return {"reference": name} if _RELATIVE.fullmatch(name) else {"display": name}
    return {"reference": iri.split("#")[0]} if _ABSOLUTE.fullmatch(iri) else {"display": iri}

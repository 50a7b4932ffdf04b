"""The patient facts that the importer leaves, as JSON for the CQL data model `benchmarks/cql/facts-modelinfo.xml`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date

import pyoxigraph as ox

from kg.terms import DCTERMS, PT, RDF, local

_KINDS = ("Course", "Plan", "Diagnosis", "Observation", "Procedure", "Contraindication")
_TEXT = {"start": "started", "end": "ended", "date": "dated", "recorded": "recorded", "authored": "authored", "unit": "unit"}
_TERMS = ("presence", "status", "certainty", "route")
_LISTS = {"response": "responses", "finding": "findings"}


def patient(iri: str, triples: Iterable[ox.Triple], as_of: date) -> dict:
    """One patient as the CQL engine gets it; the order of the facts says nothing."""
    said: dict[str, dict[str, list]] = defaultdict(lambda: defaultdict(list))
    for t in triples:
        said[t.subject.value][t.predicate.value].append(t.object)
    born = said[iri].get(PT.birthDate)
    facts = [fact for node in sorted(said) if (fact := _fact(node, said[node])) is not None]
    return {"id": iri, "asOf": as_of.isoformat(), "birthDate": born[0].value if born else None, "facts": facts}


def identifier(iri: str, triples: Iterable[ox.Triple]) -> str:
    """What a patient is called in messages."""
    return next((t.object.value for t in triples if t.subject.value == iri and t.predicate.value == DCTERMS.identifier), iri)


def _fact(node: str, said: dict[str, list]) -> dict | None:
    """A fact with one concept, or None for what none of the five recommendations reads."""
    kind = next((name for one in said.get(RDF.type, ()) if (name := local(one.value)) in _KINDS), None)
    if kind is None or PT.about not in said:
        return None
    fact: dict = {"kind": kind, "id": node, "about": local(said[PT.about][0].value)}
    fact |= {name: said[f"{PT}{term}"][0].value for term, name in _TEXT.items() if f"{PT}{term}" in said}
    fact |= {name: local(said[f"{PT}{name}"][0].value) for name in _TERMS if f"{PT}{name}" in said}
    fact |= {name: sorted(local(one.value) for one in said.get(f"{PT}{term}", ())) for term, name in _LISTS.items()}
    if PT.value in said:
        fact["amount"] = float(said[PT.value][0].value)
    if PT.supply in said:
        fact["supply"] = said[PT.supply][0].value == "true"
    if PT.partOf in said:
        fact["partOf"] = said[PT.partOf][0].value
    return fact

"""Orders not yet signed: which treatments of the guideline an order may be, and what the record holds against it."""

from __future__ import annotations

from dataclasses import dataclass

import pyoxigraph as ox

from kg.guidance.facts import Facts
from kg.guidance.rules import Rules
from kg.terms import GL


@dataclass(frozen=True)
class Order:
    """One order: its resource as `Type/id` (None without an id), the concepts (IRIs) that it is about, the treatment rows that it
    may be, and the contraindications on record (fact IRIs) to just what is ordered."""

    resource: str | None
    concepts: tuple[str, ...]
    treatments: tuple[dict, ...]
    bars: tuple[str, ...]


def order(resource: str | None, source: str, row: dict, facts: Facts, rules: Rules) -> Order | None:
    """What an order (the IRI of its resource) is to the guideline; None when it is nothing that the guideline speaks of."""
    concepts = tuple(dict.fromkeys(facts.of_source(source)))
    slugs = {slug for concept in concepts for slug in _treatments(concept, row, rules)}
    treatments = tuple(one for one in row["treatments"] if one["treatment"] in slugs)
    if not treatments:
        return None
    bars = tuple(dict.fromkeys(bar for concept in concepts for bar in facts.bars(concept, row["asOf"])))
    return Order(resource, concepts, treatments, bars)


def _treatments(concept: str, row: dict, rules: Rules) -> set[str]:
    """The treatments that a concept is, covers, may turn out to be, or is used in."""
    exact = {one["treatment"] for one in row["treatments"] if one["iri"] == concept}
    if exact:
        return exact
    meant = {concept, *(one.value for one in rules.index.objects(ox.NamedNode(concept), GL.mayBe))}
    found = set()
    for one in row["treatments"]:
        below = any(ox.NamedNode(one["iri"]) in rules.index.objects(ox.NamedNode(whole), GL.covers) for whole in meant)
        uses = rules.index.objects(ox.NamedNode(one["iri"]), GL.uses)
        if below or any(ox.NamedNode(concept) in rules.index.objects(drug, GL.covers) for drug in uses):
            found.add(one["treatment"])
    return found

"""The graph and an independent evaluator, written from the contract alone, on every vignette and on random patients."""

from __future__ import annotations

import random
from datetime import date

import pytest
import rdflib

from kg import fhir
from tests.oracle.random_patients import random_patient
from tests.support import vignettes
from tests.support.comparison import by_engine, disagreements


@pytest.mark.parametrize("vignette", vignettes.read_all(vignettes.OWN), ids=lambda vignette: vignette.name)
def test_vignettes(vignette):
    graph = fhir.lift([(vignette.name, vignette.bundle)], vignettes.codes()).graph
    for found in by_engine(graph, vignette.as_of):
        assert disagreements(graph, found, vignette.as_of) == []


def random_patients(first: int, count: int) -> dict[date, list[tuple[int, rdflib.Graph]]]:
    """Random patients by as-of date; the seed is in the patient's IRI."""
    by_date: dict = {}
    for seed in range(first, first + count):
        graph, as_of = random_patient(random.Random(seed), rdflib.URIRef(f"http://example.org/r/{seed}/Patient/p"))
        by_date.setdefault(as_of, []).append((seed, graph))
    return by_date


def compare(first: int, count: int) -> list[str]:
    """Every disagreement on these patients, evaluated together where they share an as-of date."""
    out = []
    for as_of, group in random_patients(first, count).items():
        merged = rdflib.Graph()
        for _, graph in group:
            merged += graph
        graphs = dict(group)
        for found in by_engine(merged, as_of):
            seed = int(found["iri"].split("/")[4])
            out += [f"{seed}: {line}" for line in disagreements(graphs[seed], found, as_of)]
    return out


def test_a_definite_verdict_is_never_another_than_the_evaluators():
    """Where the evaluator is definite the graph says the same or leaves it open. (It looks at all worlds of partial dates, unknown
    agents and unstated purposes together; the graph decides criterion by criterion and may say unknown more often.)"""
    wrong = [line for line in compare(0, 120) if " verdict: " in line and "evaluator 'undetermined'" not in line and "graph 'undetermined'" not in line]
    assert wrong == []

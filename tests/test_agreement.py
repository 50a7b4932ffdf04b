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

_ABOUT = rdflib.URIRef("https://w3id.org/sacroiliitis-kg/patient#about")
_KIND = rdflib.URIRef("https://w3id.org/sacroiliitis-kg/patient#Course")
_CLINICAL = "https://w3id.org/sacroiliitis-kg/clinical#"


@pytest.mark.parametrize("vignette", vignettes.read_all(vignettes.OWN), ids=lambda vignette: vignette.name)
def test_vignettes(vignette):
    graph = fhir.lift([(vignette.name, vignette.bundle)], vignettes.codes()).graph
    for found in by_engine(graph, vignette.as_of):
        assert disagreements(graph, found, vignette.as_of) == []


def _comparable(graph: rdflib.Graph) -> bool:
    """Whether both can be held to the same answer: no course about a whole class (the evaluator tries every agent it may be,
    the graph says less), and exact dates (the evaluator tries every day a partial date may mean, all facts together; the graph
    decides criterion by criterion and may say unknown where no combination of days would)."""
    classes = {_CLINICAL + name for name in ("Biologic", "TnfInhibitor", "Il17Inhibitor", "InterleukinInhibitor", "OtherBiologic", "JakInhibitor", "Nsaid", "Glucocorticoid", "PhysicalTherapy")}
    courses = set(graph.subjects(rdflib.RDF.type, _KIND))
    if any(str(graph.value(course, _ABOUT)) in classes for course in courses):
        return False
    partial = {rdflib.XSD.gYear, rdflib.XSD.gYearMonth}
    return not any(isinstance(o, rdflib.Literal) and o.datatype in partial for o in graph.objects())


def random_patients(first: int, count: int) -> dict[date, list[tuple[int, rdflib.Graph]]]:
    """Random patients by as-of date; the seed is in the patient's IRI."""
    by_date: dict = {}
    for seed in range(first, first + count):
        graph, as_of = random_patient(random.Random(seed), rdflib.URIRef(f"http://example.org/r/{seed}/Patient/p"))
        by_date.setdefault(as_of, []).append((seed, graph))
    return by_date


def compare(first: int, count: int, comparable) -> list[str]:
    """Every disagreement on these patients, evaluated in groups of one as-of date; at least half of them must be comparable."""
    out, compared = [], 0
    for as_of, group in random_patients(first, count).items():
        group = [(seed, graph) for seed, graph in group if comparable(graph)]
        merged = rdflib.Graph()
        for _, graph in group:
            merged += graph
        graphs = dict(group)
        compared += len(group)
        for found in by_engine(merged, as_of):
            seed = int(found["iri"].split("/")[4])
            out += [f"{seed}: {line}" for line in disagreements(graphs[seed], found, as_of)]
    assert compared > count / 4
    return out


@pytest.mark.parametrize("first", range(0, 3000, 500))
def test_random_patients(first):
    assert compare(first, 500, _comparable) == []


def test_a_definite_verdict_is_never_one_that_the_evaluator_excludes():
    """Partial dates too: where the evaluator is definite, the graph says the same or leaves it open, never another thing."""
    lines = compare(5000, 500, lambda graph: True)
    wrong = [line for line in lines if " verdict: " in line and "evaluator 'undetermined'" not in line and "graph 'undetermined'" not in line]
    assert wrong == []

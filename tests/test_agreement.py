"""The graph and an independent evaluator, written from the contract alone, on every vignette and on random patients."""

from __future__ import annotations

import random
from datetime import date
from pathlib import Path

import pytest
import rdflib
from rdflib.namespace import XSD

from kg import fhir, inputs
from kg.cohort.judging import Judge
from kg.cohort.tally import Names, hyphenated
from kg.derive import Depth
from kg.engine import Triple, to_rdflib
from kg.evaluate import by_patient, evaluate
from kg.results import results
from kg.simulation import Wanted, export, population
from tests import oracle
from tests.oracle.random_patients import random_patient
from tests.oracle.vocabulary import is_a, substance
from tests.support import vignettes
from tests.support.comparison import by_engine, disagreements

PT = "https://w3id.org/sacroiliitis-kg/patient#"
CL = "https://w3id.org/sacroiliitis-kg/clinical#"
PATIENTS, GROUP, BATCH = 3000, 250, 25


@pytest.mark.parametrize("vignette", vignettes.read_all(vignettes.OWN), ids=lambda vignette: vignette.name)
def test_vignettes(vignette):
    graph = fhir.lift([(vignette.name, vignette.bundle)], vignettes.codes()).graph
    for found in by_engine(graph, vignette.as_of):
        assert disagreements(graph, found, vignette.as_of) == []


def vague(graph: rdflib.Graph) -> bool:
    """Does the record leave open when something was, which agent it was, what it was for, or which of two biologics came first?

    The evaluator then tries all worlds together; the graph decides criterion by criterion and may say unknown more often."""
    about = lambda fact: str(graph.value(fact, rdflib.URIRef(PT + "about"))).removeprefix(CL)  # noqa: E731
    facts = set(graph.subjects(rdflib.URIRef(PT + "about")))
    partial = any(isinstance(o, rdflib.Literal) and o.datatype in (XSD.gYear, XSD.gYearMonth) for _, _, o in graph)
    kinds = {fact: str(graph.value(fact, rdflib.RDF.type)).removeprefix(PT) for fact in facts}
    day = {"Course": "start", "Observation": "date", "Procedure": "date", "Plan": "authored"}
    undated = any(kinds[fact] in day and graph.value(fact, rdflib.URIRef(PT + day[kinds[fact]])) is None for fact in facts)
    unnamed = any(kinds[fact] in ("Course", "Plan") and (CLASSES & {about(fact)}) for fact in facts)
    firsts = {(str(graph.value(fact, rdflib.URIRef(PT + "start"))), substance(about(fact))) for fact in facts if kinds[fact] == "Course" and about(fact) not in CLASSES and is_a(about(fact), "TnfInhibitor")}
    tied = len(firsts) > len({start for start, _ in firsts})
    purpose = any("PurposeNotStated" in about(fact) for fact in facts)
    return partial or undated or unnamed or purpose or tied


CLASSES = {"Biologic", "TnfInhibitor", "Il17Inhibitor", "InterleukinInhibitor", "OtherBiologic", "JakInhibitor", "Nsaid", "NonselectiveNsaid", "SelectiveCox2Inhibitor", "Glucocorticoid"}


def random_patients(first: int, count: int) -> dict[date, dict[int, rdflib.Graph]]:
    """Random patients by as-of date and seed; the seed is in the patient's IRI."""
    by_date: dict = {}
    for seed in range(first, first + count):
        graph, as_of = random_patient(random.Random(seed), rdflib.URIRef(f"http://example.org/r/{seed}/Patient/p"))
        by_date.setdefault(as_of, {})[seed] = graph
    return by_date


def compare(first: int, count: int) -> tuple[int, list[str], list[str]]:
    """How many patients have clear records, the disagreements on them, and on the other patients those in which the graph is definite."""
    clear, exact, loose = 0, [], []
    for as_of, graphs in random_patients(first, count).items():
        seeds = sorted(graphs)
        for start in range(0, len(seeds), BATCH):
            merged = rdflib.Graph()
            for seed in seeds[start : start + BATCH]:
                merged += graphs[seed]
            for found in by_engine(merged, as_of):
                seed = int(found["iri"].split("/")[4])
                lines = [f"{seed}: {line}" for line in disagreements(graphs[seed], found, as_of)]
                if vague(graphs[seed]):
                    loose += [line for line in lines if " verdict: " in line and not line.endswith("graph 'undetermined'")]
                else:
                    clear += 1
                    exact += lines
    return clear, exact, loose


GROUPS = [(0, 60), *(pytest.param(first, GROUP, marks=pytest.mark.slow) for first in range(0, PATIENTS, GROUP))]


@pytest.mark.parametrize(("first", "count"), GROUPS)
def test_random_patients(first: int, count: int):
    """Clear records: everything is the same. Vague ones: the graph is never definite where the evaluator says anything else."""
    clear, exact, loose = compare(first, count)
    assert clear > count / 3
    assert exact == []
    assert loose == []


@pytest.mark.parametrize("seed", [2703, 10164, 10399, 20610, 21324, 30688, 31947, 40011, 41477])
def test_patients_on_whom_they_disagreed_once(seed: int):
    """Stops noted on a vague day, supplies stopped early, agents known by their class, biologics begun on one day, starts known as a year."""
    _, exact, loose = compare(seed, 1)
    assert exact == []
    assert loose == []


# a simulated population, as the cohort judges it


def simulated(count: int, seed: int, folder: Path) -> dict[str, list[Triple]]:
    """The facts of simulated patients by IRI, imported as the cohort does."""
    export(population(), Wanted(count, seed), folder)
    found = inputs.read([str(path) for path in sorted(folder.iterdir())], vignettes.codes())
    return by_patient(found.triples)


@pytest.mark.parametrize(("count", "seed", "every"), [
    (40, 21, 40),
    pytest.param(1_000, 22, 250, marks=pytest.mark.slow),
    *(pytest.param(1_000, seed, 250, marks=pytest.mark.exhaustive) for seed in range(30, 40)),
])  # fmt: skip
def test_a_simulated_population_gets_the_verdicts_of_the_evaluator_and_of_rdflib(count: int, seed: int, every: int, tmp_path):
    """`every`: one patient in so many is judged by rdflib as well, which takes seconds."""
    day, facts = population().as_of, simulated(count, seed, tmp_path / "export")
    judge, names = Judge(vignettes.guideline(), day), Names(vignettes.guideline())
    wrong: list[str] = []
    for start in range(0, count, BATCH):
        group = sorted(facts)[start : start + BATCH]
        for number, patient in enumerate(judge.judge(triple for iri in group for triple in facts[iri]), start):
            graph = to_rdflib(facts[patient.iri])
            expected = oracle.evaluate(graph, rdflib.URIRef(patient.iri), day)
            found = {names.short(treatment): hyphenated(verdict) for treatment, (verdict, *_) in patient.verdicts.items()}
            told = {treatment: row["verdict"] for treatment, row in expected["treatments"].items()}
            if vague(graph):  # the evaluator tries all worlds together: it may know where the graph leaves open
                found, told = ({key: one[key] for key in found if found[key] != "undetermined"} for one in (found, told))
            wrong += [f"{patient.iri} {key}: evaluator {told[key]}, graph {found[key]}" for key in found if found[key] != told[key]]
            if number % every == 0:
                (slow,) = results(evaluate(facts[patient.iri], vignettes.guideline(), day, "rdflib", depth=Depth.FACTS))
                again = {row["treatment"]: row["verdict"] for row in slow["treatments"]}
                wrong += [f"{patient.iri} {names.short(key)}: rdflib {again[names.short(key)]}" for key, (verdict, *_) in patient.verdicts.items() if again[names.short(key)] != hyphenated(verdict)]
    assert wrong == []

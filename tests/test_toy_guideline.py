"""A second guideline, of a disease that does not exist, is one Turtle file: no other query, no other code."""

from __future__ import annotations

from datetime import date
from functools import cache
from pathlib import Path

import pyoxigraph as ox
import pytest

from kg import queries
from kg.evaluate import evaluate
from kg.guideline import load, read_module
from kg.results import results

FOLDER = Path(__file__).resolve().parent / "guidelines"

EXPECTED = {
    "warm": ("eligible", "advised-against"),
    "cool": ("not-indicated", "advised-against"),
    "failed": ("undetermined", "eligible"),
    "soon": ("eligible", "advised-against"),
    "silent": ("undetermined", "undetermined"),
    "barred": ("contraindicated", "advised-against"),
    "other": ("not-applicable", "not-applicable"),
    "perhaps": ("undetermined", "undetermined"),
}


@cache
def evaluated(engine: str):
    facts = [quad.triple for quad in ox.parse(path=str(FOLDER / "toy-patients.ttl"), format=ox.RdfFormat.TURTLE)]
    return evaluate(facts, load("toy", (FOLDER / "toy.ttl",)), date(2026, 1, 15), engine)


@cache
def answers(engine: str) -> dict[str, dict]:
    return {result["patient"]: result for result in results(evaluated(engine))}


@pytest.mark.parametrize("engine", ["oxigraph", "rdflib"])
@pytest.mark.parametrize("patient", EXPECTED)
def test_the_toy_guideline_gives_its_verdicts(patient, engine):
    found = {row["treatment"]: row["verdict"] for row in answers(engine)[patient]["treatments"]}
    assert found == dict(zip(("amberine", "bluemint"), EXPECTED[patient], strict=True))


def test_the_guideline_imports_core_patient_vocabulary_and_claim_markers_alone():
    imported = {iri.value.rsplit("/", 1)[-1] for iri in read_module(FOLDER / "toy.ttl").imports}
    assert imported == {"core", "patient", "claims"}
    assert len(answers("oxigraph")["warm"]["treatments"]) == 2


def test_the_strength_and_the_line_come_from_the_toy():
    amberine, bluemint = answers("oxigraph")["warm"]["treatments"]
    assert (amberine["strength"], amberine["role"], amberine["step"]) == ("strong", "primary", "first")
    assert bluemint["strength"] == "conditional"
    assert [row["lines"] for row in amberine["recommendations"]] == [[1]]


def test_an_unknown_exception_names_its_question():
    bluemint = answers("oxigraph")["silent"]["treatments"][1]
    assert [row["ask"] for row in bluemint["missing"]] == ["Did amberine work?"]


def test_an_unknown_population_names_its_question():
    assert "Is it glimmer fever?" in [row["ask"] for row in answers("oxigraph")["perhaps"]["treatments"][0]["missing"]]


def test_the_questions_for_people_work_for_the_toy():
    engine = evaluated("oxigraph").engine
    query = next(query for query in queries.folder("ask") if query.name == "contraindicated-treatments")
    columns, rows = engine.select(query.text)
    found = {(row[columns.index("treatment")].value, row[columns.index("kind")].value) for row in rows}
    assert found == {("amberine", "Recorded contraindication"), ("bluemint", "Advised against")}

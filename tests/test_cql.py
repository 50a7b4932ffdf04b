"""Five recommendations in CQL (`benchmarks/cql/`) say of every patient what the graph says: simulated patients, vignettes, random facts."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date

import pyoxigraph as ox
import pytest

from benchmarks import cql_engines, cql_ratio
from benchmarks.cql_engines import FIVE, HERE, Found, Missing, by_cql, by_graph, disagreements, five_alone, ready
from benchmarks.cql_facts import patient
from benchmarks.cql_terms import terms
from kg import fhir, inputs
from kg.engine import from_rdflib
from kg.evaluate import by_patient
from kg.simulation import Wanted, export, population
from tests.support import vignettes
from tests.test_agreement import random_patients

pytestmark = pytest.mark.xdist_group("cql")  # one process, so that the packages are installed once
LIBRARY = (HERE / "SacroiliitisFive.cql").read_text("utf-8")
Groups = dict[str, list[ox.Triple]]


@pytest.fixture(scope="module")
def packages() -> None:
    """Node.js and the packages of the lock file; without them the test is skipped, with the reason."""
    try:
        ready()
    except Missing as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def simulated(tmp_path_factory) -> tuple[Groups, date]:
    folder = tmp_path_factory.mktemp("population")
    export(population(), Wanted(200, 20), folder)
    read = inputs.read(sorted(str(path) for path in folder.glob("*.ndjson")), vignettes.codes())
    return by_patient(read.triples), population().as_of


@pytest.fixture(scope="module")
def random_facts() -> list[tuple[Groups, date]]:
    """Crowded around the limits, half of them with a partial or missing date or a drug known by its class alone."""
    return [(by_patient(t for graph in graphs.values() for t in from_rdflib(graph)), as_of) for as_of, graphs in random_patients(7000, 150).items()]


def graph_says(cases: list[tuple[Groups, date]]) -> Found:
    found = Found()
    for groups, as_of in cases:
        found.statuses |= by_graph(groups, vignettes.guideline(), as_of).statuses
    return found


def cql_says(cases: list[tuple[Groups, date]], **limits: int) -> Found:
    """What the CQL library says; with limits other than the guideline's where some are given."""
    given = terms(vignettes.guideline())
    given["limits"] |= limits
    return by_cql([patient(iri, triples, as_of) for groups, as_of in cases for iri, triples in groups.items()], given)


# without Node.js


def test_the_lock_file_has_a_hash_for_each_package_and_no_address():
    text = (HERE / "package-lock.json").read_text("utf-8")
    packages = json.loads(text)["packages"]
    assert all(one["integrity"].startswith("sha512-") for name, one in packages.items() if name)
    assert "://" not in text + (HERE / "package.json").read_text("utf-8")
    wanted = json.loads((HERE / "package.json").read_text("utf-8"))["dependencies"]
    assert packages[""]["dependencies"] == wanted == {name: packages[f"node_modules/{name}"]["version"] for name in wanted}


def test_the_library_finds_in_the_graph_every_value_set_and_limit_that_it_names():
    found = terms(vignettes.guideline())
    assert set(re.findall(r"^valueset \"[^\"]+\": '([^']+)'", LIBRARY, re.MULTILINE)) <= set(found["valueSets"])
    declared = re.search(r"parameter Limits Tuple \{(.*?)\}", LIBRARY, re.DOTALL)
    assert set(re.findall(r"(\w+) (?:Integer|Decimal)", declared[1])) == set(found["limits"])
    assert set(found["targets"]) == set(FIVE) and all(found["targets"].values())


def test_a_limit_that_the_graph_no_longer_has_is_named():
    guideline = vignettes.guideline()
    without = tuple(t for t in guideline.triples if not (t.subject.value.endswith("#staleness") and t.predicate.value.endswith("#threshold")))
    with pytest.raises(KeyError, match="staleness has no gl:limit"):
        terms(replace(guideline, triples=without))


def test_what_differs_is_told_by_patient():
    one = Found({"a": {("R01", "X"): "applies"}, "b": {("R01", "X"): "unknown"}, "c": {}})
    other = Found({"a": {("R01", "X"): "applies", ("R03", "Y"): "does-not-apply"}, "b": {}})
    assert disagreements(one, other) == {"b": ["R01 X: graph unknown, CQL does-not-apply"], "c": ["one of the two has no such patient"]}


def test_without_node_it_says_so_in_a_line_and_exits_2(monkeypatch, capsys):
    monkeypatch.setattr(cql_engines.shutil, "which", lambda program: None)
    monkeypatch.setattr("sys.argv", ["cql_ratio"])
    with pytest.raises(SystemExit) as stop:
        cql_ratio.main()
    assert stop.value.code == 2
    assert capsys.readouterr().err == "node is not installed\n"


# with it


@pytest.mark.slow
def test_simulated_patients(packages, simulated):
    cql = cql_says([simulated])
    assert len(cql.statuses) == 200
    assert disagreements(graph_says([simulated]), cql) == {}


@pytest.mark.slow
def test_vignettes(packages):
    by_date: dict[date, list[ox.Triple]] = {}
    for one in (*vignettes.read_all(vignettes.OWN), *vignettes.read_all(vignettes.SHARED / "vignettes")):
        by_date.setdefault(one.as_of, []).extend(fhir.lift([(one.name, one.bundle)], vignettes.codes()).triples)
    cases = [(by_patient(triples), as_of) for as_of, triples in by_date.items()]
    cql = cql_says(cases)
    assert disagreements(graph_says(cases), cql) == {}
    seen = {(rule, status) for said in cql.statuses.values() for (rule, _), status in said.items()}
    assert seen >= {(rule, status) for rule in FIVE for status in ("applies", "unknown", "does-not-apply")}


@pytest.mark.slow
def test_random_facts_and_that_another_limit_is_noticed(packages, random_facts):
    """The comparison can fail: a CQL library with another limit disagrees on some of the patients on whom it agrees with the right one."""
    graph, cql = graph_says(random_facts), cql_says(random_facts)
    assert len(cql.statuses) == 150
    assert disagreements(graph, cql) == {}
    for limit in ("stale", "nsaidDays", "evaluation", "painScore"):
        assert disagreements(graph, cql_says(random_facts, **{limit: 45})), limit


@pytest.mark.slow
def test_the_five_alone_say_what_they_say_in_the_whole_guideline(simulated):
    groups, as_of = simulated
    some = dict(list(groups.items())[:40])
    guideline = vignettes.guideline()
    assert disagreements(by_graph(some, guideline, as_of), by_graph(some, five_alone(guideline), as_of)) == {}

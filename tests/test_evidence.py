"""Whoever reads a recommendation sees what checking its source showed, in JSON, text and explanation."""

from __future__ import annotations

import io
from datetime import date
from functools import cache
from pathlib import Path

import pyoxigraph as ox
import pytest
from rich.console import Console

from kg import explain, text
from kg.evaluate import evaluate
from kg.guideline import load
from kg.results import results

PATIENTS = Path(__file__).resolve().parent / "guidelines" / "question-patients.ttl"


@cache
def evaluated():
    facts = [quad.triple for quad in ox.parse(path=str(PATIENTS), format=ox.RdfFormat.TURTLE)]
    return evaluate(facts, load(), date(2026, 1, 15))


@cache
def rows() -> tuple[dict, ...]:
    return tuple(results(evaluated()))


def treatment(slug: str) -> dict:
    return next(one for one in rows()[0]["treatments"] if one["treatment"] == slug)


# what must be seen beside which treatment: statement, outcome, words of what differs
SEEN = [
    ("methotrexate-monotherapy", "R22", "S078", "other-population", "children and adolescents"),
    ("oral-glucocorticoid-bridging", "R21", "S074", "other-population", "children and adolescents"),
    ("oral-glucocorticoid-bridging", "R21", "S075", "other-population", "children and adolescents"),
    ("oral-glucocorticoid-bridging", "R21", "S076", "other-population", "initiation or escalation"),
    ("oral-glucocorticoid-bridging", "R21", "S077", "other-population", "children and adolescents"),
    ("etanercept", "R01", "S007", "other-population", "children and adolescents"),
    ("active-physical-therapy", "R14", "S062", "other-strength", "conditional"),
    ("si-injection-fluoroscopy", "R07", "S026", "misdescribed", "6 of 11"),
    ("si-injection-fluoroscopy", "R07", "S037", "other-population", "not inflammatory sacroiliitis"),
    ("si-injection-ultrasound", "R08", "S043", "other-population", "not inflammatory sacroiliitis"),
    ("si-injection-repeat", "R10", "S026", "misdescribed", "6 of 11"),
    ("prolotherapy-dextrose", "R11", "S056", "contested", "no difference"),
    ("cooled-radiofrequency-ablation", "R13", "S059", "other-population", "not inflammatory sacroiliitis"),
]


@pytest.mark.parametrize(("slug", "rule", "statement", "outcome", "differs"), SEEN)
def test_a_recommendation_carries_the_checks_of_its_statements(slug, rule, statement, outcome, differs):
    checks = next(one["checks"] for one in treatment(slug)["recommendations"] if one["id"] == rule)
    (check,) = [one for one in checks if one["outcome"] == outcome and statement in one["statements"]]
    assert differs in check["differs"] and check["howSeen"] and check["seenIn"]


def evidence(slug: str) -> dict[str, explain.Node]:
    """The evidence nodes of the explanations of one treatment, by statement: a rule shows them where it applies or is open."""
    context = explain.prepare(evaluated())
    return {node.id: node for row in context.rows for node in explain.verdict(context, row, slug).of("evidence")}


@pytest.mark.parametrize(("slug", "rule", "statement", "outcome", "differs"), SEEN)
def test_the_explanation_carries_them_too(slug, rule, statement, outcome, differs):
    checks = evidence(slug)[statement].of("check")
    assert any(check.result == outcome and differs in check.label and check.source for check in checks)


def test_the_population_studied_stands_beside_a_finding():
    found = {name: node.said("studied") for name, node in evidence("si-injection-fluoroscopy").items()}
    assert found["S026"] == "Selected subgroup" and found["S036"] == "Patients with sacroiliac joint dysfunction"
    assert found["S022"] == ""


def test_a_treatment_without_a_recommendation_has_no_evidence():
    assert evidence("massage") == {}


def test_the_text_names_every_applying_rule_whose_source_differs():
    out = io.StringIO()
    text.patient(Console(file=out, width=400), rows()[0])
    applying = {
        rule["id"] for one in rows()[0]["treatments"] for rule in one["recommendations"] if rule["status"] == "applies"
    }
    assert {"R14", "R22"} <= applying
    lines = [line for line in out.getvalue().splitlines() if "(S" in line]
    assert any("R22" in line and "made for another population (S078)" in line for line in lines)
    assert any("R14" in line and "graded otherwise (S062)" in line for line in lines)
    assert {line.split()[0] for line in lines} <= applying


def test_the_explanation_prints_what_was_studied_and_what_differs():
    context = explain.prepare(evaluated())
    page = explain.html(explain.verdict(context, context.rows[0], "si-injection-fluoroscopy"))
    assert "Selected subgroup" in page and "The number is right and its patients are not" in page

"""The truth tables of spec/verdicts.md section 1, through the query files that implement them."""

from __future__ import annotations

from datetime import date
from itertools import product

import pyoxigraph as ox
import pytest

from kg.evaluate import evaluate
from kg.guideline import Guideline, load
from kg.index import Index

GL = "https://w3id.org/sacroiliitis-kg/core#"
_HEAD = """@prefix gl: <https://w3id.org/sacroiliitis-kg/core#> . @prefix pt: <https://w3id.org/sacroiliitis-kg/patient#> .
@prefix t: <http://example.org/logic#> .
<http://example.org/logic> a gl:Guideline . t:concept a gl:Concept . gl:Concept gl:covers gl:Concept .
t:zero a gl:FactCriterion ; gl:reads pt:Observation ; gl:about t:concept ; gl:select gl:Any ; gl:whenAbsent gl:Unmet .
t:one a gl:FactCriterion ; gl:reads pt:Observation ; gl:about t:concept ; gl:select gl:Any ; gl:whenAbsent gl:Unknown .
t:two a gl:FactCriterion ; gl:reads pt:Observation ; gl:about t:concept ; gl:select gl:Any ; gl:whenAbsent gl:Met .
"""
_NAMES = {0: "t:zero", 1: "t:one", 2: "t:two"}
_PATIENT = "@prefix pt: <https://w3id.org/sacroiliitis-kg/patient#> . <http://example.org/p> a pt:Patient ."


def degree(rule: str, engine: str) -> int:
    """The degree of t:it, defined by a piece of Turtle over criteria that are unmet, unknown and met."""
    core = load()
    triples = tuple(t for t in core.triples if "core#" in t.subject.value or "patient#" in t.subject.value)
    rules = triples + tuple(quad.triple for quad in ox.parse((_HEAD + rule).encode(), format=ox.RdfFormat.TURTLE))
    facts = [quad.triple for quad in ox.parse(_PATIENT.encode(), format=ox.RdfFormat.TURTLE)]
    done = evaluate(facts, Guideline(ox.NamedNode("http://example.org/logic"), "logic", "0", rules), date(2026, 1, 15), engine)
    index = Index(done.derived)
    (node,) = [node for node in index.subjects(GL + "criterion", ox.NamedNode("http://example.org/logic#it")) if "/result/" in node.value]
    return int(index.text(node, GL + "degree"))


@pytest.mark.parametrize("engine", ["oxigraph", pytest.param("rdflib", marks=pytest.mark.slow)])
@pytest.mark.parametrize(("a", "b"), list(product((0, 1, 2), repeat=2)))
def test_and_or(a, b, engine):
    def two(how: str) -> int:
        # each operand through a criterion of its own, so that the same truth can stand twice
        operands = "".join(f"t:{side} a gl:Criterion ; gl:combine gl:All ; gl:of {_NAMES[value]} . " for side, value in (("left", a), ("right", b)))
        return degree(operands + f"t:it a gl:Criterion ; gl:combine {how} ; gl:of t:left , t:right .", engine)

    assert two("gl:All") == min(a, b)
    assert two("gl:AnyOf") == max(a, b)


@pytest.mark.parametrize("engine", ["oxigraph", "rdflib"])
@pytest.mark.parametrize("a", (0, 1, 2))
def test_not(a, engine):
    rule = f"t:it a gl:Criterion ; gl:case t:case ; gl:otherwise gl:Met . t:case gl:order 1 ; gl:if {_NAMES[a]} ; gl:is gl:Met ; gl:then gl:Unmet ."
    assert degree(rule, engine) == 2 - a


@pytest.mark.parametrize(("first", "second", "expected"), [
    (2, 2, 2), (2, 1, 2), (2, 0, 2),   # the first case holds: what comes after does not matter
    (0, 2, 0), (0, 1, 1), (0, 0, 1),   # the second decides; else unknown
    (1, 2, 1), (1, 0, 1), (1, 1, 1),   # the first may hold: outcomes differ, so unknown
])
def test_cases_in_order(first, second, expected):
    rule = f"""t:it a gl:Criterion ; gl:case t:c1 , t:c2 ; gl:otherwise gl:Unknown .
    t:c1 gl:order 1 ; gl:if {_NAMES[first]} ; gl:is gl:Met ; gl:then gl:Met . t:c2 gl:order 2 ; gl:if {_NAMES[second]} ; gl:is gl:Met ; gl:then gl:Unmet ."""
    assert degree(rule, "oxigraph") == expected

"""The statements of the graph against the list of the specification, field by field, where it is at hand."""

from __future__ import annotations

import csv

import pyoxigraph as ox
import pytest

from kg import claims
from kg.claims import Claim
from kg.guideline import GL, load
from tests.support import vignettes

LIST = vignettes.SHARED / "spec" / "statements.csv"
KINDS = {
    "caveat/pitfall": "CaveatStatement",
    "diagnostic accuracy finding": "DiagnosticAccuracyStatement",
    "documentation requirement": "DocumentationRequirement",
    "eligibility criterion": "EligibilityStatement",
    "evidence finding": "EvidenceStatement",
    "monitoring rule": "MonitoringStatement",
    "recommendation": "RecommendationStatement",
    "scope": "Scope",
    "sequencing rule": "SequencingRule",
    "terminology": "Terminology",
}
pytestmark = pytest.mark.skipif(
    not LIST.exists(), reason="the list of statements is not beside this checkout (KG_SHARED)"
)


def listed() -> list[dict[str, str]]:
    with LIST.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def differences(row: dict[str, str], claim: Claim) -> list[str]:
    """Which fields of the list say otherwise than the graph; a number that the list keeps in words may be added."""
    number = claim.value or claim.value_range
    same = {
        "line": int(row["line"]) == claim.line,
        "section": row["section"] == claim.section,
        "class": GL + KINDS[row["class"]] == claim.kind,
        "refs": {part for part in row["refs"].split(";") if part}
        == {name.rpartition("#ref")[2] for name in claim.cites},
        "direction": (row["direction"].capitalize() or None) == (claim.direction and claim.direction.removeprefix(GL)),
        "strength": (row["strength"].capitalize() or None) == (claim.strength and claim.strength.removeprefix(GL)),
        "value": not row["value"] or (number is not None and claims.plain(row["value"]) == claims.plain(number)),
    }
    texts = ("condition", "intervention", "comparator", "outcome", "operator", "time_point")
    same |= {field: (row[field] or None) == getattr(claim, field) for field in texts}
    return [field for field, equal in same.items() if not equal]


def test_the_graph_says_what_the_list_says():
    graph = {claim.id: claim for claim in claims.claims(load().index)}
    rows = listed()
    assert [row["id"] for row in rows] == sorted(graph)
    assert {row["id"]: found for row in rows if (found := differences(row, graph[row["id"]]))} == {}


def test_every_check_of_the_list_is_in_the_graph():
    index = load().index
    checked = {
        index.text(statement, GL + "id") for claim in claims.claims(index) for statement in _checked(index, claim.id)
    }
    assert {row["id"] for row in listed() if row["source_check"]} <= checked


def _checked(index, name: str) -> list:
    return [node for node in index.subjects(GL + "id", ox.Literal(name)) if index.subjects(GL + "checks", node)]

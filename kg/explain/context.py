"""What explanations look up: the guideline, the derived graph, and the rows of the questions behind them, fetched once an evaluation."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import pyoxigraph as ox

from kg.evaluate import Evaluation
from kg.index import Index
from kg.queries import folder
from kg.results import results, word
from kg.terms import GL, RDF, RDFS, SKOS


@dataclass(frozen=True)
class Gap:
    """Why a criterion is not met: HL7's code and the words for it, the fact at fault and the label of the constraint that it fails, where there are such."""

    reason: tuple[str, str]
    fact: ox.NamedNode | None
    failed: str


@dataclass(frozen=True)
class Conflict:
    """Two rules that pull apart for a patient; treatments are slugs, rules IRIs."""

    type: str
    standing: str
    rules: tuple[ox.NamedNode, ox.NamedNode]
    treatments: tuple[str, str]
    resolution: str
    by: str


@dataclass(frozen=True)
class Context:
    """One evaluation, ready to be explained. Keys of `results` and `gaps` are (patient, criterion)."""

    rules: Index
    derived: Index
    rows: tuple[dict, ...]
    results: dict
    gaps: dict
    conflicts: dict
    cases: dict

    def label(self, node) -> str:
        """The label of a node, or its local name."""
        return self.rules.text(node, RDFS.label) or word(node) or ""

    def result(self, patient, criterion) -> str:
        """Met, unmet or unknown."""
        node = self.results.get((patient, criterion))
        return word(self.derived.value(node, GL.truth)) if node is not None else "unknown"

    def facts(self, patient, criterion) -> list:
        """The facts that the result of a criterion rests on."""
        node = self.results.get((patient, criterion))
        return [] if node is None else self.derived.objects(node, GL.usedFact)

    @property
    def reason_system(self) -> str:
        """The code system of the reasons of gaps."""
        return self.rules.text(ox.NamedNode(GL.GapReason), f"{RDFS}seeAlso") or ""

    def coded(self, name: str) -> tuple[str, str]:
        """Code and words of a gl:GapReason, by its local name."""
        node = ox.NamedNode(str(GL) + name)
        return self.rules.text(node, SKOS.notation), self.label(node)


def prepare(evaluation: Evaluation) -> Context:
    """Fetch what the explanations of an evaluation's patients need. Runs the questions `gap-reasons` and `patient-conflicts`."""
    derived = Index((*evaluation.facts, *evaluation.derived))
    found = {(derived.value(node, GL.patient), derived.value(node, GL.criterion)): node
             for node in derived.subjects(RDF.type, ox.NamedNode(GL.CriterionResult))}
    gaps, conflicts, cases = defaultdict(list), defaultdict(list), defaultdict(list)
    for row in _ask(evaluation, "gap-reasons"):
        gaps[row["patient"], row["criterion"]].append(Gap((row["code"].value, row["reason"].value), row["fact"], row["failed"].value if row["failed"] else ""))
    for row in _ask(evaluation, "patient-conflicts"):
        conflicts[row["patient"]].append(Conflict(
            row["type"].value, row["standing"].value, (row["rule1"], row["rule2"]), (row["firstTreatment"].value, row["secondTreatment"].value),
            row["resolution"].value, row["by"].value if row["by"] else ""))
    for node in derived.subjects(RDF.type, ox.NamedNode(GL.JudgedCase)):
        cases[derived.value(node, GL.patient), derived.value(node, GL.criterion)].append(node)
    return Context(evaluation.guideline.index, derived, tuple(results(evaluation)), found, dict(gaps), dict(conflicts), dict(cases))


def _ask(evaluation: Evaluation, name: str) -> list[dict]:
    text = next(query.text for query in folder("ask") if query.name == name)
    names, rows = evaluation.engine.select(text)
    return [dict(zip(names, row, strict=True)) for row in rows]

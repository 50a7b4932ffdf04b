"""The derived graph as the published JSON: one object a patient, the shape of `kg/schema/recommend.schema.json`."""

from __future__ import annotations

import re
from functools import cache

import pyoxigraph as ox

from kg.evaluate import Snapshot
from kg.index import Index

GL = "https://w3id.org/sacroiliitis-kg/core#"
PT = "https://w3id.org/sacroiliitis-kg/patient#"
_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
_LABEL = "http://www.w3.org/2000/01/rdf-schema#label"
_KINDS = ("Verdict", "RaisedFlag", "DocumentationStatus", "MonitoringStatus", "PrerequisiteStatus", "RecommendationStatus", "CriterionResult")
_COMMENT = "http://www.w3.org/2000/01/rdf-schema#comment"
_IDENTIFIER = "http://purl.org/dc/terms/identifier"


def results(evaluation: Snapshot) -> list[dict]:
    """The results of every patient, in the order of their IRIs."""
    derived = Index((*evaluation.facts, *evaluation.derived))
    nodes: dict = {patient: {kind: [] for kind in _KINDS} for patient in evaluation.patients}
    for kind in _KINDS:
        for node in derived.subjects(_TYPE, ox.NamedNode(GL + kind)):
            nodes[derived.value(node, GL + "patient")][kind].append(node)
    return [_patient(evaluation, evaluation.guideline.index, derived, patient, nodes[patient]) for patient in evaluation.patients]


def word(term) -> str | None:
    """The hyphenated word of a vocabulary individual: gl:DoesNotApply is "does-not-apply"."""
    if term is None:
        return None
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", re.split(r"[#/]", term.value)[-1]).lower()


def _local(term) -> str:
    return re.split(r"[#/]", term.value)[-1]


def _patient(evaluation: Snapshot, rules: Index, derived: Index, patient, mine: dict[str, list]) -> dict:
    criteria = {derived.value(node, GL + "criterion"): node for node in mine["CriterionResult"]}
    statuses: dict = {}
    for node in mine["RecommendationStatus"]:
        statuses.setdefault(derived.value(node, GL + "treatment"), []).append(node)
    verdicts = sorted(mine["Verdict"], key=lambda node: _order(rules, derived.value(node, GL + "treatment")))
    less = {node: [_slug(rules, derived.value(other, GL + "treatment")) for other in derived.objects(node, GL + "lessPreferredThan")] for node in verdicts}
    guideline = evaluation.guideline
    unchecked = {leaf for group in rules.objects(guideline.iri, GL + "notCoveredFor") for leaf in rules.objects(group, GL + "covers")}
    return {
        "patient": derived.text(patient, _IDENTIFIER) or patient.value,
        "iri": patient.value,
        "asOf": evaluation.as_of.isoformat(),
        "guideline": {"iri": guideline.iri.value, "slug": guideline.slug, "label": rules.text(guideline.iri, _LABEL), "version": guideline.version},
        "applicability": {"status-unknown": "unknown"}.get(*[word(derived.value(patient, GL + "applicability"))] * 2),
        "treatments": [_treatment(rules, derived, node, criteria, statuses, verdicts, less, unchecked) for node in verdicts],
        "flags": sorted(({"flag": rules.text(flag, GL + "slug"), "label": rules.text(flag, _LABEL), "facts": _facts(derived, node)}
                         for node in mine["RaisedFlag"] for flag in [derived.value(node, GL + "flag")]), key=lambda flag: flag["flag"]),
        "documentation": sorted(({"item": rules.text(item, GL + "id"), "label": rules.text(item, _LABEL),
                                  "status": word(derived.value(node, GL + "itemStatus")), "facts": _facts(derived, node)}
                                 for node in mine["DocumentationStatus"] for item in [derived.value(node, GL + "item")]), key=lambda item: item["item"]),
        "monitoring": [{"course": derived.text(node, GL + "course"), "treatment": rules.text(derived.value(node, GL + "treatment"), GL + "slug"),
                        "label": rules.text(derived.value(node, GL + "rule"), _LABEL), "status": word(derived.value(node, GL + "monitoringStatus")),
                        "dueOn": derived.text(node, GL + "dueOn"), "facts": _facts(derived, node)} for node in mine["MonitoringStatus"]],
        "notChecked": [term.value for term in rules.objects(guideline.iri, GL + "notCovered")],
        "prerequisites": [_prerequisite(rules, derived, node) for node in mine["PrerequisiteStatus"]],
    }


def _order(rules: Index, treatment) -> tuple[int, str]:
    return int(rules.text(treatment, GL + "order") or 10**6), treatment.value


def _slug(rules: Index, treatment) -> str:
    return rules.text(treatment, GL + "slug") or _local(treatment)


def _facts(derived: Index, node) -> list[str]:
    return [fact.value for fact in derived.objects(node, GL + "usedFact")]


def _prerequisite(rules: Index, derived: Index, node) -> dict:
    status = word(derived.value(node, GL + "prerequisite")).removeprefix("prerequisite-")
    rule = derived.value(node, GL + "rule")
    return {"treatment": _slug(rules, derived.value(node, GL + "treatment")), "status": status, "label": rules.text(rule, _LABEL)}


def _treatment(rules: Index, derived: Index, node, criteria: dict, statuses: dict, verdicts: list, less: dict, unchecked: set) -> dict:
    treatment = derived.value(node, GL + "treatment")
    slug = _slug(rules, treatment)
    bars = [bar for bar in derived.subjects(GL + "bearsOn", node) if ox.NamedNode(GL + "Bar") in derived.objects(bar, _TYPE)]
    rows = [_recommendation(rules, derived, status, criteria) for status in statuses.get(treatment, ())]
    return {
        "treatment": slug, "iri": treatment.value, "label": rules.text(treatment, _LABEL),
        "verdict": word(derived.value(node, GL + "verdict")), "strength": word(derived.value(node, GL + "strength")),
        "role": derived.text(node, GL + "role"), "step": derived.text(node, GL + "step"),
        "current": derived.value(node, GL + "current") is not None, "reason": word(derived.value(node, GL + "reason")),
        "notChecked": word(derived.value(node, GL + "verdict")) == "eligible" and treatment in unchecked,
        "preferredOver": sorted(_slug(rules, derived.value(other, GL + "treatment")) for other in verdicts if slug in less[other]),
        "lessPreferredThan": sorted(less[node]),
        "recommendations": sorted(rows, key=lambda row: row["id"]),
        "bars": [{"kind": word(derived.value(bar, GL + "barKind")), "facts": _facts(derived, bar)} for bar in bars],
        "missing": [{"criterion": _local(question), "label": rules.text(question, _LABEL), "ask": rules.text(question, GL + "ask")}
                    for question in derived.objects(node, GL + "missing")],
    }


def _recommendation(rules: Index, derived: Index, node, criteria: dict) -> dict:
    rule = derived.value(node, GL + "recommendation")
    return {
        "id": rules.text(rule, GL + "id") or _local(rule), "label": rules.text(rule, _LABEL),
        "status": {"status-unknown": "unknown"}.get(*[word(derived.value(node, GL + "status"))] * 2),
        **_source(rules, rule),
        "criteria": [_criterion(rules, derived, criterion, criteria.get(criterion)) for criterion in rules.objects(rule, GL + "needs")],
    }


@cache
def _source(rules: Index, rule) -> dict:
    """What a rule says and where it comes from: the same for every patient."""
    statements = rules.objects(rule, GL + "statement")
    return {
        "direction": word(rules.value(rule, GL + "direction")) or "caution", "strength": word(rules.value(rule, GL + "strength")),
        "statements": [rules.text(statement, GL + "id") or _local(statement) for statement in statements],
        "lines": sorted({int(line.value) for statement in statements for line in rules.objects(statement, GL + "line")}),
        "references": sorted({int(number.value) for statement in statements for reference in rules.objects(statement, GL + "cites")
                              for number in rules.objects(reference, GL + "number")}),
        "checks": list(checked(rules, statements_behind(rules, rule))),
    }


def _criterion(rules: Index, derived: Index, criterion, node) -> dict:
    return {"criterion": _local(criterion), "label": rules.text(criterion, _LABEL), "result": word(derived.value(node, GL + "truth")) if node else "unknown",
            "facts": _facts(derived, node) if node else [], "basis": rules.text(criterion, GL + "basis"),
            "decisions": [_local(decision) for decision in rules.objects(criterion, GL + "decision")], "ask": rules.text(criterion, GL + "ask")}


def statements_behind(rules: Index, rule) -> tuple:
    """The statements that a rule encodes, and those of the findings that support it."""
    findings = rules.subjects(GL + "supports", rule)
    reported = [said for one in findings for said in rules.objects(one, GL + "statement")]
    return tuple(dict.fromkeys((*rules.objects(rule, GL + "statement"), *reported)))


@cache
def checked(rules: Index, statements: tuple) -> tuple[dict, ...]:
    """What checks of these statements showed; statements of which the same was seen share a row."""
    rows: dict[tuple, list[str]] = {}
    for statement in statements:
        for check in rules.subjects(GL + "checks", statement):
            seen = (rules.text(check, predicate) for predicate in (GL + "howSeen", GL + "seenIn", _COMMENT))
            key = (word(rules.value(check, GL + "checkVerdict")) or "", *seen)
            rows.setdefault(key, []).append(rules.text(statement, GL + "id") or _local(statement))
    return tuple({"outcome": outcome, "statements": ids, "howSeen": how, "seenIn": where, "differs": differs}
                 for (outcome, how, where, differs), ids in rows.items())

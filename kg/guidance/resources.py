"""FHIR R4 out: a collection Bundle with the guidance for a patient and everything it rests on."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kg import __version__
from kg.asking import Bounds, next_questions
from kg.codes import CodeIndex
from kg.engine import Triple
from kg.evaluate import Evaluation
from kg.fhir.findings import Finding
from kg.guidance.facts import Facts, reference
from kg.guidance.plan import actions
from kg.guidance.questions import missing
from kg.guidance.rules import Rules
from kg.guidance.words import AGAINST, DISCLAIMER, NOT_CHECKED, STRENGTHS, decisive, places
from kg.questionnaire import questionnaire
from kg.terms import RECORD, local

_OWN = "https://w3id.org/sacroiliitis-kg/StructureDefinition/"
_SEVERITIES = {"violation": "error", "warning": "warning", "info": "information"}
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://w3id.org/sacroiliitis-kg/guidance")


@dataclass(frozen=True)
class Case:
    """One patient: the results (one object of `kg.results.results`), the facts (pt: vocabulary), the findings of the import, and a
    Questionnaire (R4) of what is missing, if there is one."""

    row: dict
    facts: Sequence[Triple]
    findings: Sequence[Finding] = ()
    questionnaire: dict | None = None


def cases(evaluation: Evaluation, rows: Iterable[dict], codes: CodeIndex, findings: Sequence[Finding] = (), bounds: Bounds = Bounds()) -> list[Case]:
    """The patients of an evaluation whose results these are, each with a Questionnaire of the questions that settle an open
    verdict; `bounds`: how far those are searched for."""
    asked = {one.patient.value: one for one in next_questions(evaluation, bounds)}
    return [Case(row, evaluation.facts, findings, questionnaire(evaluation, one, codes) if (one := asked[row["iri"]]).decisive else None) for row in rows]


def bundle(cases: Iterable[Case], rules: Rules) -> dict:
    """An R4 Bundle (collection) with the resources of every patient, in their order.

    A patient's are: GuidanceResponse, RequestGroup when a treatment is eligible, a DetectedIssue for each treatment that is
    contraindicated or advised against, OperationOutcome when the import found something, the Questionnaire, Provenance. The same input gives
    the same bytes: identifiers are made of what they identify, times are the as-of date."""
    entries = [entry for case in cases for entry in _Writer(case, rules).entries()]
    return {"resourceType": "Bundle", "type": "collection", **({"entry": entries} if entries else {})}


class _Writer:
    def __init__(self, case: Case, rules: Rules) -> None:
        self.row, self.rules, self.facts = case.row, rules, Facts(case.facts, rules)
        self.findings, self.questionnaire = case.findings, case.questionnaire
        self.subject = reference(case.row["iri"])
        self.day = f"{case.row['asOf']}T00:00:00Z"

    def entries(self) -> list[dict]:
        found = [self._issue(one) for one in self.row["treatments"] if one["verdict"] in ("contraindicated", "advised-against")]
        plan = self._plan()
        outcome = outcome_of(self.findings) if self.findings else None
        more = [one for one in (plan, outcome, self.questionnaire) if one]
        response = self._response(plan, outcome)
        resources = [response, *more, *found]
        resources.append(self._provenance([self._url(one) for one in resources]))
        return [{"fullUrl": self._url(one), "resource": one} for one in resources]

    def _url(self, resource: dict) -> str:
        """The entry's address, made of the patient, the day, the guideline and the content."""
        content = json.dumps([self.row["iri"], self.row["asOf"], self.row["guideline"], resource], sort_keys=True)
        return f"urn:uuid:{uuid.uuid5(_NAMESPACE, content)}"

    def _response(self, plan: dict | None, outcome: dict | None) -> dict:
        open_, needed = missing(self.row["treatments"]), self._status()
        return {
            "resourceType": "GuidanceResponse", "contained": [self._verdicts()], "moduleUri": self.row["guideline"]["iri"], "status": needed,
            "subject": self.subject, "occurrenceDateTime": self.row["asOf"], "note": self._notes(),
            **({"evaluationMessage": [{"reference": self._url(outcome)}]} if outcome else {}),
            "outputParameters": {"reference": "#verdicts"},
            **({"result": {"reference": self._url(plan)}} if plan else {}),
            **({"dataRequirement": [requirement for one in open_ for requirement in self._requirements(one.criterion, one.ask)]} if open_ else {}),
        }

    def _status(self) -> str:
        verdicts = {one["verdict"] for one in self.row["treatments"]}
        if self.row["applicability"] == "unknown" or verdicts == {"undetermined"}:
            return "data-required"
        return "data-requested" if "undetermined" in verdicts else "success"

    def _requirements(self, criterion: str, ask: str) -> list[dict]:
        types = self.rules.resource_types(criterion) or ["Resource"]
        return [{"extension": [{"url": _OWN + "question", "valueString": ask}], "type": kind} for kind in types]

    def _verdicts(self) -> dict:
        """Every treatment with its verdict, as Parameters."""
        rows = [{"name": "treatment", "part": [
            {"name": "treatment", "valueCodeableConcept": self._concept(one)},
            {"name": "verdict", "valueCode": one["verdict"]},
            *([{"name": "strength", "valueCode": one["strength"]}] if one["strength"] else []),
            *([{"name": "reason", "valueCode": one["reason"]}] if one["reason"] else []),
            *([{"name": "current", "valueBoolean": True}] if one["current"] else []),
        ]} for one in self.row["treatments"]]
        return {"resourceType": "Parameters", "id": "verdicts", "parameter": [{"name": "applicability", "valueCode": self.row["applicability"]}, *rows]}

    def _notes(self) -> list[dict]:
        row = self.row
        lines = [DISCLAIMER]
        if any(one["verdict"] == "eligible" for one in row["treatments"]):
            lines.append(f"{NOT_CHECKED}: {'; '.join(row['notChecked'])}.")
        lines += [f"Review: {flag['label']} ({flag['flag']})." for flag in row["flags"]]
        lines += [f"Documentation {item['item']}, {item['status']}: {item['label']}." for item in row["documentation"]]
        lines += [f"Monitoring of {one['treatment']}, {one['status']}: {one['label']}" + (f" (from {one['dueOn']})." if one["dueOn"] else ".") for one in row["monitoring"]]
        lines += [f"Before {one['treatment']}, {one['status']}: {one['label']}." for one in row["prerequisites"]]
        return [{"text": line} for line in lines]

    def _concept(self, treatment: dict) -> dict:
        system, code = treatment["iri"].rsplit(local(treatment["iri"]), 1)[0].rstrip("#/"), local(treatment["iri"])
        own = {"system": system, "code": code, "display": treatment["label"]}
        return {"coding": [own, *self.rules.standard(treatment["iri"])], "text": treatment["label"]}

    def _plan(self) -> dict | None:
        eligible = [one for one in self.row["treatments"] if one["verdict"] == "eligible"]
        if not eligible:
            return None
        return {
            "resourceType": "RequestGroup", "instantiatesUri": [self.row["guideline"]["iri"]], "status": "draft", "intent": "proposal",
            "subject": self.subject, "authoredOn": self.row["asOf"],
            "note": [{"text": DISCLAIMER}, {"text": f"{NOT_CHECKED}: {'; '.join(self.row['notChecked'])}."}],
            "action": actions(eligible, self._action),
        }

    def _action(self, treatment: dict) -> dict:
        rules = decisive(treatment)
        over = [one["label"] for one in self.row["treatments"] if one["treatment"] in treatment["lessPreferredThan"]]
        text = [f"Eligible; {STRENGTHS[treatment['strength']]}.", *(f"{rule['id']} {rule['label']}: {places(rule)}." for rule in rules)]
        if treatment["current"]:
            text.append("The patient is on it.")
        if over:
            text.append(f"Preferred over it: {', '.join(over)}.")
        if treatment["notChecked"]:
            text.append(f"{NOT_CHECKED}: {'; '.join(self.row['notChecked'])}.")
        return {
            "extension": self._grade("for", treatment["strength"], STRENGTHS), "title": treatment["label"], "textEquivalent": " ".join(text),
            "code": [self._concept(treatment)], "documentation": [self._artifact(rule) for rule in rules],
        }

    def _grade(self, direction: str, strength: str, words: dict[str, str]) -> list[dict]:
        """Direction and strength: the standard code where there is one, and the source's word always."""
        def concept(word: str, text: str) -> dict:
            codings = self.rules.codings(word)
            return {**({"coding": codings} if codings else {}), "text": text}

        return [{"url": _OWN + "recommendation-direction", "valueCodeableConcept": concept(direction, direction)},
                {"url": _OWN + "recommendation-strength", "valueCodeableConcept": concept(strength, strength)}]

    def _artifact(self, rule: dict) -> dict:
        return {"type": "justification", "label": rule["id"], "display": rule["label"], "citation": f"{self.rules.name}, {places(rule)}"}

    def _issue(self, treatment: dict) -> dict:
        verdict = treatment["verdict"]
        if verdict == "contraindicated":
            facts = [fact for bar in treatment["bars"] for fact in bar["facts"]]
            detail, grade = f"{treatment['label']}: contraindicated on the record. {'; '.join(map(self.facts.words, facts))}.", []
        else:
            rules = decisive(treatment)
            facts = [fact for rule in rules for criterion in rule["criteria"] for fact in criterion["facts"]]
            said = " ".join(f"{rule['id']} {rule['label']}: {places(rule)}." for rule in rules)
            detail, grade = f"{treatment['label']}: {AGAINST[treatment['strength']]}. {said}", self._grade("against", treatment["strength"], AGAINST)
        evidence = _distinct(self.facts.source(fact) for fact in facts)
        return {
            "resourceType": "DetectedIssue", **({"extension": grade} if grade else {}), "status": "final",
            "code": {"coding": [{"system": RECORD, "code": verdict}], "text": f"{treatment['label']}: {verdict.replace('-', ' ')}"},
            "patient": self.subject, "identifiedDateTime": self.row["asOf"], **({"evidence": [{"detail": evidence}]} if evidence else {}),
            "detail": detail,
        }

    def _provenance(self, targets: list[str]) -> dict:
        used = (fact for one in self.row["treatments"] for rule in one["recommendations"] for criterion in rule["criteria"] for fact in criterion["facts"])
        bars = (fact for one in self.row["treatments"] for bar in one["bars"] for fact in bar["facts"])
        sources = _distinct(self.facts.source(fact) for fact in (*used, *bars))
        return {
            "resourceType": "Provenance", "target": [{"reference": target} for target in targets], "occurredDateTime": self.row["asOf"], "recorded": self.day,
            "policy": [self.row["guideline"]["iri"]],
            "agent": [{"type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/provenance-participant-type", "code": "assembler"}]},
                       "who": {"display": f"sacroiliitis-kg {__version__}, {self.row['guideline']['label']} {self.row['guideline']['version']}"}}],
            **({"entity": [{"role": "source", "what": source} for source in sources]} if sources else {}),
        }


def outcome_of(findings: Iterable[Finding]) -> dict:
    """What the import found, as an OperationOutcome: violations are errors, because that content was not read."""
    return {"resourceType": "OperationOutcome", "issue": [
        {"severity": _SEVERITIES[one.severity], "code": "informational" if one.severity == "info" else "invalid",
         "diagnostics": ": ".join(part for part in (one.resource, one.element, one.message) if part)} for one in findings]}


def _distinct(references: Iterable[dict]) -> list[dict]:
    return list({json.dumps(one, sort_keys=True): one for one in references}.values())

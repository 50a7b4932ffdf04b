"""The derived graph as the published JSON: one object a patient, the shape of `kg/schema/recommend.schema.json`."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from functools import cache

import pyoxigraph as ox

from kg.derive import ANSWERS
from kg.evaluate import Snapshot
from kg.index import Index
from kg.terms import DCTERMS, GL, RDF, RDFS, local

_KINDS = ("Verdict", "RaisedFlag", "DocumentationStatus", "MonitoringStatus", "PrerequisiteStatus", "Bar")
_SAID = ("patient", "applicability", "usedFact", "treatment", "status", "bearsOn", "barKind", "verdict", "strength", "role", "step",
         "current", "reason", "lessPreferredThan", "missing", "flag", "item", "itemStatus", "course", "rule", "monitoringStatus", "dueOn", "prerequisite")
#: Words of a status that the JSON writes in another way.
STATUS = {"status-unknown": "unknown"}


class _Derived:
    """What was derived, as text: IRIs bare, literals by their lexical form. Reading the store's N-Triples costs a fifth of asking each term for its parts."""

    def __init__(self, triples: Iterable[ox.Triple]) -> None:
        wanted = {f"<{GL}{name}>": name for name in _SAID} | {f"<{DCTERMS.identifier}>": "identifier"}
        kinds = {f"<{GL}{kind}>": kind for kind in _KINDS}
        links = {f"<{iri}>": result for iri, result in zip(ANSWERS, ("unmet", "unknown", "met"), strict=True)}
        a = f"<{RDF.type}>"
        #: patient to criterion to unmet, unknown or met
        self.answers: dict[str, dict[str, str]] = defaultdict(dict)
        self._said: dict[str, dict[str, list[str]]] = defaultdict(dict)
        self._kinds: dict[str, dict[str, None]] = {kind: {} for kind in _KINDS}
        for line in ox.serialize(triples, format=ox.RdfFormat.N_TRIPLES).decode().split("\n"):
            subject, _, rest = line.partition(" ")
            predicate, _, value = rest.partition(" ")
            if predicate == a:
                if kind := kinds.get(value[:-2]):
                    self._kinds[kind][subject[1:-1]] = None
            elif result := links.get(predicate):
                self.answers[subject[1:-1]][value[1:-3]] = result
            elif name := wanted.get(predicate):
                self._said[subject[1:-1]].setdefault(name, []).append(_text(value[:-2]))

    def nodes(self, kind: str) -> list[str]:
        """The nodes of a kind, in the order of their IRIs."""
        return sorted(self._kinds[kind])

    def all(self, node: str, name: str) -> list[str]:
        """What a node says, without repeats, in order."""
        found = self._said[node].get(name, ())
        return list(found) if len(found) < 2 else sorted(set(found))

    def one(self, node: str, name: str) -> str | None:
        """The first of what a node says, or None."""
        found = self.all(node, name)
        return found[0] if found else None

    def word(self, node: str, name: str) -> str | None:
        """The hyphenated word of what a node says, or None."""
        found = self.one(node, name)
        return None if found is None else _hyphenated(found)


def _text(term: str) -> str:
    """An IRI or the lexical form of a literal, from N-Triples."""
    if term.startswith("<"):
        return term[1:-1]
    if term.startswith("_"):
        return term[2:]
    if "\\" in term:
        return next(ox.parse(f"<urn:s> <urn:p> {term} .", format=ox.RdfFormat.N_TRIPLES)).object.value
    return term[1 : term.rindex('"')]


def results(evaluation: Snapshot) -> list[dict]:
    """The results of every patient, in the order of their IRIs."""
    derived = _Derived((*evaluation.facts, *evaluation.derived))
    nodes: dict[str, dict] = {patient.value: {kind: [] for kind in _KINDS} for patient in evaluation.patients}
    for kind in _KINDS:
        for node in derived.nodes(kind):
            nodes[derived.one(node, "patient") or ""][kind].append(node)
    return [_patient(evaluation, evaluation.guideline.index, derived, patient.value, nodes[patient.value]) for patient in evaluation.patients]


def word(term) -> str | None:
    """The hyphenated word of a vocabulary individual: gl:DoesNotApply is "does-not-apply"."""
    return None if term is None else _hyphenated(term.value)


@cache
def _hyphenated(iri: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", local(iri)).lower()


def _patient(evaluation: Snapshot, rules: Index, derived: _Derived, patient: str, mine: dict[str, list[str]]) -> dict:
    bars = defaultdict(list)
    for node in mine["Bar"]:
        for verdict in derived.all(node, "bearsOn"):
            bars[verdict].append(node)
    verdicts = sorted(mine["Verdict"], key=lambda node: _order(rules, derived.one(node, "treatment")))
    less = {node: sorted(_treatment(rules, derived.one(other, "treatment"))["slug"] for other in derived.all(node, "lessPreferredThan")) for node in verdicts}
    guideline = evaluation.guideline
    applicability = derived.word(patient, "applicability")
    otherwise = "not-applicable" if applicability == "not-applicable" else "does-not-apply"
    return {
        "patient": derived.one(patient, "identifier") or patient,
        "iri": patient,
        "asOf": evaluation.as_of.isoformat(),
        "guideline": {"iri": guideline.iri.value, "slug": guideline.slug, "label": rules.text(guideline.iri, RDFS.label), "version": guideline.version},
        "applicability": STATUS.get(applicability, applicability),
        "treatments": [_verdict(evaluation, rules, derived, patient, node, otherwise, bars[node], verdicts, less) for node in verdicts],
        "flags": sorted(({"flag": rules.text(flag, GL.slug), "label": rules.text(flag, RDFS.label), "facts": derived.all(node, "usedFact")}
                         for node in mine["RaisedFlag"] for flag in [ox.NamedNode(derived.one(node, "flag"))]), key=lambda flag: flag["flag"]),
        "documentation": sorted(({"item": rules.text(item, GL.id), "label": rules.text(item, RDFS.label),
                                  "status": derived.word(node, "itemStatus"), "facts": derived.all(node, "usedFact")}
                                 for node in mine["DocumentationStatus"] for item in [ox.NamedNode(derived.one(node, "item"))]), key=lambda item: item["item"]),
        "monitoring": [{"course": derived.one(node, "course"), "treatment": rules.text(ox.NamedNode(derived.one(node, "treatment")), GL.slug),
                        "label": rules.text(ox.NamedNode(derived.one(node, "rule")), RDFS.label), "status": derived.word(node, "monitoringStatus"),
                        "dueOn": derived.one(node, "dueOn"), "facts": derived.all(node, "usedFact")} for node in mine["MonitoringStatus"]],
        "notChecked": [term.value for term in rules.objects(guideline.iri, GL.notCovered)],
        "prerequisites": [{"treatment": _treatment(rules, derived.one(node, "treatment"))["slug"], "status": derived.word(node, "prerequisite").removeprefix("prerequisite-"),
                           "label": rules.text(ox.NamedNode(derived.one(node, "rule")), RDFS.label)} for node in mine["PrerequisiteStatus"]],
    }


@cache
def _order(rules: Index, treatment: str) -> tuple[int, str]:
    return int(rules.text(ox.NamedNode(treatment), GL.order) or 10**6), treatment


@cache
def _treatment(rules: Index, iri: str) -> dict:
    """What is the same of a treatment for every patient."""
    node = ox.NamedNode(iri)
    about = [rule.value for rule in rules.subjects(GL.targets, node) if rules.objects(rule, GL.needs)]
    return {"slug": rules.text(node, GL.slug) or local(iri), "label": rules.text(node, RDFS.label), "rules": about}


@cache
def _unchecked(rules: Index, guideline) -> frozenset:
    """The treatments beside which a verdict says what the source does not cover."""
    return frozenset(leaf.value for group in rules.objects(guideline, GL.notCoveredFor) for leaf in rules.objects(group, GL.covers))


def _verdict(evaluation: Snapshot, rules: Index, derived: _Derived, patient: str, node: str, otherwise: str, bars: list[str], verdicts: list[str], less: dict) -> dict:
    treatment = derived.one(node, "treatment")
    own = _treatment(rules, treatment)
    verdict = derived.word(node, "verdict")
    rows = [_recommendation(rules, derived, patient, rule, treatment, otherwise) for rule in own["rules"]]
    return {
        "treatment": own["slug"], "iri": treatment, "label": own["label"],
        "verdict": verdict, "strength": derived.word(node, "strength"),
        "role": derived.one(node, "role"), "step": derived.one(node, "step"),
        "current": derived.one(node, "current") is not None, "reason": derived.word(node, "reason"),
        "notChecked": verdict == "eligible" and treatment in _unchecked(rules, evaluation.guideline.iri),
        "preferredOver": sorted(_treatment(rules, derived.one(other, "treatment"))["slug"] for other in verdicts if own["slug"] in less[other]),
        "lessPreferredThan": less[node],
        "recommendations": sorted(rows, key=lambda row: row["id"]),
        "bars": [{"kind": derived.word(bar, "barKind"), "facts": derived.all(bar, "usedFact")} for bar in bars],
        "missing": [{key: value for key, value in _criterion(rules, question).items() if key in ("criterion", "label", "ask")} for question in derived.all(node, "missing")],
    }


def _recommendation(rules: Index, derived: _Derived, patient: str, rule: str, treatment: str, otherwise: str) -> dict:
    """`otherwise`: the status of a rule of which no status was derived."""
    own = _rule(rules, rule)
    status = derived.word(f"{patient}/status/{local(rule)}/{local(treatment)}", "status") or otherwise
    return {"id": own["id"], "label": own["label"], "status": STATUS.get(status, status), **own["source"],
            "criteria": [_answer(rules, derived, patient, criterion) for criterion in own["needs"]]}


def _answer(rules: Index, derived: _Derived, patient: str, criterion: str) -> dict:
    own = _criterion(rules, criterion)
    return {"criterion": own["criterion"], "label": own["label"], "result": derived.answers[patient].get(criterion, "unknown"),
            "facts": derived.all(f"{patient}/result/{own['criterion']}", "usedFact"), "basis": own["basis"], "decisions": own["decisions"], "ask": own["ask"]}


@cache
def _criterion(rules: Index, iri: str) -> dict:
    """What is the same of a criterion for every patient."""
    node = ox.NamedNode(iri)
    return {"criterion": local(iri), "label": rules.text(node, RDFS.label), "basis": rules.text(node, GL.basis),
            "decisions": [local(decision.value) for decision in rules.objects(node, GL.decision)], "ask": rules.text(node, GL.ask)}


@cache
def _rule(rules: Index, iri: str) -> dict:
    """What a rule says and where it comes from: the same for every patient."""
    rule = ox.NamedNode(iri)
    statements = rules.objects(rule, GL.statement)
    return {
        "id": rules.text(rule, GL.id) or local(iri), "label": rules.text(rule, RDFS.label), "needs": [criterion.value for criterion in rules.objects(rule, GL.needs)],
        "source": {
            "direction": word(rules.value(rule, GL.direction)) or "caution", "strength": word(rules.value(rule, GL.strength)),
            "statements": [rules.text(statement, GL.id) or local(statement.value) for statement in statements],
            "lines": sorted({int(line.value) for statement in statements for line in rules.objects(statement, GL.line)}),
            "references": sorted({int(number.value) for statement in statements for reference in rules.objects(statement, GL.cites)
                                  for number in rules.objects(reference, GL.number)}),
            "checks": list(checked(rules, statements_behind(rules, rule))),
        },
    }


def statements_behind(rules: Index, rule) -> tuple:
    """The statements that a rule encodes, and those of the findings that support it."""
    findings = rules.subjects(GL.supports, rule)
    reported = [said for one in findings for said in rules.objects(one, GL.statement)]
    return tuple(dict.fromkeys((*rules.objects(rule, GL.statement), *reported)))


@cache
def checked(rules: Index, statements: tuple) -> tuple[dict, ...]:
    """What checks of these statements showed; statements of which the same was seen share a row."""
    rows: dict[tuple, list[str]] = {}
    for statement in statements:
        for check in rules.subjects(GL.checks, statement):
            seen = (rules.text(check, predicate) for predicate in (GL.howSeen, GL.seenIn, RDFS.comment))
            key = (word(rules.value(check, GL.checkVerdict)) or "", *seen)
            rows.setdefault(key, []).append(rules.text(statement, GL.id) or local(statement.value))
    return tuple({"outcome": outcome, "statements": ids, "howSeen": how, "seenIn": where, "differs": differs}
                 for (outcome, how, where, differs), ids in rows.items())

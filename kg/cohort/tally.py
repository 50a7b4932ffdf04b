"""Counts over many patients: what summaries and reports show. Counts of partitions add up."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

import pyoxigraph as ox

from kg.cohort.judging import Judged
from kg.fhir import Finding
from kg.guideline import Guideline
from kg.results import STATUS, word
from kg.terms import GL, RDF, local

#: What is counted, and by what: names as in the JSON of `kg recommend`, or local names of criteria and of rules that
#: share another's id. `settled`: whether something is missing for a verdict.
KEYS = {
    "applicability": ("status",),
    "settled": ("status",),
    "verdicts": ("treatment", "verdict"),
    "current": ("treatment", "verdict"),
    "rules": ("recommendation", "status"),
    "attrition": ("recommendation", "place", "criterion", "answer"),
    "blocked": ("criterion",),
    "blockedAlone": ("criterion",),
    "flags": ("flag",),
    "documentation": ("item", "status"),
    "monitoring": ("treatment", "status"),
    "prerequisites": ("recommendation", "status"),
    "findings": ("severity", "resource", "message"),
    "violations": ("severity", "shape", "label"),
}
#: Keys that count findings, not patients.
OF_FINDINGS = ("findings", "violations")
_ANSWERS = ("unmet", "unknown", "met")


class Names:
    """What a guideline calls treatments, rules and criteria, and in which order they come."""

    def __init__(self, guideline: Guideline) -> None:
        index = self._index = guideline.index
        self._short: dict[str, str] = {}
        treatments = sorted(index.subjects(RDF.type, ox.NamedNode(GL.Treatment)), key=lambda node: (int(index.text(node, GL.order) or 10**6), node.value))
        self.treatments = [node.value for node in treatments]
        self.rules = sorted({rule.value for node in treatments for rule in index.subjects(GL.targets, node)}, key=self.short)
        ids = Counter(map(self.short, self.rules))
        self._rule = {rule: self.short(rule) if ids[self.short(rule)] == 1 else local(rule) for rule in self.rules}
        population = index.text(guideline.iri, GL.population)
        self.needs = {rule: sorted((one.value for one in index.objects(ox.NamedNode(rule), GL.needs)), key=lambda one: (one != population, one)) for rule in self.rules}

    def rule(self, iri: str) -> str:
        """The id of a rule; its local name where a variant has the same id."""
        return self._rule[iri]

    def short(self, iri: str) -> str:
        """The id or slug of a node, else its local name."""
        if iri not in self._short:
            node = ox.NamedNode(iri)
            self._short[iri] = self._index.text(node, GL.id) or self._index.text(node, GL.slug) or local(iri)
        return self._short[iri]


@dataclass
class Tally:
    """`counts`: key to parts to how many patients (of findings and violations: how many of them)."""

    counts: dict[str, Counter] = field(default_factory=lambda: defaultdict(Counter))

    def add(self, patient: Judged, names: Names) -> None:
        """Count one patient."""
        count = self.counts
        status = hyphenated(patient.applicability)
        count["applicability"][status,] += 1
        count["settled"]["open" if patient.missing else "settled",] += 1
        for treatment, (verdict, _, current, _) in patient.verdicts.items():
            count["verdicts"][names.short(treatment), hyphenated(verdict)] += 1
            if current:
                count["current"][names.short(treatment), hyphenated(verdict)] += 1
        if status != "not-applicable":
            self._rules(patient, names)
        for key, sort in (("documentation", GL.DocumentationStatus), ("monitoring", GL.MonitoringStatus), ("prerequisites", GL.PrerequisiteStatus)):
            for about, how in set(patient.about(sort)):
                count[key][names.short(about), hyphenated(how).removeprefix("prerequisite-")] += 1
        for flag, _ in patient.about(GL.RaisedFlag):
            count["flags"][names.short(flag),] += 1
        questions = {local(one) for asked in patient.missing.values() for one in asked}
        alone = {local(asked[0]) for asked in patient.missing.values() if len(asked) == 1}
        count["blocked"].update((one,) for one in questions)
        count["blockedAlone"].update((one,) for one in alone)

    def _rules(self, patient: Judged, names: Names) -> None:
        """For each rule the best of its statuses, and how far the patient comes: criteria in turn, until one is not met."""
        best: dict[str, int] = defaultdict(int)
        for (rule, _), degree in patient.rules.items():
            best[rule] = max(best[rule], degree)
        for rule in names.rules:
            self.counts["rules"][names.rule(rule), ("does-not-apply", "unknown", "applies")[best[rule]]] += 1
            for place, criterion in enumerate(names.needs[rule]):
                degree = patient.answers[criterion]
                self.counts["attrition"][names.rule(rule), place, local(criterion), _ANSWERS[degree]] += 1
                if degree < 2:
                    break

    def find(self, findings: Iterable[Finding]) -> None:
        """Count what the importer found, by the type of resource."""
        self.counts["findings"].update((one.severity, one.resource.split("/")[0], one.message) for one in findings)

    def merge(self, rows: Iterable[list]) -> None:
        """Add the rows of another tally."""
        for key, *parts, number in rows:
            self.counts[key][tuple(parts)] += number

    def rows(self) -> list[list]:
        """Everything as rows [key, parts..., number], in order."""
        return [[key, *parts, number] for key in KEYS for parts, number in sorted(self.counts[key].items())]


def hyphenated(iri: str) -> str:
    """The word of a status as the JSON writes it."""
    said = word(ox.NamedNode(iri)) or ""
    return STATUS.get(said, said)

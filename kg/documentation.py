"""A documentation checklist for one patient: each item with its facts, and what is missing in plain words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pyoxigraph as ox

from kg.evaluate import Evaluation
from kg.facts import Fact, in_order, read
from kg.index import Index
from kg.terms import GL, RDF, RDFS, local

SIGNS = {"complete": "☑", "incomplete": "◩", "missing": "☐"}
NOTHING_PLANNED = "Nothing that calls for documentation is planned or eligible as far as the record says."
_STATUSES = {
    "complete": "everything it asks for is on record",
    "incomplete": "something is on record, but not enough",
    "missing": "nothing of it is on record",
}


@dataclass(frozen=True)
class Lack:
    """One thing that an item still needs: words, the question that would settle it or "", whether the record is silent.

    Where it is not silent, what it says does not fulfil the need."""

    words: str
    ask: str
    silent: bool

    @property
    def kind(self) -> str:
        """Whether the record is silent or says otherwise, in words."""
        return "Not on record" if self.silent else "Not fulfilled by what is on record"

    def __str__(self) -> str:
        return f"{self.kind}: {self.words}{f' ({self.ask})' if self.ask else ''}"


@dataclass(frozen=True)
class Item:
    """One item: id, label, status and that in words, facts that decide it, what is missing, source (ids, lines).

    `beside` are facts on the item's subject that are recorded and not counted for it."""

    id: str
    label: str
    status: str
    words: str
    facts: tuple[Fact, ...]
    beside: tuple[Fact, ...]
    lacks: tuple[Lack, ...]
    statements: tuple[str, ...]
    lines: tuple[int, ...]

    @property
    def sign(self) -> str:
        return SIGNS[self.status]


@dataclass(frozen=True)
class Checklist:
    """The items of one gl:DocumentationChecklist, with its label and the treatments (labels) that call for it."""

    label: str
    treatments: tuple[str, ...]
    items: tuple[Item, ...]

    @property
    def complete(self) -> int:
        return sum(item.status == "complete" for item in self.items)


@dataclass(frozen=True)
class Answer:
    """What one criterion came to for a patient: local name of the truth (Met, Unmet, Unknown), facts used (IRIs)."""

    truth: str
    facts: tuple[str, ...]


_NOTHING = Answer("Unknown", ())


def answers(derived: Index) -> dict[str, dict[str, Answer]]:
    """The answers by patient and criterion (IRIs), from derived triples."""
    found: dict[str, dict[str, Answer]] = {}
    for node in derived.subjects(RDF.type, ox.NamedNode(GL.CriterionResult)):
        patient, criterion = derived.text(node, GL.patient) or "", derived.text(node, GL.criterion) or ""
        used = tuple(one.value for one in derived.objects(node, GL.usedFact))
        found.setdefault(patient, {})[criterion] = Answer(local(derived.text(node, GL.truth) or ""), used)
    return found


def checklists(evaluation: Evaluation, row: dict, facts: Mapping[str, Fact], given: Mapping[str, Answer]) -> tuple[Checklist, ...]:
    """The checklists of one patient's row of `kg.results.results`; none when no procedure calls for one.

    `given` is what `answers` holds for that patient."""
    rules = evaluation.guideline.index
    kind = ox.NamedNode(GL.DocumentationItem)
    groups: dict[ox.NamedNode, list[Item]] = {}
    for one in row["documentation"]:
        node = next(item for item in rules.subjects(GL.id, ox.Literal(one["item"])) if kind in rules.objects(item, RDF.type))
        groups.setdefault(rules.value(node, GL.partOf), []).append(_item(rules, node, one, facts, given))
    return tuple(
        Checklist(
            rules.text(node, RDFS.label) or local(node.value),
            tuple(rules.text(one, RDFS.label) or local(one.value) for one in rules.objects(node, GL.treatment)),
            tuple(items),
        )
        for node, items in groups.items()
    )


def of_patients(evaluation: Evaluation, rows: Iterable[dict]) -> list[tuple[dict, tuple[Checklist, ...]]]:
    """Each row of `kg.results.results` with its checklists."""
    facts, given = read(evaluation), answers(Index(evaluation.derived))
    return [(row, checklists(evaluation, row, facts, given.get(row["iri"], {}))) for row in rows]


def _item(rules: Index, node: ox.NamedNode, row: dict, facts: Mapping[str, Fact], given: Mapping[str, Answer]) -> Item:
    statements = rules.objects(node, GL.statement)
    lacks = [one for need in rules.objects(node, GL.needs) for one in _lacks(rules, need, given)]
    named = {iri for some in rules.objects(node, GL.recordedWhen) for iri in given.get(some.value, _NOTHING).facts}
    return Item(
        row["item"], row["label"], row["status"], _STATUSES[row["status"]],
        in_order(facts, row["facts"]), in_order(facts, named - set(row["facts"])),
        tuple(dict.fromkeys(lacks)), tuple(rules.text(one, GL.id) or local(one.value) for one in statements),
        tuple(sorted({int(line.value) for one in statements for line in rules.objects(one, GL.line)})),
    )  # fmt: skip


def _lacks(rules: Index, criterion: ox.NamedNode, given: Mapping[str, Answer]) -> list[Lack]:
    """What keeps a criterion from being met: of an AND its open parts, of an OR that one of its parts is needed."""
    answer = given.get(criterion.value, _NOTHING)
    if answer.truth == "Met":
        return []
    parts = rules.objects(criterion, GL.of)
    label = rules.text(criterion, RDFS.label) or local(criterion.value)
    if parts and rules.text(criterion, GL.combine) == GL.AnyOf:
        choices = "; or ".join(_lower(rules.text(one, RDFS.label) or local(one.value)) for one in parts)
        return [Lack(f"one of these: {choices}", "", not answer.facts)]
    if parts:
        return [one for part in parts for one in _lacks(rules, part, given)]
    return [Lack(_lower(label), rules.text(criterion, GL.ask) or "", not answer.facts)]


def _lower(text: str) -> str:
    """First letter in lower case, unless the word is an acronym."""
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]

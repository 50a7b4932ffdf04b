"""The explanation as a neutral tree: what it says, not how it looks. Terminal, HTML and JSON are made of the same nodes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Node:
    """One node of an explanation.

    kind: verdict, population, side, bar, recommendation, exception, group, criterion, case, fact, missing, statement, closest,
    prerequisite, preference, conflict, flag, evidence, check or not-checked. `result` is that of the kind: a verdict, a status, met,
    unmet or unknown. `reasons` are HL7's care gap reasons, code and words. `decides` is False for what does not bear on the result above it."""

    kind: str
    label: str
    id: str = ""
    iri: str = ""
    result: str = ""
    says: tuple[tuple[str, str], ...] = ()
    basis: str = ""
    decisions: tuple[str, ...] = ()
    statements: tuple[str, ...] = ()
    lines: tuple[int, ...] = ()
    reasons: tuple[tuple[str, str], ...] = ()
    source: str = ""
    decides: bool = True
    children: tuple[Node, ...] = ()

    def said(self, name: str) -> str:
        """The value said under a name, or ""."""
        return dict(self.says).get(name, "")

    def of(self, *kinds: str) -> tuple[Node, ...]:
        """The children of these kinds."""
        return tuple(child for child in self.children if child.kind in kinds)

    def walk(self) -> Iterator[Node]:
        """The node and everything below it, outermost first."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True)
class Difference:
    """One thing in which two treatments differ for a patient; "" where nothing is to be said of one of them."""

    what: str
    left: str
    right: str


@dataclass(frozen=True)
class Contrast:
    """Two verdicts of one patient side by side, and what differs between them."""

    left: Node
    right: Node
    differences: tuple[Difference, ...]


def as_json(tree: Node | Contrast) -> dict:
    """The tree as plain JSON (kg/schema/explain.schema.json); what is empty is left out."""
    if isinstance(tree, Contrast):
        rows = [{"what": row.what, "left": row.left, "right": row.right} for row in tree.differences]
        return {"left": as_json(tree.left), "right": as_json(tree.right), "differences": rows}
    row: dict = {}
    for field in fields(tree):
        value = getattr(tree, field.name)
        if field.name == "says":
            value = [{"name": name, "value": text} for name, text in value]
        elif field.name == "reasons":
            value = [{"code": code, "display": text} for code, text in value]
        elif field.name == "children":
            value = [as_json(child) for child in value]
        elif isinstance(value, tuple):
            value = list(value)
        if value not in ("", []):
            row[field.name] = value
    return row

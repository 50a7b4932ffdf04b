"""Everything that the pages show, fetched once: nodes, what is said of them, who refers to them, codes, hierarchy."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import pyoxigraph as ox

from kg.docs import rows as page
from kg.docs.links import OWL, place
from kg.engine import ENGINES, Engine
from kg.errors import InputError
from kg.guideline import Guideline
from kg.paths import data
from kg.terms import GL, local
from kg.words import acronyms


@dataclass(frozen=True)
class Node:
    """A thing with a page or an anchor: IRI, kind and sort (IRIs), label of the sort, label, id or ""."""

    iri: str
    kind: str
    sort: str
    sort_label: str
    label: str
    id: str = ""

    @property
    def name(self) -> str:
        return local(self.iri)


@dataclass(frozen=True)
class Fact:
    """One thing said of a node: property (IRI), its label, the value (IRI or lexical form) and the value for people."""

    property: str
    name: str
    value: str
    text: str


@dataclass(frozen=True)
class Book:
    """What the pages show. `inferred` holds the parents that only the reasoned release states, by term."""

    guideline: Guideline
    engine: Engine
    nodes: dict[str, Node]
    facts: dict[str, list[Fact]]
    users: dict[str, list[tuple[str, str]]]
    parents: dict[str, list[str]]
    inferred: dict[str, list[str]] = field(default_factory=dict)
    reasoned: bool = False

    def kind(self, *kinds: str) -> list[Node]:
        """The nodes of these kinds (local names in gl: or owl:), by id or name."""
        wanted = {str(GL) + kind for kind in kinds} | {OWL + kind for kind in kinds}
        return sorted(
            (node for node in self.nodes.values() if node.kind in wanted),
            key=lambda node: (node.id or node.name, node.iri),
        )

    def said(self, iri: str, *properties: str) -> list[Fact]:
        """What is said of a node with these properties (IRIs), in the order of the values."""
        return [fact for fact in self.facts.get(iri, ()) if fact.property in properties]

    def values(self, iri: str, *properties: str) -> list[str]:
        return [fact.value for fact in self.said(iri, *properties)]

    def first(self, iri: str, property: str, default: str = "") -> str:
        return next((fact.value for fact in self.said(iri, property)), default)

    def text(self, iri: str, property: str) -> str:
        return next((fact.text for fact in self.said(iri, property)), "")

    def using(self, iri: str, property: str, *kinds: str) -> list[Node]:
        """The nodes of these kinds that refer to a node with a property (IRI), by id or name."""
        wanted = {str(GL) + kind for kind in kinds}
        found = {user for user, how in self.users.get(iri, ()) if how == property and user in self.nodes}
        return sorted(
            (self.nodes[user] for user in found if not kinds or self.nodes[user].kind in wanted),
            key=lambda node: (node.id or node.name, node.iri),
        )

    def label(self, iri: str) -> str:
        return self.nodes[iri].label if iri in self.nodes else local(iri)

    def place(self, iri: str) -> str | None:
        """The page of a node, or None when it has none."""
        node = self.nodes.get(iri)
        if node is None:
            return None
        whole = next((self.place(one) for one in self.values(iri, GL.partOf)), None)
        return place(iri, node.kind, whole)

    @cached_property
    def spellings(self) -> dict[str, str]:
        """How the labels spell acronyms."""
        return acronyms(node.label for node in self.nodes.values())

    @cached_property
    def units(self) -> dict[str, str]:
        """Labels of the units of time, by UCUM code."""
        skos = "http://www.w3.org/2004/02/skos/core#notation"
        return {self.first(user, skos): self.label(user) for user, _ in self.users.get(GL.Unit, ())}

    def fetch(self, name: str) -> list[page.Row]:
        return page.fetch(self.engine, name)


def read(guideline: Guideline, release: Path | None = None) -> Book:
    """Fetch what the pages show.

    With a reasoned release (Turtle), parents that only it states are marked as inferred.
    Raises InputError when the release is not Turtle."""
    asserted, engine = ENGINES["oxigraph"](guideline.triples), guideline.engine()
    nodes = _nodes(page.fetch(asserted, "nodes"))
    facts: dict[str, list[Fact]] = defaultdict(list)
    users: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for row in page.fetch(asserted, "facts"):
        text = row.get("text", "") or row["value"]
        facts[row["node"]].append(Fact(row["property"], row.get("name") or local(row["property"]), row["value"], text))
        users[row["value"]].append((row["node"], row["property"]))
    parents = _parents(engine, nodes)
    inferred = _inferred(parents, _parents(_store(release), nodes)) if release else {}
    for path in sorted(data("ontology").glob("codes*.ttl")):
        engine.add(quad.triple for quad in ox.parse(path=str(path), format=ox.RdfFormat.TURTLE))
    return Book(guideline, engine, nodes, dict(facts), dict(users), parents, inferred, release is not None)


def _nodes(found: Iterable[page.Row]) -> dict[str, Node]:
    """One node an IRI; a kind of the guideline's vocabulary comes before one of OWL."""
    nodes: dict[str, Node] = {}
    for row in found:
        if row["node"] not in nodes or nodes[row["node"]].kind.startswith(OWL) and not row["kind"].startswith(OWL):
            label = row.get("sortLabel", "")
            nodes[row["node"]] = Node(row["node"], row["kind"], row["sort"], label, row["label"], row.get("id", ""))
    return nodes


def _store(path: Path) -> Engine:
    try:
        return ENGINES["oxigraph"](quad.triple for quad in ox.parse(path=str(path), format=ox.RdfFormat.TURTLE))
    except (SyntaxError, ValueError) as error:
        place = f"line {getattr(error, 'lineno', '?')}"
        raise InputError(str(path), place, "not Turtle", "make it anew with `kg build`") from error


def _parents(engine: Engine, nodes: dict[str, Node]) -> dict[str, list[str]]:
    parents: dict[str, list[str]] = defaultdict(list)
    for row in page.fetch(engine, "parents"):
        if row["term"] in nodes and row["parent"] in nodes:
            parents[row["term"]].append(row["parent"])
    return dict(parents)


def _inferred(asserted: dict[str, list[str]], reasoned: dict[str, list[str]]) -> dict[str, list[str]]:
    """The parents that reasoning adds and that do not lie above a parent already there."""

    def above(term: str) -> set[str]:
        found, open_ = set(), list(asserted.get(term, ()))
        while open_:
            one = open_.pop()
            if one not in found:
                found.add(one)
                open_.extend(asserted.get(one, ()))
        return found

    added = {term: sorted(set(found) - above(term)) for term, found in reasoned.items()}
    return {
        term: [one for one in found if not any(one in above(other) for other in found)]
        for term, found in added.items()
        if found
    }

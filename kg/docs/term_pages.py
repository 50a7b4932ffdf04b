"""Pages of the ontology: class tree, a page a class or single thing, properties, queries with their text."""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cache

from kg.docs.book import Node
from kg.docs.links import OWL, PROPERTIES, RULES, href, module
from kg.docs.render import Site
from kg.queries import Query, folder
from kg.terms import GL, RDF, RDFS, SKOS
from kg.words import humane

FOLDERS = (
    ("ask", "Questions for people."),
    ("derive", "The derivation, in order: each adds triples that the next ones read."),
    ("check", "What must not be: each has to return nothing."),
)
_APART = {RDF.type, RDFS.label, RDFS.subClassOf, f"{RDFS}subPropertyOf", SKOS.definition, f"{OWL}equivalentClass"}
_SORTS = {"Class": "Class", "NamedIndividual": "Single thing", "ObjectProperty": "Object property",
          "DatatypeProperty": "Datatype property", "AnnotationProperty": "Annotation property"}  # fmt: skip


def is_term(node: Node) -> bool:
    return node.kind.startswith(OWL)


def terms(site: Site) -> None:
    """The class tree by ontology, a page a class or single thing, a page of properties an ontology."""
    nodes = [node for node in site.book.nodes.values() if is_term(node)]
    children = _children(site)
    modules = []
    for name in sorted({module(node.iri) for node in nodes}, key=lambda name: (name == "core", name)):
        own = [node for node in nodes if module(node.iri) == name]
        properties = [node for node in own if node.kind.removeprefix(OWL) in PROPERTIES]
        classes = {node.iri for node in own if node.kind == f"{OWL}Class"}
        roots = [iri for iri in classes if not classes & set(site.book.parents.get(iri, ()))]
        tree = [
            _branch(site, iri, children, frozenset()) for iri in sorted(roots, key=lambda iri: _by_label(site, iri))
        ]
        modules.append((name, humane(name, site.book.spellings), tree, len(properties)))
        if properties:
            _properties(site, name, properties)
    site.page("terms.html", "terms.html", "Terms", modules=modules)
    codes, defined, about = _grouped(site, "codes"), _grouped(site, "defined"), _rules_about(site)
    for node in nodes:
        if node.kind.removeprefix(OWL) not in PROPERTIES:
            _term(site, node, children, codes[node.iri], defined[node.iri], about[node.iri])


def _by_label(site: Site, iri: str) -> tuple[str, str]:
    return site.book.label(iri).lower(), iri


def _children(site: Site) -> dict[str, list[tuple[str, bool]]]:
    """What stands under each term, and whether only reasoning says so."""
    found: dict[str, list[tuple[str, bool]]] = defaultdict(list)
    for inferred, parents in ((False, site.book.parents), (True, site.book.inferred)):
        for term, above in parents.items():
            for parent in above:
                found[parent].append((term, inferred))
    for members in found.values():
        members.sort(key=lambda member: _by_label(site, member[0]))
    return found


def _branch(site: Site, iri: str, children: dict, seen: frozenset[str], inferred: bool = False) -> dict:
    below = [
        _branch(site, one, children, seen | {iri}, how) for one, how in children.get(iri, ()) if one not in seen | {iri}
    ]
    size = sum(1 + one["size"] for one in below)
    return {"iri": iri, "label": site.book.label(iri), "inferred": inferred, "children": below, "size": size}


def _grouped(site: Site, query: str) -> dict[str, list[dict]]:
    found: dict[str, list[dict]] = defaultdict(list)
    for row in site.fetch(query):
        found[row["term"]].append(defaultdict(str, row))
    return found


def _rules_about(site: Site) -> dict[str, list[Node]]:
    """The rules for or against each treatment, and for or against the classes that they name."""
    found: dict[str, set[str]] = defaultdict(set)
    for row in site.fetch("treatments"):
        found[row["treatment"]].add(row["rule"])
    for node in site.book.kind(*RULES):
        for one in site.book.values(node.iri, GL.treatment, GL.preferredOver, GL.about):
            found[one].add(node.iri)
    nodes = site.book.nodes
    order = {
        iri: sorted((nodes[rule] for rule in rules), key=lambda node: (node.id or "~", node.iri))
        for iri, rules in found.items()
    }
    return defaultdict(list, order)


def _term(site: Site, node: Node, children: dict, codes: list, defined: list, rules: list[Node]) -> None:
    book, iri = site.book, node.iri
    users = {
        (book.nodes[user], _name(site, how))
        for user, how in book.users.get(iri, ())
        if user in book.nodes and how not in _APART and book.nodes[user] not in rules
    }
    chain, above = [], book.parents.get(iri)
    while above and above[0] not in chain:
        chain.append(above[0])
        above = book.parents.get(above[0])
    parents = [(one, False) for one in book.parents.get(iri, ())]
    parents += [(one, True) for one in book.inferred.get(iri, ())]
    site.page(
        "term.html", book.place(iri), node.label, book.first(iri, SKOS.definition), "terms.html", node=node,
        kind=_SORTS[node.kind.removeprefix(OWL)], chain=chain[::-1], codes=codes, defined=defined, rules=rules,
        parents=parents,
        children=children.get(iri, []), queries=naming(iri),
        users=sorted(users, key=lambda pair: (pair[0].id or "~", pair[0].label, pair[0].iri, pair[1])),
        rest=[fact for fact in book.facts[iri] if fact.property not in _APART],
    )  # fmt: skip


def _name(site: Site, property: str) -> str:
    return site.book.label(property)


def _properties(site: Site, name: str, nodes: list[Node]) -> None:
    book = site.book
    entries = [
        {
            "node": node, "kind": _SORTS[node.kind.removeprefix(OWL)], "queries": naming(node.iri),
            "uses": sum(1 for facts in book.facts.values() for fact in facts if fact.property == node.iri),
            "rest": [fact for fact in book.facts[node.iri] if fact.property not in _APART],
        }
        for node in sorted(nodes, key=lambda node: (node.label.lower(), node.iri))
    ]  # fmt: skip
    site.page(
        "properties.html",
        f"terms/{name}.html",
        f"Properties: {name}",
        chapter="terms.html",
        heading=name,
        entries=entries,
    )


@cache
def _named() -> dict[str, list[tuple[str, Query]]]:
    """The queries that name each term, by the term's IRI."""
    found: dict[str, list[tuple[str, Query]]] = defaultdict(list)
    for place, _ in FOLDERS:
        for one in folder(place):
            prefixes = dict(re.findall(r"PREFIX\s+(\w*):\s*<([^>]*)>", one.text))
            body = re.sub(r"(?m)^\s*#.*$|^PREFIX.*$", "", one.text)
            words = set(re.findall(r"\b([a-z]+):([A-Za-z][\w-]*)", body))
            for iri in sorted(prefixes[prefix] + word for prefix, word in words if prefix in prefixes):
                found[iri].append((place, one))
    return found


def naming(iri: str) -> list[tuple[str, Query]]:
    """The queries whose text names a term, with their folder."""
    return _named().get(iri, [])


def queries(site: Site) -> None:
    """An index of the queries, a page each with its text, and the file itself."""
    site.page(
        "queries.html", "queries.html", "Queries", folders=[(place, about, folder(place)) for place, about in FOLDERS]
    )
    tables = {table.query.name: table for table in site.tables}
    for place, _ in FOLDERS:
        for one in folder(place):
            path = f"queries/{place}/{one.name}.html"
            table = tables.get(one.name) if place == "ask" else None
            shown = (
                {"names": table.names, "rows": [_cells(site, path, row) for row in table.rows]}
                if table and table.rows
                else None
            )
            site.page("query.html", path, one.name, one.summary, "queries.html", folder=place, query=one, table=shown)
            site.pages[f"queries/{place}/{one.name}.rq"] = one.text


def _cells(site: Site, path: str, row: tuple[str, ...]) -> list[dict]:
    def cell(text: str) -> dict:
        iri = site.by_id.get(text, text)
        to = site.book.place(iri)
        return {"text": site.book.label(iri) if iri == text and to else text, "to": href(path, to) if to else ""}

    return [cell(text) for text in row]

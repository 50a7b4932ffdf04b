"""Two engines behind one small interface: pyoxigraph by default, rdflib as the reference. Both run the same query files."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from typing import Protocol

import pyoxigraph as ox

Triple = ox.Triple


class Engine(Protocol):
    """A dataset that can be read and added to, by default its default graph; SPARQL 1.1 over it. `name` as in ENGINES."""

    name: str
    package: str

    def add(self, triples: Iterable[Triple], graph: str | None = None) -> None: ...
    def construct(self, query: str) -> list[Triple]: ...
    def select(self, query: str) -> tuple[list[str], list[tuple]]: ...
    def ask(self, query: str) -> bool: ...
    def triples(self) -> Iterator[Triple]: ...


class OxigraphEngine:
    """The embedded store."""

    name, package = "oxigraph", "pyoxigraph"

    def __init__(self, triples: Iterable[Triple] = ()) -> None:
        self.store = ox.Store()
        self.add(triples)

    def add(self, triples: Iterable[Triple], graph: str | None = None) -> None:
        named = (ox.NamedNode(graph),) if graph else ()                 # naming the default graph takes twice as long
        self.store.extend([ox.Quad(*triple, *named) for triple in triples])

    def construct(self, query: str) -> list[Triple]:
        return list(self.store.query(query))

    def select(self, query: str) -> tuple[list[str], list[tuple]]:
        result = self.store.query(query)
        names = [variable.value for variable in result.variables]
        return names, [tuple(row[name] for name in names) for row in result]

    def ask(self, query: str) -> bool:
        return bool(self.store.query(query))

    def triples(self) -> Iterator[Triple]:
        return (quad.triple for quad in self.store.quads_for_pattern(None, None, None, ox.DefaultGraph()))


class RdflibEngine:
    """rdflib, slower by two orders of magnitude: the check that the query files mean the same elsewhere."""

    name, package = "rdflib", "rdflib"

    def __init__(self, triples: Iterable[Triple] = ()) -> None:
        import rdflib
        from rdflib.graph import DATASET_DEFAULT_GRAPH_ID

        self.graph = rdflib.Graph(identifier=DATASET_DEFAULT_GRAPH_ID)
        self._asked: rdflib.Graph = self.graph  # a dataset answers at half the speed: only once there is a named graph
        self.add(triples)

    def add(self, triples: Iterable[Triple], graph: str | None = None) -> None:
        import rdflib

        target = self.graph
        if graph:
            if self._asked is self.graph:
                self._asked = rdflib.Dataset(store=self.graph.store)
            target = self._asked.graph(graph)
        target.parse(data=ox.serialize(triples, format=ox.RdfFormat.N_TRIPLES), format="nt")

    def construct(self, query: str) -> list[Triple]:
        return from_rdflib(self._asked.query(query).graph)

    def select(self, query: str) -> tuple[list[str], list[tuple]]:
        result = self._asked.query(query)
        return [str(variable) for variable in result.vars], [tuple(map(from_rdflib_term, row)) for row in result]

    def ask(self, query: str) -> bool:
        return bool(self._asked.query(query).askAnswer)

    def triples(self) -> Iterator[Triple]:
        return iter(from_rdflib(self.graph))


ENGINES = {"oxigraph": OxigraphEngine, "rdflib": RdflibEngine}


def from_rdflib(graph) -> list[Triple]:
    """The triples of an rdflib graph in pyoxigraph's terms."""
    data = graph.serialize(format="nt", encoding="utf-8")
    return [quad.triple for quad in ox.parse(io.BytesIO(data), format=ox.RdfFormat.N_TRIPLES)]


def to_rdflib(triples: Iterable[Triple]):
    """An rdflib graph of these triples; literals that are no value of their type stay as they are written."""
    import logging

    import rdflib

    # rdflib logs a traceback for each such literal; the shapes report them in words
    logging.getLogger("rdflib.term").setLevel(logging.ERROR)
    return rdflib.Graph().parse(data=ox.serialize(triples, format=ox.RdfFormat.N_TRIPLES), format="nt")


def from_rdflib_term(node):
    """A term of rdflib in pyoxigraph's terms; None stays None."""
    import rdflib

    if node is None:
        return None
    if isinstance(node, rdflib.URIRef):
        return ox.NamedNode(str(node))
    if isinstance(node, rdflib.BNode):
        return ox.BlankNode(str(node))
    datatype = ox.NamedNode(str(node.datatype)) if node.datatype else None
    return ox.Literal(str(node), language=node.language) if node.language else ox.Literal(str(node), datatype=datatype)


def to_rdflib_term(term):
    """A term of pyoxigraph in rdflib's terms; literals stay as they are written."""
    import rdflib

    if isinstance(term, ox.NamedNode):
        return rdflib.URIRef(term.value)
    if isinstance(term, ox.BlankNode):
        return rdflib.BNode(term.value)
    datatype = None if term.language else rdflib.URIRef(term.datatype.value)
    return rdflib.Literal(term.value, lang=term.language, datatype=datatype, normalize=False)

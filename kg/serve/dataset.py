"""What the service serves, as N-Quads: guideline and ontology, files of the operator, patients with what was derived.

The default graph holds all of it but the named graphs of the operator's files: the queries of `queries/ask/` read that
graph. Beside it each ontology module, the patient facts and the derived triples also stand in a graph of their own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyoxigraph as ox

from kg import inputs
from kg.engine import Triple
from kg.errors import InputError
from kg.evaluate import Evaluation
from kg.guideline import Guideline, read_module
from kg.paths import data

FACTS = ox.NamedNode("https://w3id.org/sacroiliitis-kg/graph/facts")
DERIVED = ox.NamedNode("https://w3id.org/sacroiliitis-kg/graph/derived")


@dataclass(frozen=True)
class Dataset:
    """The data as N-Quads, the number of triples of the default graph and of each named graph."""

    quads: bytes
    size: int
    graphs: dict[str, int]


def dataset(guideline: Guideline, evaluation: Evaluation | None = None, files: Sequence[Path] = ()) -> Dataset:
    """Everything that is served. Raises InputError when a file is not RDF."""
    store = ox.Store()
    _add(store, ox.DefaultGraph(), (*guideline.triples, *guideline.closure))
    for path in sorted(data("ontology").glob("*.ttl")):
        module = read_module(path)
        _add(store, module.iri, module.triples)
        _add(store, ox.DefaultGraph(), module.triples)
    if evaluation is not None:
        for graph, triples in ((FACTS, evaluation.facts), (DERIVED, evaluation.derived)):
            _add(store, graph, triples)
        _add(store, ox.DefaultGraph(), evaluation.engine.triples())
    for path in files:
        store.extend(_quads(path))
    graphs = {graph.value: _count(store, graph) for graph in store.named_graphs() if isinstance(graph, ox.NamedNode)}
    return Dataset(store.dump(format=ox.RdfFormat.N_QUADS), _count(store, ox.DefaultGraph()), dict(sorted(graphs.items())))


def _add(store: ox.Store, graph, triples: Iterable[Triple]) -> None:
    store.extend(ox.Quad(t.subject, t.predicate, t.object, graph) for t in triples)


def _count(store: ox.Store, graph) -> int:
    return sum(1 for _ in store.quads_for_pattern(None, None, None, graph))


def _quads(path: Path) -> list[ox.Quad]:
    found = inputs.quads(str(path))
    if found is None:
        raise InputError(str(path), "--data", "not RDF", "give Turtle, N-Triples, N-Quads, TriG, JSON-LD or RDF/XML")
    return found

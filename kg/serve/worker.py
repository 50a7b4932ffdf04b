"""The process that runs queries, one at a time. It holds the data, is limited in memory, and can be killed."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from multiprocessing.connection import Connection
from typing import Any

import pyoxigraph as ox

from kg import tables
from kg.serve.negotiate import choose
from kg.serve.request import Asked

RESULTS = {"application/sparql-results+json": "json", "application/sparql-results+xml": "xml", "text/csv": "csv",
           "text/tab-separated-values": "tsv", "application/json": "json", "application/xml": "xml"}
BOOLEANS = {"application/sparql-results+json": ox.QueryResultsFormat.JSON, "application/sparql-results+xml": ox.QueryResultsFormat.XML,
            "application/json": ox.QueryResultsFormat.JSON, "application/xml": ox.QueryResultsFormat.XML}
GRAPHS = {"text/turtle": ox.RdfFormat.TURTLE, "application/n-triples": ox.RdfFormat.N_TRIPLES,
          "application/ld+json": ox.RdfFormat.JSON_LD, "application/rdf+xml": ox.RdfFormat.RDF_XML}
_GRACE = 5
_BASE = "https://w3id.org/sacroiliitis-kg/"
PREFIXES = {"gl": _BASE + "core#", "pt": _BASE + "patient#", "cl": _BASE + "clinical#", "rs": _BASE + "guideline/refractory-sacroiliitis#"}


@dataclass(frozen=True)
class Answer:
    """What a query gave: a body with its media type, cut after so many rows when `cut`; or the problem with it."""

    status: int
    media: str
    body: bytes
    cut: bool = False
    more: dict = field(default_factory=dict)


def main(connection: Connection, data: bytes, rows: int, memory: int, seconds: float) -> None:
    """Load the data (N-Quads), then answer one `Asked` after the other until the connection closes.

    `memory`: mebibytes that may be used on top of what holds the data; a query that needs more ends the process.
    `seconds`: should the service itself be gone and stop nobody, a timer ends the process a little later than that."""
    store = ox.Store()
    store.bulk_load(data, format=ox.RdfFormat.N_QUADS)
    serve(connection, lambda asked: answer(store, asked, rows), memory, seconds)


def serve(connection: Connection, answering: Callable[[Any], Answer], memory: int, seconds: float, set_up: Callable[[], None] | None = None,
          prepare: Callable[[], None] | None = None) -> None:
    """Say that all is loaded, then answer one job after the other, within these bounds, until the connection closes.

    `set_up` is done in between: what nobody has to wait for when the service starts. `prepare` is done after each answer:
    what the next job would otherwise wait for."""
    for name in (signal.SIGINT, signal.SIGTERM):                # the service ends its workers
        signal.signal(name, signal.SIG_IGN)
    try:
        connection.send("ready")
    except BrokenPipeError:                                     # the service ended meanwhile
        return
    if set_up:
        set_up()
    _limit(memory)
    while True:
        try:
            job = connection.recv()
        except EOFError:
            return
        signal.setitimer(signal.ITIMER_REAL, seconds + _GRACE)
        connection.send(answering(job))
        signal.setitimer(signal.ITIMER_REAL, 0)
        if prepare:
            prepare()


def answer(store: ox.Store, asked: Asked, rows: int) -> Answer:
    """Run one query over the store; at most `rows` solutions or triples are given."""
    def graphs(names):
        return None if names is None else [ox.NamedNode(name) for name in names]

    try:
        found = store.query(asked.query, base_iri=_BASE, default_graph=graphs(asked.default_graphs), named_graphs=graphs(asked.named_graphs))
        if isinstance(found, ox.QueryBoolean):
            media = choose(asked.accept, tuple(BOOLEANS))
            return _refused(BOOLEANS) if media is None else Answer(200, media, found.serialize(format=BOOLEANS[media]))
        if isinstance(found, ox.QueryTriples):
            media = choose(asked.accept, tuple(GRAPHS))
            if media is None:
                return _refused(GRAPHS)
            triples = list(islice(found, rows + 1))
            body = ox.serialize(triples[:rows], format=GRAPHS[media], prefixes=PREFIXES)
            return Answer(200, media, body, len(triples) > rows)
        media = choose(asked.accept, tuple(RESULTS))
        if media is None:
            return _refused(RESULTS)
        names = [variable.value for variable in found.variables]
        solutions = [tuple(one[name] for name in names) for one in islice(found, rows + 1)]
        body = tables.write(names, solutions[:rows], RESULTS[media]).encode()
        return Answer(200, media, body, len(solutions) > rows)
    except SyntaxError as error:
        return _problem(400, "malformed query", str(error), _place(str(error)))
    except (ValueError, OSError, RuntimeError) as error:
        return _problem(400, "the query cannot be run", str(error))


def _refused(offered: dict) -> Answer:
    return _problem(406, "not acceptable", "This kind of query gives: " + ", ".join(offered), {"offered": list(offered)})


def _problem(status: int, title: str, detail: str, more: dict | None = None) -> Answer:
    body = {"title": title, "status": status, "detail": detail, **(more or {})}
    return Answer(status, "application/problem+json", json.dumps(body).encode())


def _place(message: str) -> dict[str, int]:
    """Line and column, which the parser puts in front of its message ("error at 2:9: ...")."""
    import re

    found = re.search(r"(\d+):(\d+)", message)
    return {"line": int(found[1]), "column": int(found[2])} if found else {}


def _limit(memory: int) -> None:
    """Let the address space grow by so many mebibytes and no more, where the platform can limit it."""
    try:
        import resource

        with open("/proc/self/statm", encoding="ascii") as numbers:
            used = int(numbers.read().split()[0]) * resource.getpagesize()
    except (ImportError, OSError):
        return
    limit = used + memory * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))

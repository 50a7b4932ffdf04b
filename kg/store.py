"""The same derivation in a triple store that is already there: the INSERT forms of `queries/derive/`, and the calls.

Dataset contract: the rules, the patients' facts and what is derived stand in a graph each; the steps read all three
as one default graph (USING) and write into the third, each step after the one before it."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import islice

import pyoxigraph as ox

from kg.derive import Depth, in_order
from kg.engine import Triple
from kg.errors import InputError
from kg.queries import Query
from kg.terms import PT, RDF, XSD

_BASE = "https://w3id.org/sacroiliitis-kg/graph/"
RULES, FACTS, DERIVED = _BASE + "rules", _BASE + "facts", _BASE + "derived"
_CHUNK, _SECONDS = 2000, 600
STAGES = ("rules", "levels", *Depth.NODES.value)
_CONSTRUCT = re.compile(r"^CONSTRUCT (\{.*?\}) WHERE \{", re.MULTILINE | re.DOTALL)


def insert_form(query: Query) -> str:
    """A derive query as a SPARQL 1.1 Update: what it would construct goes into the graph of derived triples.

    Raises ValueError when the query is no `CONSTRUCT {...} WHERE {...}`."""
    using = "\n".join(f"USING <{graph}>" for graph in (RULES, FACTS, DERIVED))
    text, count = _CONSTRUCT.subn(lambda found: f"INSERT {{ GRAPH <{DERIVED}> {found[1]} }}\n{using}\nWHERE {{", query.text, 1)
    if count != 1:
        raise ValueError(f"{query.name}: not of the form CONSTRUCT {{...}} WHERE {{...}}")
    return text


def plain_form(query: Query) -> str:
    """A derive query as an update of the default graph alone, for a store that holds everything there.

    Raises ValueError as `insert_form` does."""
    text, count = _CONSTRUCT.subn(lambda found: f"INSERT {found[1]} WHERE {{", query.text, 1)
    if count != 1:
        raise ValueError(f"{query.name}: not of the form CONSTRUCT {{...}} WHERE {{...}}")
    return text


def load_forms(graph: str, triples: Iterable[Triple]) -> Iterator[str]:
    """Updates that empty a graph and fill it with these triples, some thousand at a time; blank nodes become IRIs."""
    yield f"CLEAR SILENT GRAPH <{graph}>"
    rest = iter(triples)
    while chunk := list(islice(rest, _CHUNK)):
        lines = "\n".join(f"{_named(t.subject)} {t.predicate} {_named(t.object)} ." for t in chunk)
        yield f"INSERT DATA {{ GRAPH <{graph}> {{\n{lines}\n}} }}"


def _named(term):
    return ox.NamedNode(f"urn:kg:blank:{term.value}") if isinstance(term, ox.BlankNode) else term


def dated(facts: Iterable[Triple], as_of: date) -> list[Triple]:
    """The facts with this as-of date, and no other, on each pt:Patient."""
    given = [t for t in facts if t.predicate.value != PT.asOf]
    patients = {t.subject for t in given if t.predicate.value == RDF.type and t.object == ox.NamedNode(PT.Patient)}
    day = ox.Literal(as_of.isoformat(), datatype=ox.NamedNode(XSD.date))
    return [*given, *(Triple(patient, ox.NamedNode(PT.asOf), day) for patient in sorted(patients, key=str))]


def derive(update: Callable[[str], None], size: Callable[[], int], step: Callable[[Query], None] | None = None,
           stages: Collection[str] = STAGES, form: Callable[[Query], str] = insert_form) -> None:
    """Run the derive steps of these stages by `update`; steps of a stage that repeats in turn until the first leaves `size`, the number of derived triples, as it is."""
    def run(query: Query) -> None:
        update(form(query))
        if step:
            step(query)

    def adds(query: Query) -> bool:
        before = size()
        run(query)
        return size() != before

    in_order(stages, run, adds)


@dataclass(frozen=True)
class Remote:
    """A SPARQL 1.1 store by HTTP: the address it takes queries at, and the one it takes updates at."""

    query_url: str
    update_url: str

    def update(self, text: str) -> None:
        """Send one update. Raises InputError when the store refuses it or cannot be reached."""
        self._send(self.update_url, text, "application/sparql-update", "*/*")

    def size(self) -> int:
        """The number of derived triples in the store."""
        text = f"SELECT (COUNT(*) AS ?n) WHERE {{ GRAPH <{DERIVED}> {{ ?s ?p ?o }} }}"
        found = json.loads(self._send(self.query_url, text, "application/sparql-query", "application/sparql-results+json"))
        return int(found["results"]["bindings"][0]["n"]["value"])

    def _send(self, url: str, text: str, media: str, accept: str) -> bytes:
        if not url.startswith(("http://", "https://")):
            raise InputError(url, "--store", "not an address", "give the http or https address of a SPARQL 1.1 endpoint")
        request = urllib.request.Request(url, text.encode(), {"Content-Type": media, "Accept": accept}, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=_SECONDS) as reply:
                return reply.read()
        except urllib.error.HTTPError as error:
            raise InputError(url, f"status {error.code}", error.reason, "is this the address for updates (--update-url) and may you write?") from None
        except (OSError, ValueError) as error:
            raise InputError(url, "--store", str(getattr(error, "reason", error)), "give the address of a SPARQL 1.1 endpoint that runs") from None

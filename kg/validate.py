"""SHACL validation of patient graphs, one patient at a time (shapes/patient.ttl, shapes/documentation.ttl)."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import Any

import pyoxigraph as ox
from rdflib import OWL, RDF, RDFS, SH, XSD, BNode, Graph, Literal, Namespace, URIRef
from rdflib.plugins.sparql import prepareQuery
from rdflib.plugins.sparql.sparql import Query
from rdflib.query import Result as Found
from rdflib.term import Node

from kg import terms
from kg.engine import Triple, from_rdflib, from_rdflib_term, to_rdflib, to_rdflib_term
from kg.paths import data as project_data

_GL, _PT = Namespace(str(terms.GL)), Namespace(str(terms.PT))
_LINKS = (_PT.patient, _PT.partOf, _GL.patient)
_UPWARDS = frozenset((RDF.type, RDFS.subClassOf, RDFS.domain, OWL.unionOf, RDF.first, RDF.rest))
_START, _END = str(_PT.start), str(_PT.end)
_MEASURED: dict[str, tuple[str, ...]] = {
    str(_PT.value): (), str(_PT.unit): (str(_PT.value),), str(_PT.birthDate): (), str(_PT.date): (), _START: (),
    _END: (str(_PT.status),), str(_PT.recorded): (), str(_PT.authored): ()}
#: How values of a type are written (RDF 1.1 with XML Schema).
_LEXICAL = {str(XSD[name]): re.compile(form, re.ASCII) for name, form in {
    "decimal": r"[+-]?(\d+(\.\d*)?|\.\d+)", "integer": r"[+-]?\d+", "boolean": "true|false|0|1",
    "date": r"(?!0000)\d{4}-\d\d-\d\d(Z|[+-]\d\d:\d\d)?"}.items()}
_SEVERITIES = ("Violation", "Warning", "Info")


@dataclass(frozen=True)
class Result:
    """One finding; IRIs and literals as text.

    `focus` is the fact or patient looked at; `value` is what is at fault there, and for a check of all facts of a
    patient the fact itself; `path` is the property, None where there is no single one."""

    severity: str
    focus: str
    path: str | None
    value: str | None
    message: str
    shape: str

    @property
    def said(self) -> tuple[str, str | None, str | None, str]:
        """For people: the fact, its property and the value at fault where these say more, and what is wrong."""
        about = self.value if self.value and self.value in self.message else self.focus
        value = self.value if self.value not in (None, self.focus, about) else None
        name = self.path.rsplit("#", 1)[-1] if self.path and about == self.focus else None
        return about, name, value, self.message


@dataclass(frozen=True)
class Report:
    """What validation found, violations first; `graph` is the same as one sh:ValidationReport.

    Warnings do not keep a graph from conforming: only what cannot be read safely does."""

    conforms: bool
    results: tuple[Result, ...]
    graph: Graph


def validate_record(facts: Iterable[Triple], further: Iterable[Path] = ()) -> tuple[Report, Graph]:
    """Check patient facts (pt: vocabulary) against the project's own shapes, with its own ontology: the report, the shapes.

    `further`: Turtle files of guidelines that bring concepts and measures of their own."""
    shapes = own_shapes()
    return validate(_as_written(facts), _known(tuple(further)), shapes), shapes


def validate(data: Graph, ontology: Graph | _Stored | None, shapes: Graph) -> Report:
    """Check the patients of `data` against `shapes`.

    `ontology` holds the concepts, units and ranges that facts refer to; None when `data` holds them itself.
    The graphs are rdflib graphs in memory and stay as they are. Raises pyshacl's errors when the shapes are faulty."""
    from pyshacl import validate as run

    merged, report = Graph(), BNode()
    for part in _parts(data):
        _describe(part, data if ontology is None else ontology)
        _, found, _ = run(part, shacl_graph=shapes, inplace=True, allow_warnings=True)
        if isinstance(found, Graph):
            _merge(merged, report, found)
        else:
            raise found
    results = ranked(_result(merged, node) for node in merged.objects(report, SH.result))
    conforms = all(result.severity != "Violation" for result in results)
    merged.add((report, RDF.type, SH.ValidationReport))
    merged.add((report, SH.conforms, Literal(conforms)))
    return Report(conforms, results, merged)


def well_formed(facts: Iterable[Triple]) -> Iterator[Triple]:
    """Facts in which a literal that its type does not allow is mere text: libraries differ in what they let pass, such as "1e5"^^xsd:decimal."""
    for fact in facts:
        value = fact.object
        form = _LEXICAL.get(value.datatype.value) if isinstance(value, ox.Literal) else None
        yield fact if form is None or form.fullmatch(value.value) else Triple(fact.subject, fact.predicate, ox.Literal(value.value))


def shapes_store() -> ox.Store:
    """The project's own shapes of a patient and of a documentation."""
    return _store(project_data("shapes", name) for name in ("patient.ttl", "documentation.ttl"))


def ontology_store(further: Iterable[Path] = ()) -> ox.Store:
    """The ontology that facts refer to, with further Turtle files."""
    return _store((*(project_data("ontology", name) for name in ("core.ttl", "patient.ttl", "clinical.ttl")), *further))


def _store(files: Iterable[Path]) -> ox.Store:
    store = ox.Store()
    for path in files:
        store.load(path=str(path), format=ox.RdfFormat.TURTLE)
    return store


@cache
def own_shapes() -> Graph:
    """The project's own shapes, parsed once a process: pySHACL only reads them."""
    from pyshacl.shapes_graph import ShapesGraph

    shapes = to_rdflib(quad.triple for quad in shapes_store())
    ShapesGraph(shapes)  # adds to them what it always adds, before several threads read them
    return shapes


@lru_cache(maxsize=4)
def _known(further: tuple[Path, ...]) -> _Stored:
    """The ontology with further files, parsed once a process."""
    return _Stored(ontology_store(further))


def _as_written(facts: Iterable[Triple]) -> Graph:
    """Facts as a graph of rdflib, whose parsers would rewrite literals, and so hide a time zone."""
    logging.getLogger("rdflib.term").setLevel(logging.ERROR)  # a traceback for each literal that is no value of its type
    graph = Graph()
    for fact in well_formed(facts):
        graph.add((to_rdflib_term(fact.subject), to_rdflib_term(fact.predicate), to_rdflib_term(fact.object)))
    return graph


class _Stored:
    """An embedded store read as a graph of rdflib: only what is asked for becomes terms of rdflib, which is slow."""

    def __init__(self, store: ox.Store) -> None:
        self._store = store
        self.triples = lru_cache(maxsize=4096)(self._triples)  # patients use the same few terms

    def _triples(self, pattern: tuple[Node | None, Node | None, Node | None]) -> list[tuple[Node, Node, Node]]:
        terms = (None if node is None else from_rdflib_term(node) for node in pattern)
        quads = self._store.quads_for_pattern(*terms, ox.DefaultGraph())
        return [(to_rdflib_term(quad.subject), to_rdflib_term(quad.predicate), to_rdflib_term(quad.object)) for quad in quads]

    def subjects(self, predicate: Node, value: Node) -> Iterator[Node]:
        return (subject for subject, _, _ in self.triples((None, predicate, value)))


def readable(triples: Sequence[Triple], results: Iterable[Result], shapes: Graph) -> list[Triple]:
    """The triples (pyoxigraph's) without the numbers and dates that violations among `results` name: what cannot be read
    safely counts as not recorded, never as what stands there.

    A number goes with its unit; a status goes with an end, as the course may be over; where start and end contradict
    each other, both go. Nothing else is left out: a bar stays one however it is written."""
    subjects = {triple.subject.value for triple in triples}
    unsafe: set[tuple[str, str]] = set()
    for one in results:
        if one.severity == "Violation":
            # a shape without a path looks at those that have the property it targets
            paths = {one.path} if one.path else set(map(str, shapes.objects(URIRef(one.shape), SH.targetSubjectsOf)))
            compared = one.value in subjects and one.value != one.focus
            for path in paths & _MEASURED.keys():
                also = (*_MEASURED[path], *((_START,) if compared and path == _END else ()))
                unsafe.update((one.value if compared else one.focus, name) for name in (path, *also))
    return [t for t in triples if (t.subject.value, t.predicate.value) not in unsafe]


class _Part(Graph):
    """A graph whose queries run in the embedded store first: for most there is nothing to find, and to parse one takes rdflib longer than all else.

    What there is to find, rdflib finds; it parses each query once."""

    @cached_property
    def _stored(self) -> ox.Store:
        store = ox.Store()
        store.extend(ox.Quad(*t) for t in from_rdflib(self))
        return store

    def query(self, query_object: Any, processor: Any = "sparql", result: Any = "sparql", initNs: Any = None, initBindings: Any = None, *args: Any, **kwargs: Any) -> Any:
        if isinstance(query_object, str):
            given = {ox.Variable(str(name)): from_rdflib_term(value) for name, value in (initBindings or {}).items()}
            if next(iter(self._stored.query(query_object, substitutions=given)), None) is None:
                none = Found("SELECT")
                none.vars, none.bindings = [], []
                return none
            query_object = _prepared(query_object)
        return super().query(query_object, processor, result, initNs, initBindings, *args, **kwargs)


@lru_cache(maxsize=64)
def _prepared(text: str) -> Query:
    return prepareQuery(text)


def _parts(data: Graph) -> Iterator[_Part]:
    """The data cut into patients with all their facts, and a last part with what belongs to none.

    Patients that share a fact stay together, so that the sharing can be seen."""
    neighbours: dict[Node, list[Node]] = {patient: [] for patient in data.subjects(RDF.type, _PT.Patient)}
    for link in _LINKS:
        for fact, other in data.subject_objects(link):
            neighbours.setdefault(fact, []).append(other)
            neighbours.setdefault(other, []).append(fact)
    seen: set[Node] = set()
    for start in sorted(neighbours):
        if start not in seen:
            members = _reachable(start, neighbours)
            seen |= members
            yield _filled(triple for member in members for triple in data.triples((member, None, None)))
    rest = _filled(triple for triple in data if triple[0] not in seen)
    if len(rest):
        yield rest


def _reachable(start: Node, neighbours: dict[Node, list[Node]]) -> set[Node]:
    found, todo = {start}, [start]
    while todo:
        new = [node for node in neighbours[todo.pop()] if node not in found]
        found.update(new)
        todo.extend(new)
    return found


def _filled(triples: Iterable[tuple[Node, Node, Node]]) -> _Part:
    part = _Part()
    for subject, predicate, value in triples:
        part.add((subject, predicate, _plain(value)))
    return part


def _plain(term: Node) -> Node:
    """A string without its datatype: rdflib tells "x" from "x"^^xsd:string, which RDF does not."""
    return Literal(str(term)) if isinstance(term, Literal) and term.datatype == XSD.string else term


def _describe(part: Graph, ontology: Graph | _Stored) -> None:
    """Add to a part what the ontology says of the terms it uses and the classes above them, and the units.

    Handing pySHACL the whole ontology would cost it a copy for each patient."""
    seen: set[Node] = set()
    todo = [node for _, predicate, value in part for node in (predicate, value) if isinstance(node, URIRef)]
    todo.extend(ontology.subjects(RDF.type, _GL.Unit))
    while todo:
        node = todo.pop()
        if node in seen:
            continue
        seen.add(node)
        for triple in ontology.triples((node, None, None)):
            part.add((node, triple[1], _plain(triple[2])))
            if triple[1] in _UPWARDS:
                todo.append(triple[2])
        for triple in ontology.triples((None, _GL.measure, node)):
            part.add(triple)


def _merge(merged: Graph, report: BNode, found: Graph) -> None:
    own = set(found.subjects(RDF.type, SH.ValidationReport))
    for subject, predicate, value in found:
        if subject not in own:
            merged.add((subject, predicate, value))
        elif predicate == SH.result:
            merged.add((report, predicate, value))


def _result(graph: Graph, node: Node) -> Result:
    path, value = graph.value(node, SH.resultPath), graph.value(node, SH.value)
    return Result(
        severity=str(graph.value(node, SH.resultSeverity)).removeprefix(str(SH)),
        focus=str(graph.value(node, SH.focusNode)),
        path=str(path) if isinstance(path, URIRef) else None,
        value=None if value is None else str(value),
        message=" ".join(sorted(map(str, graph.objects(node, SH.resultMessage)))),
        shape=str(graph.value(node, SH.sourceShape)))


def ranked(results: Iterable[Result]) -> tuple[Result, ...]:
    """Results in order, violations first."""
    return tuple(sorted(results, key=_rank))


def _rank(result: Result) -> tuple[int, str, str, str, str]:
    return _SEVERITIES.index(result.severity), result.focus, result.shape, result.path or "", result.value or ""

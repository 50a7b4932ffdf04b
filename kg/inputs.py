"""Reading what the user gives: patient RDF in any common format, FHIR R4 JSON or NDJSON, or standard input."""

from __future__ import annotations

import codecs
import json
import re
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pyoxigraph as ox

from kg import fhir, sitecodes
from kg.codes import CodeIndex
from kg.engine import Triple
from kg.errors import InputError
from kg.fhir import Finding, answers
from kg.paths import data
from kg.terms import PT

if TYPE_CHECKING:
    from kg.validate import Report

_BY_SUFFIX = {
    ".ttl": ox.RdfFormat.TURTLE, ".nt": ox.RdfFormat.N_TRIPLES, ".nq": ox.RdfFormat.N_QUADS, ".trig": ox.RdfFormat.TRIG,
    ".rdf": ox.RdfFormat.RDF_XML, ".xml": ox.RdfFormat.RDF_XML, ".owl": ox.RdfFormat.RDF_XML, ".jsonld": ox.RdfFormat.JSON_LD,
}
_IRI = re.compile(rb"<[A-Za-z][A-Za-z0-9+.-]*:[^\s<>]*>")
_FHIR_XML = re.compile(rb"""xmlns\s*=\s*["']http://hl7\.org/fhir["']""")
_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"


@dataclass
class Inputs:
    """Everything that could be read of the inputs given together; `errors` are the inputs that could not be.

    `rdf`: some of it was RDF, which the importer of FHIR has not looked over; `report`: what the shapes say of it,
    once somebody asked."""

    triples: list[Triple] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    errors: list[InputError] = field(default_factory=list)
    entries: int = 0
    ignored: int = 0
    patients: list[ox.NamedNode] = field(default_factory=list)
    rdf: bool = False
    report: Report | None = None


def codes(file: Path | None = None) -> tuple[CodeIndex, tuple[str, ...]]:
    """The code mappings of the ontology, with a site's own before them; and what of those could not be used."""
    store = ox.Store()
    for path in sorted(data("ontology").glob("*.ttl")):
        store.load(path=str(path), format=ox.RdfFormat.TURTLE)
    index = CodeIndex.from_store(store)
    if file is None:
        return index, ()
    return sitecodes.extend(index, sitecodes.parse(_bytes(str(file)), str(file)), str(file))


def read(places: list[str], index: CodeIndex, load: Callable[[str], bytes] | None = None) -> Inputs:
    """Read every input; FHIR resources of all inputs are one record, so that a bulk export by resource type works.

    Answers of QuestionnaireResponses are written into the facts of all inputs, RDF included. `load` gives the content of a
    place that is no file."""
    found = Inputs()
    documents: list[tuple[str, object]] = []
    for place in places:
        try:
            content = (load or _bytes)(place)
            syntax = _syntax(place, content)
            if syntax is None:
                documents.extend(fhir.parse(content, place))
            else:
                found.triples.extend(_rdf(content, place, syntax))
                found.rdf = True
        except InputError as error:
            found.errors.append(error)
    if documents:
        lifted = fhir.lift(documents, index)
        found.triples.extend(lifted.triples)
        found.findings.extend(lifted.findings)
        found.entries, found.ignored = lifted.entries, lifted.ignored
        found.patients.extend(lifted.patients)
        found.triples, more = answered(found.triples, lifted, index)
        found.findings.extend(finding for finding in more if finding not in found.findings)
    named = {t.subject for t in found.triples if t.predicate.value == _TYPE and t.object == ox.NamedNode(PT.Patient)}
    found.patients.extend(sorted(named - set(found.patients), key=lambda node: node.value))
    return found


def safe(found: Inputs, further: Iterable[Path] = ()) -> list[Triple]:
    """The triples to evaluate: of RDF, which no importer has looked over, without numbers and dates that violate the shapes.

    `further`: files of guidelines with concepts and measures of their own."""
    if not found.rdf:
        return found.triples
    from kg.validate import readable, validate_record

    found.report, shapes = validate_record(found.triples, further)
    return readable(found.triples, found.report.results, shapes)


def nobody(places: list[str]) -> InputError:
    """What to say of inputs that hold nothing of any patient."""
    return InputError(", ".join(places), "input", "no patient in it", "give a FHIR Patient, or a pt:Patient in RDF")


def answered(triples: Iterable[Triple], lifted: fhir.Lifted, index: CodeIndex) -> tuple[list[Triple], list[Finding]]:
    """The facts with the answers of the QuestionnaireResponses of an import written into them, and what was found in those."""
    found = list(answers.apply(triples, lifted.responses, index))
    return found, [finding for entry in lifted.responses for finding in entry.view.findings]


def _bytes(place: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if place == "-" else Path(place).read_bytes()
    except OSError as error:
        raise InputError(place, "file", error.strerror or "cannot be read", "give the path of a readable file") from error


def _syntax(place: str, content: bytes) -> ox.RdfFormat | None:
    """The RDF format of an input; None for FHIR JSON. The file's ending counts, else how its text begins."""
    known = _BY_SUFFIX.get(Path(place).suffix.lower())
    if known:
        return known
    start = content.removeprefix(codecs.BOM_UTF8).lstrip()[:200]
    if start.startswith((b"{", b"[")):
        return ox.RdfFormat.JSON_LD if b"@context" in content[:5000] or b"@graph" in content[:5000] else None
    if start.startswith((b"<?xml", b"<rdf:", b"<!DOCTYPE")):
        return ox.RdfFormat.RDF_XML
    if start.startswith((b"@prefix", b"@base", b"PREFIX", b"BASE", b"#")):
        return ox.RdfFormat.TURTLE
    if _IRI.match(start) or start.startswith(b"_:"):
        return ox.RdfFormat.N_QUADS
    return None


def _rdf(content: bytes, place: str, syntax: ox.RdfFormat) -> list[Triple]:
    """The triples of an RDF document, all its graphs together; blank nodes become IRIs, because facts must have one."""
    return [Triple(_named(quad.subject), quad.predicate, _named(quad.object)) for quad in _parse(content, place, syntax)]


def quads(place: str) -> list[ox.Quad] | None:
    """The quads of an RDF file or of standard input, as they are; None when it is not RDF. Raises InputError."""
    content = _bytes(place)
    syntax = _syntax(place, content)
    return None if syntax is None else _parse(content, place, syntax)


def _parse(content: bytes, place: str, syntax: ox.RdfFormat) -> list[ox.Quad]:
    content = content.removeprefix(codecs.BOM_UTF8)
    if not content.strip():
        raise InputError(place, "line 1", "the file is empty", "give a file that holds a patient")
    if syntax == ox.RdfFormat.RDF_XML and b"<!DOCTYPE" in content:
        raise InputError(place, "DOCTYPE", "document type declarations are not read", "remove the DOCTYPE and its entities")
    if syntax == ox.RdfFormat.RDF_XML and _FHIR_XML.search(content[:2000]):
        raise InputError(place, "line 1", "is FHIR in XML", "give the JSON form")
    if syntax == ox.RdfFormat.JSON_LD:
        _no_remote_context(content, place)
    try:
        return list(ox.parse(content, format=syntax))
    except SyntaxError as error:
        raise InputError(place, f"line {error.lineno or '?'}", f"not {syntax.name}: {error.msg}", "correct the text there") from error
    except ValueError as error:
        raise InputError(place, "text", f"not {syntax.name}: {error}", "correct the text") from error


def _named(term):
    return ox.NamedNode(f"urn:kg:blank:{term.value}") if isinstance(term, ox.BlankNode) else term


def _no_remote_context(content: bytes, place: str) -> None:
    def contexts(node):
        if isinstance(node, dict):
            for key, value in node.items():
                if key == "@context":
                    yield from value if isinstance(value, list) else [value]
                yield from contexts(value)
        elif isinstance(node, list):
            for item in node:
                yield from contexts(item)

    try:
        document = json.loads(content)
    except ValueError as error:
        raise InputError(place, f"line {getattr(error, 'lineno', '?')}", f"not JSON: {error}", "correct the text there") from error
    except RecursionError as error:
        raise InputError(place, "text", "nested too deeply", "flatten the document") from error
    if any(isinstance(context, str) for context in contexts(document)):
        raise InputError(place, "@context", "a context from elsewhere is not fetched", "write the context into the file")

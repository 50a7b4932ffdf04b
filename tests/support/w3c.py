"""The W3C's protocol tests, read from their manifest and run against any endpoint."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import httpx
import rdflib
from rdflib import RDF, Namespace

_MF = Namespace("http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#")
_HT, _CNT = Namespace("http://www.w3.org/2011/http#"), Namespace("http://www.w3.org/2011/content#")
_FORMATS = {"boolean": ("application/sparql-results+json", "application/sparql-results+xml"),
            "tabular": ("application/sparql-results+json", "application/sparql-results+xml", "text/csv", "text/tab-separated-values"),
            "RDF": ("text/turtle", "application/n-triples", "application/rdf+xml", "application/ld+json")}
#: The graphs of the tests, as their manifest calls them, and the files that hold them.
DATA = {f"http://kasei.us/2009/09/sparql/data/data{number}.rdf": f"data{number}.nt" for number in (1, 2, 3)}


@dataclass(frozen=True)
class Step:
    """One request of a test and what must come back."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes | None
    statuses: frozenset[str]
    boolean: bool | None
    form: str | None


@dataclass(frozen=True)
class Case:
    """One test; `update` when it is about updates, which a read-only endpoint refuses."""

    name: str
    steps: tuple[Step, ...]

    @property
    def update(self) -> bool:
        return "update" in self.name

    @property
    def good(self) -> bool:
        return all("4" not in status for step in self.steps for status in step.statuses)


def cases(folder: Path) -> list[Case]:
    """The tests of the manifest in a folder, in its order; none when the folder is absent."""
    path = folder / "sparql11-protocol-manifest.ttl"
    if not path.exists():
        return []
    graph = rdflib.Graph().parse(path)
    (manifest,) = graph.subjects(RDF.type, _MF.Manifest)
    return [Case(str(test).rsplit("#")[-1], tuple(_steps(graph, test))) for test in graph.items(graph.value(manifest, _MF.entries))]


def _steps(graph: rdflib.Graph, test):
    for requests in graph.objects(graph.value(test, _MF.action), _HT.requests):
        for request in graph.items(requests):
            headers = {str(graph.value(one, _HT.fieldName)): str(graph.value(one, _HT.fieldValue)) for one in graph.items(graph.value(request, _HT.headers))}
            body, response = graph.value(request, _HT.body), graph.value(request, _HT.resp)
            text = None if body is None else str(graph.value(body, _CNT.chars)).encode(str(graph.value(body, _CNT.characterEncoding)))
            boolean, form = graph.value(response, _MF.expectedBoolean), graph.value(response, _MF.expectedFormat)
            yield Step(str(graph.value(request, _HT.methodName)), str(graph.value(request, _HT.absolutePath)), headers, text,
                       frozenset(str(one).removesuffix("xx")[-1] for one in graph.objects(response, _MF.expectedStatus)),
                       None if boolean is None else boolean.toPython(), None if form is None else str(form))


def faults(case: Case, client: httpx.Client, endpoints: dict[str, str]) -> list[str]:
    """What an endpoint does otherwise than the test says; `endpoints`: the paths for "query" and for "update"."""
    return [fault for step in case.steps for fault in _faults(step, client, endpoints)]


def _faults(step: Step, client: httpx.Client, endpoints: dict[str, str]) -> list[str]:
    about = "update" if "update" in step.headers.get("content-type", "") or b"update=" in (step.body or step.path.encode()) else "query"
    reply = client.request(step.method, step.path.replace("/sparql/", endpoints[about], 1), headers=step.headers, content=step.body)
    if str(reply.status_code)[0] not in step.statuses:
        return [f"status {reply.status_code}"]
    media = reply.headers.get("content-type", "").split(";")[0]
    if step.form and media not in _FORMATS[step.form]:
        return [f"type {media}"]
    if step.boolean is not None:
        said = json.loads(reply.text)["boolean"] if "json" in media else "true" in reply.text
        return [] if said is step.boolean else [f"said {said}"]
    return []

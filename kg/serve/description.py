"""What the endpoint says of itself: SPARQL 1.1 Service Description and VoID, as triples."""

from __future__ import annotations

import pyoxigraph as ox

from kg.serve.dataset import Dataset

_SD, _VOID = "http://www.w3.org/ns/sparql-service-description#", "http://rdfs.org/ns/void#"
_DCTERMS, _RDF = "http://purl.org/dc/terms/", "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_FORMATS = "http://www.w3.org/ns/formats/"
_GIVEN = ("SPARQL_Results_JSON", "SPARQL_Results_XML", "SPARQL_Results_CSV", "SPARQL_Results_TSV",
          "Turtle", "N-Triples", "JSON-LD", "RDF_XML")
PREFIXES = {"sd": _SD, "void": _VOID, "dcterms": _DCTERMS}


def description(endpoint: str, served: Dataset, title: str) -> list[ox.Triple]:
    """The description of an endpoint (IRI) that serves this dataset."""
    service, everything, default = (ox.NamedNode(endpoint + part) for part in ("", "#dataset", "#default-graph"))
    out: list[ox.Triple] = []

    def say(subject, predicate: str, value) -> None:
        out.append(ox.Triple(subject, ox.NamedNode(predicate), value if not isinstance(value, str) else ox.NamedNode(value)))

    say(service, _RDF + "type", _SD + "Service")
    say(service, _SD + "endpoint", service)
    say(service, _SD + "supportedLanguage", _SD + "SPARQL11Query")
    for name in _GIVEN:
        say(service, _SD + "resultFormat", _FORMATS + name)
    say(service, _SD + "defaultDataset", everything)
    for kind in (_SD + "Dataset", _VOID + "Dataset"):
        say(everything, _RDF + "type", kind)
    say(everything, _DCTERMS + "title", ox.Literal(title, language="en"))
    say(everything, _VOID + "sparqlEndpoint", service)
    say(everything, _VOID + "triples", ox.Literal(served.size))
    say(everything, _SD + "defaultGraph", default)
    say(default, _RDF + "type", _SD + "Graph")
    say(default, _VOID + "triples", ox.Literal(served.size))
    for number, (graph, size) in enumerate(served.graphs.items(), 1):
        node = ox.NamedNode(f"{endpoint}#graph-{number}")
        say(everything, _SD + "namedGraph", node)
        say(node, _RDF + "type", _SD + "NamedGraph")
        say(node, _SD + "name", graph)
        say(node, _VOID + "triples", ox.Literal(size))
    return out

"""Namespaces and code-system names. Terms are plain IRI strings: `PT.Present` is the IRI of pt:Present."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Namespace:
    """A namespace IRI; an attribute is a term in it, `str()` is the namespace itself."""

    iri: str

    def __getattr__(self, name: str) -> str:
        if name.startswith("__"):
            raise AttributeError(name)
        return self.iri + name

    def __str__(self) -> str:
        return self.iri


GL = Namespace("https://w3id.org/sacroiliitis-kg/core#")
PT = Namespace("https://w3id.org/sacroiliitis-kg/patient#")
CL = Namespace("https://w3id.org/sacroiliitis-kg/clinical#")
RDF = Namespace("http://www.w3.org/1999/02/22-rdf-syntax-ns#")
RDFS = Namespace("http://www.w3.org/2000/01/rdf-schema#")
SKOS = Namespace("http://www.w3.org/2004/02/skos/core#")
XSD = Namespace("http://www.w3.org/2001/XMLSchema#")
OWL = Namespace("http://www.w3.org/2002/07/owl#")
PROV = Namespace("http://www.w3.org/ns/prov#")
DCTERMS = Namespace("http://purl.org/dc/terms/")

RECORD = "https://w3id.org/sacroiliitis-kg/CodeSystem/record"
ICD_10 = "http://hl7.org/fhir/sid/icd-10"
UCUM = "http://unitsofmeasure.org"


def local(iri: str) -> str:
    """The last part of an IRI, after # or /."""
    return re.split(r"[#/]", iri.rstrip("#/"))[-1]

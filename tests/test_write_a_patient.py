"""The examples of docs/write-a-patient.md are one patient that validates, and they show the whole vocabulary."""

from __future__ import annotations

import re
from pathlib import Path

from rdflib import OWL, RDF, Graph, URIRef

from kg import paths
from kg.validate import validate

PAGE = (Path(__file__).parents[1] / "docs" / "write-a-patient.md").read_text(encoding="utf-8")
PT = "https://w3id.org/sacroiliitis-kg/patient#"
CL = "https://w3id.org/sacroiliitis-kg/clinical#"
BLOCKS = re.findall(r"^```turtle\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
SET_ELSEWHERE = {"asOf"}      # written by the evaluation
FOR_CODES = {"Bilateral"}     # what a code means; a fact carries both sides instead
KINDS = {"Contraindication", "Course", "Diagnosis", "Observation", "Patient", "Plan", "Procedure", "UnreadAlert"}


def ontology() -> Graph:
    merged = Graph()
    for file in sorted(paths.data("ontology").glob("*.ttl")):
        merged.parse(file)
    for file in sorted(paths.data("ontology", "guidelines").glob("*.ttl")):
        merged.parse(file)
    return merged


ONTOLOGY = ontology()
PATIENT = Graph().parse(data="\n".join(BLOCKS), format="turtle")


def own(kind: URIRef) -> set[str]:
    """Local names of the pt: terms of a kind."""
    return {str(term).removeprefix(PT) for term in ONTOLOGY.subjects(RDF.type, kind) if str(term).startswith(PT)}


def test_examples_have_neither_violations_nor_warnings() -> None:
    shapes = Graph().parse(paths.data("shapes", "patient.ttl"))
    assert validate(PATIENT, ONTOLOGY, shapes).results == ()


def test_each_example_stands_alone_after_the_prefixes() -> None:
    for block in BLOCKS[1:]:
        assert len(Graph().parse(data=BLOCKS[0] + block, format="turtle"))


def test_every_kind_has_an_example() -> None:
    assert {str(kind).removeprefix(PT) for kind in PATIENT.objects(None, RDF.type)} == KINDS


def test_every_property_has_an_example() -> None:
    declared = own(OWL.ObjectProperty) | own(OWL.DatatypeProperty) | own(OWL.AnnotationProperty)
    assert declared - {str(p).removeprefix(PT) for p in PATIENT.predicates()} == SET_ELSEWHERE


def test_every_value_is_named() -> None:
    assert own(OWL.NamedIndividual) - set(re.findall(r"pt:(\w+)", PAGE)) == FOR_CODES


def test_every_term_on_the_page_exists() -> None:
    for prefix, namespace in (("pt", PT), ("cl", CL)):
        for name in set(re.findall(rf"\b{prefix}:(\w+)", PAGE)):
            assert (URIRef(namespace + name), None, None) in ONTOLOGY, f"{prefix}:{name}"

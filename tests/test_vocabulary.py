"""The vocabulary: each term declared once and explained, modules complete, no clinical term outside the ontology."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from pathlib import Path

import pyoxigraph as ox
import pytest

from kg.engine import Triple
from kg.guideline import read_module
from kg.paths import data

ROOT = Path(__file__).resolve().parent.parent
GL = "https://w3id.org/sacroiliitis-kg/core#"
PROJECT = "https://w3id.org/sacroiliitis-kg/"
TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
LABEL = "http://www.w3.org/2000/01/rdf-schema#label"
ALTERNATIVE = "http://www.w3.org/2004/02/skos/core#altLabel"
DEFINITION = "http://www.w3.org/2004/02/skos/core#definition"


def files() -> list[Path]:
    folder = ROOT / "ontology"
    return sorted(path for path in folder.rglob("*.ttl") if "release" not in path.parts)


@cache
def stated() -> tuple[tuple[Path, Triple], ...]:
    return tuple((path, triple) for path in files() for triple in read_module(path).triples)


def words(text: str) -> set[str]:
    """The prefixed project terms of a query text, comments and strings aside."""
    text = re.sub(r'"[^"]*"|(?m:(?:^|\s)#.*$)', " ", text)
    prefixes = {name: iri for name, iri in re.findall(r"PREFIX (\w+): <([^>]*)>", text) if iri.startswith(PROJECT)}
    return {
        prefixes[name] + word
        for name, word in re.findall(r"(?<![\w?])(\w+):([A-Za-z][\w-]*)", text)
        if name in prefixes
    }


def declared() -> Counter:
    """How many files give a term one of the OWL kinds."""
    kinds = {
        f"http://www.w3.org/2002/07/owl#{kind}"
        for kind in ("Class", "ObjectProperty", "DatatypeProperty", "AnnotationProperty", "NamedIndividual")
    }
    found = {
        (path, triple.subject.value)
        for path, triple in stated()
        if triple.predicate.value == TYPE and triple.object.value in kinds and isinstance(triple.subject, ox.NamedNode)
    }
    return Counter(term for _, term in found)


def vocabulary_used() -> set[str]:
    """Every term of the core, patient and clinical vocabularies that the ontology or a query uses."""
    spaces = tuple(PROJECT + name + "#" for name in ("core", "patient", "clinical"))
    used = {
        term.value
        for _, triple in stated()
        for term in (triple.subject, triple.predicate, triple.object)
        if isinstance(term, ox.NamedNode)
    }
    for path in (ROOT / "queries").glob("*/*.rq"):
        used |= words(path.read_text(encoding="utf-8"))
    return {term for term in used if term.startswith(spaces)}


def test_every_term_is_declared_once():
    count = declared()
    assert {term: count[term] for term in vocabulary_used() if count[term] != 1} == {}


@pytest.mark.parametrize("predicate", [LABEL, DEFINITION], ids=["label", "definition"])
def test_every_term_has_one_label_and_one_definition(predicate):
    count = Counter(triple.subject.value for _, triple in stated() if triple.predicate.value == predicate)
    assert {term: count[term] for term in vocabulary_used() if count[term] != 1} == {}


def test_no_two_terms_of_the_core_share_a_label_or_a_definition():
    for predicate in (LABEL, DEFINITION):
        said = Counter(
            triple.object.value.lower()
            for path, triple in stated()
            if path.name == "core.ttl" and triple.predicate.value == predicate
        )
        assert [text for text, count in said.items() if count > 1] == []


def test_what_can_be_missing_has_a_label_and_a_question():
    texts = {(triple.subject.value, triple.predicate.value) for _, triple in stated()}
    needed = {
        triple.object.value
        for _, triple in stated()
        if triple.predicate.value in (GL + "needs", GL + "compares")
        and any(other.subject == triple.subject and other.predicate.value == GL + "treatment" for _, other in stated())
    }
    needed |= {GL + name for name in ("UnconfirmedContraindication", "PastIntolerance", "UnreadStopReason")}
    needed -= {GL + "population"}
    assert {term for term in needed if (term, LABEL) not in texts or (term, GL + "ask") not in texts} == set()


def test_annotation_properties_of_other_vocabularies_are_declared():
    foreign = {
        triple.predicate.value
        for _, triple in stated()
        if triple.predicate.value.startswith(("http://purl.org/dc/terms/", "http://www.w3.org/2004/02/skos/core#"))
    }
    assert {term for term in foreign if declared()[term] != 1} == set()


def test_the_catalog_names_every_module_and_nothing_else():
    text = data("ontology", "catalog-v001.xml").read_text(encoding="utf-8")
    entries = dict(re.findall(r'<uri name="([^"]*)" uri="([^"]*)"/>', text))
    assert entries == {read_module(path).iri.value: path.relative_to(ROOT / "ontology").as_posix() for path in files()}


def test_the_top_module_imports_every_other():
    top = read_module(data("ontology", "sacroiliitis-kg.ttl"))
    others = {read_module(path).iri.value for path in files() if "examples" not in path.parts} - {top.iri.value}
    assert {iri.value for iri in top.imports} == others


# guideline = data


def agents_and_conditions() -> set[str]:
    """Labels and alternative labels of the individuals of clinical life: drugs, procedures, conditions, measures."""
    clinical = PROJECT + "clinical#"
    individuals = {
        triple.subject
        for _, triple in stated()
        if triple.predicate.value == TYPE
        and triple.object.value == "http://www.w3.org/2002/07/owl#NamedIndividual"
        and triple.subject.value.startswith(clinical)
    }
    return {
        triple.object.value.lower()
        for _, triple in stated()
        if triple.subject in individuals and triple.predicate.value in (LABEL, ALTERNATIVE)
    }


@pytest.mark.parametrize(
    "path",
    [*sorted((ROOT / "kg").rglob("*.py")), *sorted((ROOT / "queries").rglob("*.rq"))],
    ids=lambda path: path.relative_to(ROOT).as_posix(),
)
def test_no_clinical_term_stands_in_code_or_queries(path):
    text = path.read_text(encoding="utf-8").lower().replace(PROJECT, "")
    found = {term for term in agents_and_conditions() if re.search(rf"(?<![\w-]){re.escape(term)}(?![\w-])", text)}
    assert found == set()
    assert not re.search(r"\b(cl|rs):\w", text)

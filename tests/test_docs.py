"""The generated pages: complete, linked, self-contained, accessible, and the same at every run."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path
from posixpath import dirname, join, normpath
from urllib.parse import unquote
from xml.etree import ElementTree

import pyoxigraph as ox
import pytest
from typer.testing import CliRunner

from kg import docs
from kg.cli import app
from kg.docs import pathway
from kg.docs.book import read
from kg.docs.charts import charts
from kg.docs.rows import page_queries, rows
from kg.errors import InputError
from kg.guideline import Guideline, load
from kg.queries import folder
from kg.terms import CL, GL, RDF, RDFS
from tests.support.pages import bare, barriers, ids, loads_from_outside, parse

TOY = (Path(__file__).parent / "guidelines" / "toy.ttl",)
OWL = "http://www.w3.org/2002/07/owl#"


@pytest.fixture(scope="module")
def guideline():
    return load()


@pytest.fixture(scope="module")
def book(guideline):
    return read(guideline)


@pytest.fixture(scope="module")
def site(guideline):
    return docs.pages(guideline)


@pytest.fixture(scope="module")
def trees(site):
    return {path: parse(text) for path, text in site.items() if path.endswith(".html")}


def dead_links(trees: dict[str, ElementTree.Element], files: set[str]) -> list[tuple[str, str]]:
    """Links that lead to no file of the site or to no anchor in it."""
    anchors = {path: set(ids(tree)) for path, tree in trees.items()}
    dead = []
    for path, tree in trees.items():
        for element in tree.iter():
            to = element.get("href")
            if to is None or re.match(r"[a-z]+:", to):
                continue
            file, _, anchor = to.partition("#")
            target = normpath(join(dirname(path), unquote(file))) if file else path
            if target not in files or anchor and unquote(anchor) not in anchors[target]:
                dead.append((path, to))
    return dead


def test_two_runs_give_the_same_bytes(site):
    """In another process, with other hash seeds, so that no order of a set shows."""
    code = "from kg import docs; from kg.guideline import load; import hashlib; p = docs.pages(load()); "
    code += "print(hashlib.sha256(repr(sorted(p.items())).encode()).hexdigest())"
    environment = {**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": str(Path(__file__).parents[1])}
    run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == hashlib.sha256(repr(sorted(site.items())).encode()).hexdigest()


def test_every_page_is_well_formed(trees):
    assert len(trees) > 500


def test_every_link_resolves(trees, site):
    assert dead_links(trees, set(site)) == []


def test_dead_links_are_found():
    page = parse('<html><a href="gone.html">x</a><a href="#gone">x</a><a href="a.html#here">x</a><p id="here"/></html>')
    assert dead_links({"a.html": page}, {"a.html"}) == [("a.html", "gone.html"), ("a.html", "#gone")]


def test_nothing_is_loaded_from_outside(trees, site):
    assert {path: found for path, tree in trees.items() if (found := loads_from_outside(tree))} == {}
    for path, text in site.items():
        if path.endswith((".css", ".js")):
            assert not re.search(r"url\(|@import|https?:|fetch\(|XMLHttpRequest", text), path


def test_loads_from_outside_are_found():
    page = parse(
        '<html><img src="//x.example/a.png"/><script src="https://x.example/a.js"/><link href="data:,"/></html>'
    )
    assert loads_from_outside(page) == ["//x.example/a.png", "https://x.example/a.js"]


def test_pages_can_be_read_by_everybody(trees):
    assert {path: found for path, tree in trees.items() if (found := barriers(tree))} == {}


def test_barriers_are_found():
    page = parse(
        '<html><body><p/><h1>a</h1><h3 id="x">b</h3><p id="x"/><nav/><svg/><a href="y"/><img src="z"/></body></html>'
    )
    found = barriers(page)
    for one in (
        "0 main",
        "no skip link first",
        "h1 then h3",
        "nav without a name",
        "drawing without words",
        "id twice: x",
    ):
        assert one in found
    assert "picture without words" in found and "link without words: y" in found


def test_file_names_differ_in_more_than_case(site):
    assert len({path.lower() for path in site}) == len(site)


def _subjects(guideline, sort: str) -> list[str]:
    kind = ox.NamedNode(sort)
    return sorted(
        {
            t.subject.value
            for t in guideline.triples
            if t.predicate.value == RDF.type and t.object == kind and isinstance(t.subject, ox.NamedNode)
        }
    )


@pytest.mark.parametrize(
    "sort",
    [
        GL.Statement, GL.Recommendation, GL.Advice, GL.Caution, GL.PrerequisiteRule, GL.MonitoringRule,
        GL.DocumentationChecklist, GL.DocumentationItem, GL.Flag, GL.Criterion, GL.FactCriterion, GL.Constraint,
        GL.Decision, GL.Finding, GL.SourceCheck, GL.Reference, GL.CandidateIdentity, GL.ExternalReference,
        f"{OWL}Class", f"{OWL}NamedIndividual", f"{OWL}ObjectProperty", f"{OWL}DatatypeProperty",
    ],
)  # fmt: skip
def test_everything_has_a_page_or_an_anchor_with_its_label(guideline, book, site, trees, sort):
    labels = {t.subject.value: t.object.value for t in guideline.triples if t.predicate.value == RDFS.label}
    wanted = [iri for iri in _subjects(guideline, sort) if iri in labels]
    assert wanted
    for iri in wanted:
        path, _, anchor = (book.place(iri) or "").partition("#")
        assert path in site, iri
        element = next((one for one in trees[path].iter() if one.get("id") == anchor), None) if anchor else trees[path]
        assert element is not None, iri
        if sort != GL.SourceCheck:  # a check is shown by its verdict
            assert " ".join(labels[iri].split()) in " ".join("".join(element.itertext()).split()), iri


def test_a_statement_shows_line_grade_and_checks(guideline, book, trees):
    for iri in _subjects(guideline, GL.Statement):
        text = " ".join("".join(trees[book.place(iri)].itertext()).split())
        assert f"line {book.first(iri, GL.line)} of the source" in text
        if book.first(iri, GL.strength) == GL.Strong:
            assert ", strong" in text
        for check in book.using(iri, GL.checks, "SourceCheck"):
            assert book.first(check.iri, RDFS.comment) in text and book.text(check.iri, GL.checkVerdict) in text


def test_a_criterion_shows_threshold_cases_and_joins(trees):
    text = " ".join("".join(trees["criteria.html"].itertext()).split())
    for one in ("Over 4 of 10 > 4 points", "AND every one of these", "OR at least one of these", "otherwise Unknown"):
        assert one in text


def test_queries_stand_there_word_for_word(site, trees):
    for place in ("ask", "derive", "check"):
        for one in folder(place):
            assert site[f"queries/{place}/{one.name}.rq"] == one.text
            shown = next(e for e in trees[f"queries/{place}/{one.name}.html"].iter() if e.get("id") == "query")
            assert "".join(shown.itertext()).strip() == one.text.strip()


def test_bars_are_as_long_as_the_values(book):
    bars = {bar.node.iri: (chart, bar) for chart in charts(book, book.kind("Finding")) for bar in chart.bars}
    drawn = 0
    for node in book.kind("Finding"):
        chart, bar = bars[node.iri]
        value = book.first(node.iri, GL.value)
        assert bar.people == book.first(node.iri, GL.sampleSize)
        if value and book.first(node.iri, GL.unit) == "%":
            assert (bar.start, bar.end, chart.top) == (0.0, float(value), "100")
            drawn += 1
    assert drawn > 3


# The pathway


def _dot(guideline: Guideline) -> str:
    found = docs.pages(guideline)["pathway.html"]
    return "".join(next(e for e in parse(found).iter() if bare(e) == "pre").itertext())


def _arrows(text: str) -> set[tuple[str, str, str]]:
    """From rule, over condition, to rule: by the first words of their boxes."""
    label = {name: said.split("\\l") for name, said in re.findall(r'(\w+) \[.*?label="(.*?)"\]', text)}
    into = re.findall(r"(r\d+) -> (c\d+)", text)
    out = re.findall(r"(c\d+) -> (r\d+)", text)
    return {
        (label[a][0].split()[0], " ".join(label[c]).strip(), label[b][0].split()[0])
        for a, c in into
        for d, b in out
        if c == d
    }


def test_the_pathway_of_the_toy_follows_its_conditions():
    assert _arrows(_dot(load("toy", TOY))) == {("T1", "Amberine failed after two weeks", "T3")}


def test_the_pathway_changes_with_the_graph():
    toy = load("toy", TOY)
    cut = tuple(
        t for t in toy.triples if not (t.predicate.value == GL.needs and t.object.value.endswith("#amberine-failed"))
    )
    assert len(cut) < len(toy.triples)
    assert _arrows(_dot(Guideline(toy.iri, toy.slug, toy.version, cut))) == set()


def test_the_pathway_shows_every_recommendation(guideline, book):
    text = _dot(guideline)
    for node in book.kind("Recommendation", "PrerequisiteRule"):
        assert f'URL="{book.place(node.iri)}"' in text
    arrows = _arrows(text)
    assert ("R01", "Primary non-response to the first TNF inhibitor", "R04") in arrows
    assert not {(a, c, b) for a, c, b in arrows if a == b or b == "R14"}


def test_a_way_starts_at_the_first_rules_alone():
    """Of three that may come before, those that follow another of them are left out."""
    transitions = [
        {"rule": "C", "need": "n", "class": "k", "before": "A"},
        {"rule": "C", "need": "n", "class": "k", "before": "B"},
        {"rule": "B", "need": "m", "class": "k", "before": "A"},
        {"rule": "C", "need": "met", "class": "k", "before": "A"},
    ]
    found = pathway.ways(transitions, frozenset({"n", "m"}), {"n": "N", "m": "M"}, ["A", "B", "C"])
    assert [(way.need, way.sources, way.targets) for way in found] == [("m", ("A",), ("B",)), ("n", ("A",), ("C",))]


def test_the_drawing_has_no_colour_of_its_own(site):
    drawing = re.search(r"<svg class=\"pathway\".*?</svg>", site["pathway.html"], re.DOTALL)[0]
    assert not re.search(r'(?:fill|stroke)="(?!none)', drawing) and "font-family" not in drawing


# Reasoned release, other guidelines, command line


def _release(guideline: Guideline, folder: Path, extra: tuple[ox.Triple, ...]) -> Path:
    path = folder / "release.ttl"
    path.write_bytes(ox.serialize((*guideline.triples, *extra), format=ox.RdfFormat.TURTLE))
    return path


def test_parents_that_only_the_release_states_are_marked_as_inferred(guideline, tmp_path):
    drug, kind = ox.NamedNode(CL.Adalimumab), ox.NamedNode(RDF.type)
    extra = tuple(ox.Triple(drug, kind, ox.NamedNode(one)) for one in (CL.Biosimilar, CL.Biologic, CL.Drug))
    reasoned = docs.pages(guideline, _release(guideline, tmp_path, extra))
    page = reasoned["terms/clinical/Adalimumab.html"]
    assert re.search(r'Biosimilar</a> <span class="basis">inferred', page)
    assert not re.search(
        r'(Drug|Biologic)</a> <span class="basis">inferred', page
    )  # they stand above an asserted parent
    assert "what a reasoner added" in reasoned["terms.html"]


def test_without_a_release_nothing_is_inferred(site):
    assert "as asserted" in site["terms.html"] and '<span class="basis">inferred' not in site["terms.html"]


def test_a_broken_release_is_one_line(guideline, tmp_path):
    (tmp_path / "release.ttl").write_text("this is <not Turtle", encoding="utf-8")
    with pytest.raises(InputError, match="not Turtle"):
        docs.pages(guideline, tmp_path / "release.ttl")


def test_another_guideline_needs_nothing_new():
    site = docs.pages(load("toy", TOY))
    trees = {path: parse(text) for path, text in site.items() if path.endswith(".html")}
    assert dead_links(trees, set(site)) == []
    assert {path: found for path, tree in trees.items() if (found := barriers(tree))} == {}
    assert "Amberine when warm" in site["rules/T1.html"]


@pytest.mark.parametrize("query", page_queries(), ids=lambda query: query.name)
def test_page_queries_give_the_same_rows_in_both_engines(query):
    toy = load("toy", TOY)
    both = [
        sorted(map(repr, (sorted(row.items()) for row in rows(toy.engine(name), query.text))))
        for name in ("oxigraph", "rdflib")
    ]
    assert both[0] == both[1]
    assert both[0] or query.name in ("codes", "defined", "truths")  # no codes, no definitions, no patient


def test_the_command_writes_the_pages(tmp_path):
    result = CliRunner().invoke(
        app, ["docs", "-o", str(tmp_path / "site"), "--guideline", "toy", "--guideline-file", str(TOY[0])]
    )
    assert result.exit_code == 0, result.output
    assert (tmp_path / "site" / "index.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert "index.html" in result.output and "class tree reasoned" in result.output


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(InputError, match="-o: .*: give a folder that can be written"):
        docs.write({"a/b.html": ""}, tmp_path / "file")

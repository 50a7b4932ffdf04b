"""The INSERT forms derive in other stores what the CONSTRUCT forms derive here."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import pyoxigraph as ox
import pytest
from typer.testing import CliRunner

from kg import fhir, inputs, store
from kg.cli import app
from kg.derive import steps
from kg.engine import to_rdflib
from kg.errors import InputError
from kg.evaluate import evaluate
from kg.queries import Query, folder
from tests.support import vignettes

EXAMPLE = Path(__file__).parent.parent / "examples" / "loss-of-response.json"
OXIGRAPH = Path(sys.executable).parent / "oxigraph"
VIGNETTE = vignettes.read_all(vignettes.OWN)[0]


def facts():
    return fhir.lift([(VIGNETTE.name, VIGNETTE.bundle)], vignettes.codes()).triples


def rules_and_derived() -> set:
    """What the CONSTRUCT forms derive, without the as-of date's own triples."""
    evaluation = evaluate(facts(), vignettes.guideline(), VIGNETTE.as_of)
    return {*vignettes.guideline().closure, *evaluation.derived}


def loads() -> list[str]:
    guideline = vignettes.guideline()
    return [*store.load_forms(store.RULES, guideline.triples), *store.load_forms(store.FACTS, store.dated(facts(), VIGNETTE.as_of)), *store.load_forms(store.DERIVED, ())]


def test_the_insert_forms_give_the_same_triples():
    other = ox.Store()
    for text in loads():
        other.update(text)
    graph = ox.NamedNode(store.DERIVED)
    store.derive(other.update, lambda: sum(1 for _ in other.quads_for_pattern(None, None, None, graph)))
    assert {quad.triple for quad in other.quads_for_pattern(None, None, None, graph)} == rules_and_derived()


def test_each_insert_form_is_an_update_that_rdflib_reads_too():
    from rdflib.plugins.sparql import prepareUpdate

    for query in (*steps(store.STAGES)[:3], *steps(store.STAGES)[-2:]):
        prepareUpdate(store.insert_form(query))


def test_what_is_no_construct_has_no_insert_form():
    with pytest.raises(ValueError, match="not of the form"):
        store.insert_form(Query("q", "SELECT * { ?s ?p ?o }", {"summary": ""}))
    assert all(store.insert_form(query) for query in folder("derive"))


def test_loading_empties_the_graph_first_and_keeps_every_triple():
    triples = [ox.Triple(ox.NamedNode(f"urn:{n}"), ox.NamedNode("urn:p"), ox.Literal('a "quoted"\nline')) for n in range(4500)]
    triples.append(ox.Triple(ox.BlankNode("b"), ox.NamedNode("urn:p"), ox.BlankNode("c")))
    other = ox.Store()
    other.add(ox.Quad(ox.NamedNode("urn:old"), ox.NamedNode("urn:p"), ox.Literal(1), ox.NamedNode("urn:g")))
    for text in store.load_forms("urn:g", triples):
        other.update(text)
    assert len(other) == 4501 and len(to_rdflib(quad.triple for quad in other)) == 4501


def test_nothing_is_written_unless_it_is_asked_for():
    run = CliRunner().invoke(app, ["derive", str(EXAMPLE), "--store", "http://127.0.0.1:9/query", "--as-of", "2026-03-02"])
    assert run.exit_code == 0 and "nothing was written" in run.output


def test_a_store_that_does_not_answer_is_one_line():
    with pytest.raises(InputError, match="--store"):
        store.Remote("http://127.0.0.1:9/query", "http://127.0.0.1:9/update").update("CLEAR ALL")
    with pytest.raises(InputError, match="--store"):
        store.Remote("file:///etc/hosts", "").size()


@pytest.mark.skipif(not OXIGRAPH.exists(), reason="Oxigraph's server (PyPI oxigraph) is not installed beside this Python")
def test_a_real_second_server(tmp_path: Path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen([OXIGRAPH, "serve", "--location", tmp_path / "store", "--bind", f"127.0.0.1:{port}"], stderr=subprocess.DEVNULL)
    try:
        target = store.Remote(f"http://127.0.0.1:{port}/query", f"http://127.0.0.1:{port}/update")
        for _ in range(100):
            try:
                assert target.size() == 0
                break
            except InputError:
                time.sleep(0.1)
        run = CliRunner().invoke(app, ["derive", str(EXAMPLE), "--store", target.query_url, "--update-url", target.update_url, "--as-of", "2026-03-02", "--write"])
        assert run.exit_code == 0, run.output
        index, _ = inputs.codes()
        evaluation = evaluate(inputs.read([str(EXAMPLE)], index).triples, vignettes.guideline(), date(2026, 3, 2))
        assert target.size() == len({*vignettes.guideline().closure, *evaluation.derived})
        with pytest.raises(InputError, match="status"):
            target.update("NO UPDATE")
    finally:
        server.terminate()
        server.wait()

"""Every vignette, exactly; the same triples from both engines for all of them."""

from __future__ import annotations

import pickle

import pyoxigraph as ox
import pytest

from kg import fhir
from kg.derive import Depth
from kg.evaluate import evaluate
from kg.guideline import load
from kg.results import results
from tests.support import vignettes

OWN = vignettes.read_all(vignettes.OWN)
SHARED = vignettes.read_all(vignettes.SHARED / "vignettes")


@pytest.mark.parametrize("vignette", OWN, ids=lambda vignette: vignette.name)
def test_own_vignette(vignette):
    assert vignettes.differences(vignette, vignettes.run(vignette)) == []


@pytest.mark.skipif(not SHARED, reason="the specification's example vignettes are not beside this checkout")
@pytest.mark.parametrize("vignette", SHARED, ids=lambda vignette: vignette.name)
def test_example_vignette(vignette):
    assert vignettes.differences(vignette, vignettes.run(vignette)) == []


def test_there_are_enough_vignettes():
    assert len(OWN) >= 60


def test_every_vignette_names_its_patients_and_judges_something():
    for vignette in OWN:
        for patient in vignette.expected.get("patients") or [vignette.expected]:
            assert patient["patient"] and (patient.get("treatments") or patient.get("flags") is not None), vignette.name


def _value(term) -> str:
    """A term without the lexical form of its number: rdflib keeps 4.0 where the embedded store says 4."""
    if isinstance(term, ox.Literal) and term.datatype.value.rsplit("#")[-1] in ("decimal", "integer"):
        return str(float(term.value))
    return str(term)


def canonical(triples) -> set[tuple[str, ...]]:
    return {(str(t.subject), str(t.predicate), _value(t.object)) for t in triples}


BOTH = [pytest.param(vignette, id=vignette.name, marks=[] if place % 60 == 0 else pytest.mark.slow) for place, vignette in enumerate(OWN + SHARED)]


@pytest.mark.parametrize("vignette", BOTH)
def test_rdflib_derives_the_same(vignette):
    facts = fhir.lift([(vignette.name, vignette.bundle)], vignettes.codes()).triples
    found = {engine: canonical(evaluate(facts, vignettes.guideline(), vignette.as_of, engine).derived) for engine in ("oxigraph", "rdflib")}
    assert found["oxigraph"] == found["rdflib"]


def test_every_engine_of_a_guideline_holds_its_closed_rules_and_nothing_of_an_earlier_patient():
    own = load()
    rules = {*own.triples, *own.closure}
    for words, ready in ((True, True), (False, True), (False, False), (True, False)):
        if ready:
            own.prepare(words)
        held = len(own.engine(words=words).store)
        assert held == len(rules) if words else held <= len(rules)
        assert evaluate(fhir.lift([("one", OWN[0].bundle)], vignettes.codes()).triples, own, OWN[0].as_of, depth=Depth.FACTS).derived
    own.prepare()                                                       # an engine at hand is no hindrance to going to another process
    assert pickle.loads(pickle.dumps(own)).engine().ask("ASK { ?any a ?kind }")


def test_what_the_derivation_cannot_read_changes_no_result():
    own = load()
    _ = own.engine()                                                    # the first one holds everything
    assert 0 < len(own.engine(words=False).store) < len(own.engine().store)
    for vignette in OWN:
        facts = fhir.lift([(vignette.name, vignette.bundle)], vignettes.codes()).triples
        (short, whole) = (evaluate(facts, own, vignette.as_of, depth=depth) for depth in (Depth.FACTS, Depth.NODES))
        assert results(short) == results(whole), vignette.name

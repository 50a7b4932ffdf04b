"""Where the guideline pulls apart, in general and for a patient; a guideline in which nothing does; a mutation that leaves a conflict unresolved."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from kg import fhir
from kg.engine import ENGINES
from kg.evaluate import evaluate
from kg.guideline import load
from kg.queries import folder
from kg.terms import CL, GL
from tests.support import vignettes

TOY = Path(__file__).parent / "guidelines" / "toy.ttl"
QUESTION = {query.name: query.text for query in folder("ask")}
OWN = {vignette.name: vignette for vignette in vignettes.read_all(vignettes.OWN)}
#: Every pair of rules of the guideline that no criterion keeps apart.
GENERAL = {
    ("Alternative", "R01", "R02", "By a preference", "R25"), ("Alternative", "R02", "R05", "By a preference", "R25"),
    ("Alternative", "R03", "R05", "By a preference", "R25"),                # another agent of the class, or the other class, after a secondary failure
    ("Alternative", "R17", "R19", "By a preference", "R19"), ("Alternative", "R18", "R19", "By a preference", "R19"),
    ("Contradiction", "R07", "D1", "Unresolved", None), ("Contradiction", "R08", "D1", "Unresolved", None),                # isolated disease, both sides
    ("Exception", "R21", "R20", "By an exception", "R21"),                # bridging, ongoing
    ("Repeated action", "R02", "R03", "By the greater strength", None), ("Repeated action", "R02", "R04", "By the greater strength", None),
    ("Repeated action", "R03", "R04", "By the greater strength", None), ("Repeated action", "R07", "R08", "By a preference", "R08"),
    ("Repeated action", "R14", "R16", "By a preference", "R14"),
    ("Repeated action", "R17", "R18", "By a preference", "R18"),                # on demand, for all and in stable disease
}  # fmt: skip


def found(engine, name: str, *columns: str) -> set[tuple]:
    names, rows = engine.select(QUESTION[name])
    at = [names.index(column) for column in columns]
    return {tuple(row[place].value if row[place] else None for place in at) for row in rows}


def general(guideline=None, without=lambda triple: False) -> set[tuple]:
    """The conflicts of a guideline, of its triples only those that are not left out."""
    source = guideline or load()
    engine = ENGINES["oxigraph"](triple for triple in (*source.triples, *source.closure) if not without(triple))
    return found(engine, "guideline-conflicts", "type", "first", "second", "resolution", "by")


@cache
def of_patient(name: str) -> frozenset[tuple]:
    vignette = OWN[name]
    facts = fhir.lift([(name, vignette.bundle)], vignettes.codes()).triples
    engine = evaluate(facts, vignettes.guideline(), vignette.as_of).engine
    return frozenset(found(engine, "patient-conflicts", "type", "standing", "first", "firstTreatment", "second", "secondTreatment", "resolution", "by"))


def test_the_conflicts_of_the_guideline_are_these():
    assert general() == GENERAL


def test_both_rules_come_with_their_line():
    assert all(first and second for first, second in found(load().engine(), "guideline-conflicts", "firstLine", "secondLine"))


def test_without_its_exception_the_contradiction_is_unresolved():
    changed = general(without=lambda triple: triple.predicate.value == GL.exception)
    assert changed == GENERAL - {("Exception", "R21", "R20", "By an exception", "R21")} | {("Contradiction", "R21", "R20", "Unresolved", None)}


def test_without_the_preference_the_alternatives_are_unresolved():
    changed = general(without=lambda triple: triple.predicate.value == GL.setsAside and triple.subject.value.endswith("#R25"))
    assert ("Alternative", "R03", "R05", "Unresolved", None) in changed


def test_without_the_tension_nothing_is_found_between_injection_and_documentation():
    changed = general(without=lambda triple: triple.predicate.value == GL.inTensionWith and triple.subject.value == CL.IsolatedSacroiliitis)
    assert changed == {row for row in GENERAL if row[2] != "D1"}


def test_a_guideline_without_conflicts_has_none_and_with_one_it_is_found():
    toy = load("toy", (TOY,))
    assert general(toy) == {("Exception", "T3", "T2", "By an exception", "T3")}
    assert general(toy, without=lambda triple: triple.subject.value.endswith("#T2")) == set()


def test_rules_whose_criteria_exclude_each_other_are_no_conflict():
    pairs = {row[1:3] for row in general()}
    assert not pairs & {("R01", "R03"), ("R01", "R05"), ("R01", "R06"), ("R04", "R05"), ("R05", "R06")}
    # the criterion that keeps the two apart, taken away
    loosened = general(without=lambda triple: triple.predicate.value == GL.needs and triple.object.value.endswith("#no-targeted-biologic-failed"))
    assert ("Alternative", "R01", "R03", "By a preference", "R25") in loosened


@pytest.mark.parametrize(("name", "row"), [
    ("secondary-non-response-to-golimumab-opens-the-other-three", ("Alternative", "Applies", "R03", "secukinumab", "R05", "adalimumab", "By a preference", "R25")),
    ("bridging-for-eighty-nine-days-beside-a-planned-biologic",
     ("Exception", "Applies", "R21", "oral-glucocorticoid-bridging", "R20", "oral-glucocorticoid-bridging", "By an exception", "R21")),
    ("bridging-without-a-planned-stop-is-open",
     ("Exception", "Status unknown", "R21", "oral-glucocorticoid-bridging", "R20", "oral-glucocorticoid-bridging", "By an exception", "R21")),
    ("isolated-active-sacroiliitis-opens-the-injection", ("Contradiction", "Applies", "R07", "si-injection-fluoroscopy", "D1", "si-injection-fluoroscopy", "Unresolved", None)),
    ("stable-disease-prefers-the-nsaid-on-demand", ("Repeated action", "Applies", "R17", "nsaid-on-demand", "R18", "nsaid-on-demand", "By a preference", "R18")),
])
def test_a_patient_whom_it_concerns(name, row):
    assert row in of_patient(name)


def test_a_patient_whom_it_does_not_concern():
    rows = of_patient("bridging-for-ninety-days-is-too-long")
    assert not any(kind in ("Exception", "Contradiction") for kind, *_ in rows)
    assert not any(kind == "Alternative" and "secukinumab" in row for kind, *row in of_patient("two-failed-nsaids-and-active-disease-open-every-tnf-inhibitor"))

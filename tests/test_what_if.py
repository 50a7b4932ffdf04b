"""`kg what-if`: verdicts before and after, and counterfactuals that hold what they promise and are no larger than needed."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kg.changes import Changing
from kg.cli import app
from kg.counterfactual import Bounds, counterfactuals
from kg.errors import InputError
from kg.evaluate import evaluate
from kg.hypotheses import applied, of_patient, outcomes, sliced
from kg.results import results
from kg.terms import GL
from kg.whatif import Editor, compare
from tests.support.asked import all_vignettes, evaluated

ROOT = Path(__file__).parent.parent
NAMES = list(all_vignettes())
#: Treatments of every kind of rule; each vignette is tried with one of them and with one that is undetermined.
TREATMENTS = ("adalimumab", "secukinumab", "si-injection-ct", "prolotherapy-dextrose", "cox2-inhibitor", "evaluation-for-other-cause",
              "oral-glucocorticoid-bridging", "etanercept-biosimilar", "si-injection-repeat", "leflunomide", "nsaid-on-demand")
CASES = [(name, TREATMENTS[position % len(TREATMENTS)]) for position, name in enumerate(NAMES)]
_FAST = {("gastrointestinal-risk-not-recorded", "cox2-inhibitor")}
BUNDLE = str(ROOT / "tests" / "vignettes" / "pain-not-recorded-leaves-the-first-biologic-open" / "bundle.json")


def _open(name: str) -> list[tuple[str, str]]:
    found = [one["treatment"] for one in results(evaluated(name))[0]["treatments"] if one["verdict"] == "undetermined"]
    return [(name, found[0])] if found else []


@pytest.mark.parametrize(("name", "treatment"), [*sorted(_FAST), *(pytest.param(*case, marks=pytest.mark.slow) for case in CASES if case not in _FAST)])
def test_counterfactuals_hold_and_none_is_larger_than_needed(name, treatment):
    """Each set, applied to the record and evaluated as a whole, makes the treatment eligible; no smaller set of changes does."""
    _holds(name, treatment)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_counterfactuals_of_open_verdicts(name):
    for case in _open(name):
        _holds(*case)


def _holds(name: str, treatment: str) -> None:
    evaluation = evaluated(name)
    patient = evaluation.patients[0]
    record = of_patient(evaluation.facts, patient)
    found = counterfactuals(evaluation, patient, treatment, Bounds(3, 600))
    for chosen in found.sets[:6]:
        facts = applied(record, [edit for change in chosen for edit in change.edits])
        after = results(evaluate(facts, evaluation.guideline, evaluation.as_of))[0]
        assert {one["treatment"]: one["verdict"] for one in after["treatments"]}[treatment] == "eligible", [change.words for change in chosen]
    assert _smaller(evaluation, found) == []


def _smaller(evaluation, found) -> list[list[str]]:
    """Sets of one change, and of two that alter anything, of fewer facts than those found and eligible all the same."""
    import pyoxigraph as ox

    patient, node = evaluation.patients[0], ox.NamedNode(found.treatment)
    record, part = of_patient(evaluation.facts, patient), sliced(evaluation.guideline, [node])
    changes = Changing(evaluation, patient, node).all()
    least = found.none_up_to + 1

    def judged(sets):
        return outcomes(part, record, evaluation.as_of, [[edit for change in one for edit in change.edits] for one in sets])

    base, *single = judged([(), *((one,) for one in changes)])
    sets = [(one,) for one in changes]
    if least > 2:
        different: dict = {}
        for change, outcome in zip(changes, single, strict=True):
            if outcome.signature != base.signature:
                different.setdefault((change.facts, outcome.signature), change)
        pairs = [pair for pair in combinations(different.values(), 2) if not pair[0].facts & pair[1].facts and len(pair[0].facts | pair[1].facts) < least]
        sets += pairs[:1500]
        single += judged(pairs[:1500])
    return [[change.words for change in one] for one, outcome in zip(sets, single, strict=True)
            if outcome.verdicts[found.treatment] == GL.Eligible and len(frozenset().union(*(change.facts for change in one))) < least]


@pytest.mark.parametrize("name", [one if position % 40 == 0 else pytest.param(one, marks=pytest.mark.slow) for position, one in enumerate(NAMES)])
def test_a_slice_gives_the_verdicts_of_the_whole(name):
    """The rules that bear on a treatment are all that its verdict needs."""
    import pyoxigraph as ox

    evaluation = evaluated(name)
    for patient, row in zip(evaluation.patients, results(evaluation), strict=True):
        for chosen in (row["treatments"][:7], row["treatments"][7:20], row["treatments"][20:]):
            part = sliced(evaluation.guideline, [ox.NamedNode(one["iri"]) for one in chosen])
            judged, = outcomes(part, of_patient(evaluation.facts, patient), evaluation.as_of, [()])
            assert {iri: verdict.removeprefix(GL.iri) for iri, verdict in judged.verdicts.items()} == {one["iri"]: one["verdict"].title().replace("-", "") for one in chosen}


def test_an_eligible_treatment_needs_no_change():
    evaluation = evaluated("two-failed-nsaids-and-active-disease-open-every-tnf-inhibitor")
    found = counterfactuals(evaluation, evaluation.patients[0], "adalimumab")
    assert found.size == 0 and found.sets == ((),)


def test_search_says_when_it_is_cut():
    evaluation = evaluated("gastrointestinal-risk-not-recorded")
    found = counterfactuals(evaluation, evaluation.patients[0], "cox2-inhibitor", Bounds(2, 1))
    assert found.cut and found.size is None and found.none_up_to == 0
    assert "the search was cut" in _text(evaluation, found)


def _text(evaluation, found) -> str:
    from io import StringIO

    from rich.console import Console

    from kg import whatif_text

    buffer = StringIO()
    whatif_text.counterfactual(Console(file=buffer), evaluation, "somebody", found)
    return buffer.getvalue()


def _editor() -> Editor:
    evaluation = evaluated("pain-not-recorded-leaves-the-first-biologic-open")
    return Editor(evaluation, evaluation.patients[0])


def test_verdicts_before_and_after():
    evaluation = evaluated("pain-not-recorded-leaves-the-first-biologic-open")
    found = compare(evaluation, evaluation.patients[0], [_editor().add("observation pain-intensity value=6")])
    changed = {one.treatment: (one.before, one.after) for one in found.differences if one.changed}
    assert changed["adalimumab"] == ("undetermined", "eligible (strong)") and len(changed) == 7
    assert [one.changed for one in found.differences] == sorted((one.changed for one in found.differences), reverse=True)
    old = compare(evaluation, evaluation.patients[0], [_editor().add("observation pain-intensity value=6 date=2025-01-01")])
    assert not any(one.changed for one in old.differences)


def test_a_fact_set_and_a_fact_removed():
    evaluation = evaluated("an-unclassified-failure-gives-no-switch-of-its-own")
    editor, patient = Editor(evaluation, evaluation.patients[0]), evaluation.patients[0]
    set_ = compare(evaluation, patient, [editor.set("pv-063-medicationstatement-12#fact-1.response=SecondaryNonResponse")])
    assert {one.treatment: one.after for one in set_.differences if one.changed}["etanercept"] == "eligible (unstated)"
    gone = compare(evaluation, patient, [editor.remove("pv-063-medicationstatement-12#fact-1")])
    assert {one.treatment: one.after for one in gone.differences if one.changed}["adalimumab"] == "eligible (strong)"
    assert set_.flags_gone and not set_.flags_raised


@pytest.mark.parametrize(("option", "text", "said"), [
    ("set", "nobody.value=3", "names no fact"), ("set", "fact-1.value=3", "names several"), ("set", "value", "not an edit"),
    ("set", "pv-004-condition-1#fact-1.value=3", "no property of Diagnosis"), ("set", "pv-004-condition-1#fact-1.presence=Oral", "no value of presence"),
    ("add", "thing pain-intensity", "not a fact"), ("add", "observation nonsense value=3", "no concept"), ("add", "observation pain-intensity value=11", "outside what is possible"),
    ("add", "observation pain-intensity value=x", "not a number"), ("add", "observation pain-intensity value=3 date=yesterday", "not a date"),
    ("add", "observation disease-state value=3", "not measured by a number"), ("add", "observation pain-intensity value", "no property with a value"),
    ("remove", "pv-004", "is the patient"), ("remove", "nothing", "names no fact")])
def test_what_cannot_be_supposed_is_said(option, text, said):
    with pytest.raises(InputError, match=said):
        getattr(_editor(), option)(text)


def test_command_side_by_side_and_as_json():
    runner = CliRunner(env={"NO_COLOR": "1"})
    given = ["what-if", BUNDLE, "--as-of", "2026-03-02", "--add", "Observation PainIntensity value=6"]
    assert "undetermined → eligible (strong)" in runner.invoke(app, given).stdout
    assert len(json.loads(runner.invoke(app, [*given, "--format", "json"]).stdout)["changed"]) == 7
    bundle = str(ROOT / "tests" / "vignettes" / "gastrointestinal-risk-not-recorded" / "bundle.json")
    found = runner.invoke(app, ["what-if", bundle, "--as-of", "2026-03-02", "--eligible", "cox2-inhibitor"]).stdout
    assert "WHAT WOULD HAVE TO BE TRUE" in found and "not advice to record it" in found and "risk" in found


@pytest.mark.parametrize("given", [[], ["--eligible", "adalimumab", "--remove", "x"], ["--eligible", "adalimumbab"], ["--eligible", "adalimumab", "--patient", "nobody"]])
def test_usage_is_one_line(given):
    done = CliRunner().invoke(app, ["what-if", BUNDLE, "--as-of", "2026-03-02", *given])
    assert isinstance(done.exception, InputError) and "\n" not in str(done.exception)


def test_help_has_examples():
    assert CliRunner().invoke(app, ["what-if", "--help"]).stdout.count("Example: kg what-if") == 2

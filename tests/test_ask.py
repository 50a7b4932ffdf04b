"""`kg ask`: the sets of questions it gives are the smallest, by brute force; the answers, read back, lead where it says."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from decimal import Decimal
from itertools import product
from pathlib import Path

import jsonschema
import pyoxigraph as ox
import pytest
from typer.testing import CliRunner

from kg.asking import Bounds, next_questions
from kg.cli import app
from kg.evaluate import evaluate
from kg.hypotheses import of_patient, outcomes
from kg.questionnaire import questionnaire
from kg.questions import Question, questions
from kg.questions_rows import row
from kg.results import word
from kg.slots import edit, parse
from kg.terms import GL, PT
from tests.support import vignettes
from tests.support.asked import all_vignettes, answer_json, asked, brute, by_name, evaluated, faults, read_back, response
from tests.support.vignettes import spread

ROOT = Path(__file__).parent.parent
_FAST = ("asdas-just-under-the-cut-off-is-open", "an-unconfirmed-class-allergy-is-a-question")
#: Sets of questions that bear on one criterion have every pair of answers tried.
ALL = [*_FAST, *spread([name for name in all_vignettes() if name not in _FAST], 6)]


@pytest.mark.parametrize("name", ALL)
def test_sets_are_those_of_brute_force(name):
    """Every way of answering a deciding set settles the verdict and no part of it does; no smaller set than the
    smallest has even one way that does; where no set is given, none exists."""
    for found in asked(name):
        assert not found.cut
        for names in {one.questions for one in found.open}:
            treatments = [one.treatment for one in found.open if one.questions == names]
            assert faults(found, brute(evaluated(name), found, names, len(names)), treatments) == []


@pytest.mark.parametrize("name", ALL)
def test_answers_read_back_lead_where_it_says(name):
    """A QuestionnaireResponse beside the patient, read and evaluated from scratch, gives each promised verdict."""
    vignette = by_name(name)
    for found in asked(name):
        by_id = {one.id: one for one in found.questions}
        promised: dict[tuple, dict[str, str]] = {}
        for one in found.open:
            for group in (*one.smallest, *one.deciding):
                for values, verdict in group.leads:
                    promised.setdefault((group.questions, values), {})[one.treatment] = verdict
        for (names, values), verdicts in promised.items():
            items = [answer_json(by_id[name], value) for name, value in zip(names, values, strict=True)]
            got, wrong = read_back(vignette, response(found.patient.value, vignette.as_of.isoformat(), items))
            assert {t["iri"]: t["verdict"] for t in got["treatments"] if t["iri"] in verdicts} == {t: _word(v) for t, v in verdicts.items()}
            assert [line for line in wrong if "not read" in line] == []


def _word(iri: str) -> str | None:
    return word(ox.NamedNode(iri))


@pytest.mark.parametrize("name", spread(all_vignettes(), 6))
def test_values_between_those_tried_do_the_same(name):
    """A number or day that was not tried leads where the tried ones around it lead."""
    evaluation = evaluated(name)
    for found in asked(name):
        for one in found.questions:
            if one.type in ("number", "days") and found.open:
                values = _between(one)
                edits = [(edit(one.slot, f"{value:f}", evaluation.as_of, found.patient, of_patient(evaluation.facts, found.patient), one.unit if one.type == "number" or not one.slot.property.endswith("Response") else None),) for value in values]
                judged = outcomes(evaluation.guideline, of_patient(evaluation.facts, found.patient), evaluation.as_of, edits)
                for value, outcome in zip(values, judged, strict=True):
                    nearest = min(one.answers, key=lambda answer: abs(Decimal(answer.value) - value))
                    expected = found.flips[one.id][nearest.value]
                    got = {t: outcome.verdicts[t] for t in found.flips[one.id][nearest.value]}
                    assert got == expected, (one.id, value)


def _between(one: Question) -> list[Decimal]:
    """The middle between neighbouring answers, and the ends of the range."""
    tried = [Decimal(answer.value) for answer in one.answers]
    whole = one.type == "days"
    middles = [(a + b) / 2 for a, b in zip(tried, tried[1:], strict=False) if b - a > 1]
    ends = [end for end in (one.least, one.most) if end is not None]
    return [Decimal(int(value)) if whole else value for value in (*middles, *ends)]


def _without(name: str, *resources: str):
    """A vignette's evaluation with the facts of some measures gone."""
    bundle = copy.deepcopy(by_name(name).bundle)
    bundle["entry"] = [one for one in bundle["entry"] if not any(text in json.dumps(one["resource"]) for text in resources)]
    from kg import fhir

    return evaluate(fhir.lift([(name, bundle)], vignettes.codes()).triples, vignettes.guideline(), by_name(name).as_of)


def test_a_stop_may_lie_after_the_day_on_which_something_was_noted():
    """The end of a course that is over is asked up to the as-of date, as the derivation bounds it: thirty days make a trial."""
    found, = asked("a-trial-that-was-over-when-noted-has-no-length")
    (end,) = [one for one in found.questions if one.slot.property == PT.end]
    treatment = next(one.treatment for one in found.open)
    leads = {answer.value: word(ox.NamedNode(found.flips[end.id][answer.value][treatment])) for answer in end.answers}
    assert (leads["2025-11-11"], leads["2025-11-12"], leads["2026-03-02"]) == ("not-indicated", "eligible", "eligible")


def test_two_independent_unknowns():
    """One `no` settles it and one `yes` does not: the smallest sets are single questions, the deciding set has both."""
    found, = asked("an-injection-never-assessed-leaves-it-open")
    for one in found.open:
        assert ([len(group.questions) for group in one.smallest], [len(group.questions) for group in one.deciding]) == ([1, 1], [2])


@pytest.mark.slow
def test_two_more_independent_unknowns_by_brute_force():
    evaluation = _without("pain-of-four-point-one-is-above-four", '"38208-5"', '"72514-3"', "si-pain-duration")
    found, = next_questions(evaluation)
    first = found.open[0]
    assert {len(group.questions) for group in first.smallest} == {1}
    assert {len(group.questions) for group in first.deciding} == {2}
    assert faults(found, brute(evaluation, found, first.questions, len(first.questions)), [first.treatment]) == []


def test_search_says_when_it_is_cut():
    evaluation = _without("pain-of-four-point-one-is-above-four", '"38208-5"', '"72514-3"', "si-pain-duration")
    found, = next_questions(evaluation, Bounds(questions=1))
    assert found.cut and not found.open[0].deciding
    found, = next_questions(evaluation, Bounds(patients=8))
    assert found.cut


def test_questions_alone_for_other_outputs():
    evaluation = evaluated("asdas-just-under-the-cut-off-is-open")
    found = questions(evaluation, evaluation.patients[0])
    assert {one.type for one in found.questions.values()} == {"number", "choice"}
    assert all(parse(one.id) is not None for one in found.questions.values())


def test_a_determined_patient_is_asked_nothing():
    found, = asked("two-failed-nsaids-and-active-disease-open-every-tnf-inhibitor")
    assert not found.open and not found.questions and found.tried == 0


@pytest.mark.parametrize("name", [*_FAST, "an-injection-never-assessed-leaves-it-open"])
def test_json_fits_the_published_schema(name):
    schema = json.loads((ROOT / "kg" / "schema" / "ask.schema.json").read_text())
    shown = row(evaluated(name), asked(name)[0])
    jsonschema.validate(shown, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(shown | {"questions": None}, schema)


@pytest.mark.parametrize("name", ALL)
def test_fhir_resources_are_valid(name):
    r4b = pytest.importorskip("fhir.resources.R4B.questionnaire", reason="fhir.resources is not installed")
    from fhir.resources.R4B.questionnaireresponse import QuestionnaireResponse

    for found in asked(name):
        if found.decisive:
            form = questionnaire(evaluated(name), found, vignettes.codes())
            r4b.Questionnaire.model_validate(form)
            assert [item["linkId"] for item in form["item"]] == [one.id for one in found.decisive]
            items = [answer_json(one, one.answers[0].value) for one in found.decisive]
            QuestionnaireResponse.model_validate(response(found.patient.value, "2026-03-02", items))


PAIN = {"linkId": "Observation/cl:PainIntensity/value", "answer": [{"valueDecimal": 6}]}


def _pain(item: dict | None = None, **more: object) -> tuple[str, list[str]]:
    vignette = by_name("pain-not-recorded-leaves-the-first-biologic-open")
    patient = evaluated(vignette.name).patients[0].value
    resource = response(patient, vignette.as_of.isoformat(), [item or PAIN]) | more
    got, wrong = read_back(vignette, resource)
    return next(one["verdict"] for one in got["treatments"] if one["treatment"] == "adalimumab"), wrong


def test_a_completed_response_counts():
    assert _pain() == ("eligible", [])
    assert _pain({"item": [PAIN], "linkId": "group"})[0] == "eligible"
    assert _pain({"linkId": PAIN["linkId"], "answer": [{"valueDecimal": 4}]})[0] == "not-indicated"


@pytest.mark.parametrize(("more", "said"), [
    ({"status": "entered-in-error"}, "not read"), ({"status": "in-progress"}, "not read"), ({"status": "nonsense"}, "not a word"),
    ({"subject": {"reference": "Patient/nobody"}}, "names no Patient"), ({"subject": None}, "is missing"),
    ({"authored": None}, "dated by it"), ({"authored": "2026-02"}, "dated by it"), ({"modifierExtension": [{"url": "x", "valueBoolean": True}]}, "not understood")])
def test_a_response_that_may_not_count_does_not(more, said):
    verdict, wrong = _pain(None, **more)
    assert verdict == "undetermined" and any(said in line for line in wrong)


@pytest.mark.parametrize(("item", "said"), [
    ({"linkId": "Observation/cl:Nothing/value", "answer": [{"valueDecimal": 6}]}, "names nothing"),
    ({"linkId": "free text", "answer": [{"valueString": "x"}]}, "names nothing"),
    ({"linkId": "http://example.org/none#fact-1|response", "answer": [{"valueDecimal": 6}]}, "names nothing"),
    ({"linkId": PAIN["linkId"], "answer": [{"valueString": "strong"}]}, "not what the question asks"),
    ({"linkId": PAIN["linkId"], "answer": [{"valueDecimal": 60}]}, "outside what is possible"),
    ({"linkId": PAIN["linkId"], "answer": [{"valueDecimal": 6}, {"valueDecimal": 2}]}, "second answer"),
    ({"linkId": PAIN["linkId"], "answer": [{"valueQuantity": {"value": 6, "code": "mm"}}]}, "answer in the unit"),
    ({"linkId": "Observation/cl:DiseaseState/finding", "answer": [{"valueCoding": {"system": "urn:x", "code": "y"}}]}, "does not belong")])
def test_an_answer_that_does_not_fit_is_reported(item, said):
    verdict, wrong = _pain(item)
    assert verdict == "undetermined" and any(said in line for line in wrong)


def test_answers_count_from_the_day_they_were_given():
    assert _pain(None, authored="2026-04-01")[0] == "undetermined"
    assert _pain(None, authored="2025-11-01")[0] == "undetermined"  # stale by then


def test_answers_beside_a_patient_in_rdf(tmp_path):
    form = tmp_path / "answers.json"
    form.write_text(json.dumps(response("http://example.org/fhir/anna", "2026-03-02", [PAIN])))
    patient = tmp_path / "anna.ttl"
    patient.write_text("""@prefix pt: <https://w3id.org/sacroiliitis-kg/patient#> .
<http://example.org/fhir/anna> a pt:Patient ; pt:birthDate "1984-06"^^<http://www.w3.org/2001/XMLSchema#gYearMonth> .""")
    done = CliRunner().invoke(app, ["recommend", str(patient), str(form), "--as-of", "2026-03-02", "--format", "turtle"])
    assert done.exit_code == 0 and "PainIntensity-2026-03-02" in done.stdout


def test_a_bar_that_was_not_confirmed_is_taken_off_only_by_no():
    name = "text-that-merely-contains-a-name-is-a-question"
    question = asked(name)[0].questions[0]
    verdicts = {}
    for answer in question.answers:
        got, _ = read_back(by_name(name), response(asked(name)[0].patient.value, "2026-03-02", [answer_json(question, answer.value)]))
        verdicts[answer.label] = next(one["verdict"] for one in got["treatments"] if one["treatment"] == "adalimumab")
    assert verdicts["yes"] == "contraindicated" and verdicts["no"] not in ("contraindicated", "undetermined")


def test_an_answer_never_takes_off_a_confirmed_bar_or_overwrites_what_is_recorded():
    name = "one-agent-contraindicated-with-its-biosimilar"
    evaluation = evaluated(name)
    bar = next(t.subject.value for t in evaluation.facts if t.predicate.value == PT.certainty)
    before = {one["treatment"]: one["verdict"] for one in read_back(by_name(name), response(evaluation.patients[0].value, "2026-03-02", []))[0]["treatments"]}
    system, _, code = PT.Absent.rpartition("#")
    said = {"linkId": f"{bar}|certainty", "answer": [{"valueCoding": {"system": system, "code": code}}]}
    got, wrong = read_back(by_name(name), response(evaluation.patients[0].value, "2026-03-02", [said]))
    assert "contraindicated" in before.values() and {one["treatment"]: one["verdict"] for one in got["treatments"]} == before
    assert any("leaves nothing open" in line for line in wrong)
    said = {"linkId": "Patient/birthDate", "answer": [{"valueDate": "2020-01-01"}]}
    got, wrong = read_back(by_name(name), response(evaluation.patients[0].value, "2026-03-02", [said]))
    assert got["applicability"] == "applies" and any("leaves nothing open" in line for line in wrong)


def test_a_mutated_threshold_moves_the_questions():
    """What is asked follows the guideline: another threshold, other answers."""
    import pyoxigraph as ox

    guideline = vignettes.guideline()
    moved = [ox.Triple(t.subject, t.predicate, ox.Literal("7", datatype=t.object.datatype))
             if t.predicate.value == GL.threshold and t.subject.value.endswith("#pain-intensity.value") else t for t in guideline.triples]
    old = evaluated("pain-not-recorded-leaves-the-first-biologic-open")
    found, = next_questions(evaluate(old.facts, replace(guideline, triples=tuple(moved)), old.as_of))
    assert [answer.value for answer in found.questions[0].answers] == ["6.9", "7", "7.1"]


@pytest.mark.parametrize("form", ["text", "json", "fhir"])
def test_command(form):
    bundle = ROOT / "tests" / "vignettes" / "asdas-just-under-the-cut-off-is-open" / "bundle.json"
    done = CliRunner(env={"NO_COLOR": "1"}).invoke(app, ["ask", str(bundle), "--as-of", "2026-03-02", "--format", form])
    assert done.exit_code == 0 and "BASDAI" in done.stdout
    assert form == "text" or json.loads(done.stdout)


def test_help_has_an_example():
    assert "Example: kg ask" in CliRunner().invoke(app, ["ask", "--help"]).stdout


def test_every_product_of_answers_is_in_a_set():
    for one in asked("an-injection-never-assessed-leaves-it-open")[0].open:
        for group in one.deciding:
            assert len(group.leads) == len(list(product(*({values[n] for values, _ in group.leads} for n in range(len(group.questions))))))


def test_another_guideline_is_asked_about_by_the_same_code():
    from datetime import date

    import pyoxigraph as ox

    from kg.guideline import load

    folder = ROOT / "tests" / "guidelines"
    facts = [quad.triple for quad in ox.parse(path=str(folder / "toy-patients.ttl"), format=ox.RdfFormat.TURTLE)]
    found = next_questions(evaluate(facts, load("toy", (folder / "toy.ttl",)), date(2026, 1, 15)))
    assert {one.patient.value.rpartition("/")[2].rpartition("#")[2] for one in found if one.open} >= {"silent", "perhaps"}

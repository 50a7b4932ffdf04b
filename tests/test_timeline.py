"""Timelines: the days that count, what they show, and the drawing."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import pyoxigraph as ox
import pytest
from typer.testing import CliRunner

from kg import fhir, timeline_svg
from kg.cli import app
from kg.evaluate import evaluate, evaluate_on
from kg.history import history, marks, period
from kg.results import results
from kg.timeline import Due, Moment, Timeline, timeline
from tests.support import vignettes
from tests.test_response import turtle

ROOT = Path(__file__).resolve().parent.parent
AS_OF = date(2026, 3, 2)
DRAWING = ROOT / "docs" / "timeline-long-history.svg"
SVG = "{http://www.w3.org/2000/svg}"
BRIEF = """ex:p a pt:Patient . ex:p-1 a pt:Course ; pt:patient ex:p ; pt:about cl:Adalimumab ; pt:start "2025-12-01"^^xsd:date ; pt:status pt:Active .
ex:p-2 a pt:Observation ; pt:patient ex:p ; pt:about cl:Asdas ; pt:value 3.5 ; pt:unit "{score}" ; pt:date "2025-11-20"^^xsd:date .
ex:p-3 a pt:Diagnosis ; pt:patient ex:p ; pt:about cl:Sacroiliitis ; pt:presence pt:Present . ex:p pt:birthDate "1980"^^xsd:gYear .
"""
NOW = date(2026, 2, 28)  # the course's day 89
P = ox.NamedNode("http://example.org/p")


@cache
def long() -> Timeline:
    return timeline(_facts("long-history.ttl"), vignettes.guideline(), AS_OF, ox.NamedNode("http://example.org/joe"))


@cache
def medium() -> Timeline:
    """The long history without most of it, one course of two products in the middle."""
    return timeline(_medium(), vignettes.guideline(), date(2025, 6, 1), ox.NamedNode("http://example.org/joe"))


def _medium():
    names = {f"http://example.org/joe{name}" for name in ("", "-1", "-4", "-6", "-7", "-10", "-11", "-12", "-13", "-22")}
    return [triple for triple in _facts("long-history.ttl") if triple.subject.value in names]


@cache
def brief() -> Timeline:
    return timeline(turtle(BRIEF), vignettes.guideline(), NOW, P)


@cache
def drawn(name: str) -> str:
    return timeline_svg.draw({"long": long, "medium": medium, "brief": brief}[name]())


# days


@pytest.mark.parametrize(("text", "first", "last"), [("2024", "2024-01-01", "2024-12-31"), ("2024-02", "2024-02-01", "2024-02-29"), ("2024-12", "2024-12-01", "2024-12-31"), ("2024-02-03", "2024-02-03", "2024-02-03")])
def test_a_date_of_a_record_is_a_period(text, first, last):
    moment = Moment(*period(text))
    assert (moment.first.isoformat(), moment.last.isoformat(), moment.text) == (first, last, text)


def test_the_days_of_a_record_are_those_up_to_the_as_of_date_and_it():
    assert marks(turtle(BRIEF), date(2025, 11, 25)) == [date(2025, 11, 20), date(2025, 11, 25)]


def test_thresholds_fall_due_on_their_day():
    changes = {change.date.isoformat(): change for change in brief().changes}
    assert {day: [status for _, _, status in change.monitoring] for day, change in changes.items() if change.monitoring} == {
        "2025-12-01": ["not-yet-due"], "2026-02-23": ["due"]}  # day 84 of the course
    assert all(day <= NOW.isoformat() for day in changes)
    assert [(one.date.isoformat(), one.course, one.status) for one in brief().due] == [("2026-02-23", "Adalimumab", "due")]


def test_a_score_goes_stale_on_its_day():
    facts = [triple for triple in turtle(BRIEF.replace("3.5", "1.0")) if not triple.subject.value.endswith("p-1")]
    last = timeline(facts, vignettes.guideline(), NOW, P).changes[-1]
    assert last.date == date(2026, 2, 19)  # day 91 after it
    assert {(turn.before, turn.after) for turn in last.turns} == {("not-indicated", "undetermined")}


def test_what_is_due_later_is_drawn_after_the_as_of_date():
    later = replace(brief(), due=(Due(date(2026, 5, 1), "Adalimumab", "Look again", "not-yet-due"),))
    assert "not yet due: Adalimumab, look again" in timeline_svg.draw(later)
    assert timeline_svg._scale(later).last > date(2026, 5, 1)
    assert clashes(timeline_svg.draw(later)) == []


@pytest.mark.exhaustive
def test_no_day_of_change_is_missed():
    facts = turtle(BRIEF)
    days = [date(2025, 11, 20) + timedelta(days=number) for number in range((NOW - date(2025, 11, 20)).days + 1)]
    rows = [(one.as_of, {(row["treatment"], row["verdict"], row["strength"]) for row in results(one)[0]["treatments"]}) for one in evaluate_on(facts, vignettes.guideline(), days)]
    wanted = {day for (_, before), (day, after) in zip(rows, rows[1:], strict=False) if before != after}
    assert wanted and wanted <= {one.as_of for one in history(facts, vignettes.guideline(), NOW)}


# several dates in one run


def test_dates_evaluated_together_give_what_each_gives_alone():
    facts = turtle(BRIEF)
    for day, found in zip((date(2025, 12, 1), NOW), evaluate_on(facts, vignettes.guideline(), [NOW, date(2025, 12, 1)]), strict=True):
        alone = evaluate(facts, vignettes.guideline(), day)
        assert found.as_of == day and found.patients == alone.patients
        assert set(found.derived) == set(alone.derived)


def test_vignettes_evaluated_together_say_what_the_contract_says():
    cases = vignettes.read_all(vignettes.OWN)[::5]  # the slow test has them all
    for as_of in {case.as_of for case in cases}:
        mine = [case for case in cases if case.as_of == as_of]
        facts = [triple for case in mine for triple in fhir.lift([(case.name, case.bundle)], vignettes.codes()).triples]
        [snapshot] = evaluate_on(facts, vignettes.guideline(), [as_of])
        rows = results(snapshot)
        assert {case.name: vignettes.differences(case, rows) for case in mine} == {case.name: [] for case in mine}


def test_the_last_day_of_a_timeline_is_what_recommend_says():
    assert brief().results == results(evaluate(turtle(BRIEF), vignettes.guideline(), NOW))[0]


@pytest.mark.exhaustive
@pytest.mark.parametrize("vignette", vignettes.read_all(vignettes.OWN), ids=lambda vignette: vignette.name)
def test_the_timeline_of_each_vignette_ends_in_its_verdicts_and_can_be_drawn(vignette):
    lifted = fhir.lift([(vignette.name, vignette.bundle)], vignettes.codes())
    wanted = results(evaluate(lifted.triples, vignettes.guideline(), vignette.as_of))
    for patient, row in zip(sorted(lifted.patients, key=lambda node: node.value), wanted, strict=True):
        found = timeline(lifted.triples, vignettes.guideline(), vignette.as_of, patient)
        assert found.results == row
        assert clashes(timeline_svg.draw(found)) == []


def _facts(name: str):
    return [quad.triple for quad in ox.parse(path=str(ROOT / "examples" / name), format=ox.RdfFormat.TURTLE)]


# what is shown


def test_a_course_is_shown_in_its_states():
    [first, *_] = medium().courses
    assert first.label == "Adalimumab / Adalimumab biosimilar"  # one course, two products
    assert [(segment.state.word, segment.state.ground, segment.start.isoformat()) for segment in first.segments] == [
        ("on-trial", "by-neither", "2024-04-15"), ("too-early-to-judge", "by-neither", "2024-05-27"), ("responding", "by-measurement", "2024-07-15"),
        ("secondary-failure", "by-measurement", "2025-04-28"), ("secondary-failure", "by-record", "2025-05-19")]
    assert all(before.end == after.start for before, after in zip(first.segments, first.segments[1:], strict=False))


def test_nothing_of_the_record_is_left_out():
    shown = {mark.fact for mark in medium().marks} | {point.fact for series in medium().series for point in series.points}
    courses = {t.subject.value for t in _medium() if t.object.value.endswith("#Course")}
    facts = {t.subject.value for t in _medium() if t.predicate.value.endswith("#patient")}
    assert shown == facts - courses
    assert [len(medium().courses), len(courses)] == [2, 3]  # the biosimilar goes on with its originator's course


def test_partial_dates_stay_partial():
    [course] = [one for one in medium().courses if one.label == "Meloxicam"]
    assert (course.start.text, course.end.text) == ("2024-01", "2024-04")
    assert {mark.when.text for mark in medium().marks if mark.kind == "diagnosis"} == {"2023-09"}
    assert drawn("medium").count("dash") > 2


def test_a_fact_recorded_later_is_not_shown():
    facts = turtle(BRIEF + 'ex:p-4 a pt:Contraindication ; pt:patient ex:p ; pt:about cl:Infliximab ; pt:certainty pt:Confirmed ; pt:recorded "2025-11-27"^^xsd:date .')
    before, after = (timeline(facts, vignettes.guideline(), day, P) for day in (date(2025, 11, 26), date(2025, 11, 27)))
    assert [[mark.kind for mark in one.marks] for one in (before, after)] == [["diagnosis"], ["contraindication", "diagnosis"]]
    assert any("contraindicated" == turn.after for turn in after.changes[-1].turns)


def test_a_class_that_the_scores_contradict_is_marked():
    facts = turtle(BRIEF.replace("pt:Active", 'pt:Stopped ; pt:end "2026-02-27"^^xsd:date ; pt:response pt:PrimaryNonResponse')
                   + 'ex:p-4 a pt:Observation ; pt:patient ex:p ; pt:about cl:Asdas ; pt:value 2 ; pt:unit "{score}" ; pt:date "2026-02-24"^^xsd:date .')
    found = timeline(facts, vignettes.guideline(), NOW, P)
    [course] = found.courses
    assert (course.state.word, course.state.ground, course.measured, course.disagreement) == ("primary-failure", "by-record", "Responding", True)
    assert "≠ scores say responding: review" in timeline_svg.draw(found)


# drawing


@pytest.mark.parametrize("name", ["medium", "brief", pytest.param("long", marks=pytest.mark.exhaustive)])
def test_the_drawing_is_well_formed_accessible_and_refers_to_nothing_outside(name):
    root = ET.fromstring(drawn(name))
    assert root.tag == f"{SVG}svg" and root.get("role") == "img"
    ids = [node.get("id") for node in root.iter() if node.get("id")]
    assert len(ids) == len(set(ids)) and set(root.get("aria-labelledby").split()) <= set(ids)
    assert root.find(f"{SVG}title").text.startswith("Timeline of ") and root.find(f"{SVG}desc").text
    assert not re.search(r"href|@import|https?:|url\((?!#)|<script|<image|foreignObject", drawn(name).replace('xmlns="http://www.w3.org/2000/svg"', "").replace("http://example.org/", ""))
    assert set(re.findall(r"url\(#([^)]+)\)", drawn(name))) <= set(ids)


def test_two_drawings_on_one_page_share_no_id():
    ids = [set(re.findall(r'id="([^"]+)"', timeline_svg.draw(brief(), prefix))) for prefix in ("a", "b")]
    assert not ids[0] & ids[1]


def test_a_state_is_said_in_words_and_by_a_sign_of_its_own():
    looks = list(timeline_svg._LOOKS.values())
    assert len({pattern for pattern, _ in looks}) == len(looks)
    for course in medium().courses:
        if course.state:
            assert course.state.label in drawn("medium")


@pytest.mark.parametrize("name", ["medium", "brief", pytest.param("long", marks=pytest.mark.exhaustive)])
def test_no_two_labels_lie_on_one_another(name):
    assert clashes(drawn(name)) == []


def test_labels_that_do_are_found():
    two = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1120 50"><text x="10" y="20">first</text><text x="20" y="24">second</text></svg>'
    assert clashes(two) == ["first / second"]


def clashes(svg: str) -> list[str]:
    """Pairs of texts whose boxes overlap, and texts that leave the drawing; widths are those of a common sans serif."""
    root, boxes = ET.fromstring(svg), []
    wide, high = (float(number) for number in root.get("viewBox").split()[2:])
    for node in root.iter(f"{SVG}text"):
        style, x, y = node.get("class") or "", float(node.get("x")), float(node.get("y"))
        size = 10 if "tiny" in style else 11 if "soft" in style else 17 if "head" in style else 12
        length = len(node.text) * size * 0.5
        left = x - length if "end" in style.split() else x - length / 2 if "mid" in style else x
        boxes.append((left, y - size * 0.7, left + length, y, node.text))
    found = [box[4] for box in boxes if box[0] < 0 or box[2] > wide or box[1] < 0 or box[3] > high]
    for number, one in enumerate(boxes):
        for other in boxes[number + 1:]:
            if one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]:
                found.append(f"{one[4]} / {other[4]}")
    return found


@pytest.mark.exhaustive
def test_the_drawing_in_the_documentation_is_current():
    assert DRAWING.read_text(encoding="utf-8") == drawn("long"), "run: python -m tests.test_timeline"


# command line


def run(*arguments: str):
    return CliRunner(env={"NO_COLOR": "1", "COLUMNS": "110"}).invoke(app, ["timeline", *arguments])


def test_help_has_an_example():
    assert "Example: kg timeline" in run("--help").stdout


def test_text_json_and_drawing(tmp_path):
    file = tmp_path / "p.ttl"
    file.write_text("@prefix pt: <https://w3id.org/sacroiliitis-kg/patient#> .\n@prefix cl: <https://w3id.org/sacroiliitis-kg/clinical#> .\n@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .\n@prefix ex: <http://example.org/> .\n" + BRIEF)
    shown = run(str(file), "--as-of", "2025-11-21")
    assert shown.exit_code == 0 and "2025-11-20  ASDAS 3.5" in shown.stdout and "no date     Sacroiliitis" in shown.stdout
    target = tmp_path / "p.svg"
    assert run(str(file), "--as-of", "2025-11-21", "--format", "svg", "-o", str(target)).exit_code == 0
    assert target.read_text().startswith("<svg")
    assert '"as_of": "2025-11-21"' in run(str(file), "--as-of", "2025-11-21", "--format", "json").stdout


def test_a_drawing_shows_one_patient(tmp_path):
    file = tmp_path / "two.ttl"
    file.write_text("@prefix pt: <https://w3id.org/sacroiliitis-kg/patient#> . <http://example.org/a> a pt:Patient . <http://example.org/b> a pt:Patient .")
    found = run(str(file), "--as-of", "2026-03-02", "--format", "svg")
    assert found.exit_code != 0 and "name one with --patient" in str(found.exception)
    assert "no such patient" in str(run(str(file), "--patient", "c").exception)


def test_a_guideline_without_a_machine_has_timelines_without_states():
    from kg.guideline import load

    facts = [quad.triple for quad in ox.parse(path=str(ROOT / "tests" / "guidelines" / "toy-patients.ttl"), format=ox.RdfFormat.TURTLE)]
    toy = load("toy", (ROOT / "tests" / "guidelines" / "toy.ttl",))
    patient = next(t.subject for t in facts if t.object.value.endswith("#Patient") and t.subject.value.endswith("failed"))
    found = timeline(facts, toy, date(2026, 1, 15), patient)
    assert found.courses and not any(course.state for course in found.courses)
    assert clashes(timeline_svg.draw(found)) == []


if __name__ == "__main__":
    DRAWING.write_text(drawn("long"), encoding="utf-8")

"""What the questions of `queries/ask/` answer."""

from __future__ import annotations

from collections import Counter

import pyoxigraph as ox

from kg import queries
from kg.engine import ENGINES, Triple
from kg.guideline import load
from tests.support.answered import answer, local, rows

def test_eligible_treatments_come_with_strength_role_and_step():
    found = rows("eligible-treatments", "patient", "treatment", "strength", "role", "step")
    anna = "http://example.org/fhir/anna"
    assert (anna, "etanercept", "Unstated", "switch", "second-biologic") in found
    assert (anna, "secukinumab", "Conditional", "alternative", "after-tnf-inhibitor-failure") in found
    assert not any(treatment in ("adalimumab", "golimumab") for patient, treatment, *_ in found if patient == anna)


def test_recorded_contraindications_and_advice_against_are_told_apart():
    found = rows("contraindicated-treatments", "treatment", "kind", "ground")
    by = {(treatment, kind): local(ground) for treatment, kind, ground in found}
    assert by["golimumab", "Recorded contraindication"] == "a8"
    assert by["methotrexate-monotherapy", "Advised against"].startswith("R2")


def test_undetermined_treatments_name_the_question():
    found = rows("undetermined-treatments", "patient", "treatment", "missing", "ask")
    assert (
        "http://example.org/fhir/ben",
        "cox2-inhibitor",
        "Unconfirmed contraindication",
        "Is the recorded allergy or contraindication confirmed?",
    ) in found
    assert all(missing and ask for _, _, missing, ask in found)


def test_a_verdict_is_traced_to_its_line():
    found = rows("why-a-verdict", "patient", "treatment", "verdict", "rule", "criterion", "result", "line")
    assert (
        "http://example.org/fhir/anna",
        "etanercept",
        "Eligible",
        "R05",
        "Secondary non-response to the first TNF inhibitor",
        "Met",
        line_of("S049"),
    ) in found


def line_of(statement: str) -> float:
    return next(line for line, name in rows("statements-by-line", "line", "statement") if name == statement)


def test_facts_used_lead_back_to_their_source():
    found = rows("facts-used", "fact", "kind", "usedFor", "answer", "source")
    assert (
        "http://example.org/fhir/a2",
        "Observation",
        "Pain above 4 of 10",
        "Met",
        "http://example.org/fhir/Observation-2",
    ) in found
    assert any(local(fact) == "a8" and answer == "Golimumab" for fact, _, _, answer, _ in found)


def test_evidence_has_values_populations_and_checks():
    found = rows("evidence-for-recommendation", "rule", "value", "unit", "population", "check")
    assert ("R07", "54.5", "%", "Selected subgroup", "Misdescribed") in found
    assert {"R11", "D2", "R27"} <= {rule for rule, *_ in found}
    assert all(how and place for check, how, place in rows("evidence-for-recommendation", "check", "howSeen", "seenIn") if check)


def test_source_checks_say_what_differs_where_it_was_seen_and_what_rests_on_it():
    found = rows("source-checks", "statement", "rule", "outcome")
    for statement, rule, outcome in (
        ("S026", "R07", "Misdescribed"),
        ("S026", "R10", "Misdescribed"),
        ("S035", "R07", "Made for another population"),
        ("S044", "R08", "Made for another population"),
        ("S062", "R14", "Graded otherwise"),
        ("S077", "R21", "Made for another population"),
        ("S078", "R22", "Made for another population"),
        ("S098", "R26", "Contested"),
        ("S103", "R27", "Not verified"),
        ("S011", "R01", "Confirmed by the literature"),
    ):
        assert (statement, rule, outcome) in found
    assert all(how and where and what for how, where, what in rows("source-checks", "howSeen", "seenIn", "differs"))


def test_each_statement_has_its_own_population_or_the_guidelines():
    found = rows("statement-populations", "statement", "population", "origin")
    assert len(found) == 106 and len({statement for statement, *_ in found}) == 106
    assert ("S069", "Patients with stable disease", "own") in found
    assert ("S011", "Adult with sacroiliitis on record", "inherited") in found
    studied = dict(rows("statement-populations", "statement", "studied"))
    assert studied["S036"] == "Patients with sacroiliac joint dysfunction" and studied["S011"] is None


def test_a_recommendation_stronger_than_its_statements_or_against_them_is_found():
    query = next(one for one in queries.folder("check") if one.name == "recommendation-beyond-its-statements")
    gl = "https://w3id.org/sacroiliitis-kg/core#"
    for kind in ENGINES.values():
        assert kind(load().triples).select(query.text)[1] == []
        for predicate, value in (("strength", "Strong"), ("direction", "Against")):
            changed = [
                Triple(t.subject, t.predicate, ox.NamedNode(gl + value))
                if t.subject.value.endswith("#R17") and t.predicate.value == gl + predicate
                else t
                for t in load().triples
            ]
            assert [[term.value for term in row] for row in kind(changed).select(query.text)[1]] == [
                [load().iri.value.replace("#guideline", "#R17"), gl + value]
            ]


def test_missing_documentation_names_the_open_parts():
    found = rows("documentation-missing", "patient", "item", "status")
    anna = {(item, status) for patient, item, status in found if patient.endswith("anna")}
    assert anna == {
        ("D1", "Incomplete"),
        ("D2", "Missing"),
        ("D3", "Incomplete"),
        ("D4", "Missing"),
        ("D5", "Incomplete"),
    }


def test_monitoring_says_since_when():
    assert rows("monitoring-due", "patient", "treatment", "status", "dueOn") == {
        ("http://example.org/fhir/ben", "infliximab-biosimilar", "Due", "2025-11-24")
    }


def test_recommendations_are_listed_by_direction_and_strength():
    found = rows("recommendations-by-strength", "rule", "direction", "strength")
    assert {("R01", "For", "Strong"), ("R22", "Against", "Strong"), ("R24", "Neutral", "Unstated")} <= found


def test_all_statements_are_covered():
    ids = {f"S{number:03}" for number in range(1, 107)}
    assert {statement for (statement,) in rows("statement-coverage", "statement")} == ids
    assert {statement for (statement,) in rows("statements-by-line", "statement")} == ids
    assert len(answer("statement-coverage")[1]) == 106


def test_patients_are_counted_by_verdict():
    total: Counter = Counter()
    for treatment, count in rows_with_repeats("patients-by-verdict", "treatment", "patients"):
        total[treatment] += count
    assert set(total.values()) == {3.0}


def rows_with_repeats(name: str, *columns: str) -> list[tuple]:
    names, found = answer(name)
    return [tuple(row[names.index(column)] for column in columns) for row in found]


def test_preferences_flags_and_prerequisites():
    assert ("etanercept", "secukinumab", "R25") in rows("preferences", "preferred", "over", "rule")
    flags = {flag for patient, flag in rows("flags-raised", "patient", "flag") if patient.endswith("anna")}
    assert {"unilateral", "member-contraindicated", "no-concurrent-therapy", "single-nsaid"} <= flags
    assert ("http://example.org/fhir/anna", "si-joint-fusion", "Prerequisite not met") in rows(
        "prerequisites", "patient", "treatment", "outcome"
    )


def test_standard_codes_cannot_decide_everything():
    found = {
        (local(criterion), lacks) for criterion, lacks in rows("criteria-without-standard-codes", "criterion", "lacks")
    }
    assert ("isolated-sacroiliitis", "concept") in found
    assert ("first-primary", "value") in found
    assert ("a-block", "concept") in found
    assert ("first-injection-helped", "measure") in found
    assert not {"sacroiliitis-diagnosis", "pain-intensity", "nsaid-days"} & {criterion for criterion, _ in found}


def test_every_decision_is_listed():
    assert {decision for (decision,) in rows("decisions-and-where-they-count", "decision")} == {
        f"A{number:02}" for number in range(1, 47)
    }


def test_what_can_be_asked_is_read_from_the_criteria():
    found = rows("what-can-be-asked", "criterion", "kind", "concept", "property", "limit")
    pt, cl = "https://w3id.org/sacroiliitis-kg/patient#", "https://w3id.org/sacroiliitis-kg/clinical#"
    rs = "https://w3id.org/sacroiliitis-kg/guideline/refractory-sacroiliitis#"
    assert (rs + "pain-intensity", pt + "Observation", cl + "PainIntensity", pt + "value", 4.0) in found
    assert (rs + "adult", pt + "Patient", None, pt + "birthDate", 18.0) in found
    assert (rs + "nsaid-days", pt + "Course", cl + "Nsaid", pt + "InadequateResponse", 30.0) in found
    assert not [row for row in found if row[0] == rs + "any-imaging"]


def test_thresholds_have_unit_days_basis_and_statement_or_decision():
    found = rows("thresholds", "threshold", "value", "unit", "days", "basis", "decision", "statement")
    assert all(unit and basis for _, _, unit, _, basis, _, _ in found)
    days = {local(threshold): limit for threshold, _, unit, limit, *_ in found if unit in ("d", "wk", "mo", "a")}
    assert (
        days["nsaid-days"] == 30
        and days["physical-therapy-six-weeks"] == 42
        and days["R28"] == 84
        and days["staleness"] == 90
    )
    assert days["relief-duration"] == 60 and days["short-course"] == 90


def test_conventions_of_time():
    found = rows("notes-on-time", "convention", "of", "days")
    assert {
        ("unit", "month", 30.0),
        ("gap between records of one course", "Biologic", 120.0),
        ("gap between records of one course", "Drug", 14.0),
    } <= found
    assert ("stale after", 90.0) in {(convention, days) for convention, _, days in found}

"""FHIR out: every vignette's guidance is valid R4, says what the JSON says, and can be read back without becoming evidence."""

from __future__ import annotations

import json
from datetime import date
from functools import cache

import pytest

from kg import fhir, inputs
from kg.evaluate import evaluate
from kg.guidance.plan import actions
from kg.guidance.resources import Case, bundle, cases, outcome_of
from kg.guidance.rules import Rules
from kg.results import results
from tests.support import vignettes
from tests.support.hooks import empty
from tests.support.vignettes import OWN, Vignette, read_all

r4 = pytest.importorskip("fhir.resources.R4B.bundle")
pytestmark = pytest.mark.xdist_group("fhir-out")  # one process makes the batch that all tests read
VIGNETTES = {one.name: one for one in read_all(OWN)}


@cache
def rules() -> Rules:
    return Rules(vignettes.guideline(), vignettes.codes())


@cache
def batch() -> dict[str, tuple[list[dict], dict]]:
    """Results and Bundle of every vignette; those of one day are evaluated together."""
    lifted = {name: fhir.lift([("test", one.bundle)], vignettes.codes()) for name, one in VIGNETTES.items()}
    found: dict[str, tuple[list[dict], dict]] = {}
    for day in {one.as_of for one in VIGNETTES.values()}:
        names = [name for name, one in VIGNETTES.items() if one.as_of == day]
        rows = results(evaluate([t for name in names for t in lifted[name].triples], vignettes.guideline(), day))
        for name in names:
            patients = {node.value for node in lifted[name].patients}
            found[name] = written([row for row in rows if row["iri"] in patients], lifted[name])
    return found


def answered(name: str) -> tuple[list[dict], dict]:
    return batch()[name]


def written(rows: list[dict], lifted: fhir.Lifted) -> tuple[list[dict], dict]:
    return rows, bundle([Case(row, lifted.triples, lifted.findings) for row in rows], rules())


def out(document: dict, as_of: date) -> tuple[list[dict], dict]:
    lifted = fhir.lift([("test", document)], vignettes.codes())
    return written(results(evaluate(lifted.triples, vignettes.guideline(), as_of)), lifted)


def of(found: dict, kind: str) -> list[dict]:
    return [entry["resource"] for entry in found["entry"] if entry["resource"]["resourceType"] == kind]


def faults(vignette: Vignette, rows: list[dict], found: dict) -> list[str]:
    """Where a Bundle is not R4, or says otherwise than the results it was made from."""
    said: list[str] = []
    try:
        r4.Bundle.model_validate_json(json.dumps(found))
    except ValueError as error:
        said.append(str(error))
    said += [f"{path} is null or empty" for path in empty(found)]
    addresses = [entry["fullUrl"] for entry in found["entry"]]
    inside = [one["reference"] for one in references(found) if one["reference"].startswith("urn:uuid:")]
    said += [f"{one} is not in the Bundle" for one in inside if one not in addresses] + (["two entries of one address"] if len(set(addresses)) < len(addresses) else [])
    for row, response in zip(rows, of(found, "GuidanceResponse"), strict=True):
        said += differences(row, response, found)
    return [f"{vignette.name}: {fault}" for fault in said]


def references(value: object):
    if isinstance(value, dict):
        if isinstance(value.get("reference"), str):
            yield value
        for child in value.values():
            yield from references(child)
    elif isinstance(value, list):
        for child in value:
            yield from references(child)


def differences(row: dict, response: dict, found: dict) -> list[str]:
    verdicts = {one["verdict"] for one in row["treatments"]}
    told = {part["valueCode"] for one in response["contained"][0]["parameter"] for part in one.get("part", ()) if part["name"] == "verdict"}
    said = [] if told == verdicts else [f"verdicts {told}"]
    status = "data-requested" if "undetermined" in verdicts else "success"
    if row["applicability"] == "unknown":
        status = "data-required"
    if response["status"] != status:
        said.append(f"status {response['status']}")
    if ("undetermined" in verdicts) != ("dataRequirement" in response):
        said.append("dataRequirement")
    notes = [note["text"] for note in response["note"]]
    if ("eligible" in verdicts) != any(all(item in note for item in row["notChecked"]) for note in notes):
        said.append("what is not checked")
    mine = [one for one in of(found, "RequestGroup") if one["subject"] == response["subject"]]
    titles = {leaf["title"] for plan in mine for one in plan["action"] for leaf in one.get("action", [one])}
    if titles != {one["label"] for one in row["treatments"] if one["verdict"] == "eligible"}:
        said.append(f"actions {titles}")
    issues = [one for one in of(found, "DetectedIssue") if one["patient"] == response["subject"]]
    wanted = sorted((one["verdict"], one["label"]) for one in row["treatments"] if one["verdict"] in ("contraindicated", "advised-against"))
    if sorted((one["code"]["coding"][0]["code"], one["code"]["text"].split(":")[0]) for one in issues) != wanted:
        said.append("issues")
    return said


def test_every_vignette_gives_valid_r4_that_says_the_same():
    assert [fault for name, one in VIGNETTES.items() for fault in faults(one, *answered(name))] == []


def test_the_checks_above_can_fail():
    rows, found = answered("a-class-contraindication-leaves-only-il17-inhibitors")
    vignette = VIGNETTES["a-class-contraindication-leaves-only-il17-inhibitors"]
    assert faults(vignette, rows, found) == []
    for spoil in ({"status": "done"}, {"status": "data-requested"}, {"subject": {"reference": "urn:uuid:00000000-0000-0000-0000-000000000000"}}, {"note": [{"text": ""}]}):
        first = {**found["entry"][0], "resource": {**found["entry"][0]["resource"], **spoil}}
        assert faults(vignette, rows, {**found, "entry": [first, *found["entry"][1:]]})


def test_strength_and_direction_have_their_codes_and_keep_the_word():
    _, found = answered("a-class-contraindication-leaves-only-il17-inhibitors")
    (plan,) = of(found, "RequestGroup")
    leaves = {leaf["title"]: leaf["extension"] for one in plan["action"] for leaf in one.get("action", [one])}
    graded = {title: [(one["valueCodeableConcept"].get("coding", [{}])[0].get("code"), one["valueCodeableConcept"]["text"]) for one in extension] for title, extension in leaves.items()}
    assert graded["Secukinumab"] == [("for", "for"), ("weak", "conditional")]
    assert graded["Active physical therapy"] == [("for", "for"), ("strong", "strong")]
    assert graded["NSAID on demand"] == [("for", "for"), (None, "unstated")]
    systems = {coding["system"] for extension in leaves.values() for one in extension for coding in one["valueCodeableConcept"].get("coding", ())}
    assert systems == {"http://terminology.hl7.org/CodeSystem/recommendation-strength", "http://hl7.org/fhir/uv/cpg/CodeSystem/cpg-recommendation-direction-cs"}


def test_an_issue_names_the_resource_that_it_rests_on():
    _, found = answered("a-class-contraindication-leaves-only-il17-inhibitors")
    issue = next(one for one in of(found, "DetectedIssue") if one["code"]["text"].startswith("Adalimumab:"))
    (evidence,) = issue["evidence"]
    assert all("AllergyIntolerance/" in one["reference"] for one in evidence["detail"])
    assert "severity" not in issue


def test_alternatives_stand_in_groups_and_what_is_preferred_comes_first():
    def row(slug: str, strength: str, rule: str, *over: str, role: str | None = None) -> dict:
        applied = {"id": rule, "label": rule, "status": "applies", "direction": "for"}
        return {"treatment": slug, "verdict": "eligible", "strength": strength, "role": role, "step": None, "lessPreferredThan": list(over), "recommendations": [applied]}

    found = actions([row("a", "conditional", "R1", "c"), row("b", "conditional", "R1", "c", "a"), row("c", "unstated", "R2"), row("d", "strong", "R3", role="concurrent"), row("e", "strong", "R3", role="concurrent")],
                    lambda one: {"title": one["treatment"]})
    assert [[leaf["title"] for leaf in one.get("action", [one])] for one in found] == [["d", "e"], ["c"], ["a", "b"]]
    assert [one.get("selectionBehavior") for one in found] == ["any", None, "at-most-one"]


@pytest.mark.parametrize("name", ["a-class-contraindication-leaves-only-il17-inhibitors", "one-agent-contraindicated-with-its-biosimilar"])
def test_what_was_written_is_no_evidence_when_it_is_read_again(name: str):
    """An issue that this project derived, stored in the record, adds no bar of its own: only what it rests on counts."""
    vignette, (rows, found) = VIGNETTES[name], answered(name)
    again = {**vignette.bundle, "entry": [*vignette.bundle["entry"], *({"resource": one} for one in of(found, "DetectedIssue"))]}
    assert out(again, vignette.as_of)[0] == rows


def test_the_same_input_gives_the_same_bytes():
    name = "pain-not-recorded-leaves-the-first-biologic-open"
    assert out(VIGNETTES[name].bundle, VIGNETTES[name].as_of)[1] == answered(name)[1]


def test_a_question_names_the_resources_that_could_answer_it():
    assert rules().resource_types("pain-intensity") == ["Observation"]
    assert {"Condition", "Patient"} <= set(rules().resource_types("population"))
    assert rules().resource_types("nsaid-failure") and rules().resource_types("no such question") == []
    assert {"Condition", "Patient"} <= rules().population_types


def test_findings_become_an_operation_outcome():
    document = VIGNETTES["pain-of-four-is-not-above-four"].bundle
    broken = {**document, "entry": [*document["entry"], {"resource": {"resourceType": "Observation", "id": "x", "status": "final", "code": {"coding": [{"system": "http://loinc.org", "code": "72514-3"}]}, "valueQuantity": {"value": 5, "code": "{score}"}}}]}
    found = out(broken, date(2026, 3, 2))[1]
    (outcome,) = of(found, "OperationOutcome")
    assert any(issue["severity"] == "error" and "Observation/x" in issue["diagnostics"] for issue in outcome["issue"])
    assert of(found, "GuidanceResponse")[0]["evaluationMessage"]
    assert outcome_of([])["issue"] == []


@pytest.mark.parametrize("name", ["pain-not-recorded-leaves-the-first-biologic-open", "no-date-of-birth-is-open"])
def test_what_is_missing_comes_as_a_questionnaire_whose_answers_are_read(name: str):
    """The way round: guidance with a Questionnaire, its answers back in the record, and the verdict is settled."""
    vignette = VIGNETTES[name]
    lifted = fhir.lift([("test", vignette.bundle)], vignettes.codes())
    evaluation = evaluate(lifted.triples, vignettes.guideline(), vignette.as_of)
    (case,) = cases(evaluation, results(evaluation), vignettes.codes())
    found = bundle([case], rules())
    assert faults(vignette, [case.row], found) == []
    (form,) = of(found, "Questionnaire")
    assert all(item["text"] and item["linkId"] for item in form["item"])
    value = {"date": {"valueDate": "1980-01-01"}, "decimal": {"valueDecimal": 8}}[form["item"][0]["type"]]
    response = {"resourceType": "QuestionnaireResponse", "status": "completed", "authored": vignette.as_of.isoformat(), "subject": {"reference": case.row["iri"]},
                "item": [{"linkId": form["item"][0]["linkId"], "answer": [value]}]}
    again = fhir.lift([("test", {**vignette.bundle, "entry": [*vignette.bundle["entry"], {"resource": response}]})], vignettes.codes())
    facts, more = inputs.answered(again.triples, again, vignettes.codes())
    assert more == []
    before, after = ({one["treatment"]: one["verdict"] for one in row["treatments"]} for row in (case.row, *results(evaluate(facts, vignettes.guideline(), vignette.as_of))))
    assert before["adalimumab"] == "undetermined" and after["adalimumab"] == "eligible"

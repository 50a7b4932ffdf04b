"""Bundles, lines, references, patients, bad input (spec/fhir-input.md: input, Several patients, Bad input)."""

from __future__ import annotations

import json

import pytest

from kg.errors import InputError
from kg.fhir import Unread, lift, parse
from tests.test_fhir_support import ICD, LOINC, PATIENT, codes, concept, lifted, lines, said

CONDITION = {
    "resourceType": "Condition",
    "id": "c",
    "code": concept(ICD, "M46.1"),
    "subject": {"reference": "Patient/p"},
}
BUNDLE = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": PATIENT}, {"resource": CONDITION}]}


@pytest.mark.parametrize(
    ("data", "count"),
    [
        (json.dumps(BUNDLE).encode(), 1),
        (b"\xef\xbb\xbf" + json.dumps(BUNDLE).encode(), 1),
        (json.dumps(BUNDLE, indent=2).encode("utf-16"), 1),
        (json.dumps(CONDITION).encode(), 1),
        ("\n".join(map(json.dumps, (PATIENT, CONDITION))).encode(), 2),
        ("\r\n".join(map(json.dumps, (PATIENT, CONDITION))).encode() + b"\n\n", 2),
    ],
)
def test_a_bundle_a_resource_or_lines_are_read(data, count):
    documents = parse(data, "in.json")
    assert len(documents) == count
    assert not any(isinstance(resource, Unread) for _, resource in documents)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "in.json: file: is empty"),
        (b" \n", "in.json: file: is empty"),
        (b"hello", "in.json: line 1, column 1: is not JSON"),
        (b'{"resourceType": "Bundle", "entry": [', "in.json: line 1, column 38: ends in the middle"),
        (b'{"resourceType": "Bundle",\n "entry": "x', "in.json: line 2, column 11: ends in the middle"),
        (b'{"resourceType": "Bundle" "entry": []}', "in.json: line 1, column 27: is not JSON"),
        (b"<Bundle xmlns='http://hl7.org/fhir'/>", "in.json: line 1: is XML"),
        (b"{}", "in.json: resourceType: is not FHIR"),
        (b"[]", "in.json: resourceType: is not FHIR"),
        (b'"Bundle"', "in.json: resourceType: is not FHIR"),
        (b'{"resourceType": 7}', "in.json: resourceType: '7' is not a FHIR R4 resource type"),
        (b'{"resourceType": "Patients"}', "in.json: resourceType: 'Patients' is not a FHIR R4 resource type"),
        (
            b'{"resourceType": "CapabilityStatement"}',
            "in.json: resourceType: CapabilityStatement says nothing of a patient",
        ),
        (b"\x1f\x8b\x08\x00", "in.json: byte 1: is not text"),
        (b"PK\x00\x01", "in.json: file: is not text"),
        (b"[" * 100_000, "in.json: file: is nested too deeply"),
        (b"x\ny\nz", "in.json: line 1, column 1: is not JSON"),
    ],
)
def test_what_cannot_be_read_is_one_line_with_file_place_and_remedy(data, message):
    with pytest.raises(InputError) as caught:
        parse(data, "in.json")
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value) and caught.value.remedy


def test_a_bad_line_is_reported_and_the_rest_is_read():
    data = "\n".join([json.dumps(PATIENT), '{"resourceType": "Condition", "id', json.dumps(CONDITION)]).encode()
    found = lift(parse(data, "in.ndjson"), codes())
    assert lines(found) == ["Diagnosis Sacroiliitis presence=Present"]
    assert [(f.severity, f.place) for f in found.findings] == [("violation", "in.ndjson:2")]
    assert (found.entries, found.relevant, found.ignored) == (3, 3, 0)


def score(value: str) -> bytes:
    """A pain score whose value is this text of JSON."""
    text = json.dumps(
        {
            "resourceType": "Observation",
            "id": "o",
            "status": "final",
            "code": concept(LOINC, "72514-3"),
            "subject": {"reference": "Patient/p"},
            "effectiveDateTime": "2026-01-01",
            "valueQuantity": {"value": 0},
        }
    ).replace('{"value": 0}', value)
    return "\n".join([json.dumps(PATIENT), text]).encode()


@pytest.mark.parametrize(
    ("value", "element"),
    [
        ('{"value": NaN}', "valueQuantity.value"),
        ('{"value": -Infinity}', "valueQuantity.value"),
        ('{"value": 1e99999999999999999999}', "valueQuantity.value"),
        ('{"value": ' + "9" * 5000 + "}", "valueQuantity.value"),
        ('{"value": 4, "value": 7}', "valueQuantity.value"),
        ('{"value": 4, "unit": "x", "unit": "y"}', "valueQuantity.unit"),
        ('{"value": 4}, "valueQuantity": {"value": 7}', "valueQuantity"),
    ],
)
def test_a_number_beyond_all_bounds_or_given_twice_is_a_finding_and_the_rest_is_read(value, element):
    found = lift(parse(score(value), "in.ndjson"), codes())
    assert [one for one in lines(found) if "value=" in one] == []
    assert said(found)[:1] == [f"violation Observation/o {element}"]
    assert [patient.value for patient in found.patients] == ["urn:kg:record:Patient/p"]


def test_a_key_given_twice_with_the_same_content_is_read():
    found = lift(parse(score('{"value": 7, "value": 7}'), "in.ndjson"), codes())
    assert lines(found) == ["Observation PainIntensity date=2026-01-01 unit={score} value=7"]
    assert said(found) == []


@pytest.mark.parametrize("given", ['"\\ud800"', '"\\uDFFF x"', '"\\ud83d\\ud83d"'])
def test_half_a_character_never_stops_the_reading(given):
    data = b'{"resourceType": "Patient", "id": ' + given.encode() + b"}"
    found = lift(parse(data, "in.json"), codes())
    assert "\ufffd" in "".join(triple.object.value for triple in found.triples)


@pytest.mark.parametrize("given", ["\U0001f600", "back\\slash", "\\ud800 in words"])
def test_whole_characters_are_kept(given):
    data = json.dumps({"resourceType": "Patient", "id": given}).encode()
    assert parse(data, "in.json")[0][1]["id"] == given


def entry(resource: object, url: str | None = None) -> dict:
    return {"resource": resource} | ({"fullUrl": url} if url else {})


def bundle(*entries: object) -> list[tuple[str, object]]:
    return [("b.json", {"resourceType": "Bundle", "entry": list(entries)})]


def about(reference: object, **more: object) -> dict:
    return {**CONDITION, "subject": {"reference": reference}, **more}


URN = "urn:uuid:0cd0a8f1-0000-4000-8000-00000000000a"
AT = "http://example.org/fhir/"


@pytest.mark.parametrize(
    ("patient", "condition"),
    [
        (entry(PATIENT), entry(about("Patient/p"))),
        (entry(PATIENT, AT + "Patient/p"), entry(about("Patient/p"), AT + "Condition/c")),
        (entry(PATIENT, AT + "Patient/p"), entry(about(AT + "Patient/p"), AT + "Condition/c")),
        (entry(PATIENT, AT + "Patient/p"), entry(about(AT + "Patient/p/_history/3"), AT + "Condition/c")),
        (entry(PATIENT), entry(about(AT + "Patient/p"))),
        (entry(PATIENT, URN), entry(about(URN))),
        (entry(PATIENT, URN), entry(about(URN.upper().replace("URN:UUID", "urn:uuid")))),
        (entry(PATIENT, URN), entry(about("Patient/p"))),
        (entry(PATIENT | {"id": URN[9:]}), entry(about(URN))),
        (entry(PATIENT, AT + "Patient/p"), entry(about("Patient/p"), URN)),
    ],
)
def test_a_subject_is_found(patient, condition):
    found = lift(bundle(patient, condition), codes())
    assert lines(found) == ["Diagnosis Sacroiliitis presence=Present"]
    assert said(found) == []


@pytest.mark.parametrize(
    ("patient", "condition"),
    [
        (entry(PATIENT), entry(about("Patient/q"))),
        (entry(PATIENT), entry({k: v for k, v in CONDITION.items() if k != "subject"})),
        (entry(PATIENT), entry({**CONDITION, "subject": "Patient/p"})),
        (entry(PATIENT), entry({**CONDITION, "subject": {"display": "P"}})),
        (entry(PATIENT), entry(about(7))),
        (entry(PATIENT), entry(about("#p"))),
        (entry(PATIENT), entry(about("Group/p"))),
        (entry(PATIENT, AT + "Patient/p"), entry(about("http://other.org/fhir/Patient/p"), AT + "Condition/c")),
        (entry(PATIENT, AT + "Patient/p"), entry(about("Patient/p"), "http://other.org/fhir/Condition/c")),
        (entry({"resourceType": "Group", "id": "p"}), entry(about("Group/p"))),
    ],
)
def test_a_subject_that_is_missing_or_not_in_the_input_is_reported_not_guessed(patient, condition):
    found = lift(bundle(patient, condition), codes())
    assert lines(found) == []
    assert said(found) == ["violation Condition/c subject"]


def test_of_two_patients_with_one_id_the_one_of_the_same_server_is_meant():
    other = "http://other.org/fhir/"
    found = lift(
        bundle(
            entry(PATIENT, other + "Patient/p"), entry(PATIENT, AT + "Patient/p"), entry(CONDITION, AT + "Condition/c")
        ),
        codes(),
    )
    assert [t.object.value for t in found.triples if t.predicate.value.endswith("#patient")] == [AT + "Patient/p"]
    unsure = lift(
        bundle(entry(PATIENT, other + "Patient/p"), entry(PATIENT, AT + "Patient/p"), entry(CONDITION)), codes()
    )
    assert said(unsure) == ["violation Condition/c subject"]


def test_a_contained_patient_is_a_patient():
    found = lift(bundle(entry(about("#p", contained=[PATIENT]), AT + "Condition/c")), codes())
    assert lines(found) == ["Diagnosis Sacroiliitis presence=Present"]
    assert [p.value for p in found.patients] == [AT + "Condition/c#p"]


def test_a_resource_that_says_nothing_here_needs_no_patient():
    found = lifted(
        {"resourceType": "Observation", "code": concept(LOINC, "8302-2"), "subject": {"reference": "Patient/x"}}
    )
    assert (said(found), found.ignored) == ([], 1)


def test_patients_of_one_bundle_are_kept_apart():
    other = PATIENT | {"id": "q"}
    found = lift(
        bundle(entry(PATIENT), entry(other), entry(about("Patient/p")), entry(about("Patient/q", id="d"))), codes()
    )
    owners = {t.subject.value: t.object.value for t in found.triples if t.predicate.value.endswith("#patient")}
    assert owners == {
        "urn:kg:record:Condition/c#fact-1": "urn:kg:record:Patient/p",
        "urn:kg:record:Condition/d#fact-1": "urn:kg:record:Patient/q",
    }
    assert [p.value for p in found.patients] == ["urn:kg:record:Patient/p", "urn:kg:record:Patient/q"]


@pytest.mark.parametrize(
    ("url", "iri"),
    [
        (AT + "Condition/c", AT + "Condition/c"),
        (URN, URN),
        ("Condition/c", "urn:kg:record:Condition/c"),
        (None, "urn:kg:record:Condition/c"),
        (7, "urn:kg:record:Condition/c"),
        (AT + "Condition/<c>", AT + "Condition/%3Cc%3E"),
    ],
)
def test_facts_are_named_after_their_resource(url, iri):
    found = lift(bundle(entry(PATIENT), {"resource": CONDITION, "fullUrl": url}), codes())
    assert {t.object.value for t in found.triples if t.predicate.value.endswith("#source")} == {iri}


def test_a_resource_without_an_id_still_has_a_name():
    found = lift(bundle(entry(PATIENT), entry({k: v for k, v in CONDITION.items() if k != "id"})), codes())
    assert {t.subject.value for t in found.triples if t.predicate.value.endswith("#source")} == {
        "urn:kg:record:Condition/entry-2#fact-1"
    }


@pytest.mark.parametrize(
    ("odd", "finding"),
    [
        ("text", "violation Bundle.entry[0]"),
        ({"resource": "text"}, "violation Bundle.entry[0] resource"),
        ({"resource": {}}, "violation Bundle.entry[0] resourceType"),
        ({"resource": {"resourceType": "Conditions"}}, "violation Bundle.entry[0] resourceType"),
        ({"resource": {"resourceType": ["Condition"]}}, "violation Bundle.entry[0] resourceType"),
        ({"response": {"status": "200"}}, None),
        ({"resource": {"resourceType": "OperationOutcome"}}, None),
        ({"resource": {"resourceType": "Bundle", "entry": "x"}}, "violation Bundle"),
    ],
)
def test_an_odd_entry_is_reported_and_the_rest_is_read(odd, finding):
    found = lift(bundle(odd, *BUNDLE["entry"]), codes())
    assert lines(found) == ["Diagnosis Sacroiliitis presence=Present"]
    assert said(found) == ([finding] if finding else [])
    assert (found.entries, found.relevant + found.ignored, found.ignored) == (3, 3, 0 if finding else 1)


def test_a_bundle_in_a_bundle_is_read():
    assert lines(lift(bundle(entry(BUNDLE)), codes())) == ["Diagnosis Sacroiliitis presence=Present"]


def test_a_repeated_resource_counts_once():
    found = lift(bundle(*BUNDLE["entry"], *BUNDLE["entry"]), codes())
    assert lines(found) == ["Diagnosis Sacroiliitis presence=Present"]
    assert (said(found), found.entries, found.ignored) == ([], 4, 1)


def test_of_two_versions_the_last_updated_counts():
    old = CONDITION | {"meta": {"lastUpdated": "2025-01-01T00:00:00Z"}}
    new = CONDITION | {"meta": {"lastUpdated": "2025-02-01T00:00:00Z"}, "onsetDateTime": "2024"}
    for pair in ((old, new), (new, old)):
        found = lift(bundle(entry(PATIENT), *map(entry, pair)), codes())
        assert lines(found) == ["Diagnosis Sacroiliitis presence=Present start=2024"]
        assert said(found) == ["warning Condition/c"]


def test_two_patients_of_one_identity_have_no_certain_age():
    found = lift(bundle(entry(PATIENT), entry(PATIENT | {"birthDate": "2015-01-01"}), entry(CONDITION)), codes())
    assert not [t for t in found.triples if t.predicate.value.endswith("birthDate")]
    assert said(found) == ["violation Patient/p birthDate"]


def test_documents_of_several_files_are_one_record():
    found = lift([("patients.ndjson:1", PATIENT), ("conditions.ndjson:1", CONDITION)], codes())
    assert lines(found) == ["Diagnosis Sacroiliitis presence=Present"]

"""Conditions, allergies and safety alerts (spec/fhir-input.md: diagnosis, contraindication, Conditions, Modifiers)."""

from __future__ import annotations

import pytest

from tests.test_fhir_support import ACT, ATC, ICD, PATIENT, RXNORM, SNOMED, concept, kg, lifted, lines, said

STATUS = "http://terminology.hl7.org/CodeSystem/condition-clinical"


def condition(**more: object) -> dict:
    return {"resourceType": "Condition", "code": concept(ICD, "M46.1"), **more}


def clinical(word: str) -> dict:
    return {"clinicalStatus": concept(STATUS, word)}


def verified(word: str) -> dict:
    return {"verificationStatus": concept("http://terminology.hl7.org/CodeSystem/condition-ver-status", word)}


@pytest.mark.parametrize(
    ("given", "presence", "findings"),
    [
        ({}, "Present", 0),
        (clinical("active"), "Present", 0),
        (clinical("recurrence"), "Present", 0),
        (clinical("relapse"), "Present", 0),
        (clinical("remission"), "Present", 0),
        (clinical("inactive"), "Present", 0),
        (clinical("resolved"), "Resolved", 0),
        (verified("confirmed"), "Present", 0),
        (verified("refuted"), "Absent", 0),
        (verified("refuted") | clinical("resolved"), "Absent", 0),
        (verified("provisional"), "Unconfirmed", 0),
        (verified("differential"), "Unconfirmed", 0),
        (verified("unconfirmed"), "Unconfirmed", 0),
        (verified("entered-in-error"), None, 0),
        (clinical("cured"), "Unconfirmed", 1),
        ({"clinicalStatus": "resolved"}, "Unconfirmed", 1),
        ({"clinicalStatus": {"text": "Resolved"}}, "Resolved", 0),
        ({"verificationStatus": ["x"]}, "Unconfirmed", 1),
        ({"code": concept(ICD, "K27.9")} | clinical("resolved"), "Resolved", 0),
        ({"code": concept(ICD, "Z87.11")}, "Resolved", 0),
        ({"code": concept(ICD, "Z87.11")} | verified("refuted"), None, 0),
        ({"code": concept(ICD, "M99.9")}, None, 0),
        ({"code": {"text": "M46.1"}}, None, 0),
        ({"code": "M46.1"}, None, 1),
        ({"abatementString": "last spring"}, "Unconfirmed", 1),
    ],
)
def test_presence_of_a_condition(given, presence, findings):
    found = lifted(condition(**given))
    assert [line.split("presence=")[1].split()[0] for line in lines(found)] == ([presence] if presence else [])
    assert len(found.findings) == findings


@pytest.mark.parametrize(
    ("given", "dates", "severity"),
    [
        ({"onsetDateTime": "2025-03-04T23:30:00-05:00"}, "start=2025-03-04", None),
        ({"onsetDateTime": "2025-03"}, "start=2025-03", None),
        ({"onsetDateTime": "2025"}, "start=2025", None),
        ({"onsetDateTime": "2025-02-30"}, "", "violation"),
        ({"onsetDateTime": "2025-3-1"}, "", "violation"),
        ({"onsetDateTime": 2025}, "", "violation"),
        ({"onsetPeriod": {"start": "2024-01-02", "end": "2024-02"}}, "start=2024-01-02", None),
        ({"onsetPeriod": {"end": "2024-02"}}, "", None),
        ({"onsetString": "in spring"}, "", "warning"),
        ({"onsetAge": {"value": 40, "code": "a"}}, "", "info"),
        ({"onsetAge": {"value": 482, "code": "mo"}}, "start=2020", None),
        ({"onsetAge": {"value": 0, "code": "d"}}, "start=1980-06-15", None),
        ({"onsetAge": {"value": 4000, "code": "a"}}, "start=", "info"),
        ({"onsetAge": {"value": 9000, "code": "a"}}, "", "violation"),
        ({"onsetAge": {"value": 40, "code": "year"}}, "", "warning"),
        ({"recordedDate": "2024-05"}, "recorded=2024-05", None),
        ({"abatementDateTime": "2024-05-06"}, "end=2024-05-06", None),
        ({"abatementDateTime": "2024-05-06"} | clinical("active"), "end=2024-05-06", "warning"),
        ({"onsetDateTime": "2024-05-07", "abatementDateTime": "2024-05-06"}, "", "violation"),
    ],
)
def test_dates_of_a_condition(given, dates, severity):
    found = lifted(condition(**given))
    line = " ".join(part for part in lines(found)[0].split()[2:] if not part.startswith("presence"))
    assert line == dates or (dates == "start=" and line == "")
    assert [finding.severity for finding in found.findings] == ([severity] if severity else [])


def test_codes_of_different_meaning_each_count():
    both = {"coding": [{"system": ICD, "code": "M46.1"}, {"system": ICD, "code": "A18.01"}]}
    found = lifted(condition(code=both))
    assert lines(found) == ["Diagnosis Sacroiliitis presence=Present", "Diagnosis SpinalTuberculosis presence=Present"]
    assert said(found) == ["warning Condition/r1 code.coding"]


def allergy(**more: object) -> dict:
    return {"resourceType": "AllergyIntolerance", **more}


TEXT = {"code": {"text": "Humira"}}
CODE = {"code": concept(RXNORM, "327361")}
UNKNOWN = {"code": concept(RXNORM, "723", text="Amoxicillin")}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (CODE, ["Contraindication Adalimumab certainty=Confirmed"]),
        ({"code": concept(ATC, "L04AB")}, ["Contraindication TnfInhibitor certainty=Confirmed"]),
        ({"code": concept(SNOMED, "293610009")}, ["Contraindication Nsaid certainty=Confirmed"]),
        (
            CODE | {"recordedDate": "2025-02-01"},
            ["Contraindication Adalimumab certainty=Confirmed recorded=2025-02-01"],
        ),
        (CODE | clinical("active"), ["Contraindication Adalimumab certainty=Confirmed"]),
        (CODE | clinical("inactive"), []),
        (CODE | clinical("resolved"), []),
        (CODE | verified("refuted"), []),
        (CODE | verified("entered-in-error"), []),
        (CODE | verified("unconfirmed"), ["Contraindication Adalimumab certainty=Unconfirmed"]),
        (CODE | verified("presumed"), ["Contraindication Adalimumab certainty=Unconfirmed"]),
        (TEXT, ["Contraindication Adalimumab certainty=Confirmed text=Humira"]),
        (TEXT | verified("unconfirmed"), ["Contraindication Adalimumab certainty=Unconfirmed text=Humira"]),
        ({"code": concept(RXNORM, "1", text="NSAIDs")}, ["Contraindication Nsaid certainty=Confirmed text=NSAIDs"]),
        (
            {"code": {"text": "rash after adalimumab"}},
            ["Contraindication Adalimumab certainty=Unconfirmed text=rash after adalimumab"],
        ),
        (
            {"code": {"text": "adalimumab-aaty"}},
            ["Contraindication AdalimumabBiosimilar certainty=Confirmed text=adalimumab-aaty"],
        ),
        (UNKNOWN, ["UnreadAlert - text=Amoxicillin"]),
        (UNKNOWN | {"category": ["medication"]}, ["UnreadAlert - text=Amoxicillin"]),
        (UNKNOWN | {"category": ["food", "medication"]}, ["UnreadAlert - text=Amoxicillin"]),
        (UNKNOWN | {"category": ["food"]}, []),
        (UNKNOWN | {"category": ["environment", "food"]}, []),
        (UNKNOWN | clinical("resolved"), []),
        (CODE | {"category": ["food"]}, ["Contraindication Adalimumab certainty=Confirmed"]),
        ({"code": concept(SNOMED, "409137002")}, []),
        ({"code": concept(SNOMED, "716186003")}, []),
        ({"code": {"text": "No known drug allergies"}}, []),
        ({"code": {"text": "NKDA"}}, []),
        ({"code": {"text": "No known allergy"}}, []),
        ({"reaction": [{"substance": concept(RXNORM, "7258")}]}, ["Contraindication Naproxen certainty=Confirmed"]),
        (
            UNKNOWN | {"reaction": [{"substance": concept(RXNORM, "7258")}]},
            ["Contraindication Naproxen certainty=Confirmed", "UnreadAlert - text=Amoxicillin"],
        ),
    ],
)
def test_an_allergy_is_a_bar_or_is_shown_as_written(given, expected):
    found = lifted(allergy(**given))
    assert lines(found) == expected
    assert said(found) == []
    assert found.ignored == (0 if expected else 1)


@pytest.mark.parametrize(
    ("given", "expected", "findings"),
    [
        ({"clinicalStatus": "active", **CODE}, ["Contraindication Adalimumab certainty=Unconfirmed"], 1),
        ({"category": "food", **UNKNOWN}, ["UnreadAlert - text=Amoxicillin"], 1),
        ({}, ["UnreadAlert - text=no substance stated"], 1),
        ({"code": [7]}, ["UnreadAlert - text=no substance stated"], 2),
        (
            {"code": {"coding": [{"system": RXNORM, "code": "327361"}, {"system": RXNORM, "code": "191831"}]}},
            ["Contraindication Adalimumab certainty=Confirmed", "Contraindication Infliximab certainty=Confirmed"],
            1,
        ),
        ({"modifierExtension": [{"url": "urn:not"}], **CODE}, ["Contraindication Adalimumab certainty=Unconfirmed"], 1),
    ],
)
def test_an_odd_allergy_stays_a_question(given, expected, findings):
    found = lifted(allergy(**given))
    assert lines(found) == expected
    assert len(found.findings) == findings


MEDICATION = {"resourceType": "Medication", "id": "m", "code": concept(RXNORM, "327361")}
OTHER = {"resourceType": "Medication", "id": "m", "code": concept(RXNORM, "723", text="Amoxicillin")}


def issue(**more: object) -> dict:
    return {
        "resourceType": "DetectedIssue",
        "status": "final",
        "contained": [MEDICATION],
        "implicated": [{"reference": "#m"}],
        **more,
    }


BAR = "Contraindication Adalimumab certainty=Confirmed"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, [BAR]),
        ({"code": kg("contraindication")}, [BAR]),
        ({"status": "preliminary"}, [BAR]),
        ({"status": "entered-in-error"}, []),
        ({"status": "cancelled"}, []),
        ({"code": concept(ACT, "DUPTHPY")}, []),
        ({"code": concept(ACT, "DUPTHPCLS")}, []),
        ({"code": concept(ACT, "DUPTHPGEN")}, []),
        ({"code": concept(ACT, "DOSEDURH")}, []),
        ({"code": concept(ACT, "DOSELINDA")}, []),
        ({"code": concept(ACT, "DRG")}, []),
        ({"code": concept(ACT, "PREVINEF")}, []),
        ({"code": concept(ACT, "DOSE")}, []),
        (
            {"code": concept(ACT, "COND", text="odd")},
            ["Contraindication Adalimumab certainty=Unconfirmed text=odd", "UnreadAlert - text=odd"],
        ),
        (
            {"code": {"text": "odd"}},
            ["Contraindication Adalimumab certainty=Unconfirmed text=odd", "UnreadAlert - text=odd"],
        ),
        ({"identifiedDateTime": "2025-01-02"}, [BAR + " recorded=2025-01-02"]),
        ({"evidence": [{"code": [concept(ICD, "I50.9")]}]}, [BAR + " reason=HeartFailure"]),
        ({"contained": [OTHER]}, ["UnreadAlert - text=Amoxicillin"]),
        ({"implicated": []}, ["UnreadAlert - text=safety alert"]),
    ],
)
def test_an_alert_is_a_bar_by_its_kind(given, expected):
    found = lifted(issue(**given))
    assert lines(found) == expected
    assert said(found) == []


def test_an_alert_reads_medication_and_evidence_in_the_bundle():
    heart = {"resourceType": "Condition", "id": "c", "code": concept(ICD, "I50.9")}
    alert = issue(
        contained=[], implicated=[{"reference": "Medication/m"}], evidence=[{"detail": [{"reference": "Condition/c"}]}]
    )
    found = lifted(alert, MEDICATION, heart)
    assert lines(found) == [BAR + " reason=HeartFailure", "Diagnosis HeartFailure presence=Present"]
    assert found.ignored == 0
    refuted = lifted(alert, MEDICATION, heart | verified("refuted"))
    assert lines(refuted)[0] == BAR


def test_an_alert_about_something_not_in_the_input_is_reported_and_kept():
    found = lifted(issue(implicated=[{"reference": "Medication/x", "display": "some drug"}]))
    assert lines(found) == ["UnreadAlert - text=some drug"]
    assert said(found) == ["violation DetectedIssue/r1 implicated[0].reference"]


@pytest.mark.parametrize(
    ("birth", "expected", "findings"),
    [
        ("1980-06-15", "1980-06-15", 0),
        ("1980-06", "1980-06", 0),
        ("1980", "1980", 0),
        (None, None, 0),
        ("1980-06-31", None, 1),
        (1980, None, 1),
    ],
)
def test_a_birth_date_stays_as_precise_as_it_is(birth, expected, findings):
    found = lifted(patient=PATIENT | {"birthDate": birth})
    births = [t.object.value for t in found.triples if t.predicate.value.endswith("birthDate")]
    assert births == ([expected] if expected else [])
    assert said(found) == ["violation Patient/p birthDate"] * findings

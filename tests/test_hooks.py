"""CDS Hooks as a client sees it: round trips card by card, requests as they really come, and what must be refused."""

from __future__ import annotations

import json
import logging
import shlex
import subprocess
from datetime import date
from shutil import which

import pytest

from kg import fhir
from kg.errors import InputError
from kg.fhir import READ
from kg.guidance.rules import Rules
from kg.guidance.words import markdown, shortened
from kg.serve import hooks
from kg.serve.advisor import Advisor, Job
from kg.serve.dataset import Dataset
from kg.serve.settings import Settings
from tests.support import vignettes
from tests.support.hooks import draft, faults, orders, prefetched, request
from tests.support.service import running
from tests.support.vignettes import OWN, read_all

VIGNETTES = {one.name: one for one in read_all(OWN)}
TRIPS = json.loads((OWN.parent / "hooks" / "round-trips.json").read_text("utf-8"))
DAY = date(2026, 3, 2)
CLASS, OPEN = "a-class-contraindication-leaves-only-il17-inhibitors", "pain-not-recorded-leaves-the-first-biologic-open"
SLUG = "refractory-sacroiliitis"


@pytest.fixture(scope="module")
def rules() -> Rules:
    return Rules(vignettes.guideline(), vignettes.codes())


@pytest.fixture(scope="module")
def advisor(rules) -> Advisor:
    return Advisor(rules)


@pytest.fixture(scope="module")
def service(rules, tmp_path_factory):
    kept = tmp_path_factory.mktemp("kept") / "feedback.jsonl"
    with running(Dataset(b"", 0, {}), rules, DAY, workers=1, body=200_000, feedback=kept) as found:
        yield found, kept


@pytest.fixture(scope="module")
def client(service):
    with service[0].client() as found:
        yield found


def patient_of(name: str) -> str:
    return next(one["resource"]["id"] for one in VIGNETTES[name].bundle["entry"] if one["resource"]["resourceType"] == "Patient")


def asked(name: str, hook: str = "patient-view", texts=(), selected=None) -> dict:
    """The request of an EHR that holds a vignette's record, with orders of drugs by name."""
    patient = patient_of(name)
    context: dict = {}
    if hook != "patient-view":
        context["draftOrders"] = orders(*(draft("MedicationRequest", f"order-{n}", patient, medicationCodeableConcept={"text": text}) for n, text in enumerate(texts, 1)))
        if hook == "order-select":
            context["selections"] = [f"MedicationRequest/order-{n}" for n in (selected or range(1, len(texts) + 1))]
    return request(hook, patient, prefetched(hooks.PREFETCH, VIGNETTES[name].bundle, patient), **context)


def answer(advisor: Advisor, body: dict | bytes, hook: str = "patient-view", day: date = DAY) -> tuple[int, dict]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    found = advisor.answer(Job(hook, raw, day))
    return found.status, json.loads(found.body)


def cards(advisor: Advisor, body: dict, hook: str = "patient-view") -> list[dict]:
    status, found = answer(advisor, body, hook)
    assert (status, faults(found)) == (200, [])
    return found["cards"]


# round trips over HTTP


@pytest.mark.parametrize("trip", TRIPS, ids=lambda trip: f"{trip['hook']}-{trip['vignette']}-{'-'.join(one['text'] for one in trip.get('orders', ()))}")
def test_round_trip(trip: dict, client):
    """As an EHR: discover, fill the templates, call, check each card."""
    offered = {one["hook"]: one for one in client.get("/cds-services").json()["services"]}[trip["hook"]]
    body = asked(trip["vignette"], trip["hook"], [one["text"] for one in trip.get("orders", ())], trip.get("selected"))
    body["prefetch"] = prefetched(offered["prefetch"], VIGNETTES[trip["vignette"]].bundle, patient_of(trip["vignette"]))
    reply = client.post(f"/cds-services/{offered['id']}", json=body)
    assert (reply.status_code, reply.headers["content-type"], faults(reply.json())) == (200, "application/json", [])
    assert client.post(f"/cds-services/{offered['id']}", json=body).content == reply.content
    found = reply.json()["cards"]
    assert [(one["source"]["topic"]["code"], one["indicator"], one["summary"]) for one in found] == [(one["topic"], one["indicator"], one["summary"]) for one in trip["cards"]]
    for card, wanted in zip(found, trip["cards"], strict=True):
        assert [text for text in wanted["says"] if text not in card["detail"]] == []
        assert [text for text in wanted.get("not", ()) if text in card["detail"]] == []
        assert ("overrideReasons" in card) == wanted.get("overridable", False)
        assert [action["resourceId"] for one in card.get("suggestions", ()) for action in one["actions"]] == [wanted[key] for key in ("removes",) if key in wanted]
        assert not any(one.get("isRecommended") for one in card.get("suggestions", ()))
        assert body["context"]["patientId"] not in json.dumps({**card, "detail": ""})


def test_the_templates_ask_for_exactly_what_is_read(client):
    for one in client.get("/cds-services").json()["services"]:
        assert {template.split("/")[0].split("?")[0] for template in one["prefetch"].values()} == set(READ)
        assert {"hook", "title", "description", "id", "prefetch"} <= one.keys() and one["hook"] in hooks.HOOKS


@pytest.mark.parametrize(("answered", "wanted"), [
    ({"cards": []}, 0), ({}, 1), ({"cards": [{"uuid": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea", "summary": "x", "indicator": "info", "source": {"label": "x"}}]}, 0),
    ({"cards": [{"summary": "x" * 140, "indicator": "info", "source": {"label": "x"}}]}, 1), ({"cards": [{"summary": "x", "indicator": "hard-stop", "source": {"label": "x"}}]}, 1),
    ({"cards": [{"summary": "x", "indicator": "info", "source": {"label": "x"}, "detail": ""}]}, 1), ({"cards": [{"summary": "x", "indicator": "info", "source": {"label": "x"}, "links": None}]}, 2),
    ({"cards": [{"summary": "x", "indicator": "info", "source": {"label": "x"}, "suggestions": [{"label": "y"}]}]}, 1),
    ({"cards": [{"summary": "x", "indicator": "info", "source": {"label": "x"}, "overrideReasons": [{"code": "y"}]}]}, 1),
    ({"cards": [{"summary": "x", "indicator": "info", "source": {"label": "x"}, "links": [{"label": "y", "url": "/z", "type": "absolute"}]}]}, 1),
])
def test_the_rules_of_cards_can_fail(answered, wanted):
    try:
        found = len(faults(answered))
    except TypeError:
        found = 2
    assert found == wanted


# requests as they come


def test_every_vignette_gives_cards_by_the_rules_and_no_eligible_without_what_is_not_checked(advisor):
    for name in list(VIGNETTES)[::9]:
        for card in cards(advisor, asked(name)):
            assert "eligible," not in card["detail"] or "Not checked, the source is silent" in card["detail"]


def test_null_prefetch_is_no_data_and_an_absent_key_is_not(advisor):
    body = asked(CLASS)
    body["prefetch"]["allergyIntolerance"] = None
    assert "Adalimumab" in cards(advisor, body)[0]["detail"]
    del body["prefetch"]["allergyIntolerance"]
    (card,) = cards(advisor, body)
    assert card["source"]["topic"]["code"] == "incomplete" and "allergyIntolerance" in card["summary"] and "**Adalimumab" not in card["detail"]


@pytest.mark.parametrize("value", [{"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "forbidden"}]}, "Observation/1", 7, [], {}, True,
                                   {"resourceType": "Bundle", "type": "searchset", "link": [{"relation": "next", "url": "https://ehr.example/next"}], "entry": []}])
def test_an_unusable_value_is_as_good_as_none(value, advisor):
    body = asked(OPEN)
    body["prefetch"]["observation"] = value
    assert [one["source"]["topic"]["code"] for one in cards(advisor, body)] == ["incomplete"]


def test_what_stands_against_an_order_is_shown_though_data_lack(advisor):
    body = asked(CLASS, "order-sign", ["Adalimumab", "Secukinumab"])
    del body["prefetch"]["carePlan"]
    assert [(one["source"]["topic"]["code"], one["indicator"]) for one in cards(advisor, body, "order-sign")] == [("order", "warning"), ("incomplete", "info")]


def test_a_patient_surely_outside_gets_no_card_whatever_lacks(advisor):
    body = asked("no-diagnosis-is-outside")
    del body["prefetch"]["carePlan"]
    assert cards(advisor, body) == []
    del body["prefetch"]["condition"]
    assert len(cards(advisor, body)) == 1


@pytest.mark.parametrize("prefetch", [None, {}, {"patient": None}, {"patient": {"resourceType": "OperationOutcome"}}, {"patient": {"resourceType": "Patient", "id": "other"}},
                                      {"patient": {"resourceType": "Bundle", "type": "searchset", "entry": []}}, {"patient": "123"}])
def test_a_prefetch_without_the_patient_is_a_failed_precondition(prefetch, advisor):
    status, found = answer(advisor, {**asked(OPEN), "prefetch": prefetch})
    assert (status, found["resourceType"], found["issue"][0]["severity"]) == (412, "OperationOutcome", "error")


def test_of_several_patients_the_one_in_context_counts(advisor):
    body, other = asked(OPEN), asked(CLASS)
    mine = cards(advisor, body)
    for key, value in other["prefetch"].items():
        theirs = value["entry"] if value and value["resourceType"] == "Bundle" else [{"resource": value}] if value else []
        own = body["prefetch"][key]
        entries = own["entry"] if own and own["resourceType"] == "Bundle" else [{"resource": own}] if own else []
        body["prefetch"][key] = {"resourceType": "Bundle", "type": "searchset", "entry": entries + theirs}
    assert cards(advisor, body) == mine
    twin = {"fullUrl": "https://elsewhere.example/Patient/x", "resource": {"resourceType": "Patient", "id": body["context"]["patientId"]}}
    body["prefetch"]["patient"]["entry"].append(twin)
    assert answer(advisor, body)[0] == 412


MALFORMED = {
    "not JSON": b"{", "not UTF-8": b'{"hook": "\xff"}', "an array": b"[]", "NaN": b'{"hook": NaN}', "half a surrogate": b'{"hook": "\\ud800"}',
    "nested": b'{"a":' * 30_000 + b"1" + b"}" * 30_000, "a huge number": b'{"a": ' + b"9" * 5_000 + b"}",
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed(name, advisor):
    assert answer(advisor, MALFORMED[name])[0] == 400


@pytest.mark.parametrize(("change", "hook"), [
    ({"hook": "order-sign"}, "patient-view"), ({"hook": None}, "patient-view"), ({"hookInstance": ""}, "patient-view"), ({"context": None}, "patient-view"), ({"context": {}}, "patient-view"),
    ({"context": {"patientId": 7}}, "patient-view"), ({"prefetch": []}, "patient-view"), ({"context": {"patientId": "pv-1"}}, "order-sign"),
    ({"context": {"patientId": "pv-1", "draftOrders": {"resourceType": "Bundle", "entry": [{}]}}}, "order-sign"),
    ({"context": {"patientId": "pv-1", "draftOrders": orders(draft("MedicationRequest", "1", "pv-1"))}}, "order-select"),
    ({"context": {"patientId": "pv-1", "draftOrders": orders(draft("MedicationRequest", "1", "pv-2"))}}, "order-sign"),
])
def test_what_no_hook_sends(change, hook, advisor):
    assert answer(advisor, {**asked(OPEN), "hook": hook, **change}, hook)[0] == 400


def test_an_order_without_a_patient_is_for_the_one_in_context(advisor):
    body = asked(OPEN, "order-sign")
    body["context"]["draftOrders"] = orders(draft("MedicationRequest", "1", None, medicationCodeableConcept={"text": "Methotrexate"}))
    assert [one["indicator"] for one in cards(advisor, body, "order-sign")] == ["warning"]


def test_a_contraindication_to_just_what_is_ordered_is_told_though_its_class_is_not_barred(advisor):
    """Naproxen is one NSAID of several: NSAIDs stay eligible, an order for naproxen does not pass."""
    body = asked(OPEN, "order-sign", ["Naproxen", "Ibuprofen"])
    allergy = {"resourceType": "AllergyIntolerance", "id": "a1", "patient": {"reference": f"Patient/{body['context']['patientId']}"}, "code": {"text": "Naproxen"},
               "clinicalStatus": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical", "code": "active"}]},
               "verificationStatus": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification", "code": "confirmed"}]}}
    body["prefetch"]["allergyIntolerance"] = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": allergy}]}
    found = cards(advisor, body, "order-sign")
    assert [(one["indicator"], one["summary"].split(":")[0]) for one in found] == [("warning", "Naproxen"), ("info", "Ibuprofen")]
    assert "AllergyIntolerance/a1" in found[0]["detail"] and "Not checked" in found[0]["detail"]


def test_nothing_of_a_record_becomes_a_link_or_html_on_a_card(advisor):
    body = asked(CLASS)
    evil = "![x](https://evil.example/p.png)<img src=x> www.evil.example"
    for entry in body["prefetch"]["allergyIntolerance"]["entry"]:
        entry["fullUrl"] = "https://ehr.example/AllergyIntolerance/<img>[x](https://evil.example)"
    details = " ".join(card["detail"] for card in cards(advisor, body))
    assert "evil" in details and "<img" not in details.replace("\\<img", "") and "](" not in details.replace("\\](", "")
    assert markdown(evil) == "!\\[x\\](https\\://evil.example/p.png)\\<img src=x\\> www\\.evil.example"


def test_what_could_not_be_read_is_said(advisor):
    body = asked(CLASS)
    body["prefetch"]["allergyIntolerance"]["entry"].append({"resource": {"resourceType": "AllergyIntolerance", "id": "lost", "code": {"text": "Infliximab"}}})
    assert [one["summary"] for one in cards(advisor, body) if one["indicator"] == "warning"] == ["Refractory sacroiliitis: 1 parts of the record could not be read"]


def test_uuids_are_of_the_content_and_not_of_the_patient(advisor):
    one, two = asked("day-eighty-three-is-not-yet-due"), asked("day-eighty-three-is-not-yet-due")
    text = json.dumps(two).replace(two["context"]["patientId"], "somebody-else")
    first, second = cards(advisor, one), cards(advisor, json.loads(text))
    assert [card["uuid"] for card in first] == [card["uuid"] for card in second] and first


def test_cards_link_where_the_operator_said(rules):
    (card, *_) = cards(Advisor(rules, "https://kg.example/pages/"), asked(OPEN))
    assert card["links"] == [{"label": "Refractory sacroiliitis: the guideline's pages", "url": "https://kg.example/pages/", "type": "absolute"}]
    with pytest.raises(InputError, match="absolute"):
        Settings(pages="pages/index.html")


# over HTTP


@pytest.mark.parametrize(("method", "path", "status"), [
    ("POST", "/cds-services/unknown", 404), ("POST", "/cds-services/unknown/feedback", 404), ("GET", f"/cds-services/{SLUG}-patient-view", 405), ("POST", "/cds-services", 405), ("GET", "/fhir/$evaluate", 405)])
def test_paths_and_methods(method, path, status, client):
    assert client.request(method, path, json={}).status_code == status


def test_limits(client):
    path = f"/cds-services/{SLUG}-patient-view"
    assert client.post(path, content=b"{}").status_code == 415
    assert client.post(path, content=b"x" * 200_001, headers={"content-type": "application/json"}).status_code == 413
    assert client.post(path, content=b"{", headers={"content-type": "application/json; charset=utf-8"}).status_code == 400
    assert client.post(path, json=asked(OPEN)).status_code == 200


@pytest.mark.parametrize(("path", "body", "status"), [
    ("?asOf=2026-03-02", VIGNETTES[OPEN].bundle, 200), ("", {"resourceType": "Parameters", "parameter": [{"name": "asOf", "valueDate": "2026-03-02"}, {"name": "record", "resource": VIGNETTES[OPEN].bundle}]}, 200),
    ("?asOf=yesterday", VIGNETTES[OPEN].bundle, 400), ("?asOf=2026-03-02&asOf=2026-03-03", VIGNETTES[OPEN].bundle, 400), ("", {"resourceType": "Parameters"}, 400), ("", {}, 400),
    ("", {"resourceType": "Bundle", "type": "collection"}, 422), ("", {"resourceType": "Parameters", "parameter": [{"name": "asOf", "valueDate": 7}, {"resource": {"resourceType": "Bundle"}}]}, 400)])
def test_evaluate(path, body, status, client):
    reply = client.post(f"/fhir/$evaluate{path}", json=body)
    assert (reply.status_code, reply.headers["content-type"]) == (status, "application/fhir+json")
    assert reply.json()["resourceType"] == ("Bundle" if status == 200 else "OperationOutcome")
    if status == 200:
        assert reply.json()["entry"][0]["resource"]["occurrenceDateTime"] == "2026-03-02"


CARD = "4e0a3a1e-3283-4575-ab82-028d55fe2719"
FEEDBACK = {"card": CARD, "outcome": "overridden", "outcomeTimestamp": "2026-03-02T10:00:00Z",
            "overrideReason": {"reason": {"system": "https://w3id.org/sacroiliitis-kg/CodeSystem/override-reason", "code": "patient-preference"}, "userComment": "Jane Doe does not want it"}}


def test_feedback_is_kept_without_the_comment(client, service):
    path = f"/cds-services/{SLUG}-order-sign/feedback"
    accepted = {"card": CARD, "outcome": "accepted", "acceptedSuggestions": [{"id": CARD}], "outcomeTimestamp": "2026-03-02T10:00:00Z"}
    assert client.post(path, json={"feedback": [FEEDBACK, accepted]}).status_code == 200
    rows = [json.loads(line) for line in service[1].read_text().splitlines()]
    common = {"hook": "order-sign", "card": CARD, "outcomeTimestamp": "2026-03-02T10:00:00+00:00"}
    assert rows == [{**common, "outcome": "overridden", "overrideReason": "patient-preference"}, {**common, "outcome": "accepted", "acceptedSuggestions": [CARD]}]


@pytest.mark.parametrize("change", [{"card": "x"}, {"card": None}, {"outcome": "ignored"}, {"outcome": "accepted"}, {"outcomeTimestamp": "noon"}, {"outcomeTimestamp": None},
                                    {"outcome": "accepted", "acceptedSuggestions": [{"id": 1}]}])
def test_feedback_that_is_none(change, client):
    path = f"/cds-services/{SLUG}-order-sign/feedback"
    assert client.post(path, json={"feedback": [FEEDBACK | change]}).status_code == 400
    assert client.post(path, json={"feedback": []}).status_code == 400


def test_nothing_of_a_patient_is_logged(client, caplog):
    with caplog.at_level(logging.DEBUG):
        client.post(f"/cds-services/{SLUG}-patient-view", json=asked(CLASS))
        client.post("/cds-services/pv-048-jane", json=asked(CLASS))
        client.post("/fhir/$evaluate", json={"resourceType": "Bundle", "entry": "pv-048-jane"})
    told = [json.loads(record.getMessage()) for record in caplog.records if record.name == "kg.serve"]
    assert [one["status"] for one in told] == [200, 404, 422]
    assert all("pv-048" not in record.getMessage() for record in caplog.records if record.name.startswith("kg"))


@pytest.mark.parametrize("text", ["", "short", "x" * 139, "x" * 140, "a b\n c " * 40])
def test_shortened(text):
    found = shortened(text, 139)
    assert len(found) <= 139 and "\n" not in found and found.rstrip("…")[:50] == " ".join(text.split())[:50].rstrip("…")


@pytest.mark.skipif(which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("page", ["hooks.md", "fhir-out.md"])
def test_the_examples_of_the_documentation_run(page, service, tmp_path):
    """Each curl line of a page, against a running service, with the request that the page speaks of."""
    root = OWN.parent.parent
    lines = [line.strip() for line in (root / "docs" / page).read_text("utf-8").splitlines() if line.startswith("    curl ")]
    assert lines
    (tmp_path / "request.json").write_text(json.dumps(asked(CLASS)), "utf-8")
    (tmp_path / "examples").symlink_to(root / "examples")
    for line in lines:
        command = shlex.split(line.replace("127.0.0.1:8000", f"127.0.0.1:{service[0].port}"))
        found = json.loads(subprocess.run([*command, "--silent", "--fail"], cwd=tmp_path, capture_output=True, check=True).stdout)
        assert found.get("cards") or found["resourceType"] == "Bundle"

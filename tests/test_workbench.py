"""The workbench's pages over HTTP: what a browser may load, what is escaped, refused and forgotten."""

from __future__ import annotations

import csv
import json
import logging
import re
from base64 import b64encode
from datetime import date
from hashlib import sha256
from io import StringIO
from pathlib import Path
from posixpath import dirname, join, normpath
from urllib.parse import unquote

import pytest

from kg import cli_serve, inputs
from kg.guidance.rules import Rules
from kg.serve.dataset import dataset
from kg.serve.workbench import policy
from kg.serve.workbench.bench import HERE, Form, about_patients, bench, questions
from kg.serve.workbench.desk import Desk, Record
from tests.support import vignettes
from tests.support.pages import bare, barriers, loads_from_outside, parse
from tests.support.service import running

pytestmark = pytest.mark.xdist_group("workbench")          # one process makes the pages that all tests read
ROOT = Path(__file__).parent.parent
DAY = date(2026, 3, 2)
FHIR = (ROOT / "examples" / "loss-of-response.json").read_text(encoding="utf-8")
TURTLE = (ROOT / "examples" / "by-hand.ttl").read_text(encoding="utf-8")
OWN = ("/", "/patient", "/query")
OTHERS = ("/docs/", "/docs/index.html", "/docs/pathway.html", "/docs/terms.html", "/docs/statements/S001.html", "/docs/queries/ask/thresholds.html")
HOSTILE = """@prefix pt: <https://w3id.org/sacroiliitis-kg/patient#> .
@prefix cl: <https://w3id.org/sacroiliitis-kg/clinical#> .
@prefix dcterms: <http://purl.org/dc/terms/> .
<http://example.org/p> a pt:Patient ; dcterms:identifier "<script>alert('jane')</script></textarea>" .
<http://example.org/p-1> a pt:Diagnosis ; pt:patient <http://example.org/p> ; pt:about cl:Sacroiliitis ; pt:value "\\"><img src=x onerror=alert(1)>" .
"""


@pytest.fixture(scope="module")
def rules() -> Rules:
    return Rules(vignettes.guideline(), vignettes.codes())


@pytest.fixture(scope="module")
def client(rules):
    with running(dataset(rules.guideline), rules, DAY, bench(rules.guideline), workers=1, body=300_000, seconds=30.0) as service, service.client() as found:
        yield found


@pytest.fixture(scope="module")
def verdicts(client):
    return client.post("/patient", data={"record": FHIR})


@pytest.fixture(scope="module")
def desk(rules):
    return Desk(bench(rules.guideline), rules)


def inline(text: str) -> list[str]:
    """What a strict policy would not let a page do: script or style of its own, handlers."""
    tree = parse(text)
    found = [bare(one) for one in tree.iter() if bare(one) == "script" and not one.get("src")]
    found += [f"{bare(one)} {name}" for one in tree.iter() for name in one.attrib if name == "style" or name.startswith("on")]
    return found + [bare(one) for one in tree.iter() if bare(one) == "style" and _hash(one.text or "") not in policy.PATIENT]


def _hash(text: str) -> str:
    return b64encode(sha256(text.encode()).digest()).decode()


@pytest.mark.parametrize("path", [*OWN, *OTHERS])
def test_a_page_is_well_formed_readable_by_everybody_and_loads_only_from_here(path, client):
    reply = client.get(path)
    assert (reply.status_code, reply.headers["content-type"]) == (200, "text/html; charset=utf-8")
    tree = parse(reply.text)
    assert (barriers(tree), loads_from_outside(tree), inline(reply.text)) == ([], [], [])
    assert "Not a medical device" in reply.text


@pytest.mark.parametrize("path", [*OWN, "/docs/index.html", "/docs/style.css", "/assets/yasgui.js", "/assets/terms.json"])
def test_the_headers_of_a_private_service(path, client):
    headers = client.get(path).headers
    assert headers["cache-control"] == "no-store" and headers["x-content-type-options"] == "nosniff"
    said = headers.get_list("content-security-policy")
    assert len(said) == 1
    assert {"default-src 'none'", "script-src 'self'", "connect-src 'self'", "base-uri 'none'", "frame-ancestors 'none'", "form-action 'self'"} <= set(said[0].split("; "))
    assert "unsafe" not in said[0]


def test_every_link_leads_somewhere(client):
    known = {"/sparql": True}
    for path in (*OWN, *OTHERS):
        for element in parse(client.get(path).text).iter():
            to = (element.get("href") or element.get("src") or element.get("data-query") or "#").partition("#")[0]
            if to and not re.match(r"[a-z]+:", to):
                there = normpath(join(dirname(path) or "/", unquote(to))) + ("/" if to.endswith("/") and to != "./" else "")
                there = "/" if there in ("//", "/.", "/") else there
                if there not in known:
                    known[there] = client.get(there).status_code == 200
    assert [path for path, good in known.items() if not good] == []
    assert len(known) > 100


def test_what_is_not_there_is_not_there_and_not_logged(client, caplog):
    with caplog.at_level(logging.INFO, "kg.serve"):
        assert client.get("/docs/jane-doe.html").status_code == 404
        assert client.get("/docs/../patient/jane-doe").status_code == 404
    assert "jane" not in caplog.text


def test_the_terms_are_those_of_the_ontology(client):
    terms = client.get("/assets/terms.json").json()
    assert terms["prefixes"]["gl"] == "https://w3id.org/sacroiliitis-kg/core#"
    assert terms["prefixes"]["gl"] + "Verdict" in terms["classes"] and terms["prefixes"]["gl"] + "verdict" in terms["properties"]
    label, page = terms["labels"][terms["prefixes"]["gl"] + "Eligible"]
    assert label == "Eligible" and client.get("/" + page).status_code == 200


def test_every_saved_question_is_one_click_away(client):
    tree = parse(client.get("/query").text)
    links = {one.get("data-query"): "".join(one.itertext()) for one in tree.iter() if one.get("data-query")}
    assert links == {f"docs/queries/ask/{one.name}.rq": one.summary for one in questions()}
    for path in links:
        assert client.get("/" + path).text == next(one.text for one in questions() if path.endswith(f"/{one.name}.rq"))


# A patient


def test_a_patient_is_judged_with_proofs_questions_and_validation(verdicts):
    assert verdicts.status_code == 200 and verdicts.headers["content-security-policy"] == policy.PATIENT
    tree = parse(verdicts.text)
    assert (barriers(tree), loads_from_outside(tree), inline(verdicts.text)) == ([], [], [])
    said = {one.get("data-treatment"): one.get("data-verdict") for one in tree.iter() if one.get("data-treatment")}
    assert said["secukinumab"] == "eligible" and len(said) > 30
    proofs = [one for one in tree.iter() if bare(one) == "details" and one.get("class") == "proof"]
    assert len(proofs) == len(said) and all(any((part.get("class") or "").startswith("kg-verdict") for part in one.iter()) for one in proofs)
    assert "Not a medical device" in verdicts.text and "The record conforms" in verdicts.text
    assert "2026-03-02" in verdicts.text                                # as of the day of the request


def test_turtle_is_read_and_questions_are_asked(client):
    text = client.post("/patient", data={"record": TURTLE, "as-of": "2026-03-01"}).text
    assert 'class="questions"' in text and "2026-03-01" in text


def test_the_timeline_is_drawn_when_it_is_asked_for(client, verdicts):
    assert "kg-tl" not in verdicts.text and 'value="timeline"' in verdicts.text
    reply = client.post("/patient", data={"record": FHIR, "show": "timeline"})
    tree = parse(reply.text)
    assert (barriers(tree), inline(reply.text)) == ([], [])
    assert any(one.get("class") == "kg-tl" for one in tree.iter())


def test_what_cannot_be_read_safely_is_listed(client):
    record = TURTLE.replace('"1', '"-1', 1).replace("pt:birthDate", "pt:birthDate \"2999-01-01\"^^<http://www.w3.org/2001/XMLSchema#date> ; pt:birthDate", 1)
    reply = client.post("/patient", data={"record": record})
    assert reply.status_code == 200 and "✗ violation" in reply.text and "violation" in reply.text.split('id="validation"')[0]


def test_a_saved_question_as_page_and_as_file(client):
    fields = {"record": FHIR, "question": "eligible-treatments"}
    page = client.post("/patient", data={**fields, "show": "table"}).text
    assert "secukinumab" in page and parse(page) is not None
    reply = client.post("/patient", data={**fields, "show": "csv"})
    assert reply.headers["content-disposition"] == 'attachment; filename="eligible-treatments.csv"'
    rows = list(csv.DictReader(StringIO(reply.text)))
    assert "secukinumab" in {row["treatment"] for row in rows}
    reply = client.post("/patient", data={**fields, "show": "json"})
    assert reply.headers["content-disposition"] == 'attachment; filename="eligible-treatments.json"'
    assert len(reply.json()["results"]["bindings"]) == len(rows)


def test_of_a_patient_only_questions_about_patients_are_offered():
    offered = {one.name for one in questions() if about_patients(one)}
    assert "eligible-treatments" in offered and "thresholds" not in offered


def test_what_a_record_says_stays_text(client):
    for show in ("verdicts", "timeline", "table"):
        reply = client.post("/patient", data={"record": HOSTILE, "show": show, "question": "facts-used"})
        assert reply.status_code == 200
        tree = parse(reply.text)
        assert inline(reply.text) == []
        assert [one.get("src") for one in tree.iter() if bare(one) == "script"] == ["assets/patient.js"]
        assert not any(bare(one) == "img" for one in tree.iter())
        assert next(one.text for one in tree.iter() if bare(one) == "textarea").strip() == HOSTILE.strip()


def test_two_patients_stand_under_one_heading(client):
    other = HOSTILE.replace("example.org/p", "example.org/q")
    tree = parse(client.post("/patient", data={"record": HOSTILE + other}).text)
    assert barriers(tree) == [] and [one.text for one in tree.iter() if bare(one) == "h1"] == ["2 patients"]


REFUSED = {
    "nothing": (400, {"record": " "}, "No record"),
    "no JSON": (422, {"record": "{ not"}, "record: "),
    "no Turtle": (422, {"record": "@prefix a: <b"}, "record: line"),
    "nobody": (422, {"record": '{"resourceType": "Bundle", "type": "collection"}'}, "no patient in it"),
    "no day": (400, {"record": FHIR, "as-of": "tomorrow"}, "YYYY-MM-DD"),
    "no such thing to show": (400, {"record": FHIR, "show": "secrets"}, "verdicts, timeline"),
    "no such question": (400, {"record": FHIR, "show": "csv", "question": "../../secret"}, "questions of the list"),
    "a question about no patient": (400, {"record": FHIR, "show": "csv", "question": "thresholds"}, "questions of the list"),
    "a remote context": (422, {"record": '{"@context": "http://127.0.0.1:9/", "@id": "urn:a"}'}, "not fetched"),
    "entities": (422, {"record": '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><rdf:RDF/>'}, "DOCTYPE"),
    "too large": (413, {"record": "x" * 300_001}, "bytes at most"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_answered_gets_a_readable_page(name, client):
    status, fields, words = REFUSED[name]
    reply = client.post("/patient", data=fields)
    assert (reply.status_code, reply.headers["content-type"]) == (status, "text/html; charset=utf-8")
    tree = parse(reply.text)
    alert = next(" ".join("".join(one.itertext()).split()) for one in tree.iter() if one.get("role") == "alert")
    assert words in alert and barriers(tree) == []


def test_another_kind_of_body_is_refused(client):
    reply = client.post("/patient", content=FHIR, headers={"content-type": "application/fhir+json"})
    assert reply.status_code == 415 and "application/x-www-form-urlencoded" in reply.text


def test_a_patient_is_forgotten_and_in_no_log(client, caplog):
    with caplog.at_level(logging.DEBUG):
        assert "jane" in client.post("/patient", data={"record": HOSTILE}).text
        client.post("/patient", data={"record": "jane " + HOSTILE})
    assert "jane" not in caplog.text and "example.org" not in caplog.text
    assert "jane" not in client.get("/patient").text
    assert client.post("/sparql", data={"query": "ASK { ?s a <https://w3id.org/sacroiliitis-kg/patient#Patient> }"}).json()["boolean"] is False
    assert client.get("/patient", params={"record": HOSTILE}).text == client.get("/patient").text


def test_a_fault_of_the_program_says_nothing_of_the_record(desk, monkeypatch):
    def broken(*given):
        raise ValueError("jane")

    monkeypatch.setattr(inputs, "read", broken)
    answer = desk.answer(Record(Form(FHIR), DAY, "verdicts"))
    assert answer.status == 500 and "jane" not in answer.body.decode()


def test_a_token_and_a_time_limit(rules):
    """A browser asks for the token by HTTP Basic; what takes too long is stopped, with a page that says so."""
    with running(dataset(rules.guideline), rules, DAY, bench(rules.guideline), workers=1, token="secret", seconds=0.2) as service, service.client() as client:
        refused = client.get("/")
        assert refused.status_code == 401 and any(one.startswith("Basic") for one in refused.headers.get_list("www-authenticate"))
        for wrong in (("kg", "wrong"), ("secret", "")):
            assert client.get("/patient", auth=wrong).status_code == 401
        assert client.get("/", headers={"authorization": "Basic ???"}).status_code == 401
        assert client.get("/", auth=("anybody", "secret")).status_code == 200
        reply = client.post("/patient", data={"record": FHIR, "show": "timeline"}, auth=("", "secret"))
        assert reply.status_code == 422 and "stopped after 0.2 s" in reply.text and barriers(parse(reply.text)) == []


def test_a_page_elsewhere_cannot_reach_it_by_a_name_of_its_own(client):
    assert client.get("/patient", headers={"host": "evil.example"}).status_code == 400


def test_without_what_makes_pages_it_serves_without_them(rules, monkeypatch, capsys):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert cli_serve._bench(rules.guideline, (), 0) is None
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "no workbench" in said and "html" in said


@pytest.mark.parametrize("folder", [HERE / "assets" / "vendor", ROOT / "tests" / "assets" / "axe"], ids=lambda path: path.name)
def test_what_is_vendored_is_what_its_readme_says(folder):
    said = dict(re.findall(r"\| `([\w.]+)` \| `([0-9a-f]{64})` \|", (folder / "README.md").read_text(encoding="utf-8")))
    there = {path.name: sha256(path.read_bytes()).hexdigest() for path in folder.iterdir() if path.suffix in (".js", ".css")}
    assert said == there and said
    assert any(path.name.startswith("LICENSE") for path in folder.iterdir())
    assert not any("sourceMappingURL" in path.read_text(encoding="utf-8") for path in folder.iterdir() if path.suffix in (".js", ".css"))


def test_the_terms_are_json_that_no_page_repeats(client):
    assert json.loads(client.get("/assets/terms.json").text)["labels"]
    assert len(client.get("/query").text) < 40_000

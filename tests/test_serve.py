"""The SPARQL endpoint: the W3C's protocol tests, the formats, and what it must refuse."""

from __future__ import annotations

import json
import logging
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pyoxigraph as ox
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kg.errors import InputError
from kg.serve.dataset import Dataset
from kg.serve.negotiate import choose
from kg.serve.request import FORM, QUERY, UPDATE
from kg.serve.settings import Settings
from kg.serve.words import words
from tests.support import w3c
from tests.support.service import Service, children, running
from tests.support.vignettes import SHARED

FOLDER = SHARED / "w3c"
CASES = w3c.cases(FOLDER)
ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def service():
    store = ox.Store()
    for number in range(50):
        store.add(ox.Quad(ox.NamedNode(f"urn:s:{number}"), ox.NamedNode("urn:p"), ox.Literal(number)))
    for graph, name in w3c.DATA.items():
        if (FOLDER / name).exists():
            store.load(path=str(FOLDER / name), format=ox.RdfFormat.N_TRIPLES, to_graph=ox.NamedNode(graph))
    served = Dataset(store.dump(format=ox.RdfFormat.N_QUADS), 50, dict.fromkeys(w3c.DATA, 1))
    with running(served, seconds=1.0, memory=200, rows=20, body=20_000) as found:
        yield found


@pytest.fixture(scope="module")
def client(service: Service):
    with service.client() as found:
        yield found


def ask(client, query: str, **headers):
    return client.post("/sparql", content=query, headers={"content-type": QUERY, **headers})


def still_answers(client) -> bool:
    return ask(client, "ASK {}").json() == {"head": {}, "boolean": True}


@pytest.mark.skipif(not CASES, reason="the W3C's protocol tests are not beside this checkout")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_w3c(case: w3c.Case, client):
    """Every query case as it says; a good update is refused, and what it should have changed is not there."""
    found = w3c.faults(case, client, {"query": "/sparql/", "update": "/sparql/"})
    if case.update and case.good:
        assert found[0] == "status 403" and set(found) <= {"status 403", "said False"}
    else:
        assert found == []


FORMATS = [("SELECT ?s { ?s ?p 1 }", media) for media in ("application/sparql-results+json", "application/sparql-results+xml", "text/csv", "text/tab-separated-values")]
FORMATS += [("CONSTRUCT { ?s ?p ?o } { ?s ?p ?o . FILTER (?o = 1) }", media) for media in ("text/turtle", "application/n-triples", "application/ld+json", "application/rdf+xml")]


@pytest.mark.parametrize(("query", "media"), FORMATS)
def test_each_format_can_be_had_and_holds_the_answer(query: str, media: str, client):
    reply = ask(client, query, accept=media)
    assert reply.headers["content-type"].split(";")[0] == media
    assert "urn:s:1" in reply.text




@pytest.mark.parametrize(("query", "accept"), [("SELECT * {}", "text/turtle"), ("ASK {}", "text/csv"), ("DESCRIBE <urn:s:1>", "text/csv")])
def test_what_is_not_acceptable_names_what_is(query: str, accept: str, client):
    reply = ask(client, query, accept=accept)
    assert reply.status_code == 406
    assert reply.json()["offered"]


@pytest.mark.parametrize(("accept", "chosen"), [
    (None, "a/b"), ("*/*", "a/b"), ("c/d", "c/d"), ("a/b;q=0.1, c/d;q=0.2", "c/d"), ("a/*;q=0.3, a/b;q=0, */*;q=0.1", "c/d"), ("x/y", None), ("c/d;q=0", None), ("nonsense", "a/b"),
])
def test_negotiation(accept, chosen):
    assert choose(accept, ("a/b", "c/d")) == chosen


def test_a_malformed_query_is_placed(client):
    reply = ask(client, "SELECT * {\n ?s ?p }")
    assert (reply.status_code, reply.json()["line"], reply.json()["column"]) == (400, 2, 9)


def test_the_service_describes_itself(client):
    for path in ("/sparql", "/.well-known/void"):
        graph = list(ox.parse(client.get(path, headers={"accept": "application/n-triples"}).content, format=ox.RdfFormat.N_TRIPLES))
        assert "http://www.w3.org/ns/sparql-service-description#SPARQL11Query" in {getattr(quad.object, "value", "") for quad in graph}


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_other_methods_are_refused(method: str, client):
    reply = client.request(method, "/sparql")
    assert reply.status_code == 405 and "GET" in reply.headers["allow"]


UPDATES = ["INSERT DATA { <urn:a> <urn:b> 1 }", "LOAD <http://127.0.0.1:9/>", "DROP ALL", "CLEAR ALL"]


@pytest.mark.parametrize("update", UPDATES)
def test_no_update_by_any_way(update: str, client):
    before = ask(client, "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }").text
    assert client.post("/sparql", content=update, headers={"content-type": "application/sparql-update"}).status_code == 403
    assert client.post("/sparql", data={"update": update}).status_code == 403
    assert client.get("/sparql", params={"update": update}).status_code == 400
    assert ask(client, update).status_code == 400
    assert ask(client, "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }").text == before


SERVICES = ["SELECT * { SERVICE <http://127.0.0.1:9/> { ?s ?p ?o } }", "SELECT * { service silent <http://127.0.0.1:9/> {} }",
            "SELECT * { # ' \n SERVICE?x { ?s ?p ?o } }", "SELECT ('\\'' AS ?a) { SERVICE <http://127.0.0.1:9/> {} }",
            'SELECT ("""\\"""" AS ?a) { SERVICE <http://127.0.0.1:9/> {} }', "ASK { ?s <urn:#> ?o SERVICE <http://127.0.0.1:9/> {} }",
            "ASK { FILTER (1 <2 && 2> 1) SERVICE <http://127.0.0.1:9/> {} }"]


@pytest.mark.parametrize("query", SERVICES)
def test_no_query_is_passed_on(query: str, client):
    assert ask(client, query).status_code == 403


@pytest.mark.parametrize("query", ["ASK { ?service <urn:service> 'SERVICE <x>' }", "PREFIX service: <urn:x> ASK { ?s service:SERVICE ?o } # SERVICE",
                                   "ASK { ?s ?p 'it''s' }", 'ASK { ?s ?p """a SERVICE " b""" }'])
def test_the_word_alone_is_no_crime(query: str):
    assert "SERVICE" not in words(query)


def test_no_file_and_no_address_is_read(client, tmp_path):
    secret = tmp_path / "secret.ttl"
    secret.write_text("<urn:secret> <urn:p> 1 .")
    for query in (f"ASK FROM <{secret.as_uri()}> {{ <urn:secret> ?p ?o }}", "ASK FROM <http://127.0.0.1:9/> { ?s ?p ?o }"):
        assert ask(client, query).json()["boolean"] is False
    assert client.get("/sparql", params={"query": "ASK { <urn:secret> ?p ?o }", "default-graph-uri": secret.as_uri()}).json()["boolean"] is False


def test_rows_are_cut_and_it_is_said(client):
    reply = ask(client, "SELECT * { ?s ?p ?o }")
    assert len(reply.json()["results"]["bindings"]) == 20 and reply.headers["kg-truncated"] == "rows=20"
    triples = ask(client, "CONSTRUCT { ?s ?p ?o } { ?s ?p ?o }", accept="application/n-triples")
    assert len(triples.text.splitlines()) == 20 and triples.headers["kg-truncated"] == "rows=20"
    assert "kg-truncated" not in ask(client, "SELECT * { ?s ?p ?o } LIMIT 20").headers


LONG = "SELECT (COUNT(*) AS ?n) { " + " ".join(f"?a{n} ?b{n} ?c{n} ." for n in range(9)) + " }"
LARGE = "SELECT * { " + " ".join(f"?a{n} ?b{n} ?c{n} ." for n in range(4)) + " } ORDER BY ?a1"


def test_a_query_that_takes_too_long_is_stopped_and_others_go_on(client):
    began = time.monotonic()
    assert ask(client, LONG).status_code == 422
    assert time.monotonic() - began < 20
    assert still_answers(client)


def test_a_query_that_takes_too_much_memory_ends_alone(client):
    assert ask(client, LARGE).status_code == 422
    assert still_answers(client)


def test_long_queries_do_not_hold_up_short_ones_and_too_many_of_them_are_sent_away():
    """One worker: a long query runs on beside the short ones, a second one is refused for now."""
    statuses: list[int] = []
    store = ox.Store()
    store.extend(ox.Quad(ox.NamedNode(f"urn:s:{n}"), ox.NamedNode("urn:p"), ox.Literal(n)) for n in range(50))
    served = Dataset(store.dump(format=ox.RdfFormat.N_QUADS), 50, {})
    with running(served, seconds=6.0, workers=1) as service, service.client() as one, service.client() as two:
        threads = [threading.Thread(target=lambda: statuses.append(ask(one, LONG).status_code)) for _ in range(2)]
        for thread in threads:
            thread.start()
        assert still_answers(two)
        for thread in threads:
            thread.join(30)
    assert sorted(statuses) == [422, 429]


def test_killed_at_work_it_leaves_nothing_behind_and_starts_again(tmp_path):
    """The process that serves is killed while a long query runs: its workers end, and the same command serves again."""
    data = tmp_path / "data.nt"
    data.write_text("".join(f"<urn:s:{n}> <urn:p> {n} .\n".replace(f" {n} .", f' "{n}" .') for n in range(200)))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "kg", "serve", "--data", str(data), "--port", str(port), "--seconds", "2", "--workers", "1"]
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
        for _ in range(2):
            server = subprocess.Popen(command, stderr=subprocess.DEVNULL, cwd=ROOT)
            wait_for(client)
            workers = children(server.pid)
            assert len(workers) >= 2
            asking = threading.Thread(target=lambda: pytest.raises(httpx.HTTPError, ask, client, LONG))
            asking.start()
            time.sleep(0.3)
            server.kill()
            server.wait()
            asking.join(30)
            end = time.monotonic() + 15
            while any(map(alive, workers)) and time.monotonic() < end:
                time.sleep(0.2)
            assert not any(map(alive, workers))


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_for(client: httpx.Client) -> None:
    for _ in range(300):
        try:
            if client.get("/ready").status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.1)
    raise AssertionError("the service did not start")


METHODS = st.sampled_from(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE"])
NAMES = st.sampled_from(["query", "update", "default-graph-uri", "named-graph-uri", "using-graph-uri", "other"])
VALUES = st.one_of(st.sampled_from(["ASK {}", "SELECT * { ?s ?p ?o }", "CONSTRUCT WHERE { ?s ?p ?o }", "DROP ALL", "urn:a", "<>", "\\u0000"]), st.text(max_size=40))
MEDIA = st.one_of(st.sampled_from([QUERY, FORM, UPDATE, "text/turtle", "text/csv;q=0.1, */*;q=x", ";;;,", QUERY + "; charset=utf-16"]), st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(METHODS, st.lists(st.tuples(NAMES, VALUES), max_size=4), st.one_of(st.none(), MEDIA), st.one_of(st.none(), MEDIA), st.one_of(VALUES.map(str.encode), st.binary(max_size=60)))
def test_whatever_comes_nothing_breaks(client, method, parameters, accept, content_type, body):
    headers = {key: value.strip() for key, value in (("accept", accept), ("content-type", content_type)) if value is not None}
    reply = client.request(method, "/sparql", params=parameters, headers=headers, content=body)
    assert reply.status_code < 500


BAD = {
    "too large": (413, {"content": b"x" * 20_001, "headers": {"content-type": QUERY}}),
    "a bomb of nesting": (422, {"content": "SELECT * {" + "{" * 9_000, "headers": {"content-type": QUERY}}),
    "a huge literal": (413, {"content": 'ASK { ?s ?p "' + "a" * 30_000 + '" }', "headers": {"content-type": QUERY}}),
    "not UTF-8": (400, {"content": b"ASK { ?s ?p '\xff' }", "headers": {"content-type": QUERY}}),
    "a form not UTF-8": (400, {"content": b"query=%FF", "headers": {"content-type": "application/x-www-form-urlencoded"}}),
    "ten thousand fields": (400, {"content": "&".join("a=" for _ in range(5_000)), "headers": {"content-type": "application/x-www-form-urlencoded"}}),
    "no type": (415, {"content": "ASK {}"}),
    "a file": (415, {"files": {"query": b"ASK {}"}}),
    "a graph that is no IRI": (400, {"data": {"query": "ASK {}", "default-graph-uri": "no iri"}}),
    "NUL": (400, {"content": b"ASK { }\x00", "headers": {"content-type": QUERY}}),
    "RDF with entities": (415, {"content": '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "headers": {"content-type": "application/rdf+xml"}}),
}


@pytest.mark.parametrize("name", BAD)
def test_a_hostile_request_gets_a_clear_refusal(name: str, client):
    status, request = BAD[name]
    reply = client.post("/sparql", **request)
    assert reply.status_code == status
    assert reply.headers["content-type"] == "application/problem+json" and reply.json()["detail"]
    assert still_answers(client)


def test_a_chunked_body_is_counted_too(client):
    reply = client.post("/sparql", content=(b"x" * 1000 for _ in range(100)), headers={"content-type": QUERY})
    assert reply.status_code == 413


def test_a_slow_client_holds_up_nobody(service: Service, client):
    with socket.create_connection(("127.0.0.1", service.port)) as slow:
        slow.sendall(b"POST /sparql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/sparql-query\r\nContent-Length: 100\r\n\r\nASK")
        assert still_answers(client)


def test_a_page_elsewhere_cannot_reach_it_by_a_name_of_its_own(client):
    assert client.get("/sparql", headers={"host": "evil.example"}).status_code == 400


def test_no_cors_unless_it_was_asked_for(client):
    assert "access-control-allow-origin" not in client.get("/health", headers={"origin": "http://evil.example"}).headers


def test_answers_are_not_kept_anywhere(client):
    headers = ask(client, "ASK {}").headers
    assert headers["cache-control"] == "no-store" and "default-src 'none'" in headers["content-security-policy"]


EMPTY = Dataset(b"", 0, {})


def test_a_token_and_an_origin_when_they_were_chosen():
    with running(EMPTY, token="secret", origins=("http://good.example",), workers=1) as service, service.client() as client:
        assert client.get("/health").status_code == 200
        for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": "secret"}):
            assert client.get("/sparql", headers=headers).status_code == 401
        good = client.get("/sparql", headers={"authorization": "Bearer secret", "origin": "http://good.example"})
        assert (good.status_code, good.headers["access-control-allow-origin"]) == (200, "http://good.example")
        bad = client.get("/sparql", headers={"authorization": "Bearer secret", "origin": "http://evil.example"})
        assert "access-control-allow-origin" not in bad.headers and "access-control-allow-credentials" not in good.headers


def test_other_machines_only_with_a_token():
    with pytest.raises(InputError, match="token"):
        Settings(host="0.0.0.0")
    assert Settings(host="0.0.0.0", token="secret").names == ("*",)
    assert Settings(host="::1").token is None


def test_the_log_says_that_something_was_asked_and_not_what(client, caplog):
    with caplog.at_level(logging.INFO, "kg.serve"):
        ask(client, "ASK { <urn:patient:jane-doe> ?p ?o }")
        client.get("/sparql", params={"query": "ASK { <urn:patient:jane-doe> ?p ?o }"})
        client.get("/jane-doe")
        end = time.monotonic() + 10
        while sum(record.name == "kg.serve" for record in caplog.records) < 3 and time.monotonic() < end:
            time.sleep(0.02)                                # a line is written once the answer is out
    lines = [json.loads(record.getMessage()) for record in caplog.records if record.name == "kg.serve"]
    assert [line["status"] for line in lines] == [200, 200, 404]
    assert "jane" not in caplog.text
    assert all({"time", "method", "path", "ms", "query"} <= line.keys() for line in lines)

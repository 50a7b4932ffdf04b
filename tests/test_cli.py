"""The command line as its users meet it: exit codes, one-line errors, formats (spec/output.md)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from kg.paths import data
from tests.support import vignettes

ROOT = Path(__file__).parent.parent
EXAMPLE = ROOT / "examples" / "loss-of-response.json"
SAMPLES = vignettes.SHARED / "fhir-samples"


def kg(*arguments: object, stdin: bytes | None = None) -> subprocess.CompletedProcess:
    environment = {**os.environ, "NO_COLOR": "1", "PYTHONPATH": str(ROOT)}
    return subprocess.run([sys.executable, "-m", "kg", *map(str, arguments)], input=stdin, capture_output=True, env=environment, cwd=ROOT, timeout=120)


def test_recommend_text_names_what_the_source_does_not_cover_and_never_says_stop():
    done = kg("recommend", EXAMPLE, "--as-of", "2026-03-02")
    text = done.stdout.decode()
    assert done.returncode == 0 and "ELIGIBLE" in text
    assert "not checked, the source is silent" in text
    assert all("does not mean stop" in line for line in text.splitlines() if line.startswith("  ") and line.rstrip().endswith("stop:"))
    assert b"entries carry nothing this guideline asks" in done.stderr


def test_json_lines_fit_the_published_schema():
    schema = json.loads((ROOT / "kg" / "schema" / "recommend.schema.json").read_text())
    done = kg("recommend", EXAMPLE, ROOT / "examples" / "isolated-sacroiliitis.json", "--as-of", "2026-03-02", "--format", "json")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(rows) == 2
    for row in rows:
        jsonschema.validate(row, schema)
        assert [one["treatment"] for one in row["treatments"]][0] == "etanercept" and len(row["treatments"]) == 35
        assert all(one["notChecked"] for one in row["treatments"] if one["verdict"] == "eligible" and one["treatment"] in ("etanercept", "secukinumab"))


@pytest.mark.parametrize(("name", "content", "place"), [
    ("not-json.json", b"hello", "line 1"),
    ("cut.json", b'{"resourceType": "Bundle", "entry": [', "line 1"),
    ("wrong.json", b'{"resourceType": "CapabilityStatement"}', "resourceType"),
    ("binary.dat", bytes(range(128, 256)) * 20, "byte 0"),
    ("empty.json", b"", "file"),
    ("bad.ttl", b"@prefix x: <http://x/> . x:a x:b", "line 1"),
    ("doctype.rdf", b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a/>', "DOCTYPE"),
    ("remote.jsonld", b'{"@context": "http://example.org/context", "@id": "x"}', "@context"),
])
def test_unreadable_input_is_one_line_and_exit_2_and_the_rest_is_answered(tmp_path, name, content, place):
    path = tmp_path / name
    path.write_bytes(content)
    done = kg("recommend", path, EXAMPLE, "--as-of", "2026-03-02", "--format", "json")
    assert done.returncode == 2 and len(done.stdout.splitlines()) == 1
    line = done.stderr.decode().splitlines()[0]
    assert name in line and place in line and "Traceback" not in done.stderr.decode()


@pytest.mark.parametrize(("change", "element"), [
    ({"effectiveDateTime": "2026-02-30"}, "effectiveDateTime"),
    ({"valueQuantity": {"value": 7, "unit": "stone"}}, "valueQuantity"),
    ({"subject": None}, "subject"),
    ({"valueQuantity": {"value": 17, "code": "{score}", "system": "http://unitsofmeasure.org"}}, "valueQuantity"),
])
def test_a_faulty_element_is_a_finding_and_the_rest_is_read(tmp_path, change, element):
    bundle = json.loads(EXAMPLE.read_text())
    score = next(entry["resource"] for entry in bundle["entry"] if entry["resource"].get("code", {}).get("coding", [{}])[0].get("code") == "72514-3")
    for key, value in change.items():
        score.pop(key) if value is None else score.__setitem__(key, value)
    path = tmp_path / "patient.json"
    path.write_text(json.dumps(bundle))
    done = kg("validate", path)
    assert done.returncode == 1
    assert any(element in line and line.startswith("violation") for line in done.stdout.decode().splitlines())
    assert kg("recommend", path, "--as-of", "2026-03-02").returncode == 0


PATIENT_RDF = """@prefix pt: <https://w3id.org/sacroiliitis-kg/patient#> .
@prefix cl: <https://w3id.org/sacroiliitis-kg/clinical#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
<urn:p> a pt:Patient ; pt:birthDate "1980-01-01"^^xsd:date .
<urn:d> a pt:Diagnosis ; pt:patient <urn:p> ; pt:about cl:Sacroiliitis ; pt:presence pt:Present .
"""
SCORE = "<urn:o> a pt:Observation ; pt:patient <urn:p> "


@pytest.mark.parametrize(("fact", "place"), [
    (SCORE + '; pt:about cl:PainDuration ; pt:date "2026-01-01"^^xsd:date ; pt:value 6 ; pt:unit "fortnight" .', "urn:o"),
    (SCORE + '; pt:about cl:PainIntensity ; pt:date "2026-02-30"^^xsd:date ; pt:value 3 ; pt:unit "{score}" .', "urn:o: date: 2026-02-30"),
    (SCORE + '; pt:about cl:PainIntensity ; pt:date "2026-01-01"^^xsd:date ; pt:value -3 ; pt:unit "{score}" .', "urn:o"),
    ('<urn:o> a pt:Course ; pt:patient <urn:p> ; pt:about cl:Naproxen ; pt:start "2025-05-01"^^xsd:date ; pt:end "2025-04-01"^^xsd:date ; pt:status pt:Stopped .', "urn:o"),
])
def test_a_fact_in_rdf_that_cannot_be_read_safely_is_said_and_decides_nothing(tmp_path, fact, place):
    path = tmp_path / "patient.ttl"
    path.write_text(PATIENT_RDF + fact)
    done = kg("recommend", path, "--as-of", "2026-03-02", "--format", "json")
    verdicts = {one["treatment"]: one["verdict"] for one in json.loads(done.stdout)["treatments"]}
    assert done.returncode == 0 and verdicts["adalimumab"] == "undetermined"
    for said in (done.stderr, kg("validate", path).stdout):
        assert f"violation: {path}: {place}" in said.decode() and b"Traceback" not in said
    assert b"Traceback" not in kg("validate", path).stderr


@pytest.mark.parametrize(("name", "content", "message"), [
    ("cut.json", '{"resourceType": "Bundle", "entry": [', "ends in the middle"),
    ("empty.json", '{"resourceType": "Bundle", "type": "searchset"}', "no patient in it"),
    ("comment.ttl", "# nothing", "no patient in it"),
    ("fhir.xml", '<Bundle xmlns="http://hl7.org/fhir"/>', "FHIR in XML"),
    ("fhir.json", '<Bundle xmlns="http://hl7.org/fhir"/>', "is XML, not JSON"),
])
def test_nothing_read_does_not_conform(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_text(content)
    for command in (("validate", path), ("import", path, "-o", tmp_path / "out.ttl"), ("recommend", path)):
        done = kg(*command)
        assert done.returncode == 2 and message in done.stderr.decode()
        assert "conforms" not in done.stdout.decode()


def test_turtle_with_a_byte_order_mark_is_read(tmp_path):
    path = tmp_path / "patient.ttl"
    path.write_bytes(b"\xef\xbb\xbf" + PATIENT_RDF.encode())
    assert kg("validate", path).returncode == 0


def test_a_pipe_that_closes_early_is_no_failure():
    first = subprocess.Popen([sys.executable, "-m", "kg", "recommend", EXAMPLE, "--as-of", "2026-03-02"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT)
    first.stdout.close()
    assert b"Traceback" not in first.stderr.read() and first.wait() == 0


def test_standard_input_and_patient_rdf():
    done = kg("recommend", "-", "--as-of", "2026-03-02", "--format", "json", stdin=(ROOT / "examples" / "by-hand.ttl").read_bytes())
    assert json.loads(done.stdout)["applicability"] == "applies"


def test_import_then_recommend_says_the_same(tmp_path):
    out = tmp_path / "patient.ttl"
    assert kg("import", EXAMPLE, "-o", out).returncode == 0
    ways = [json.loads(kg("recommend", place, "--as-of", "2026-03-02", "--format", "json").stdout) for place in (EXAMPLE, out)]
    assert ways[0]["treatments"] == ways[1]["treatments"]


def test_a_large_bundle_is_answered(tmp_path):
    bundle = json.loads(EXAMPLE.read_text())
    filler = {"resourceType": "Observation", "status": "final", "subject": bundle["entry"][1]["resource"]["subject"], "code": {"text": "x" * 1000}}
    bundle["entry"] += [{"resource": {**filler, "id": f"filler-{number}"}} for number in range(18000)]
    path = tmp_path / "large.json"
    path.write_text(json.dumps(bundle))
    assert path.stat().st_size > 20_000_000
    done = kg("recommend", path, "--as-of", "2026-03-02", "--format", "json")
    assert done.returncode == 0 and json.loads(done.stdout)["applicability"] == "applies"


@pytest.mark.skipif(not SAMPLES.exists(), reason="the sample bundles of the specification are not beside this checkout")
@pytest.mark.parametrize("name", sorted(path.name for path in SAMPLES.glob("*_*.json")))
def test_large_synthetic_people_are_outside(name):
    done = kg("recommend", SAMPLES / name, "--as-of", "2026-03-02", "--format", "json")
    assert done.returncode == 0 and {json.loads(line)["applicability"] for line in done.stdout.splitlines()} == {"not-applicable"}
    assert b"entries carry nothing this guideline asks" in done.stderr
    assert "not applicable" in kg("recommend", SAMPLES / name, "--as-of", "2026-03-02").stdout.decode()


@pytest.mark.parametrize("arguments", [
    ("recommend", EXAMPLE, "--as-of", "2026-02-30"), ("recommend", EXAMPLE, "--as-of", "2026-W10-1"), ("recommend", "no-such-file.json"), ("explain", EXAMPLE, "aspirin"), ("query", "no-such-query"),
    ("recommend", EXAMPLE, "--guideline", "no-such-guideline"), ("recommend", EXAMPLE, "--patient", "nobody"), ("recommend",), ("recommend", EXAMPLE, "--format", "pdf"),
])
def test_usage_errors_are_exit_2_without_a_traceback(arguments):
    done = kg(*arguments)
    assert done.returncode == 2 and b"Traceback" not in done.stderr


@pytest.mark.parametrize("form", ["table", "json", "csv", "xml"])
def test_query_formats(form):
    done = kg("query", "eligible-treatments", EXAMPLE, "--as-of", "2026-03-02", "--format", form)
    assert done.returncode == 0 and b"anercept" in done.stdout


def test_coverage_query_returns_every_statement():
    done = kg("query", "statement-coverage", "--format", "csv")
    ids = {line.split(",")[0] for line in done.stdout.decode().splitlines()[1:]}
    assert len({name for name in ids if name.startswith("S")}) == 106


def test_explain_names_rule_line_criteria_and_evidence():
    text = kg("explain", EXAMPLE, "golimumab", "--as-of", "2026-03-02").stdout.decode()
    assert "R01" in text and "line" in text and "✗ not met" in text


def test_check_and_queries():
    assert kg("check").returncode == 0
    listed = kg("queries").stdout.decode()
    assert all(f"ask/{path.stem}: " in listed for path in data("queries", "ask").glob("*.rq"))

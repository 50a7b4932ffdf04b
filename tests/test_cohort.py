"""A population: the table says what `kg recommend` says, whatever the form, the order, the runner or the interruptions."""

from __future__ import annotations

import csv
import gzip
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

from kg import fhir, inputs
from kg.cohort import partition
from kg.cohort.judging import Judge
from kg.cohort.reading import Batch
from kg.cohort.tables import COLUMNS, LISTS
from kg.evaluate import by_patient, evaluate
from kg.results import results
from tests.support import vignettes
from tests.support.corruption import corrupt

AS_OF = "2026-03-02"


def kg(*words: object, check: bool = True) -> subprocess.CompletedProcess:
    done = subprocess.run([sys.executable, "-m", "kg", *map(str, words)], capture_output=True, text=True)
    assert "Traceback" not in done.stderr
    assert not check or done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="session")
def population(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("population") / "export"
    kg("simulate", 60, "-o", folder, "--seed", 3)
    return folder


@pytest.fixture(scope="session")
def outcome(population, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("cohort") / "out"
    kg("cohort", population, "-o", out, "--as-of", AS_OF, "--jobs", 1)
    return out


def rows(out: Path) -> list[dict]:
    """The rows of a CSV table, all partitions, with lists as lists."""
    found = [row for path in sorted((out / "verdicts").glob("*.csv")) for row in csv.DictReader(path.open(encoding="utf-8"))]
    return [{name: [one for one in row[name].split(";") if one] if name in LISTS else row[name] for name in COLUMNS} for row in found]


def files(out: Path) -> dict[str, bytes]:
    return {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}


def by_recommend(found: list[dict]) -> dict[tuple[str, str], dict]:
    """The rows of `kg recommend` in the columns of the table."""
    table = {}
    for one in found:
        flags = [flag["flag"] for flag in one["flags"]]
        for row in one["treatments"]:
            least = ("applies", "unknown") if row["verdict"] == "undetermined" else ("applies",)
            rules = [] if row["verdict"] == "not-applicable" else [rule["id"] for rule in row["recommendations"] if rule["status"] in least]
            table[one["iri"], row["treatment"]] = {
                "patient": one["patient"], "verdict": row["verdict"], "strength": row["strength"] or "", "current": "true" if row["current"] else "false", "reason": row["reason"] or "",
                "recommendations": sorted(set(rules)), "missing": sorted(missing["criterion"] for missing in row["missing"]), "flags": sorted(flags)}
    return table


def in_columns(found: list[dict]) -> dict[tuple[str, str], dict]:
    return {(row["iri"], row["treatment"]): {name: sorted(row[name]) if name in LISTS else row[name] for name in COLUMNS if name not in ("iri", "treatment")} for row in found}


# what the table says


def test_the_table_says_what_recommend_says(population, outcome):
    found = inputs.read([str(path) for path in sorted(population.iterdir())], vignettes.codes())
    expected = by_recommend(results(evaluate(found.triples, vignettes.guideline(), vignettes.date.fromisoformat(AS_OF))))
    assert in_columns(rows(outcome)) == expected


def test_the_vignettes_as_bundles(tmp_path):
    cases = [one for one in vignettes.read_all(vignettes.OWN) if one.as_of.isoformat() == AS_OF][:15]
    for case in cases:
        (tmp_path / "bundles" / case.name).mkdir(parents=True)
        (tmp_path / "bundles" / case.name / "bundle.json").write_text(json.dumps(case.bundle), encoding="utf-8")
    expected = {}
    for case in cases:
        expected |= by_recommend(vignettes.run(case))
    kg("cohort", tmp_path / "bundles", "-o", tmp_path / "out", "--as-of", AS_OF, "--jobs", 1, check=False)
    found = in_columns(rows(tmp_path / "out"))
    twice = {row["patient"] for row in csv.DictReader((tmp_path / "out" / "rejected.csv").open(encoding="utf-8"))}
    assert found == {key: row for key, row in expected.items() if key[0] not in twice or key in found}
    assert len(found) > 400


def test_patient_rdf_gives_the_same(population, outcome, tmp_path):
    kg("simulate", 8, "-o", tmp_path / "export", "--seed", 3)
    kg("import", *sorted((tmp_path / "export").iterdir()), "-o", tmp_path / "patients.ttl")
    kg("cohort", tmp_path / "patients.ttl", "-o", tmp_path / "out", "--as-of", AS_OF, "--jobs", 1)
    found = in_columns(rows(tmp_path / "out"))
    assert len(found) > 200
    assert found == {key: row for key, row in in_columns(rows(outcome)).items() if key in found}


def test_every_patient_has_every_treatment_once(outcome):
    found = rows(outcome)
    treatments = {row["treatment"] for row in found}
    assert len({(row["iri"], row["treatment"]) for row in found}) == len(found) == 60 * len(treatments)


def test_the_summary_counts_the_rows(outcome):
    summary = json.loads((outcome / "summary.json").read_text("utf-8"))
    counted = {(one["treatment"], one["verdict"]): one["number"] for one in summary["counts"]["verdicts"]}
    found = rows(outcome)
    assert counted == {key: sum((row["treatment"], row["verdict"]) == key for row in found) for key in {(row["treatment"], row["verdict"]) for row in found}}
    assert summary["patients"] == {"in": 60, "out": 60, "rejected": 0}
    flags = {one["flag"]: one["number"] for one in summary["counts"]["flags"]}
    assert flags == {flag: len({row["iri"] for row in found if flag in row["flags"]}) for flag in {flag for row in found for flag in row["flags"]}}
    inside = sum(one["number"] for one in summary["counts"]["applicability"] if one["status"] != "not-applicable")
    for rule in {one["recommendation"] for one in summary["counts"]["attrition"]}:
        assert sum(one["number"] for one in summary["counts"]["attrition"] if (one["recommendation"], one["place"]) == (rule, 0)) == inside


# forms and orders


def test_the_other_forms_say_the_same(population, outcome, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    kg("cohort", population, "-o", tmp_path / "p", "--as-of", AS_OF, "--format", "parquet", "--jobs", 1)
    kg("cohort", population, "-o", tmp_path / "n", "--as-of", AS_OF, "--format", "ndjson", "--jobs", 1)
    lines = [json.loads(line) for line in (tmp_path / "n" / "verdicts" / "part-00000.ndjson").read_text("utf-8").splitlines()]
    assert parquet.read_table(tmp_path / "p" / "verdicts").to_pylist() == lines
    words = {True: "true", False: "false", None: ""}
    assert [{name: words.get(row[name], row[name]) if not isinstance(row[name], list) else row[name] for name in COLUMNS} for row in lines] == rows(outcome)


def test_compressed_and_shuffled_exports_give_the_same(population, outcome, tmp_path):
    mixed = tmp_path / "mixed"
    mixed.mkdir()
    for path in population.iterdir():
        lines = path.read_bytes().splitlines(keepends=True)
        random.Random(1).shuffle(lines)
        (mixed / f"{path.name}.gz").write_bytes(gzip.compress(b"".join(lines)))
    kg("cohort", mixed, "-o", tmp_path / "out", "--as-of", AS_OF, "--jobs", 1)
    assert in_columns(rows(tmp_path / "out")) == in_columns(rows(outcome))


def test_medications_of_nobody_are_found_by_their_references(tmp_path):
    folder = tmp_path / "export"
    folder.mkdir()
    patient = {"resourceType": "Patient", "id": "a", "birthDate": "1970-01-01"}
    drug = {"resourceType": "Medication", "id": "m", "code": {"coding": [{"system": "http://www.whocc.no/atc", "code": "L04AB04"}]}}
    course = {"resourceType": "MedicationStatement", "id": "s", "status": "active", "subject": {"reference": "Patient/a"}, "medicationReference": {"reference": "Medication/m"},
              "effectivePeriod": {"start": "2026-01-01"}}
    for resource in (patient, drug, course):
        (folder / f"{resource['resourceType']}.ndjson").write_text(json.dumps(resource) + "\n", encoding="utf-8")
    kg("cohort", folder, "-o", tmp_path / "out", "--as-of", AS_OF, "--jobs", 1)
    assert any(row["current"] == "true" for row in rows(tmp_path / "out"))


# what cannot be read


def test_each_spoilt_patient_is_listed_and_the_others_have_their_verdicts(population, outcome, tmp_path):
    spoilt = tmp_path / "spoilt"
    shutil.copytree(population, spoilt)
    damage = corrupt(spoilt, every=6)
    assert len({one.kind for one in damage}) == 10
    done = kg("cohort", spoilt, "-o", tmp_path / "out", "--as-of", AS_OF, "--jobs", 1, check=False)
    assert done.returncode == 2
    listed = list(csv.DictReader((tmp_path / "out" / "rejected.csv").open(encoding="utf-8")))
    for one in damage:
        assert any(row["patient"] == one.patient or row["place"] == f"{one.file}:{one.line}" for row in listed), one
    assert all(row["reason"] for row in listed)
    others = {key: row for key, row in in_columns(rows(outcome)).items() if row["patient"] not in {one.patient for one in damage}}
    found = in_columns(rows(tmp_path / "out"))
    assert {key: found.get(key) for key in others} == others
    counts = json.loads((tmp_path / "out" / "summary.json").read_text("utf-8"))["patients"]
    assert counts["in"] == counts["out"] + counts["rejected"]
    assert counts["out"] == len({key[0] for key in found})
    assert counts["rejected"] == len({row["patient"] for row in listed if row["patient"]})


def test_a_patient_in_two_bundles_is_taken_once(tmp_path):
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": {"resourceType": "Patient", "id": "a"}}]}
    (tmp_path / "in").mkdir()
    for name in ("one", "two"):
        (tmp_path / "in" / f"{name}.json").write_text(json.dumps(bundle), encoding="utf-8")
    done = kg("cohort", tmp_path / "in", "-o", tmp_path / "out", "--as-of", AS_OF, "--jobs", 1, check=False)
    assert done.returncode == 2
    (row,) = csv.DictReader((tmp_path / "out" / "rejected.csv").open(encoding="utf-8"))
    assert row["place"] == "two.json" and "another file" in row["reason"]


def test_files_of_one_name_are_told_apart_and_called_by_their_folders(tmp_path):
    for name in ("one", "two"):
        (tmp_path / "in" / name).mkdir(parents=True)
        (tmp_path / "in" / name / "bundle.json").write_text("{", encoding="utf-8")
    done = kg("cohort", tmp_path / "in", "-o", tmp_path / "out", "--as-of", AS_OF, "--jobs", 1, check=False)
    assert done.returncode == 2
    listed = list(csv.DictReader((tmp_path / "out" / "rejected.csv").open(encoding="utf-8")))
    assert [row["place"] for row in listed] == ["one/bundle.json", "two/bundle.json"]
    assert json.loads((tmp_path / "out" / "summary.json").read_text("utf-8"))["patients"] == {"in": 2, "out": 0, "rejected": 2}


PREFIXES = "@prefix pt: <https://w3id.org/sacroiliitis-kg/patient#> . @prefix cl: <https://w3id.org/sacroiliitis-kg/clinical#> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> . @prefix e: <http://example.org/> .\n"


def test_facts_of_rdf_that_are_left_out_are_told(tmp_path):
    (tmp_path / "in.ttl").write_text(PREFIXES + """e:a a pt:Patient . e:f a pt:Diagnosis ; pt:patient e:a ; pt:about cl:Sacroiliitis ; pt:presence pt:Present ; pt:recorded "2026-02-30"^^xsd:date .
        e:g a pt:Diagnosis ; pt:patient e:absent ; pt:about cl:Sacroiliitis ; pt:presence pt:Present .""", encoding="utf-8")
    kg("cohort", tmp_path / "in.ttl", "-o", tmp_path / "out", "--as-of", AS_OF, "--jobs", 1, check=False)
    (row,) = csv.DictReader((tmp_path / "out" / "rejected.csv").open(encoding="utf-8"))
    assert (row["patient"], row["place"]) == ("http://example.org/absent", "in.ttl")
    findings = list(csv.DictReader((tmp_path / "out" / "findings" / "part-00000.csv").open(encoding="utf-8")))
    assert any(one["severity"] == "violation" and one["element"].endswith("recorded") and one["place"] == "in.ttl" for one in findings)


def test_a_patient_who_stops_the_derivation_is_rejected_alone(population, monkeypatch):
    found = inputs.read([str(path) for path in sorted(population.iterdir())], vignettes.codes())
    judge = Judge(vignettes.guideline(), vignettes.date.fromisoformat(AS_OF))
    bad, judged = found.patients[3].value, Judge.judge

    def stops(self, facts):
        facts = list(facts)
        if any(t.subject.value == bad for t in facts):
            raise ValueError(bad)
        return judged(self, facts)

    monkeypatch.setattr(Judge, "judge", stops)
    batch = Batch(triples=[t for own in list(by_patient(found.triples).values())[:6] for t in own])
    assert len(partition._judged(judge, batch, None)) == 5
    assert [one.patient for one in batch.rejected] == [bad]


def test_a_compressed_file_that_is_cut_short_stops_the_run(population, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    for path in population.iterdir():
        (folder / f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
    cut = folder / "AllergyIntolerance.ndjson.gz"
    cut.write_bytes(cut.read_bytes()[:-20])
    done = kg("cohort", folder, "-o", tmp_path / "out", "--as-of", AS_OF, check=False)
    assert done.returncode == 2 and done.stderr.startswith("AllergyIntolerance.ndjson.gz: after line") and done.stderr.count("\n") == 1
    assert not (tmp_path / "out" / "summary.json").exists()


def test_what_of_a_sites_codes_cannot_be_used_is_said_and_bad_ones_are_refused(population, tmp_path):
    (tmp_path / "codes.json").write_text("{", encoding="utf-8")
    for words in (("--codes", tmp_path / "codes.json"), ("--guideline", "none")):
        done = kg("cohort", population, "-o", tmp_path / "out", "--as-of", AS_OF, *words, check=False)
        assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("make", "what"), [
    (lambda folder: None, "no such file"),
    (lambda folder: folder.mkdir(), "nothing to read"),
    (lambda folder: (folder.mkdir(), (folder / "a.ndjson").write_text("{}\n"), (folder / "b.json").write_text("{}")), "together"),
])  # fmt: skip
def test_what_is_no_population_is_refused_in_one_line(tmp_path, make, what):
    make(tmp_path / "in")
    done = kg("cohort", tmp_path / "in", "-o", tmp_path / "out", "--as-of", AS_OF, check=False)
    assert done.returncode == 2 and what in done.stderr and done.stderr.count("\n") == 1


def test_another_run_is_not_mixed_in(population, outcome, tmp_path):
    shutil.copytree(outcome, tmp_path / "out")
    for words in (("--as-of", "2026-03-03"), ("--as-of", AS_OF, "--format", "ndjson")):
        done = kg("cohort", population, "-o", tmp_path / "out", *words, check=False)
        assert done.returncode == 2 and "other settings" in done.stderr
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("keep")
    assert kg("cohort", population, "-o", tmp_path / "full", "--as-of", AS_OF, check=False).returncode == 2


# going on


def test_a_finished_run_stays_as_it_is(population, outcome):
    before = files(outcome)
    kg("cohort", population, "-o", outcome, "--as-of", AS_OF)
    assert files(outcome) == before


@pytest.mark.slow
def test_killed_ten_times_it_ends_with_the_same_bytes(tmp_path):
    folder, out, whole = tmp_path / "export", tmp_path / "out", tmp_path / "whole"
    kg("simulate", 2600, "-o", folder, "--seed", 9)
    words = [sys.executable, "-m", "kg", "cohort", str(folder), "--as-of", AS_OF, "--jobs", "2", "-o"]
    began = time.monotonic()
    subprocess.run([*words, str(whole)], check=True, capture_output=True)
    spent = time.monotonic() - began
    dice, killed, resumed = random.Random(0), 0, 0
    while killed < 10:
        resumed += any((out / "verdicts").glob("*"))
        process = subprocess.Popen([*words, str(out)], start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(dice.uniform(0.05, 0.6) * spent)
            shutil.rmtree(out)  # done before it was killed: once more from the start
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)  # the parent alone: its workers must end by themselves
            killed += 1
            process.wait()
    assert resumed > 1
    subprocess.run([*words, str(out)], check=True, capture_output=True)
    assert files(out) == files(whole)


@pytest.mark.slow
def test_processes_and_partitions_change_nothing(tmp_path):
    folder = tmp_path / "export"
    kg("simulate", 1200, "-o", folder, "--seed", 5)
    for jobs in (1, 2):
        kg("cohort", folder, "-o", tmp_path / str(jobs), "--as-of", AS_OF, "--jobs", jobs)
    assert files(tmp_path / "1") == files(tmp_path / "2")
    assert len(list((tmp_path / "1" / "verdicts").iterdir())) == 3


def no_spark() -> str:
    """Why Spark cannot run here, "" where it can: it wants a Java with jdk.incubator.vector."""
    if find_spec("pyspark") is None:
        return "pyspark is not installed"
    home = os.environ.get("JAVA_HOME")
    java = shutil.which("java", path=f"{home}/bin" if home else None)
    if java is None:
        return "no Java"
    modules = subprocess.run([java, "--list-modules"], capture_output=True, text=True).stdout
    return "" if "jdk.incubator.vector" in modules else "this Java lacks the module jdk.incubator.vector"


@pytest.mark.slow
@pytest.mark.skipif(bool(no_spark()), reason=no_spark())
def test_spark_gives_the_same_bytes(tmp_path):
    folder = tmp_path / "export"
    kg("simulate", 1100, "-o", folder, "--seed", 6)
    for runner in ("local", "spark"):
        kg("cohort", folder, "-o", tmp_path / runner, "--as-of", AS_OF, "--jobs", 2, "--runner", runner)
    assert files(tmp_path / "local") == files(tmp_path / "spark")


@pytest.mark.skipif(find_spec("pyspark") is not None, reason="pyspark is installed")
def test_spark_that_is_not_there_is_said_in_one_line(population, tmp_path):
    done = kg("cohort", population, "-o", tmp_path / "out", "--as-of", AS_OF, "--runner", "spark", check=False)
    assert done.returncode == 2 and "extra `spark`" in done.stderr and done.stderr.count("\n") == 1


def test_what_a_line_says_of_its_owner():
    assert fhir.read_line(b"\xff").message.startswith("is not UTF-8")
    assert fhir.read_line(b'{"resourceType":"Patient","id":"a"}')["id"] == "a"

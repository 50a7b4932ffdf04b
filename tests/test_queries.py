"""The query folder: headers, plain SPARQL, the same rows from both engines, what the questions answer."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date
from functools import cache
from pathlib import Path

import pyoxigraph as ox
import pytest
from rdflib.plugins.sparql.algebra import translateQuery
from rdflib.plugins.sparql.parser import parseQuery
from rdflib.plugins.sparql.parserutils import CompValue
from rdflib.term import Variable

from kg import queries
from kg.engine import ENGINES, Triple
from kg.evaluate import evaluate
from kg.guideline import load, read_module
from kg.paths import data

ROOT = Path(__file__).resolve().parent.parent
AS_OF = date(2026, 1, 15)
ASKED = sorted(query.name for query in queries.folder("ask"))
INDEX = ROOT / "docs" / "queries.md"
PATIENTS = ROOT / "tests" / "guidelines" / "question-patients.ttl"


@cache
def graph() -> tuple[Triple, ...]:
    """Guideline, closure, codes, facts and derived triples of the three patients, as one default graph."""
    facts = [quad.triple for quad in ox.parse(path=str(PATIENTS), format=ox.RdfFormat.TURTLE)]
    store = evaluate(facts, load(), AS_OF).engine
    codes = [triple for path in sorted(data("ontology").glob("codes*.ttl")) for triple in read_module(path).triples]
    return (*store.triples(), *codes)


@cache
def engine(name: str):
    return ENGINES[name](graph())


@cache
def answer(name: str, engine_name: str = "oxigraph") -> tuple[tuple[str, ...], tuple[tuple, ...]]:
    """Column names and rows of one question; values as text, numbers as numbers."""
    query = next(query for query in queries.folder("ask") if query.name == name)
    columns, rows = engine(engine_name).select(query.text)
    return tuple(columns), tuple(tuple(plain(value) for value in row) for row in rows)


def plain(term):
    if isinstance(term, ox.Literal) and term.datatype.value.rsplit("#")[-1] in ("integer", "decimal", "double"):
        return float(term.value)
    return None if term is None else term.value


def rows(name: str, *columns: str) -> set[tuple]:
    names, found = answer(name)
    at = [names.index(column) for column in columns]
    return {tuple(row[index] for index in at) for row in found}


def local(term: str | None) -> str | None:
    return term and re.split(r"[#/]", term)[-1]


# headers and index


@pytest.mark.parametrize("path", sorted((ROOT / "queries").glob("*/*.rq")), ids=lambda path: path.stem)
def test_each_query_says_what_it_answers_in_its_header(path):
    query = queries.read(path)
    assert set(query.header) >= {"summary", "stage", "returns"}
    stages = {"derive": {"rules", "levels", "patient", "combine", "detail", "classify", "run"}, "ask": {"ask"}, "check": {"check"}, "cohort": {"cohort"}, "prove": {"proof"},
              "verify": {"prepare", "expect", "compare", "report"}}[path.parent.name]
    assert query.header["stage"] in stages
    assert path.read_text(encoding="utf-8").startswith("#+ summary: ")


def test_a_query_without_a_summary_is_refused(tmp_path):
    broken = tmp_path / "broken.rq"
    broken.write_text("#+ returns: nothing\nSELECT * WHERE {}\n", encoding="utf-8")
    with pytest.raises(ValueError, match="summary"):
        queries.read(broken)


def index_page() -> str:
    """The index of all queries, generated from their headers."""
    about = {
        "ask": "Questions for people: SELECT over guideline, facts and derived results in one default graph.",
        "check": "Checks: each must find nothing.",
        "cohort": "Rows of many patients: SELECT over guideline, facts and derived triples in one default graph.",
        "derive": "Steps of the derivation: CONSTRUCT, run in this order, each step loaded back before the next.",
        "prove": "Why, as PROV-O: CONSTRUCT over guideline, facts and derived triples in one default graph.",
        "verify": "Re-check of a proof ([how](proofs.md)), in this order. Default graph: guideline, facts, as-of date; `<urn:kg:proof>`: the proof. `prepare` and `compare` are loaded back, `expect` too, and into `<urn:kg:recheck>` as well.",
    }
    page = ["# Queries", "", "Generated from the headers of `queries/*/*.rq`; a test compares this page with them.", ""]
    for folder, text in about.items():
        found = queries.folder(folder) if (ROOT / "queries" / folder).exists() else ()
        if found:
            page += [f"## {folder}", "", text, "", "| Query | Answers | Returns |", "|---|---|---|"]
            for query in found:
                needs = f" Needs <{query.header['needs']}> loaded as well." if "needs" in query.header else ""
                page.append(f"| `{query.name}` | {cell(query.summary)} | {cell(query.header['returns'])}{needs} |")
            page.append("")
    return "\n".join(page).rstrip() + "\n"


def cell(text: str) -> str:
    return text.replace("|", "\\|")


def test_the_index_of_queries_is_up_to_date():
    assert INDEX.read_text(encoding="utf-8") == index_page(), "run: python -m tests.test_queries"


# both engines, plain SPARQL


@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.slow if name == "gap-reasons" else []) for name in ASKED])
def test_both_engines_give_the_same_rows(name):
    columns, found = answer(name)
    other_columns, other = answer(name, "rdflib")
    assert columns == other_columns
    assert Counter(found) == Counter(other)


@pytest.mark.parametrize("name", ASKED)
def test_every_question_has_an_answer_and_no_row_twice(name):
    found = answer(name)[1]
    assert found
    assert max(Counter(found).values()) == 1


@pytest.mark.parametrize("name", ASKED)
def test_each_question_runs_on_an_empty_graph(name):
    query = next(query for query in queries.folder("ask") if query.name == name)
    for kind in ENGINES.values():
        columns, found = kind(()).select(query.text)
        assert columns and not found


@pytest.mark.parametrize("path", sorted((ROOT / "queries").glob("*/*.rq")), ids=lambda path: path.stem)
def test_queries_are_plain_sparql_with_every_prefix_declared(path):
    text = re.sub(r'"[^"]*"|<[^>]*>|(?m:(?:^|\s)#.*$)', " ", path.read_text(encoding="utf-8"))
    declared = set(re.findall(r"PREFIX (\w+):", text))
    used = set(re.findall(r"(?<![\w?])(\w+):[\w-]", re.sub(r"PREFIX.*", "", text)))
    assert used <= declared
    assert not re.search(r"(?i)\bconcat \(|\bservice\b|(?<!\?)\bnow *\(", text)


@pytest.mark.parametrize("path", sorted((ROOT / "queries").glob("*/*.rq")), ids=lambda path: path.stem)
def test_no_expression_reads_a_variable_from_outside_its_group(path):
    assert unseen(path.read_text(encoding="utf-8")) == []


def test_a_filter_that_reads_from_outside_its_branch_is_found():
    assert unseen("SELECT * { ?a ?b ?c { ?c ?d ?e BIND (?a AS ?f) } UNION { ?c ?d ?e FILTER (?e != ?b) } }") == [
        "Extend a",
        "Filter b",
    ]


def unseen(text: str) -> list[str]:
    """Expressions whose variable another part of the query binds and their own group does not: there it is unbound."""
    algebra = translateQuery(parseQuery(text)).algebra
    nodes = list(inside(algebra))
    anywhere = set().union(*map(bound, nodes))
    found = []
    for node in nodes:
        if node.name in ("Extend", "Filter", "LeftJoin"):
            seen = bound(node.p) if node.name != "LeftJoin" else bound(node.p1) | bound(node.p2)
            found += [f"{node.name} {name}" for name in sorted((variables(node.expr) & anywhere) - seen)]
    return found


def inside(node):
    """All algebra nodes of a query, outermost first."""
    if isinstance(node, CompValue):
        yield node
        node = list(node.values())
    if isinstance(node, (list, tuple)):
        for part in node:
            yield from inside(part)


def variables(node) -> set[Variable]:
    """Every variable that stands anywhere in an algebra node."""
    if isinstance(node, Variable):
        return {node}
    if isinstance(node, dict):
        return set().union(*(variables(part) for pair in node.items() for part in pair))
    return set().union(*map(variables, node)) if isinstance(node, (list, tuple, set)) else set()


def bound(node) -> set[Variable]:
    """The variables that an algebra node can bind for what stands around it."""
    if not isinstance(node, CompValue):
        return set()
    if node.name in ("Join", "LeftJoin", "Union"):
        return bound(node.p1) | bound(node.p2)
    if node.name == "Extend":
        return bound(node.p) | {node.var}
    if node.name == "Project":
        return set(node.PV)
    if node.name == "AggregateJoin":
        return {aggregate.res for aggregate in node.A}
    if node.name in ("BGP", "values"):
        return variables(node)
    if node.name == "ToMultiSet" and node.p is None:
        return variables(node)
    return bound(node.p) if node.name != "Minus" else bound(node.p1)


# what the questions must answer


def test_eligible_treatments_come_with_strength_role_and_step():
    found = rows("eligible-treatments", "patient", "treatment", "strength", "role", "step")
    anna = "http://example.org/fhir/anna"
    assert (anna, "etanercept", "Unstated", "switch", "second-biologic") in found
    assert (anna, "secukinumab", "Conditional", "alternative", "after-tnf-inhibitor-failure") in found
    assert not any(treatment in ("adalimumab", "golimumab") for patient, treatment, *_ in found if patient == anna)


def test_recorded_contraindications_and_advice_against_are_told_apart():
    found = rows("contraindicated-treatments", "treatment", "kind", "ground")
    by = {(treatment, kind): local(ground) for treatment, kind, ground in found}
    assert by["golimumab", "Recorded contraindication"] == "a8"
    assert by["methotrexate-monotherapy", "Advised against"].startswith("R2")


def test_undetermined_treatments_name_the_question():
    found = rows("undetermined-treatments", "patient", "treatment", "missing", "ask")
    assert (
        "http://example.org/fhir/ben",
        "cox2-inhibitor",
        "Unconfirmed contraindication",
        "Is the recorded allergy or contraindication confirmed?",
    ) in found
    assert all(missing and ask for _, _, missing, ask in found)


def test_a_verdict_is_traced_to_its_line():
    found = rows("why-a-verdict", "patient", "treatment", "verdict", "rule", "criterion", "result", "line")
    assert (
        "http://example.org/fhir/anna",
        "etanercept",
        "Eligible",
        "R05",
        "Secondary non-response to the first TNF inhibitor",
        "Met",
        line_of("S049"),
    ) in found


def line_of(statement: str) -> float:
    return next(line for line, name in rows("statements-by-line", "line", "statement") if name == statement)


def test_facts_used_lead_back_to_their_source():
    found = rows("facts-used", "fact", "kind", "usedFor", "answer", "source")
    assert (
        "http://example.org/fhir/a2",
        "Observation",
        "Pain above 4 of 10",
        "Met",
        "http://example.org/fhir/Observation-2",
    ) in found
    assert any(local(fact) == "a8" and answer == "Golimumab" for fact, _, _, answer, _ in found)


def test_evidence_has_values_populations_and_checks():
    found = rows("evidence-for-recommendation", "rule", "value", "unit", "population", "check")
    assert ("R07", "54.5", "%", "Selected subgroup", "Misdescribed") in found
    assert {"R11", "D2", "R27"} <= {rule for rule, *_ in found}
    assert all(how and place for check, how, place in rows("evidence-for-recommendation", "check", "howSeen", "seenIn") if check)


def test_source_checks_say_what_differs_where_it_was_seen_and_what_rests_on_it():
    found = rows("source-checks", "statement", "rule", "outcome")
    for statement, rule, outcome in (
        ("S026", "R07", "Misdescribed"),
        ("S026", "R10", "Misdescribed"),
        ("S035", "R07", "Made for another population"),
        ("S044", "R08", "Made for another population"),
        ("S062", "R14", "Graded otherwise"),
        ("S077", "R21", "Made for another population"),
        ("S078", "R22", "Made for another population"),
        ("S098", "R26", "Contested"),
        ("S103", "R27", "Not verified"),
        ("S011", "R01", "Confirmed by the literature"),
    ):
        assert (statement, rule, outcome) in found
    assert all(how and where and what for how, where, what in rows("source-checks", "howSeen", "seenIn", "differs"))


def test_each_statement_has_its_own_population_or_the_guidelines():
    found = rows("statement-populations", "statement", "population", "origin")
    assert len(found) == 106 and len({statement for statement, *_ in found}) == 106
    assert ("S069", "Patients with stable disease", "own") in found
    assert ("S011", "Adult with sacroiliitis on record", "inherited") in found
    studied = dict(rows("statement-populations", "statement", "studied"))
    assert studied["S036"] == "Patients with sacroiliac joint dysfunction" and studied["S011"] is None


def test_a_recommendation_stronger_than_its_statements_or_against_them_is_found():
    query = next(one for one in queries.folder("check") if one.name == "recommendation-beyond-its-statements")
    gl = "https://w3id.org/sacroiliitis-kg/core#"
    for kind in ENGINES.values():
        assert kind(load().triples).select(query.text)[1] == []
        for predicate, value in (("strength", "Strong"), ("direction", "Against")):
            changed = [
                Triple(t.subject, t.predicate, ox.NamedNode(gl + value))
                if t.subject.value.endswith("#R17") and t.predicate.value == gl + predicate
                else t
                for t in load().triples
            ]
            assert [[term.value for term in row] for row in kind(changed).select(query.text)[1]] == [
                [load().iri.value.replace("#guideline", "#R17"), gl + value]
            ]


def test_missing_documentation_names_the_open_parts():
    found = rows("documentation-missing", "patient", "item", "status")
    anna = {(item, status) for patient, item, status in found if patient.endswith("anna")}
    assert anna == {
        ("D1", "Incomplete"),
        ("D2", "Missing"),
        ("D3", "Incomplete"),
        ("D4", "Missing"),
        ("D5", "Incomplete"),
    }


def test_monitoring_says_since_when():
    assert rows("monitoring-due", "patient", "treatment", "status", "dueOn") == {
        ("http://example.org/fhir/ben", "infliximab-biosimilar", "Due", "2025-11-24")
    }


def test_recommendations_are_listed_by_direction_and_strength():
    found = rows("recommendations-by-strength", "rule", "direction", "strength")
    assert {("R01", "For", "Strong"), ("R22", "Against", "Strong"), ("R24", "Neutral", "Unstated")} <= found


def test_all_statements_are_covered():
    ids = {f"S{number:03}" for number in range(1, 107)}
    assert {statement for (statement,) in rows("statement-coverage", "statement")} == ids
    assert {statement for (statement,) in rows("statements-by-line", "statement")} == ids
    assert len(answer("statement-coverage")[1]) == 106


def test_patients_are_counted_by_verdict():
    total: Counter = Counter()
    for treatment, count in rows_with_repeats("patients-by-verdict", "treatment", "patients"):
        total[treatment] += count
    assert set(total.values()) == {3.0}


def rows_with_repeats(name: str, *columns: str) -> list[tuple]:
    names, found = answer(name)
    return [tuple(row[names.index(column)] for column in columns) for row in found]


def test_preferences_flags_and_prerequisites():
    assert ("etanercept", "secukinumab", "R25") in rows("preferences", "preferred", "over", "rule")
    flags = {flag for patient, flag in rows("flags-raised", "patient", "flag") if patient.endswith("anna")}
    assert {"unilateral", "member-contraindicated", "no-concurrent-therapy", "single-nsaid"} <= flags
    assert ("http://example.org/fhir/anna", "si-joint-fusion", "Prerequisite not met") in rows(
        "prerequisites", "patient", "treatment", "outcome"
    )


def test_standard_codes_cannot_decide_everything():
    found = {
        (local(criterion), lacks) for criterion, lacks in rows("criteria-without-standard-codes", "criterion", "lacks")
    }
    assert ("isolated-sacroiliitis", "concept") in found
    assert ("first-primary", "value") in found
    assert ("a-block", "concept") in found
    assert ("first-injection-helped", "measure") in found
    assert not {"sacroiliitis-diagnosis", "pain-intensity", "nsaid-days"} & {criterion for criterion, _ in found}


def test_every_decision_is_listed():
    assert {decision for (decision,) in rows("decisions-and-where-they-count", "decision")} == {
        f"A{number:02}" for number in range(1, 47)
    }


def test_what_can_be_asked_is_read_from_the_criteria():
    found = rows("what-can-be-asked", "criterion", "kind", "concept", "property", "limit")
    pt, cl = "https://w3id.org/sacroiliitis-kg/patient#", "https://w3id.org/sacroiliitis-kg/clinical#"
    rs = "https://w3id.org/sacroiliitis-kg/guideline/refractory-sacroiliitis#"
    assert (rs + "pain-intensity", pt + "Observation", cl + "PainIntensity", pt + "value", 4.0) in found
    assert (rs + "adult", pt + "Patient", None, pt + "birthDate", 18.0) in found
    assert (rs + "nsaid-days", pt + "Course", cl + "Nsaid", pt + "InadequateResponse", 30.0) in found
    assert not [row for row in found if row[0] == rs + "any-imaging"]


def test_thresholds_have_unit_days_basis_and_statement_or_decision():
    found = rows("thresholds", "threshold", "value", "unit", "days", "basis", "decision", "statement")
    assert all(unit and basis for _, _, unit, _, basis, _, _ in found)
    days = {local(threshold): limit for threshold, _, unit, limit, *_ in found if unit in ("d", "wk", "mo", "a")}
    assert (
        days["nsaid-days"] == 30
        and days["physical-therapy-six-weeks"] == 42
        and days["R28"] == 84
        and days["staleness"] == 90
    )
    assert days["relief-duration"] == 60 and days["short-course"] == 90


def test_conventions_of_time():
    found = rows("notes-on-time", "convention", "of", "days")
    assert {
        ("unit", "month", 30.0),
        ("gap between records of one course", "Biologic", 120.0),
        ("gap between records of one course", "Drug", 14.0),
    } <= found
    assert ("stale after", 90.0) in {(convention, days) for convention, _, days in found}


if __name__ == "__main__":
    INDEX.parent.mkdir(exist_ok=True)
    INDEX.write_text(index_page(), encoding="utf-8")

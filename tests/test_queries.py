"""The query folder: headers, plain SPARQL, the same rows from both engines."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from rdflib.plugins.sparql.algebra import translateQuery
from rdflib.plugins.sparql.parser import parseQuery
from rdflib.plugins.sparql.parserutils import CompValue
from rdflib.term import Variable

from kg import queries
from kg.engine import ENGINES
from tests.support.answered import answer

ROOT = Path(__file__).resolve().parent.parent
ASKED = sorted(query.name for query in queries.folder("ask"))
INDEX = ROOT / "docs" / "queries.md"


# headers and index


@pytest.mark.parametrize("path", sorted((ROOT / "queries").glob("*/*.rq")), ids=lambda path: path.stem)
def test_each_query_says_what_it_answers_in_its_header(path):
    query = queries.read(path)
    assert set(query.header) >= {"summary", "stage", "returns"}
    stages = {"derive": {"rules", "levels", "patient", "combine", "used", "detail", "classify", "run"}, "ask": {"ask"}, "check": {"check"}, "cohort": {"cohort"}, "prove": {"proof"},
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


if __name__ == "__main__":
    INDEX.parent.mkdir(exist_ok=True)
    INDEX.write_text(index_page(), encoding="utf-8")

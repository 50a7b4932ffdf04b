"""The questions of `queries/ask/` answered over three patients: one graph, either engine."""

from __future__ import annotations

import re
from datetime import date
from functools import cache
from pathlib import Path

import pyoxigraph as ox

from kg import queries
from kg.engine import ENGINES, Triple
from kg.evaluate import evaluate
from kg.guideline import load, read_module
from kg.paths import data

AS_OF = date(2026, 1, 15)
PATIENTS = Path(__file__).resolve().parent.parent / "guidelines" / "question-patients.ttl"


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

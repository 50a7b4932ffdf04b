"""Rows of the page queries (`kg/docs/queries/`): what the pages show is fetched by SPARQL, not walked in Python."""

from __future__ import annotations

from pathlib import Path

from kg.engine import Engine
from kg.queries import Query, read

Row = dict[str, str]
_QUERIES = Path(__file__).parent / "queries"


def page_queries() -> tuple[Query, ...]:
    """The queries that feed the pages, by file name."""
    return tuple(read(path) for path in sorted(_QUERIES.glob("*.rq")))


def rows(engine: Engine, text: str) -> list[Row]:
    """The rows of a SELECT as dictionaries of IRIs and lexical forms; what is unbound is left out."""
    names, found = engine.select(text)
    return [{name: term.value for name, term in zip(names, row, strict=True) if term is not None} for row in found]


def fetch(engine: Engine, name: str) -> list[Row]:
    """The rows of one page query, by its file's stem."""
    return rows(engine, read(_QUERIES / f"{name}.rq").text)

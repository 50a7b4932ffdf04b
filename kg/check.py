"""The guideline and the ontology check themselves (`kg check`, spec/output.md).

A check is a step: a function that looks at a `Subject` and returns findings. How grave a finding is stands beside the
queries, in `queries/check/levels.csv`, so that a team can change it without touching a query."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import pyoxigraph as ox

from kg import claims
from kg.coverage import source_coverage
from kg.engine import ENGINES, Engine, Triple
from kg.errors import InputError
from kg.grammar import grammar
from kg.guideline import Guideline, read_module
from kg.index import Index
from kg.paths import data
from kg.queries import Query, folder
from kg.terms import RDFS

LEVELS = ("ERROR", "WARN", "INFO")
_SEE_ALSO = ox.NamedNode(RDFS.seeAlso)
_BASE = "https://w3id.org/sacroiliitis-kg/"
_PREFIX = re.compile(r"@?prefix\s+(\w+):\s*<([^>]*)>", re.IGNORECASE)
_NAME = re.compile(r"(?<![\w?])(\w+):([A-Za-z][\w-]*)")
_COMMENT = re.compile(r"(?m:(?:^|\s)#.*$)")


@dataclass(frozen=True)
class Finding:
    """One fault: how grave, which check found it, the IRI (or name) of what is at fault, and what is wrong with it."""

    level: str
    check: str
    focus: str
    message: str


@dataclass(frozen=True)
class Subject:
    """What is checked: a guideline, the files given beside the project's own, and its source text when at hand."""

    guideline: Guideline
    files: tuple[Path, ...] = ()
    source: Path | None = None

    @cached_property
    def triples(self) -> frozenset[Triple]:
        """Every ontology file but the release and the example patient, and which terms the queries and shapes ask for."""
        own = [path for path in data("ontology").rglob("*.ttl") if not {"release", "examples"} & set(path.parts)]
        stated = (triple for path in (*own, *self.files) for triple in read_module(path).triples)
        return frozenset((*stated, *uses()))

    @cached_property
    def index(self) -> Index:
        return Index(self.triples)


Step = Callable[[Subject], Iterable[Finding]]


@dataclass(frozen=True)
class Level:
    """A row of the table of levels: the name of a check, how grave its findings are, and why."""

    check: str
    level: str
    why: str


@cache
def levels() -> dict[str, Level]:
    """The table of levels by check.

    Raises InputError for a row without one of `LEVELS`, or without a reason."""
    path = data("queries", "check", "levels.csv")
    with path.open(encoding="utf-8", newline="") as lines:
        rows = [Level(row["check"], row["level"], row["why"]) for row in csv.DictReader(lines)]
    for number, row in enumerate(rows, start=2):
        if row.level not in LEVELS or not row.why:
            raise InputError(str(path), f"line {number}", f"{row.check} has no level", f"give one of {LEVELS} and why")
    return {row.check: row for row in rows}


def finding(check: str, focus: str, message: str) -> Finding:
    """A finding at the level that the table gives to its check.

    Raises InputError when the table has no such check."""
    if check not in levels():
        raise InputError("queries/check/levels.csv", check, "has no row", "add one: check,level,why")
    return Finding(levels()[check].level, check, focus, message)


def run(subject: Subject, steps: Iterable[Step]) -> list[Finding]:
    """What the steps find, the gravest first, then by check in the order of the table."""
    found = [one for step in steps for one in step(subject)]
    order = {name: number for number, name in enumerate(levels())}
    return sorted(found, key=lambda one: (LEVELS.index(one.level), order[one.check], one.focus, one.message))


# Steps


def source_step(subject: Subject) -> Iterator[Finding]:
    """Each line of the source text is in the graph, unchanged and accounted for; nothing without the text."""
    if subject.source:
        for one in source_coverage(subject.guideline, subject.source):
            yield finding("source", f"line {one.line}", one.message)


def grammar_step(subject: Subject) -> Iterator[Finding]:
    """Every node of the guideline has what the shapes for authors ask for (shapes/guideline.ttl)."""
    for one in grammar(subject.guideline).results:
        yield finding("grammar", one.focus, one.message)


def claims_step(subject: Subject) -> Iterator[Finding]:
    """Each statement says in its fields what it says in words."""
    for one in claims.check(subject.guideline.index):
        yield finding("claims", one.statement, one.message)


def hygiene_step(subject: Subject) -> Iterator[Finding]:
    """Every query of `queries/check/` over all ontology files; each row is a finding about its first column."""
    store = ENGINES["oxigraph"](subject.triples)
    for query in folder("check"):
        yield from rows(query, store)


STEPS: tuple[Step, ...] = (source_step, grammar_step, claims_step, hygiene_step)


def rows(query: Query, store: Engine) -> list[Finding]:
    """The rows of one check as findings; what stands beside the focus goes into the message, a column a part."""
    names, found = store.select(query.text)
    return [
        finding(
            query.name,
            row[0].value,
            "; ".join(
                f"{name} {term.value}" for name, term in zip(names[1:], row[1:], strict=True) if term is not None
            ),
        )
        for row in found
    ]


# Which terms are asked for


def uses() -> list[Triple]:
    """A triple (file, rdfs:seeAlso, term) for each term that a query or shape names: who asks what, as data."""
    root = data("queries").parent
    places = [(path, True) for path in data("queries").rglob("*.rq")]
    places += [(path, False) for path in data("shapes").glob("*.ttl")]
    return [
        ox.Triple(
            ox.NamedNode(_BASE + path.relative_to(root).with_suffix("").as_posix()), _SEE_ALSO, ox.NamedNode(term)
        )
        for path, skip_strings in places
        for term in sorted(named(path.read_text(encoding="utf-8"), skip_strings))
    ]


def named(text: str, skip_strings: bool) -> set[str]:
    """The IRIs that a SPARQL or Turtle text writes as prefixed names, comments aside; in Turtle, strings hold queries."""
    body = _COMMENT.sub(" ", re.sub(r'"[^"]*"', " ", text) if skip_strings else text)
    prefixes = dict(_PREFIX.findall(text))
    return {prefixes[prefix] + name for prefix, name in _NAME.findall(body) if prefix in prefixes}

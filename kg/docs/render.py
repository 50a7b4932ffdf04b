"""Rendering: one Jinja environment, one function a page, and the small words that every template shares."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from kg.docs import grades
from kg.docs import rows as page_rows
from kg.docs.book import Book, Node
from kg.docs.charts import charts
from kg.docs.links import RULES, href
from kg.queries import Query, folder
from kg.terms import DCTERMS, GL, RDFS, SKOS
from kg.words import sign

HERE = Path(__file__).parent
_SCHEMES = {"gl": GL, "rdfs": RDFS, "skos": SKOS, "dcterms": DCTERMS}
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
MENU = (
    ("Guideline", (("index.html", "At a glance"), ("pathway.html", "Pathway"), ("rules.html", "Rules"),
                   ("criteria.html", "Criteria"), ("numbers.html", "Numbers"), ("flags.html", "Flags"))),
    ("Source", (("statements.html", "Statements"), ("evidence.html", "Evidence"), ("checks.html", "Source checks"),
                ("decisions.html", "Decisions"), ("references.html", "References"))),
    ("Ontology", (("terms.html", "Terms"), ("queries.html", "Queries"))),
)  # fmt: skip


@dataclass(frozen=True)
class Frame:
    """What stands on every page: title and version of the guideline, the menu, and the places of a service that holds the pages."""

    title: str
    version: str
    menu: tuple = MENU
    bench: tuple = ()


@dataclass(frozen=True)
class Table:
    """The rows that a query of `queries/ask/` returns for the guideline alone."""

    query: Query
    names: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass
class Site:
    """The pages made so far, by path from the site's folder, and what renders them.

    `bench`: pairs of a path and a name, for a service's own pages beside the folder."""

    book: Book
    bench: tuple = ()
    pages: dict[str, str] = field(default_factory=dict)

    @cached_property
    def frame(self) -> Frame:
        return Frame(self.book.label(self.book.guideline.iri.value), self.book.guideline.version, bench=self.bench)

    @cached_property
    def environment(self) -> Environment:
        return environment(HERE / "templates")

    def page(self, template: str, path: str, title: str, summary: str = "", chapter: str = "", **context) -> None:
        """Render one page. `chapter` is the menu's entry that it belongs to."""
        shared = {
            "page": path, "title": title, "summary": summary or title, "chapter": chapter, "site": self.frame,
            "scripts": ("copy.js",) if template == "query.html" else (), "styles": ("style.css",), "home": "index.html",
            "spread": path == "pathway.html", "here": "index.html", "current": "true", "mark_findings": template == "evidence.html",
            "url": lambda iri: self._url(path, iri), "file": lambda to: href(path, to),
            "queries_showing": self.queries_showing, **shown(self.book),
        }  # fmt: skip
        self.pages[path] = self.environment.get_template(template).render(**shared, **context)

    def _url(self, path: str, iri: str) -> str:
        to = self.book.place(iri)
        return href(path, to) if to else ""

    @cached_property
    def tables(self) -> list[Table]:
        """What the queries for people return without a patient."""
        found = []
        for query in folder("ask"):
            names, rows = self.book.engine.select(query.text)
            cells = tuple(tuple("" if term is None else term.value for term in row) for row in rows)
            found.append(Table(query, tuple(names), cells))
        return found

    @cached_property
    def by_id(self) -> dict[str, str]:
        """IRIs of statements, rules, decisions and items by their ids; a variant's rule keeps its own IRI only."""
        kinds = (*RULES, "Statement", "Decision", "DocumentationItem")
        nodes: list[Node] = [node for node in self.book.kind(*kinds) if node.id]
        return {node.id: node.iri for node in nodes if not self.book.values(node.iri, GL.variantOf)}

    @cached_property
    def _showing(self) -> dict[str, list[Query]]:
        found: dict[str, list[Query]] = defaultdict(list)
        for table in self.tables:
            cells = {cell for row in table.rows for cell in row}
            for iri in {self.by_id.get(cell, cell) for cell in cells}:
                found[iri].append(table.query)
        return found

    def queries_showing(self, iri: str) -> list[Query]:
        """The queries for people whose rows for the guideline alone name a thing by its IRI or id."""
        return self._showing.get(iri, [])

    def fetch(self, name: str) -> list[page_rows.Row]:
        return page_rows.fetch(self.book.engine, name)


def environment(*folders: Path) -> Environment:
    """A Jinja environment over folders of templates and the shared ones: everything is escaped, a name that is missing is an error."""
    made = Environment(
        loader=FileSystemLoader((*folders, HERE / "shared")), autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined, finalize=_printable,
    )  # fmt: skip
    made.filters.update(capfirst=lambda text: text[:1].upper() + text[1:], lowerfirst=_lower_first)
    return made


def shared_style() -> str:
    """The stylesheet's part that pages and reports share: colours, grades, checks, charts, the pathway."""
    return (HERE / "shared" / "shared.css").read_text(encoding="utf-8")


def shown(book: Book) -> dict:
    """What the macros of `macros.html` ask of a book, by the names that they use."""
    return {
        "book": book, "sign": sign, "verdict_tone": grades.check_tone, "verdict_sign": grades.check_sign,
        "tone": partial(grades.tone, book), "grade_words": partial(grades.grade_words, book),
        "rule_sign": partial(grades.rule_sign, book), "check_counts": partial(grades.check_counts, book),
        "checks_of": partial(grades.checks_of, book), "charts": partial(charts, book), **_SCHEMES,
    }  # fmt: skip


def _printable(value: object) -> object:
    """What no page may hold replaced by the sign for it; text that is markup stays markup."""
    if isinstance(value, str) and _UNPRINTABLE.search(value):
        return type(value)(_UNPRINTABLE.sub("\ufffd", value))
    return value


def _lower_first(text: str) -> str:
    """First letter in lower case, unless the word is an acronym."""
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]

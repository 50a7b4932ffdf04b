"""Rendering: one Jinja environment, one function a page, and the small words that every template shares."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from kg.docs import rows as page_rows
from kg.docs.book import Book, Node
from kg.docs.charts import charts
from kg.docs.links import RULES, href
from kg.docs.words import sign
from kg.queries import Query, folder
from kg.terms import DCTERMS, GL, RDFS, SKOS

HERE = Path(__file__).parent
_SCHEMES = {"gl": GL, "rdfs": RDFS, "skos": SKOS, "dcterms": DCTERMS}
_VERDICTS = {GL.Confirmed: ("good", "✓"), GL.PartlyConfirmed: ("partly", "◐"), GL.NotVerified: ("open", "?")}
MENU = (
    ("Guideline", (("index.html", "At a glance"), ("pathway.html", "Pathway"), ("rules.html", "Rules"),
                   ("criteria.html", "Criteria"), ("numbers.html", "Numbers"), ("flags.html", "Flags"))),
    ("Source", (("statements.html", "Statements"), ("evidence.html", "Evidence"), ("checks.html", "Source checks"),
                ("decisions.html", "Decisions"), ("references.html", "References"))),
    ("Ontology", (("terms.html", "Terms"), ("queries.html", "Queries"))),
)  # fmt: skip


@dataclass(frozen=True)
class Frame:
    """What stands on every page: title and version of the guideline, and the menu."""

    title: str
    version: str
    menu: tuple = MENU


@dataclass(frozen=True)
class Table:
    """The rows that a query of `queries/ask/` returns for the guideline alone."""

    query: Query
    names: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass
class Site:
    """The pages made so far, by path from the site's folder, and what renders them."""

    book: Book
    pages: dict[str, str] = field(default_factory=dict)

    @cached_property
    def frame(self) -> Frame:
        return Frame(self.book.label(self.book.guideline.iri.value), self.book.guideline.version)

    @cached_property
    def environment(self) -> Environment:
        environment = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined,
        )  # fmt: skip
        environment.filters.update(capfirst=lambda text: text[:1].upper() + text[1:], lowerfirst=_lower_first)
        return environment

    def page(self, template: str, path: str, title: str, summary: str = "", chapter: str = "", **context) -> None:
        """Render one page. `chapter` is the menu's entry that it belongs to."""
        shared = {
            "page": path, "title": title, "summary": summary or title, "chapter": chapter, "site": self.frame,
            "book": self.book, "script": template == "query.html", "mark_findings": template == "evidence.html",
            "url": lambda iri: self._url(path, iri), "file": lambda to: href(path, to),
            "tone": self.tone, "sign": sign, "grade_words": self.grade_words, "rule_sign": self.rule_sign,
            "verdict_tone": lambda iri: _VERDICTS.get(iri, ("warning", "!"))[0],
            "verdict_sign": lambda iri: _VERDICTS.get(iri, ("warning", "!"))[1],
            "check_counts": self.check_counts, "checks_of": self.checks_of, "queries_showing": self.queries_showing,
            "charts": lambda nodes: charts(self.book, nodes), **_SCHEMES,
        }  # fmt: skip
        self.pages[path] = self.environment.get_template(template).render(**shared, **context)

    def _url(self, path: str, iri: str) -> str:
        to = self.book.place(iri)
        return href(path, to) if to else ""

    def tone(self, iri: str) -> str:
        """Class names of a grade: its way, and whether it is strong."""
        ways = {GL.For: "for", GL.Against: "against"}
        strong = " strong" if self.book.first(iri, GL.strength) == GL.Strong else ""
        return ways.get(self.book.first(iri, GL.direction), "neutral") + strong

    def grade_words(self, iri: str) -> str:
        """Strength and direction in words, as the vocabulary labels them."""
        strength, way = self.book.text(iri, GL.strength), self.book.text(iri, GL.direction)
        if not strength:
            return way
        said = "strength not stated" if self.book.first(iri, GL.strength) == GL.Unstated else strength.lower()
        return f"{way}, {said}" if way else said[:1].upper() + said[1:]

    def rule_sign(self, iri: str) -> str:
        return sign(self.book.first(iri, GL.direction), self.book.first(iri, GL.strength))

    def checks_of(self, iri: str) -> list[Node]:
        """The source checks of a statement, or of the statements that a rule and its parts rest on."""
        rules = [iri, *(part.iri for part in self.book.using(iri, GL.partOf))]
        statement = self.book.nodes[iri].kind == GL.Statement
        checked = {iri} if statement else {one for rule in rules for one in self.book.values(rule, GL.statement)}
        return [check for one in sorted(checked) for check in self.book.using(one, GL.checks, "SourceCheck")]

    def check_counts(self, iri: str) -> list[tuple[str, int]]:
        """How many source checks came to which verdict, most frequent first."""
        counts = Counter(self.book.first(one.iri, GL.checkVerdict) for one in self.checks_of(iri))
        return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))

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


def _lower_first(text: str) -> str:
    """First letter in lower case, unless the word is an acronym."""
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]

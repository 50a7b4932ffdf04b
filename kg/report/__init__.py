"""Reports about patients as HTML: verdicts with their reasons for the chart as one page or as its body, the documentation packet.

The pages load nothing and need no script; everything that a record says is escaped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from markupsafe import Markup
from pyoxigraph import NamedNode

from kg import facts as record
from kg.asking import Bounds, NextQuestions, next_questions
from kg.docs import pathway
from kg.docs.book import Book, Node, read
from kg.docs.grades import checks_of, findings_of
from kg.docs.render import environment, shared_style, shown
from kg.documentation import NOTHING_PLANNED, Answer, answers, checklists
from kg.evaluate import Evaluation
from kg.explain import Context, html, prepare, verdict
from kg.facts import Fact
from kg.guideline import Guideline
from kg.index import Index
from kg.report import view
from kg.report.asking import questions
from kg.report.position import Position, position
from kg.terms import DCTERMS, GL
from kg.timeline import timeline
from kg.timeline_svg import draw
from kg.timeline_text import change_lines
from kg.words import APPLICABILITY, humane

_HERE = Path(__file__).parent
_ELSEWHERE = ("evidence", "flag", "not-checked")
_RULES = ("Recommendation", "Advice", "Caution", "PrerequisiteRule")


@dataclass(frozen=True)
class Evidence:
    """A rule at work, the statements (IRIs) that it encodes, those that report findings behind it, and the findings.

    Findings that stand under an earlier rule are not repeated: `above` are the ids of those rules."""

    rule: dict
    statements: tuple[str, ...]
    reported: tuple[str, ...]
    findings: tuple[Node, ...]
    above: tuple[str, ...]


@dataclass(frozen=True)
class Printed:
    """A guideline as reports show it, the same for every patient: as a book, and as the pathway."""

    book: Book
    plan: pathway.Plan


def printed(guideline: Guideline) -> Printed:
    """Gather what reports show of a guideline; it takes longer than a report."""
    book = read(guideline)
    return Printed(book, pathway.plan(book))


@dataclass(frozen=True)
class Report:
    """What all patients of one evaluation share: facts in words, answers, what is shown of the guideline.

    `bounds`: how far the search for the next questions goes."""

    evaluation: Evaluation
    printed: Printed
    bounds: Bounds = Bounds()

    @cached_property
    def facts(self) -> dict[str, Fact]:
        return record.read(self.evaluation)

    @cached_property
    def derived(self) -> Index:
        return Index(self.evaluation.derived)

    @cached_property
    def answers(self) -> dict[str, dict[str, Answer]]:
        return answers(self.derived)

    @cached_property
    def asked(self) -> dict[str, NextQuestions]:
        """The next questions by patient (IRI)."""
        return {one.patient.value: one for one in next_questions(self.evaluation, self.bounds)}

    @property
    def book(self) -> Book:
        return self.printed.book

    def position(self, row: dict) -> Position:
        given = self.answers.get(row["iri"], {})
        return position(self.printed.plan, self.derived, row["iri"], given, "Treatment pathway with this patient's position marked")

    def evidence(self, row: dict) -> list[Evidence]:
        """The rules at work for a patient, with the statements of the source behind them."""
        nodes = {(node.id or node.name, node.label): node for node in self.book.kind(*_RULES)}
        found: list[Evidence] = []
        told: dict[str, str] = {}
        for rule in view.rules_at_work(row):
            node = nodes[rule["id"], rule["label"]]
            findings = findings_of(self.book, node.iri)
            reported = dict.fromkeys(said for one in findings for said in self.book.values(one.iri, GL.statement))
            encoded = [said for said in self.book.values(node.iri, GL.statement) if said not in reported]
            fresh = tuple(one for one in findings if one.iri not in told)
            above = dict.fromkeys(told[one.iri] for one in findings if one.iri in told)
            told |= {one.iri: rule["id"] for one in fresh}
            found.append(Evidence(rule, tuple(encoded), tuple(reported) if fresh else (), fresh, tuple(above)))
        return found

    @cached_property
    def context(self) -> Context:
        return prepare(self.evaluation)

    def proof(self, row: dict, treatment: dict, level: int) -> Markup:
        """Why one treatment has its verdict, as nested lists; what the report says elsewhere is left out."""
        tree = verdict(self.context, row, treatment["treatment"])
        kept = tuple(one for one in tree.children if one.kind not in _ELSEWHERE)
        return Markup(html(replace(tree, children=kept), level))

    def tally(self, statements: Sequence[str]) -> list[tuple[str, int]]:
        """How many checks of these statements (IRIs) came to which verdict (IRI), most frequent first."""
        verdicts = Counter(self.book.first(check.iri, GL.checkVerdict) for one in statements for check in checks_of(self.book, one))
        return sorted(verdicts.items(), key=lambda pair: (-pair[1], pair[0]))

    def history(self, row: dict, prefix: str) -> tuple[Markup, list[tuple[str, list[str]]]]:
        """The timeline drawn (SVG, ids begin with the prefix), and what changed on which day, in words."""
        drawn = timeline(self.evaluation.facts, self.evaluation.guideline, self.evaluation.as_of, NamedNode(row["iri"]))
        return Markup(draw(drawn, prefix, listed=False)), [(one.date.isoformat(), change_lines(one, 99)) for one in drawn.changes]

    def events(self, row: dict) -> list[Fact]:
        """The facts of a patient by day, those without a date last."""
        mine = (fact for fact in self.facts.values() if fact.patient == row["iri"])
        return sorted(mine, key=lambda fact: (fact.day or "~", fact.about, fact.iri))


def disclaimer(book: Book) -> str:
    """What a guideline says of its source and of its own reach."""
    iri = book.guideline.iri.value
    sources = (book.first(one, DCTERMS.description) for one in book.values(iri, GL.derivedFrom))
    return " ".join(filter(None, (*(f"The source: {one}" for one in sources if one), book.first(iri, GL.caveat))))


def page(evaluation: Evaluation, rows: Sequence[dict]) -> str:
    """One HTML page with the report of every row of `kg.results.results`, in the order given.

    The same facts, guideline and as-of date give the same bytes."""
    report = Report(evaluation, printed(evaluation.guideline))
    patients = [_patient(report, row) | {"history": report.history(row, f"p{number}-history")} for number, row in enumerate(rows, 1)]
    return _sheet("report.html", "report.css", report, patients=patients, title="Guideline report")


def body(report: Report, rows: Sequence[dict], undrawn: Markup) -> Markup:
    """What `page` says of the rows, to be put into another page with `style()`; in the place of each timeline stands `undrawn`."""
    return Markup(_render("patients.html", report, patients=[_patient(report, row) for row in rows], undrawn=undrawn))


def timelines(report: Report, rows: Sequence[dict]) -> Markup:
    """The timeline of every row, to be put into another page likewise. Drawing it takes an evaluation for each day of the record."""
    patients = [{"row": row, "history": report.history(row, f"p{number}-history"), "events": report.events(row)} for number, row in enumerate(rows, 1)]
    return Markup(_render("timelines.html", report, patients=patients))


def style(name: str = "report.css") -> str:
    """The style sheet of a report."""
    return shared_style() + "".join((_HERE / "assets" / part).read_text(encoding="utf-8") for part in ("sheet.css", name))


def packet(evaluation: Evaluation, rows: Sequence[dict]) -> str:
    """One HTML page with the documentation packet of every row, each on a printed page of its own."""
    report = Report(evaluation, printed(evaluation.guideline))
    patients = [
        {"row": row, "checklists": checklists(evaluation, row, report.facts, report.answers.get(row["iri"], {}))} for row in rows
    ]
    return _sheet("packet.html", "packet.css", report, patients=patients, title="Documentation packet")


def _patient(report: Report, row: dict) -> dict:
    given = report.answers.get(row["iri"], {})
    return {
        "row": row, "groups": view.groups(row), "questions": questions(report.evaluation.guideline.index, report.asked[row["iri"]]),
        "checklists": checklists(report.evaluation, row, report.facts, given),
        "position": report.position(row), "history": None, "evidence": report.evidence(row), "events": report.events(row),
        "labels": {one["treatment"]: one["label"] for one in row["treatments"]},
    }  # fmt: skip


def _labels(patient: dict, *treatments: str) -> str:
    """Labels of treatments given by their slugs, as the patient's row has them."""
    return ", ".join(patient["labels"].get(one, one) for one in treatments)


def _sheet(template: str, css: str, report: Report, **context) -> str:
    """A whole page that carries its style."""
    return _render(
        template, report, **context, style=Markup(style(css)), guideline=report.evaluation.guideline,
        label=report.book.label(report.evaluation.guideline.iri.value), as_of=report.evaluation.as_of.isoformat(), disclaimer=disclaimer(report.book),
    )  # fmt: skip


def _render(template: str, report: Report, **context) -> str:
    made = environment(_HERE / "templates")
    return made.get_template(template).render(
        **shown(report.book), **context, url=lambda iri: "", mark_findings=False,
        applicability=APPLICABILITY,
        nothing=NOTHING_PLANNED, labels_of=_labels, proof=report.proof,
        facts_of=lambda iris: record.in_order(report.facts, iris), humane=lambda text: humane(text, report.book.spellings),
        tally=report.tally, considered=view.considered, grade_of=view.grade,
    )  # fmt: skip

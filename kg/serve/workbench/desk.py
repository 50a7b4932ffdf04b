"""What a worker answers about a pasted patient. The record is there while it is answered and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from markupsafe import Markup
from pyoxigraph import Literal, NamedNode

from kg import inputs, report, tables
from kg.asking import Bounds
from kg.docs import pathway
from kg.evaluate import Evaluation, evaluate
from kg.guidance.rules import Rules
from kg.queries import Query
from kg.results import results
from kg.serve.problem import Problem
from kg.serve.workbench.bench import Bench, Checked, Form, about_patients, finding, questions
from kg.serve.worker import Answer
from kg.terms import local
from kg.validate import readable, validate_record

HTML = "text/html; charset=utf-8"
FILES = {"csv": "text/csv; charset=utf-8", "json": "application/sparql-results+json"}
SHOWN = ("verdicts", "timeline", "table", *FILES)
#: How far the questions that settle a verdict are searched for while somebody waits.
_SEARCH = Bounds(questions=2, patients=60)


@dataclass(frozen=True)
class Record:
    """A request: the form, the day of the evaluation, and what is to be shown of the patient."""

    form: Form
    as_of: date
    show: str


class Desk:
    """Answers about pasted patients."""

    def __init__(self, bench: Bench, rules: Rules) -> None:
        self._bench, self._rules = bench, rules
        self._printed = report.printed(rules.guideline)
        # the layout engine reserves its address space when it is first used: before the worker's memory is limited
        pathway.svg(self._printed.plan.dot(), "")

    def answer(self, job: Record) -> Answer:
        """The page or the file that was asked for, or a page that says what is wrong."""
        try:
            return self._answer(job)
        except MemoryError:
            raise
        except Exception:       # a fault of this program: told as such, without anything of the record
            problem = Problem(500, "A fault of the service", "The record could not be answered; this is no fault of yours.")
            return Answer(500, HTML, self._bench.patient(job.form, problem).encode())

    def _answer(self, job: Record) -> Answer:
        found = inputs.read(["record"], self._rules.codes, lambda place: job.form.record.encode())
        if found.errors or not found.patients:
            faults = found.errors or [inputs.nobody(["record"])]
            return self._refused(job.form, [str(one) for one in faults])
        said, shapes = validate_record(found.triples, self._bench.files)
        facts = readable(found.triples, said.results, shapes) if found.rdf else found.triples
        rows = [(one.severity, one.resource, one.element, one.message) for one in found.findings]
        checked = Checked((*rows, *map(finding, said.results)), found.entries, found.ignored)
        evaluation = evaluate(facts, self._rules.guideline, job.as_of)
        if job.show in ("verdicts", "timeline"):
            return self._reported(job, evaluation, [node.value for node in found.patients], checked)
        return self._asked(job, evaluation, checked)

    def _refused(self, form: Form, faults: list[str]) -> Answer:
        problem = Problem(422, "The record cannot be read", "Nothing was evaluated.")
        return Answer(422, HTML, self._bench.patient(form, problem, faults).encode())

    def _reported(self, job: Record, evaluation: Evaluation, order: list[str], checked: Checked) -> Answer:
        rows = sorted(results(evaluation), key=lambda row: order.index(row["iri"]))
        printing = report.Report(evaluation, self._printed, _SEARCH)
        body = report.timelines(printing, rows) if job.show == "timeline" else report.body(printing, rows, _UNDRAWN)
        heading = "" if len(rows) == 1 else f"{len(rows)} patients"
        return Answer(200, HTML, self._bench.patient(job.form, checked=checked, body=body, heading=heading, shown=job.show).encode())

    def _asked(self, job: Record, evaluation: Evaluation, checked: Checked) -> Answer:
        query = asked(job.form.question)
        if job.show in FILES:
            return Answer(200, FILES[job.show], tables.run(evaluation.engine, query.text, query.name, job.show).encode())
        names, rows = evaluation.engine.select(query.text)
        cells = [[self._cell(term) for term in row] for row in rows]
        body = self._bench.part("answer.html", query=query, names=names, rows=cells)
        return Answer(200, HTML, self._bench.patient(job.form, checked=checked, body=body, heading=query.summary, shown="table").encode())


    def _cell(self, term: NamedNode | Literal | None) -> dict[str, str]:
        """A term of an answer: its text; of what the guideline names also the label and the page."""
        text = "" if term is None else term.value
        if text not in self._printed.book.nodes or not isinstance(term, NamedNode):
            return {"text": text, "label": "", "to": ""}
        place = self._printed.book.place(text)
        return {"text": local(text), "label": self._printed.book.label(text), "to": f"docs/{place}" if place else ""}


def asked(name: str) -> Query:
    """The saved question about patients of this name. Raises Problem 400."""
    found = next((one for one in questions() if one.name == name and about_patients(one)), None)
    if found is None:
        raise Problem(400, "No question chosen", "Choose one of the questions of the list.")
    return found


_UNDRAWN = Markup('<p class="undrawn"><button type="submit" form="record-form" name="show" value="timeline">Draw the timeline</button> '
                  "<span class=\"small\">It is derived anew for each day on which the record changes, which takes a while.</span></p>")

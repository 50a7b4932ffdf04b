"""The process that answers about patients, one request at a time: CDS Hooks cards and FHIR guidance.

It holds the guideline; a patient's data are there while a request is answered and nowhere else."""

from __future__ import annotations

import gc
import json
from dataclasses import dataclass, replace
from datetime import date
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

from kg import fhir, inputs
from kg.asking import Bounds
from kg.derive import Depth
from kg.evaluate import Evaluation, evaluate
from kg.fhir.findings import VIOLATION, Finding
from kg.guidance.cards import BARRED, Cards
from kg.guidance.facts import Facts
from kg.guidance.orders import Order, order
from kg.guidance.resources import bundle, cases
from kg.guidance.rules import Rules
from kg.results import results
from kg.serve import hooks
from kg.serve.problem import Problem
from kg.serve.worker import Answer, serve

if TYPE_CHECKING:
    from kg.serve.workbench.bench import Bench
    from kg.serve.workbench.desk import Record

FHIR, JSON, PROBLEM = "application/fhir+json", "application/json", "application/problem+json"
#: How many of the parts of a record that could not be read a card names.
_NAMED = 20
#: How far the questions that settle a verdict are searched for while a client waits.
_SEARCH = Bounds(questions=2, patients=300)


@dataclass(frozen=True)
class Job:
    """A request: the hook, or None for $evaluate; its body; the day of the evaluation, unless the body of $evaluate names one."""

    hook: str | None
    body: bytes
    as_of: date


def main(connection: Connection, rules: Rules, pages: str | None, bench: Bench | None, memory: int, seconds: float) -> None:
    """Load, then answer one `Job` after the other until the connection closes. `memory`: mebibytes on top of what is loaded;
    `seconds`: as in kg.serve.worker."""
    advisor = Advisor(rules, pages, bench)
    _settle()
    serve(connection, advisor.answer, memory, seconds, advisor.set_up if bench else None, advisor.prepare)


def _settle() -> None:
    """What is loaded stays: no later collection walks it."""
    gc.collect()
    gc.freeze()


class Advisor:
    """Answers jobs, one at a time; those of the workbench (`bench`) at its desk."""

    def __init__(self, rules: Rules, pages: str | None = None, bench: Bench | None = None) -> None:
        self._rules, self._pages, self._bench = rules, pages, bench
        self._evaluation: Evaluation | None = None
        self.prepare()

    def prepare(self) -> None:
        """Let go of the patient last answered about, and have an engine ready for the next: after an answer, while nobody waits."""
        self._evaluation = None
        self._rules.guideline.prepare(words=False)

    def set_up(self) -> None:
        """Set up the desk of the workbench."""
        from kg.serve.workbench.desk import Desk

        assert self._bench
        self._desk = Desk(self._bench, self._rules)
        _settle()

    def answer(self, job: Job | Record) -> Answer:
        """The answer to a request, or to what is wrong with it."""
        return self._hooked(job) if isinstance(job, Job) else self._desk.answer(job)

    def _hooked(self, job: Job) -> Answer:
        try:
            if job.hook is None:
                return _json(200, FHIR, self._evaluated(job))
            return _json(200, JSON, {"cards": self._cards(job)})
        except Problem as problem:
            return refusal(problem, as_fhir=job.hook is None or problem.status == 412)
        except MemoryError:
            raise
        except Exception:       # a fault of this program: told as such, without anything of the request
            problem = Problem(500, "fault", "The request could not be answered; this is a fault of the service.")
            return refusal(problem, as_fhir=job.hook is None)

    def _cards(self, job: Job) -> list[dict]:
        asked = hooks.read(job.hook, job.body)
        lifted = fhir.lift(asked.documents, self._rules.codes)
        self._evaluation = evaluate(lifted.triples, self._rules.guideline, job.as_of, depth=Depth.FACTS)
        rows = [row for row in results(self._evaluation) if row["patient"] == asked.patient]
        if len(rows) != 1:
            raise Problem(412, "prefetch unusable", "The prefetch key patient must hold the one Patient of context.patientId.")
        facts = Facts(lifted.triples, self._rules)
        cards = Cards(rows[0], facts, self._rules, self._pages)
        orders = [one for name, iri in asked.orders if (one := order(name, iri, rows[0], facts, self._rules))]
        if asked.lacking:
            return self._incomplete(asked.lacking, rows[0], cards, orders)
        found = cards.for_patient() if job.hook == "patient-view" else [card for one in orders for card in cards.for_order(one)]
        unread = [_said(one) for one in lifted.findings if one.severity == VIOLATION]
        return [*found, *([cards.unread(unread[:_NAMED])] if unread and found else [])]

    def _incomplete(self, lacking: tuple[str, ...], row: dict, cards: Cards, orders: list[Order]) -> list[dict]:
        """What stands against the orders, and that nothing else is said; nothing for a patient who is surely outside."""
        if row["applicability"] == "not-applicable" and not set(lacking) & {hooks.key(kind) for kind in self._rules.population_types}:
            return []
        barred = [replace(one, treatments=tuple(row for row in one.treatments if row["verdict"] in BARRED)) for one in orders]
        return [*(card for one in barred if one.treatments or one.bars for card in cards.for_order(one)), cards.incomplete(lacking)]

    def _evaluated(self, job: Job) -> dict:
        document, as_of = _evaluation(hooks.parsed(job.body), job.as_of)
        codes = self._rules.codes
        lifted = fhir.lift([("request", document)], codes)
        if not lifted.patients:
            raise Problem(422, "no patient", "The Bundle holds no Patient: add the Patient that its resources are about.")
        facts, more = inputs.answered(lifted.triples, lifted, codes)
        evaluation = evaluate(facts, self._rules.guideline, as_of)
        return bundle(cases(evaluation, results(evaluation), codes, tuple(dict.fromkeys((*lifted.findings, *more))), _SEARCH), self._rules)


def _evaluation(body: dict, as_of: date) -> tuple[dict, date]:
    """The Bundle (or resource) of a body of $evaluate and the day: a parameter asOf of the body counts before the caller's."""
    if body.get("resourceType") != "Parameters":
        if body.get("resourceType") != "Bundle":
            raise Problem(400, "no Bundle", "Send a Bundle, or Parameters with a Bundle and asOf.")
        return body, as_of
    parameters = body.get("parameter")
    given = [one for one in parameters if isinstance(one, dict)] if isinstance(parameters, list) else []
    bundles = [one["resource"] for one in given if isinstance(one.get("resource"), dict) and one["resource"].get("resourceType") == "Bundle"]
    days = [one.get("valueDate") for one in given if one.get("name") == "asOf"]
    if len(bundles) != 1 or len(days) > 1:
        raise Problem(400, "no Bundle", "Send Parameters with one Bundle and at most one asOf (valueDate).")
    return bundles[0], day(days[0]) if days else as_of


def day(text: object) -> date:
    """A date as FHIR writes it. Raises Problem 400."""
    try:
        if isinstance(text, str) and len(text) == len("2000-01-01"):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise Problem(400, "no date", "Write asOf as YYYY-MM-DD.")


def refusal(problem: Problem, as_fhir: bool) -> Answer:
    """A problem as the client of that interface reads it."""
    if not as_fhir:
        return _json(problem.status, PROBLEM, problem.body())
    code = {408: "timeout", 413: "too-long", 500: "exception"}.get(problem.status, "invalid")
    outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": code, "diagnostics": f"{problem.title}: {problem.detail}"}]}
    return _json(problem.status, FHIR, outcome)


def _said(finding: Finding) -> str:
    return ": ".join(part for part in (finding.resource, finding.element, finding.message) if part)


def _json(status: int, media: str, content: dict) -> Answer:
    return Answer(status, media, json.dumps(content, ensure_ascii=False).encode("utf-8"))

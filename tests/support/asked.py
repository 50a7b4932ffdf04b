"""Helpers of the tests about next questions and counterfactuals: vignettes evaluated, answers as FHIR, brute force."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from itertools import combinations, product

import pyoxigraph as ox

from kg import fhir
from kg.asking import NextQuestions, next_questions
from kg.evaluate import Evaluation, evaluate
from kg.fhir import answers
from kg.hypotheses import Edit, Outcome, outcomes
from kg.questions import Question
from kg.results import results
from kg.terms import GL, PT
from tests.support import vignettes
from tests.support.vignettes import Vignette

_VALUES = {"number": "valueDecimal", "days": "valueInteger", "date": "valueDate", "choice": "valueCoding", "boolean": "valueBoolean"}


@cache
def evaluated(name: str) -> Evaluation:
    vignette = by_name(name)
    return evaluate(fhir.lift([(name, vignette.bundle)], vignettes.codes()).triples, vignettes.guideline(), vignette.as_of)


@cache
def asked(name: str) -> tuple[NextQuestions, ...]:
    return next_questions(evaluated(name))


@cache
def all_vignettes() -> dict[str, Vignette]:
    return {one.name: one for one in (*vignettes.read_all(vignettes.OWN), *vignettes.read_all(vignettes.SHARED / "vignettes"))}


def by_name(name: str) -> Vignette:
    return all_vignettes()[name]


def answer_json(question: Question, value: str) -> dict:
    """One item of a QuestionnaireResponse."""
    key = _VALUES[question.type]
    if key == "valueCoding":
        system, _, code = value.rpartition("#")
        said: object = {"system": system, "code": code}
    elif key == "valueBoolean":
        said = value == PT.Present
    else:
        said = value if key == "valueDate" else float(value) if key == "valueDecimal" else int(value)
    return {"linkId": question.id, "answer": [{key: said}]}


def response(patient: str, authored: str, items: Sequence[dict], **more: object) -> dict:
    return {"resourceType": "QuestionnaireResponse", "id": "answers", "status": "completed", "subject": {"reference": patient}, "authored": authored, "item": list(items), **more}


def read_back(vignette: Vignette, resource: dict) -> tuple[dict, list[str]]:
    """The results of a vignette's patient with a response beside the bundle, and what was found wrong in the response."""
    lifted = fhir.lift([(vignette.name, vignette.bundle), ("answers.json", resource)], vignettes.codes())
    triples = answers.apply(lifted.triples, lifted.responses, vignettes.codes())
    found = [str(one) for entry in lifted.responses for one in entry.view.findings]
    return results(evaluate(triples, vignettes.guideline(), vignette.as_of))[0], found


def ways(questions: Sequence[Question]) -> list[tuple[Edit, ...]]:
    """Every way of answering, none left out as equal to another."""
    return [tuple(answer.edit for answer in chosen) for chosen in product(*(one.answers for one in questions))]


def brute(evaluation: Evaluation, found: NextQuestions, names: Sequence[str], most: int) -> dict[tuple[str, ...], list[Outcome]]:
    """What every way of answering every set of up to so many of these questions leads to, by the whole guideline."""
    by_id = {one.id: one for one in found.questions}
    record = _record(evaluation, found.patient)
    groups = [group for size in range(1, most + 1) for group in combinations(sorted(names), size)]
    versions = [(group, edits) for group in groups for edits in ways([by_id[name] for name in group])]
    judged = outcomes(evaluation.guideline, record, evaluation.as_of, [edits for _, edits in versions])
    table: dict[tuple[str, ...], list[Outcome]] = {group: [] for group in groups}
    for (group, _), outcome in zip(versions, judged, strict=True):
        table[group].append(outcome)
    return table


def _record(evaluation: Evaluation, patient: ox.NamedNode) -> tuple[ox.Triple, ...]:
    from kg.hypotheses import of_patient

    return of_patient(evaluation.facts, patient)


def faults(found: NextQuestions, table: dict[tuple[str, ...], list[Outcome]], treatments: Iterable[str]) -> list[str]:
    """Where the sets found for some verdicts are not those that brute force finds; empty when they are."""
    wrong = []
    for one in (one for one in found.open if one.treatment in set(treatments)):
        settled = {group: [outcome.verdicts[one.treatment] != GL.Undetermined for outcome in judged] for group, judged in table.items()}
        some, every = (sorted((group for group, said in settled.items() if test(said)), key=len) for test in (any, all))
        for what, sets, expected in (("smallest", one.smallest, some), ("deciding", one.deciding, every)):
            least = [group for group in expected if len(group) == len(expected[0])]
            if {group.questions for group in sets} != set(least):
                wrong.append(f"{what} sets of {one.treatment}: {[group.questions for group in sets]}, by brute force {least}")
        for group in one.deciding:
            if any(part in every for size in range(1, len(group.questions)) for part in combinations(group.questions, size)):
                wrong.append(f"a part of {group.questions} decides {one.treatment} as well")
    return wrong

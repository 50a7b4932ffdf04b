"""The command `kg ask`: the smallest next questions about a patient."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated

import typer

from kg.cli_common import DEFAULT_SLUG, AsOf, Codes, GuidelineFile, Output, Places, Slug, EngineName, evaluate_inputs, open_console, write_output


class AskFormat(StrEnum):
    text = "text"
    json = "json"
    fhir = "fhir"


def ask(places: Places, as_of: AsOf = None, format: Annotated[AskFormat, typer.Option("--format", help="fhir: a Questionnaire of the decisive questions.")] = AskFormat.text,
        most: Annotated[int, typer.Option("--at-most", metavar="N", min=1, max=5, help="Questions in a set.")] = 3,
        patients: Annotated[int, typer.Option("--tries", metavar="N", min=1, help="Hypothetical patients tried for each patient before the search is cut.")] = 1200,
        output: Output = None, guideline: Slug = DEFAULT_SLUG, guideline_file: GuidelineFile = None, codes: Codes = None) -> None:
    """What to ask next: the fewest questions that settle what is undetermined, and what each answer leads to.

    Example: kg ask examples/loss-of-response.json --as-of 2026-03-02"""
    from kg.asking import Bounds, next_questions
    from kg.questionnaire import questionnaire
    from kg.questions_rows import row, text

    found, evaluation = evaluate_inputs(places, as_of, guideline, guideline_file, codes, EngineName.oxigraph)
    asked = next_questions(evaluation, Bounds(most, patients))
    if format is AskFormat.text:
        console, buffer = open_console(output)
        for one in asked:
            text(console, evaluation, one)
        if buffer:
            write_output(buffer.getvalue(), output)
    elif format is AskFormat.json:
        write_output("".join(json.dumps(row(evaluation, one), ensure_ascii=False) + "\n" for one in asked), output)
    else:
        from kg import inputs

        index, _ = inputs.codes(codes)
        resources = [questionnaire(evaluation, one, index) for one in asked if one.decisive]
        write_output("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in resources), output)
    if found.errors:
        raise typer.Exit(2)

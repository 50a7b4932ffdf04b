"""The command `kg what-if`: the verdicts if the record said otherwise, and what would have to be true for one of them."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated, Optional

import typer

from kg.cli_common import DEFAULT_SLUG, AsOf, Codes, EngineName, GuidelineFile, Output, Places, Slug, evaluate_inputs, open_console, write_output
from kg.errors import InputError


class WhatIfFormat(StrEnum):
    text = "text"
    json = "json"


Set = Annotated[Optional[list[str]], typer.Option("--set", metavar="FACT.PROPERTY=VALUE", help="A fact (IRI or its end) says otherwise.")]
Add = Annotated[Optional[list[str]], typer.Option("--add", metavar="'KIND CONCEPT [PROPERTY=VALUE ...]'", help="A further fact.")]
Remove = Annotated[Optional[list[str]], typer.Option("--remove", metavar="FACT", help="A fact is not on record.")]


def what_if(places: Places, set_: Set = None, add: Add = None, remove: Remove = None,
            eligible: Annotated[Optional[str], typer.Option("--eligible", metavar="TREATMENT", help="The smallest changes that would make it eligible.")] = None,
            as_of: AsOf = None, patient: Annotated[Optional[str], typer.Option("--patient", metavar="ID", help="Which patient, if there are several.")] = None,
            format: Annotated[WhatIfFormat, typer.Option("--format")] = WhatIfFormat.text,
            most: Annotated[int, typer.Option("--at-most", metavar="N", min=1, max=8, help="Facts changed together (--eligible).")] = 4,
            tries: Annotated[int, typer.Option("--tries", metavar="N", min=1, help="Hypothetical records tried before the search is cut (--eligible).")] = 1500,
            output: Output = None, guideline: Slug = DEFAULT_SLUG, guideline_file: GuidelineFile = None, codes: Codes = None) -> None:
    """The verdicts before and after a change of the record, what changes first. Nothing is recorded.

    Example: kg what-if patient.ttl --add 'Observation PainIntensity value=6' --remove MedicationStatement/2#fact-1

    With --eligible: what would have to be true for a treatment to be eligible. Example: kg what-if patient.ttl --eligible si-injection-ct"""
    from kg import whatif_text as shown
    from kg.counterfactual import Bounds, counterfactuals
    from kg.terms import DCTERMS
    from kg.whatif import Editor, compare

    if bool(eligible) == bool(set_ or add or remove):
        raise InputError("what-if", "options", "nothing to suppose" if not eligible else "--eligible searches for the change itself", "give --set, --add, --remove, or --eligible TREATMENT alone")
    found, evaluation = evaluate_inputs(places, as_of, guideline, guideline_file, codes, EngineName.oxigraph)
    names = {t.subject: t.object.value for t in evaluation.facts if t.predicate.value == DCTERMS.identifier}
    chosen = [one for one in evaluation.patients if patient in (None, one.value, names.get(one))]
    if len(chosen) != 1:
        raise InputError(patient or "input", "--patient", "several patients" if chosen else "no such patient in the input", "give the id of one of its patients")
    name = names.get(chosen[0], chosen[0].value)
    console, buffer = open_console(output)
    if eligible:
        answer = counterfactuals(evaluation, chosen[0], eligible, Bounds(most, tries))
        if format is WhatIfFormat.json:
            write_output(json.dumps(shown.counterfactual_row(evaluation, name, answer), ensure_ascii=False) + "\n", output)
            return
        shown.counterfactual(console, evaluation, name, answer)
    else:
        editor = Editor(evaluation, chosen[0])
        edits = [*map(editor.set, set_ or ()), *map(editor.add, add or ()), *map(editor.remove, remove or ())]
        comparison = compare(evaluation, chosen[0], edits)
        if format is WhatIfFormat.json:
            write_output(json.dumps(shown.comparison_row(evaluation, name, edits, comparison), ensure_ascii=False) + "\n", output)
            return
        shown.comparison(console, evaluation, name, edits, comparison)
    if buffer:
        write_output(buffer.getvalue(), output)
    if found.errors:
        raise typer.Exit(2)

"""`kg timeline`: a patient's courses, scores and findings over time, and what changed when."""

from __future__ import annotations

import dataclasses
import json
from enum import StrEnum
from typing import Annotated, Optional

import typer

from kg.cli_common import DEFAULT_SLUG, AsOf, Codes, Engine, EngineName, GuidelineFile, Output, Places, Slug, open_console, parse_date, read_inputs, write_output
from kg.errors import InputError


class TimelineFormat(StrEnum):
    text = "text"
    svg = "svg"
    json = "json"


def timeline(places: Places, as_of: AsOf = None, format: Annotated[TimelineFormat, typer.Option("--format")] = TimelineFormat.text,
             patient: Annotated[Optional[str], typer.Option("--patient", metavar="ID", help="Only this patient; a drawing shows one.")] = None, output: Output = None,
             guideline: Slug = DEFAULT_SLUG, guideline_file: GuidelineFile = None, codes: Codes = None, engine: Engine = EngineName.oxigraph) -> None:
    """A patient's courses, scores and findings over time, and what changed when: trial, response, failure, too early, due; verdicts.

    Example: kg timeline examples/loss-of-response.json --as-of 2026-03-02 --format svg -o timeline.svg"""
    from kg import timeline as build
    from kg import timeline_svg, timeline_text
    from kg.guideline import load

    day = parse_date(as_of)
    loaded = load(guideline, tuple(guideline_file or ()))
    found = read_inputs(places, codes)
    wanted = _wanted(found, patient, ", ".join(places))
    if format is TimelineFormat.svg and len(wanted) > 1:
        raise InputError(", ".join(places), "--format svg", f"{len(wanted)} patients in it, a drawing shows one", "name one with --patient")
    shown = [build.timeline(found.triples, loaded, day, node, engine.value) for node in wanted]
    if format is TimelineFormat.json:
        write_output("".join(json.dumps(dataclasses.asdict(one), ensure_ascii=False, default=str) + "\n" for one in shown), output)
    elif format is TimelineFormat.svg:
        write_output("".join(timeline_svg.draw(one) for one in shown), output)
    else:
        console, buffer = open_console(output)
        for number, one in enumerate(shown):
            if number:
                console.print()
            timeline_text.show(console, one)
        if buffer:
            write_output(buffer.getvalue(), output)
    if found.errors:
        raise typer.Exit(2)


def _wanted(found, patient: str | None, place: str) -> list:
    """The IRIs of the patients to show. Raises InputError when there is none."""
    from kg.terms import DCTERMS

    if not found.patients and not found.errors:
        raise InputError(place, "input", "no patient in it", "give a FHIR Patient, or a pt:Patient in RDF")
    names = {(t.subject, t.object.value) for t in found.triples if t.predicate.value == DCTERMS.identifier}
    wanted = [node for node in found.patients if patient is None or patient == node.value or (node, patient) in names]
    if patient and not wanted:
        raise InputError(patient, "--patient", "no such patient in the input", "give the id of one of its patients")
    return wanted

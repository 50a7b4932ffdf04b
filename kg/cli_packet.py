"""`kg packet`: the documentation checklist of a planned or eligible procedure on one page."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from kg.cli_common import (
    DEFAULT_SLUG,
    AsOf,
    Codes,
    Engine,
    EngineName,
    GuidelineFile,
    Output,
    Patient,
    Places,
    Slug,
    evaluate_inputs,
    need_html,
    open_console,
    rows_in_order,
    write_output,
)


class PacketFormat(StrEnum):
    text = "text"
    html = "html"


def packet(places: Places, as_of: AsOf = None, format: Annotated[PacketFormat, typer.Option("--format")] = PacketFormat.text, patient: Patient = None,
           output: Output = None, guideline: Slug = DEFAULT_SLUG, guideline_file: GuidelineFile = None, codes: Codes = None, engine: Engine = EngineName.oxigraph) -> None:
    """What must be documented before a procedure: each item with its facts, their dates and origin, and what is missing. HTML prints on one page.

    Example: kg packet examples/isolated-sacroiliitis.json --as-of 2026-03-02 --format html -o packet.html"""
    if format is PacketFormat.html:
        need_html("--format html")
    found, evaluation = evaluate_inputs(places, as_of, guideline, guideline_file, codes, engine)
    rows = rows_in_order(found, evaluation, patient)
    if format is PacketFormat.html:
        from kg import report

        write_output(report.packet(evaluation, rows), output)
    else:
        from kg import text
        from kg.documentation import of_patients

        console, buffer = open_console(output)
        for row, checklists in of_patients(evaluation, rows):
            text.packet(console, row, checklists)
        if buffer:
            write_output(buffer.getvalue(), output)
    if found.errors:
        raise typer.Exit(2)

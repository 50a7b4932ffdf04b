"""`kg cohort`: everyone at once."""

from __future__ import annotations

import os
import sys
import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Optional

import typer

from kg.cli_common import DEFAULT_SLUG, AsOf, Codes, GuidelineFile, Slug, need_html, parse_date, say
from kg.errors import InputError


class TableForm(StrEnum):
    csv = "csv"
    ndjson = "ndjson"
    parquet = "parquet"


class RunnerName(StrEnum):
    local = "local"
    spark = "spark"


def cohort(places: Annotated[list[Path], typer.Argument(metavar="INPUT...", help="A FHIR bulk export (NDJSON, also compressed), a folder of bundles, or patient RDF.", show_default=False)],
           output: Annotated[Path, typer.Option("-o", "--output", metavar="OUT", help="A new folder; one with an unfinished run goes on where it stopped.")],
           as_of: AsOf = None, form: Annotated[TableForm, typer.Option("--format", help="Of the verdict table.")] = TableForm.csv,
           jobs: Annotated[Optional[int], typer.Option("--jobs", min=1, help="Processes; all cores by default.")] = None,
           runner: Annotated[RunnerName, typer.Option("--runner", help="Where partitions run.")] = RunnerName.local,
           proofs: Annotated[bool, typer.Option("--proofs", help="Also write why, as N-Quads with a graph a patient; slower.")] = False,
           validate: Annotated[bool, typer.Option("--validate", help="Also write what the SHACL shapes say of each record; needs the extra `shacl`.")] = False,
           report: Annotated[Optional[Path], typer.Option("--report", metavar="FILE", help="Also write a report of the whole population, as one HTML page.")] = None,
           small_cells: Annotated[int, typer.Option("--small-cells", metavar="N", min=0, help="In the report, hide counts of fewer than N patients.")] = 0,
           guideline: Slug = DEFAULT_SLUG, guideline_file: GuidelineFile = None, codes: Codes = None) -> None:
    """Verdicts of a whole population as a table, with what could not be read and a summary.

    Example: kg cohort population -o verdicts --as-of 2026-03-02"""
    from kg import inputs
    from kg.cohort import tables
    from kg.cohort.partition import Settings
    from kg.cohort.run import cohort as run
    from kg.cohort.runners import RUNNERS
    from kg.guideline import load

    tables.need(form.value)
    if validate:
        from kg.cohort import topbraid

        topbraid.need()
    if report:
        _need_report(report, output)
    elif small_cells:
        raise InputError("--small-cells", "options", "hides cells of a report, and none is asked for", "give --report FILE as well")
    files = tuple(guideline_file or ())
    settings = Settings(str(output.absolute()), parse_date(as_of).isoformat(), form.value, guideline, tuple(str(file.absolute()) for file in files),
                        str(codes.absolute()) if codes else None, proofs, validate)
    ours = load(guideline, files)  # what is wrong with it or the codes is said before anything is written
    for note in inputs.codes(codes)[1]:
        say(note)
    progress = _Progress() if sys.stderr.isatty() else lambda what, done, whole: None
    try:
        summary = run([place.absolute() for place in places], settings, RUNNERS[runner.value], jobs or os.cpu_count() or 1, progress)
    except OSError as error:
        raise InputError(error.filename or str(output), "file", error.strerror or "cannot be written or read", "give a folder that can be written, with room; the run goes on where it stopped") from None
    patients, entries = summary["patients"], summary["entries"]
    say(f"{patients['in']} patients: {patients['out']} with verdicts, {patients['rejected']} rejected (rejected.csv)")
    if entries["ofNobody"]:
        say(f"{entries['ofNobody']} entries belong to nobody or could not be read (rejected.csv): a patient may lack them")
    if report:
        from kg.cohort.report import save

        save(report, summary, ours, small_cells)
    if patients["rejected"] or entries["ofNobody"]:
        raise typer.Exit(2)


def _need_report(report: Path, out: Path) -> None:
    need_html("--report")
    from kg.cohort.report import check

    check(report, out)


class _Progress:
    """Says on the terminal what is done, how quickly, and how long the rest may take."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def __call__(self, what: str, done: int, whole: int) -> None:
        spent = max(time.monotonic() - self._began, 0.001)
        parts = int(what.split()[0]) if whole else 0
        rest = f", about {spent / parts * (whole - parts) / 60:.0f} min left" if parts else ""
        unit = "patients" if whole else "lines"
        print(f"\r{what}, {done} {unit}, {done / spent:.0f} a second{rest}\033[K", end="\n" if whole and parts == whole else "", file=sys.stderr, flush=True)

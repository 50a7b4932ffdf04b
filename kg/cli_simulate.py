"""`kg simulate`: a synthetic population as a FHIR bulk export."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Optional

import typer

from kg.cli_common import parse_date, say

_OFTEN = 1000  # patients between two words on progress


def simulate(count: Annotated[int, typer.Argument(metavar="N", help="How many patients.", show_default=False)],
             output: Annotated[Path, typer.Option("-o", "--output", metavar="DIR", help="A new or empty folder for the files.")],
             seed: Annotated[int, typer.Option("--seed", metavar="S", help="Another seed, other patients.")] = 0,
             as_of: Annotated[Optional[str], typer.Option("--as-of", metavar="DATE", help="The day on which the records end, YYYY-MM-DD; that of the population file by default.")] = None,
             zipped: Annotated[bool, typer.Option("--gzip", help="Compress the files.")] = False,
             mistakes: Annotated[Optional[float], typer.Option("--mistakes", metavar="RATE", help="Share of patients with a mistake in their record; that of the population file by default.")] = None,
             files: Annotated[int, typer.Option("--files", metavar="K", help="So many files of each type.")] = 1) -> None:
    """Make up patients as FHIR R4 NDJSON, a file a type: the same seed gives the same bytes. Nothing is taken from anybody's records.

    Example: kg simulate 1000 --seed 7 -o population"""
    from kg.simulation import Wanted, export, population

    day = parse_date(as_of) if as_of else None
    counts = export(population(), Wanted(count, seed, day, mistakes, zipped, files), output, _progress(count) if sys.stderr.isatty() else lambda done: None)
    for kind, number in counts.items():
        say(f"{kind}: {number}")


def _progress(count: int):
    """Says on the terminal how many patients are done, on one line."""

    def step(done: int) -> None:
        if done % _OFTEN == 0 or done == count:
            print(f"\r{done} of {count} patients", end="\n" if done == count else "", file=sys.stderr, flush=True)

    return step

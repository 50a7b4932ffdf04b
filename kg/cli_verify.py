"""The command `kg verify`: a proof that `kg recommend --proof` wrote, re-checked against the record and the guideline."""

from __future__ import annotations

from pathlib import Path
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
    Places,
    Slug,
    parse_date,
    read_inputs,
    say,
    write_output,
)

Proof = Annotated[Path, typer.Argument(metavar="PROOF.ttl", help="What `kg recommend --proof` wrote.", show_default=False)]


def verify(proof: Proof, places: Places, as_of: AsOf = None, guideline: Slug = DEFAULT_SLUG, guideline_file: GuidelineFile = None, codes: Codes = None,
           engine: Engine = EngineName.oxigraph, output: Output = None) -> None:
    """Re-check a proof against the patients and the guideline: each conclusion is valid, or the step that does not hold is named.

    The as-of date is that of the proof unless --as-of gives another. Exit code 1 when a step does not hold.

    \b
    Example:
      kg recommend patient.ttl --as-of 2026-03-02 --proof proof.ttl
      kg verify proof.ttl patient.ttl"""
    from kg.guideline import load
    from kg.proof import as_of_date, read_proof
    from kg.proof import verify as run

    found = read_inputs(places, codes)
    if found.errors:
        raise typer.Exit(2)
    claimed = read_proof(proof)
    day = parse_date(as_of) if as_of else as_of_date(claimed, str(proof))
    rows = run(claimed, found.triples, load(guideline, tuple(guideline_file or ())), day, engine.value)
    failed = [row for row in rows if row.result != "valid"]
    held = sum(row.result == "valid" for row in rows)
    named = {row.conclusion for row in failed if row.first}                # a circle of steps that fail has no first one
    shown = [row for row in failed if row.first or row.conclusion not in named]
    lines = [f"{row.conclusion or 'no conclusion rests on it'}: {row.result}: {row.step} {row.fault}" for row in shown]
    write_output("\n".join([*lines, f"as of {day}: {held} conclusions valid, {len({row.conclusion for row in failed if row.conclusion})} not"]) + "\n", output)
    if failed:
        say("the proof does not hold of this record, this guideline and this day")
        raise typer.Exit(1)

"""`kg check`: the guideline and the ontology check themselves."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from kg.cli_common import DEFAULT_SLUG, GuidelineFile, Slug, open_console
from kg.terms import RDFS

if TYPE_CHECKING:
    from rich.console import Console

    from kg.check import Finding, Level
    from kg.coverage import SourceLine
    from kg.index import Index

Source = Annotated[Optional[Path], typer.Option("--source", metavar="FILE", help="The source text, compared line by line.")]
_COLOURS = {"ERROR": "bold red", "WARN": "yellow", "INFO": "cyan"}


def check(guideline: Slug = DEFAULT_SLUG, guideline_file: GuidelineFile = None, source: Source = None) -> None:
    """The guideline and the ontology check themselves. Exit code 1 when a check at level ERROR finds something."""
    from rich.console import Console

    from kg.check import STEPS, Subject, levels, run
    from kg.coverage import source_table
    from kg.guideline import load

    files = tuple(guideline_file or ())
    subject = Subject(load(guideline, files), files, source)
    with Console(stderr=True).status("checking the guideline and the ontology"):
        found = run(subject, STEPS)
    console, _ = open_console(None)
    if source:
        _print_source(console, source_table(subject.guideline, source))
    _print(console, [row for row in levels().values() if source or row.check != "source"], found, subject.index)
    if any(one.level == "ERROR" for one in found):
        raise typer.Exit(1)


def _print_source(console: Console, rows: Iterable[SourceLine]) -> None:
    """Print each line of the source beside the project's own wording of what was taken from it."""
    from rich.markup import escape
    from rich.table import Table

    table = Table("Line", "", "Source", "In the graph", box=None, pad_edge=False)
    for row in rows:
        colour = _COLOURS["ERROR"] if row.state == "unaccounted" else None
        table.add_row(str(row.line), row.state, escape(row.text), escape("\n".join(row.said)), style=colour)
    console.print(table)


def _print(console: Console, rows: Iterable[Level], found: Iterable[Finding], index: Index) -> None:
    """Print the table of checks with the number of findings each, then the findings, check by check."""
    import pyoxigraph as ox
    from rich.markup import escape
    from rich.table import Table

    by: dict[str, list[Finding]] = {}
    for one in found:
        by.setdefault(one.check, []).append(one)
    table = Table("Level", "Check", "Found", box=None, pad_edge=False)
    for row in rows:
        count = len(by.get(row.check, ()))
        colour = _COLOURS[row.level] if count else "dim"
        table.add_row(row.level if count else "ok", row.check, str(count), style=colour)
    console.print(table)
    for check, group in by.items():
        why = next(row.why for row in rows if row.check == check)
        console.print(f"\n[{_COLOURS[group[0].level]}]{group[0].level}[/] {check}: {escape(why)}")
        for one in group:
            label = index.text(ox.NamedNode(one.focus), RDFS.label) if ":" in one.focus and " " not in one.focus else None
            name = f"{one.focus} ({label})" if label else one.focus
            console.print("  " + escape(": ".join(part for part in (name, one.message) if part)))

"""`kg format`: the canonical Turtle of the sources."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer


def format_command(
    files: Annotated[Optional[list[Path]], typer.Argument(metavar="FILE", help="All sources of the ontology and the shapes without it.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Change nothing; exit code 1 when a file is not canonical.")] = False,
) -> None:
    """Write Turtle files in their one canonical form."""
    from kg.formatter import changed, sources

    found = changed(files or sources())
    for path, text in found.items():
        if not check:
            path.write_text(text, encoding="utf-8")
        print(f"{path}: {'not canonical, run `kg format`' if check else 'written'}")
    if check and found:
        raise typer.Exit(1)

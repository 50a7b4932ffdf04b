"""The command `kg docs`: the ontology and a guideline as static pages."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kg.cli_common import need_html


def docs(
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FOLDER", help="Where the pages go.")],
    guideline: Annotated[str | None, typer.Option("--guideline", metavar="SLUG", help="Which guideline.")] = None,
    guideline_file: Annotated[
        list[Path] | None,
        typer.Option("--guideline-file", metavar="FILE", help="A Turtle file with a further guideline."),
    ] = None,
) -> None:
    """Write the ontology and the guideline as static HTML that needs no network; open FOLDER/index.html."""
    from kg.guideline import DEFAULT, load

    need_html("kg docs", "docs")
    from kg import docs as site

    loaded = load(guideline or DEFAULT, tuple(guideline_file or ()))
    release = release_file()
    pages = site.pages(loaded, release)
    site.write(pages, output)
    tree = "reasoned" if release else "asserted: `kg build` makes the reasoned one"
    print(f"{output / 'index.html'}: {len(pages)} files, class tree {tree}")


def release_file() -> Path | None:
    """The reasoned release, when there is one."""
    from kg.paths import data

    try:
        return data("ontology", "release", "sacroiliitis-kg.ttl")
    except FileNotFoundError:
        return None

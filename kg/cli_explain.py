"""`kg explain`: why a verdict, and why not another."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated, Optional

import typer

from kg.cli_common import (
    DEFAULT_SLUG,
    AsOf,
    Codes,
    Engine,
    EngineName,
    GuidelineFile,
    Output,
    Slug,
    evaluate_inputs,
    open_console,
    write_output,
)
from kg.errors import InputError


_WIDTH = 150


class ExplainFormat(StrEnum):
    text = "text"
    json = "json"
    html = "html"


def explain(place: Annotated[str, typer.Argument(metavar="INPUT", help="Patient RDF, a FHIR R4 JSON or NDJSON file; - for standard input.")],
            treatment: Annotated[str, typer.Argument(metavar="TREATMENT", help="The treatment to explain, by its short name.")],
            other: Annotated[Optional[str], typer.Option("--not", metavar="TREATMENT", help="Explain why the first one and not this one.")] = None,
            as_of: AsOf = None, format: Annotated[ExplainFormat, typer.Option("--format")] = ExplainFormat.text, output: Output = None,
            guideline: Slug = DEFAULT_SLUG, guideline_file: GuidelineFile = None, codes: Codes = None, engine: Engine = EngineName.oxigraph) -> None:
    """Why this verdict: what stands for and against it, down to the facts, and what is missing.

    For a treatment that is not eligible: which recommendation comes closest to applying, and what stands in its way.

    \b
    kg explain examples/loss-of-response.json cox2-inhibitor --as-of 2026-03-02
    kg explain examples/loss-of-response.json cox2-inhibitor --not nsaid-on-demand --as-of 2026-03-02
    """
    from kg.explain import contrast, html, prepare, terminal, verdict

    found, evaluation = evaluate_inputs([place], as_of, guideline, guideline_file, codes, engine)
    context = prepare(evaluation)
    console, buffer = open_console(output, _WIDTH) if format is ExplainFormat.text else (None, None)
    written = []
    for row in context.rows:
        for slug in filter(None, (treatment, other)):
            _known(row, slug)
        tree = contrast(context, row, treatment, other) if other else verdict(context, row, treatment)
        if format is ExplainFormat.json:
            written.append(json.dumps(_object(row, context, tree), ensure_ascii=False) + "\n")
        elif format is ExplainFormat.html:
            written.append(html(tree) + "\n")
        else:
            (terminal.contrast if other else terminal.verdict)(console, tree, row["patient"], row["asOf"])
    if format is not ExplainFormat.text or buffer:
        write_output(buffer.getvalue() if buffer else "".join(written), output)
    if found.errors:
        raise typer.Exit(2)


def _known(row: dict, slug: str) -> None:
    from difflib import get_close_matches

    slugs = [one["treatment"] for one in row["treatments"]]
    if slug not in slugs:
        near = get_close_matches(slug, slugs, 4, 0.3) or sorted(slugs)
        raise InputError(slug, "TREATMENT", "no such treatment", f"give one of: {', '.join(near)}")


def _object(row: dict, context, tree) -> dict:
    from kg.explain import Contrast, as_json

    shape = "contrast" if isinstance(tree, Contrast) else "tree"
    return {**{name: row[name] for name in ("patient", "iri", "asOf", "guideline")}, "reasonSystem": context.reason_system, shape: as_json(tree)}

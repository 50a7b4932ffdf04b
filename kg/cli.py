"""The command line (spec/output.md). Exit codes: 0 done, 1 violations found by validate or check, 2 usage or unreadable input."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Optional

import typer

from kg.cli_ask import ask
from kg.cli_check import check
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
    as_turtle,
    evaluate_inputs,
    open_console,
    read_inputs,
    say,
    write_output,
)
from kg.cli_derive import derive
from kg.cli_docs import docs
from kg.cli_format import format_command
from kg.cli_serve import serve
from kg.cli_what_if import what_if
from kg.errors import InputError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None,
                  help="Ask a clinical guideline about patients: verdicts with their reasons. Not a medical device.")
app.command()(check)
app.command()(derive)
app.command()(docs)
app.command()(ask)
app.command("what-if")(what_if)
app.command("format")(format_command)
app.command()(serve)


class RecommendFormat(StrEnum):
    text = "text"
    json = "json"
    turtle = "turtle"
    fhir = "fhir"


class ReportFormat(StrEnum):
    text = "text"
    json = "json"
    turtle = "turtle"


class TableFormat(StrEnum):
    table = "table"
    json = "json"
    csv = "csv"
    xml = "xml"
    turtle = "turtle"


def main() -> None:
    """Run the command line; bad input is one line and exit code 2, never a traceback."""
    try:
        app()
    except InputError as error:
        say(str(error))
        raise SystemExit(2) from None
    except BrokenPipeError:
        sys.stderr.close()
        raise SystemExit(0) from None


@app.command()
def recommend(places: Places, as_of: AsOf = None, format: Annotated[RecommendFormat, typer.Option("--format")] = RecommendFormat.text,
              patient: Annotated[Optional[str], typer.Option("--patient", metavar="ID", help="Only this patient.")] = None, output: Output = None,
              guideline: Slug = DEFAULT_SLUG, guideline_file: GuidelineFile = None, codes: Codes = None, engine: Engine = EngineName.oxigraph) -> None:
    """Verdicts of every treatment for every patient, with their reasons."""
    from kg import text
    from kg.results import results

    found, evaluation = evaluate_inputs(places, as_of, guideline, guideline_file, codes, engine)
    _warn(found)
    rows = results(evaluation)
    order = {node.value: position for position, node in enumerate(found.patients)}
    rows = [row for row in sorted(rows, key=lambda row: order.get(row["iri"], len(order))) if patient in (None, row["patient"], row["iri"])]
    if patient and not rows:
        raise InputError(patient, "--patient", "no such patient in the input", "give the id of one of its patients")
    if format is RecommendFormat.json:
        write_output("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), output)
    elif format is RecommendFormat.turtle:
        write_output(as_turtle([*evaluation.facts, *evaluation.derived]), output)
    elif format is RecommendFormat.fhir:
        from kg import inputs
        from kg.guidance.resources import bundle, cases
        from kg.guidance.rules import Rules

        rules = Rules(evaluation.guideline, inputs.codes(codes)[0])
        bundles = (bundle([case], rules) for case in cases(evaluation, rows, rules.codes, found.findings))
        write_output("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in bundles), output)
    else:
        console, buffer = open_console(output)
        for row in rows:
            text.patient(console, row)
        if buffer:
            write_output(buffer.getvalue(), output)
    if found.errors:
        raise typer.Exit(2)


def _warn(found) -> None:
    """Say on standard error when the record has violations."""
    from kg.validate import validate_record

    report = validate_record(found.triples)
    violations = [result for result in report.results if result.severity == "Violation"]
    if violations or any(finding.severity == "violation" for finding in found.findings):
        say(f"the record has violations ({len(violations)} by the shapes): what could be read is answered; `kg validate` lists them")


@app.command()
def validate(places: Places, format: Annotated[ReportFormat, typer.Option("--format")] = ReportFormat.text, output: Output = None, codes: Codes = None) -> None:
    """Check patient graphs by SHACL, and the import for FHIR. Exit code 1 when there are violations."""
    from kg import inputs
    from kg.validate import validate_record

    index, notes = inputs.codes(codes)
    found = inputs.read(places, index)
    report = validate_record(found.triples)
    if format is ReportFormat.turtle:
        write_output(report.graph.serialize(format="turtle"), output)
    elif format is ReportFormat.json:
        rows = [{"severity": finding.severity, "place": finding.place, "resource": finding.resource, "element": finding.element, "message": finding.message} for finding in found.findings]
        rows += [{"severity": one.severity.lower(), "focus": one.focus, "path": one.path, "value": one.value, "message": one.message, "shape": one.shape} for one in report.results]
        write_output(json.dumps({"conforms": report.conforms and not _violated(found), "entries": found.entries, "ignored": found.ignored, "results": rows}, ensure_ascii=False) + "\n", output)
    else:
        lines = [*notes, *(f"{one.severity}: {one.place}: {one.resource}: {one.element}: {one.message}" for one in found.findings)]
        lines += [f"{one.severity.lower()}: {one.value or one.focus}: {one.message}" for one in report.results]
        if found.entries:
            lines.append(f"{found.ignored} of {found.entries} entries carry nothing this guideline asks")
        lines.append("conforms" if report.conforms and not _violated(found) else "does not conform")
        write_output("\n".join(lines) + "\n", output)
    for error in found.errors:
        say(str(error))
    if found.errors:
        raise typer.Exit(2)
    if not report.conforms or _violated(found):
        raise typer.Exit(1)


def _violated(found) -> bool:
    return any(finding.severity == "violation" for finding in found.findings)


@app.command()
def query(name: Annotated[str, typer.Argument(metavar="NAME|FILE.rq")], places: Annotated[Optional[list[str]], typer.Argument(help="Patients, if the question is about them.")] = None,
          as_of: AsOf = None, format: Annotated[TableFormat, typer.Option("--format")] = TableFormat.table, output: Output = None, guideline: Slug = DEFAULT_SLUG,
          guideline_file: GuidelineFile = None, codes: Codes = None, engine: Engine = EngineName.oxigraph) -> None:
    """Run a query of `queries/` by name, or any SPARQL file, over guideline, patients and what was derived."""
    from kg import tables
    from kg.guideline import load

    text = tables.find(name)
    if places:
        found, evaluation = evaluate_inputs(places, as_of, guideline, guideline_file, codes, engine)
        store, failed = evaluation.engine, bool(found.errors)
    else:
        store, failed = load(guideline, tuple(guideline_file or ())).engine(engine.value), False
    tables.add_codes(store, text)
    write_output(tables.run(store, text, name, format.value), output)
    if failed:
        raise typer.Exit(2)


@app.command()
def queries() -> None:
    """List the queries with the question each answers."""
    from kg.queries import folder

    for place in ("ask", "check", "derive"):
        for one in folder(place):
            print(f"{place}/{one.name}: {one.summary}")


@app.command()
def explain(place: Annotated[str, typer.Argument(metavar="INPUT")], treatment: Annotated[str, typer.Argument(metavar="TREATMENT")], as_of: AsOf = None,
            guideline: Slug = DEFAULT_SLUG, guideline_file: GuidelineFile = None, codes: Codes = None, engine: Engine = EngineName.oxigraph) -> None:
    """Why this verdict: recommendation, strength, source line, criteria, facts, what is missing, evidence."""
    from difflib import get_close_matches

    from kg import text
    from kg.results import evidence, results

    found, evaluation = evaluate_inputs([place], as_of, guideline, guideline_file, codes, engine)
    console, _ = open_console(None)
    for row in results(evaluation):
        slugs = {one["treatment"]: one for one in row["treatments"]}
        if treatment not in slugs:
            near = get_close_matches(treatment, slugs, 4, 0.3) or sorted(slugs)
            raise InputError(treatment, "TREATMENT", "no such treatment", f"give one of: {', '.join(near)}")
        text.explanation(console, row, slugs[treatment], evidence(evaluation, slugs[treatment]))
    if found.errors:
        raise typer.Exit(2)


@app.command("import")
def import_(places: Places, output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="Where the patient RDF goes.")], codes: Codes = None) -> None:
    """FHIR to patient RDF (Turtle)."""
    found = read_inputs(places, codes)
    write_output(as_turtle(found.triples), output)
    if found.errors:
        raise typer.Exit(2)


@app.command()
def build(output: Annotated[Optional[Path], typer.Option("--output", "-o", help="Folder; ontology/release without it.")] = None) -> None:
    """Merge the ontology's modules, classify them with HermiT and write the release as Turtle and RDF/XML."""
    from kg.paths import data
    from kg.release import build as write

    show = (lambda step: print(step, file=sys.stderr)) if sys.stderr.isatty() else (lambda step: None)
    for path in write(output or data("ontology") / "release", show):
        print(path)

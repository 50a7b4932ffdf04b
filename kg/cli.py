"""The command line (spec/output.md). Exit codes: 0 done, 1 violations found by validate or check, 2 usage or unreadable input."""

from __future__ import annotations

import json
import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Optional

import typer

from kg.cli_ask import ask
from kg.cli_check import check
from kg.cli_cohort import cohort
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
    as_turtle,
    evaluate_inputs,
    need_html,
    open_console,
    read_inputs,
    rows_in_order,
    say,
    write_output,
)
from kg.cli_derive import derive
from kg.cli_docs import docs
from kg.cli_explain import explain
from kg.cli_format import format_command
from kg.cli_packet import packet
from kg.cli_serve import serve
from kg.cli_simulate import simulate
from kg.cli_timeline import timeline
from kg.cli_verify import verify
from kg.cli_what_if import what_if
from kg.errors import InputError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None,
                  help="Ask a clinical guideline about patients: verdicts with their reasons. Not a medical device.")
app.command()(check)
app.command()(cohort)
app.command()(derive)
app.command()(docs)
app.command()(ask)
app.command("what-if")(what_if)
app.command()(explain)
app.command("format")(format_command)
app.command()(packet)
app.command()(serve)
app.command()(simulate)
app.command()(timeline)
app.command()(verify)


class RecommendFormat(StrEnum):
    text = "text"
    json = "json"
    turtle = "turtle"
    html = "html"
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
    except BrokenPipeError:  # whoever reads has enough; nothing more can be flushed there
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(0) from None


@app.command()
def recommend(places: Places, as_of: AsOf = None, format: Annotated[RecommendFormat, typer.Option("--format")] = RecommendFormat.text,
              patient: Patient = None, output: Output = None,
              proof: Annotated[Optional[Path], typer.Option("--proof", metavar="FILE", help="Also write there why, as a PROV-O graph that `kg verify` re-checks.")] = None,
              guideline: Slug = DEFAULT_SLUG, guideline_file: GuidelineFile = None, codes: Codes = None, engine: Engine = EngineName.oxigraph) -> None:
    """Verdicts of every treatment for every patient, with their reasons.

    Example: kg recommend examples/loss-of-response.json --as-of 2026-03-02 --format html -o report.html"""
    from kg import text

    if format is RecommendFormat.html:
        need_html("--format html")
    trace = None
    if proof:
        from kg.proof import Trace, prove

        trace = Trace()
    found, evaluation = evaluate_inputs(places, as_of, guideline, guideline_file, codes, engine, trace.note if trace else None,
                                        detail=bool(trace) or format not in (RecommendFormat.text, RecommendFormat.json))
    _warn(places, found, guideline_file)
    rows = rows_in_order(found, evaluation, patient)
    if trace:
        write_output(as_turtle(prove(evaluation, trace)), proof)
    if format is RecommendFormat.json:
        write_output("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), output)
    elif format is RecommendFormat.turtle:
        write_output(as_turtle([*evaluation.facts, *evaluation.derived]), output)
    elif format is RecommendFormat.html:
        from kg import report

        write_output(report.page(evaluation, rows), output)
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


def _warn(places: list[str], found, files: list[Path] | None) -> None:
    """Say on standard error what violates the shapes."""
    from kg.validate import validate_record

    report = found.report or validate_record(found.triples, files or ())[0]
    violations = [result for result in report.results if result.severity == "Violation"]
    for one in violations:
        say(_result_line(places, one))
    if violations or _violated(found):
        say(f"the record has violations ({len(violations)} by the shapes): what could be read is answered; `kg validate` lists them")


@app.command()
def validate(places: Places, format: Annotated[ReportFormat, typer.Option("--format")] = ReportFormat.text, output: Output = None, codes: Codes = None) -> None:
    """Check patient graphs by SHACL, and the import for FHIR. Exit code 1 when there are violations."""
    from kg import inputs
    from kg.validate import validate_record

    index, notes = inputs.codes(codes)
    found = inputs.read(places, index)
    if not (found.triples or found.findings or found.errors):
        raise inputs.nobody(places)
    report, _ = validate_record(found.triples)
    whole = report.conforms and not _violated(found) and not found.errors
    if format is ReportFormat.turtle:
        write_output(report.graph.serialize(format="turtle"), output)
    elif format is ReportFormat.json:
        rows = [{"severity": finding.severity, "place": finding.place, "resource": finding.resource, "element": finding.element, "message": finding.message} for finding in found.findings]
        rows += [{"severity": one.severity.lower(), "focus": one.focus, "path": one.path, "value": one.value, "message": one.message, "shape": one.shape} for one in report.results]
        write_output(json.dumps({"conforms": whole, "entries": found.entries, "ignored": found.ignored, "results": rows}, ensure_ascii=False) + "\n", output)
    else:
        lines = [*notes, *(f"{one.severity}: {one}" for one in found.findings)]
        lines += [_result_line(places, one) for one in report.results]
        if found.entries:
            lines.append(f"{found.ignored} of {found.entries} entries carry nothing this guideline asks")
        lines.append("conforms" if whole else "not all could be read" if found.errors else "does not conform")
        write_output("\n".join(lines) + "\n", output)
    for error in found.errors:
        say(str(error))
    if found.errors:
        raise typer.Exit(2)
    if not report.conforms or _violated(found):
        raise typer.Exit(1)


def _result_line(places: list[str], one) -> str:
    """What the shapes say of a fact, in one line: file (when there is one only), fact, property, value, remedy."""
    parts = (places[0] if len(places) == 1 else None, *one.said)
    return f"{one.severity.lower()}: " + ": ".join(part for part in parts if part)


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

    for place in ("ask", "check", "cohort", "derive", "prove", "verify"):
        for one in folder(place):
            print(f"{place}/{one.name}: {one.summary}")


@app.command("import")
def import_(places: Places, output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="Where the patient RDF goes.")], codes: Codes = None) -> None:
    """FHIR to patient RDF (Turtle)."""
    from kg import inputs

    found = read_inputs(places, codes)
    if not (found.triples or found.errors):
        raise inputs.nobody(places)
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

"""`kg serve`: the graph as a local SPARQL endpoint, and guidance for patients by CDS Hooks and FHIR."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from kg.cli_common import DEFAULT_SLUG, AsOf, Codes, EngineName, GuidelineFile, Slug, evaluate_inputs, need_html, say
from kg.cli_docs import release_file
from kg.errors import InputError


def serve(
    places: Annotated[Optional[list[str]], typer.Argument(metavar="[INPUT]...", help="Patients to serve beside the guideline.")] = None,
    as_of: AsOf = None,
    data: Annotated[Optional[list[Path]], typer.Option("--data", metavar="FILE", help="RDF to serve as well; N-Quads and TriG keep their named graphs.")] = None,
    host: Annotated[str, typer.Option(envvar="KG_HOST", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(envvar="KG_PORT", help="Port to listen on.")] = 8000,
    seconds: Annotated[float, typer.Option(envvar="KG_SECONDS", help="Time that a query may take.")] = 10.0,
    memory: Annotated[int, typer.Option(envvar="KG_MEMORY", help="Mebibytes that a query may use.")] = 1024,
    rows: Annotated[int, typer.Option(envvar="KG_ROWS", help="Rows that a result may have; the header KG-Truncated says when it was cut.")] = 10_000,
    body: Annotated[int, typer.Option(envvar="KG_BODY", help="Bytes that a request may have.")] = 1_000_000,
    workers: Annotated[int, typer.Option(envvar="KG_WORKERS", help="Queries, and as many evaluations of patients, that run at the same time.")] = 2,
    origin: Annotated[Optional[list[str]], typer.Option(help="A web page's origin that may read answers (CORS).")] = None,
    feedback: Annotated[Optional[Path], typer.Option(envvar="KG_FEEDBACK", metavar="FILE", help="Keep the feedback on CDS Hooks cards there, one JSON object a line, nothing of a patient; without it feedback is dropped.")] = None,
    pages: Annotated[Optional[str], typer.Option(envvar="KG_PAGES", metavar="URL", help="Address of the guideline's pages (`kg docs`), for a link on each card.")] = None,
    token: Annotated[Optional[str], typer.Option(envvar="KG_TOKEN", help="Clients must send it as Bearer token; needed for a host that is not loopback. Best by environment.", show_default=False)] = None,
    guideline: Slug = DEFAULT_SLUG,
    guideline_file: GuidelineFile = None,
    codes: Codes = None,
) -> None:
    """Serve the guideline on this machine: a workbench of pages, a read-only SPARQL endpoint (with patients, if given), CDS Hooks,
    FHIR $evaluate.

    Example: kg serve examples/loss-of-response.json --as-of 2026-03-02, then open http://127.0.0.1:8000/ or ask /sparql;
    CDS Hooks at /cds-services and POST /fhir/$evaluate judge what they are sent as of the day of the request."""
    try:
        import uvicorn

        from kg.serve.app import create_app
    except ModuleNotFoundError as error:
        raise InputError("kg serve", "set-up", f"the module {error.name} is missing", "install the package with its extra `server`") from None
    import logging
    import sys
    from datetime import date

    from kg import inputs
    from kg.guidance.rules import Rules
    from kg.guideline import load
    from kg.serve.dataset import dataset
    from kg.serve.settings import Settings

    settings = Settings(host, port, token, seconds, memory, rows, body, workers, tuple(origin or ()), feedback, pages)
    loaded, evaluation = load(guideline, tuple(guideline_file or ())), None
    if places:
        found, evaluation = evaluate_inputs(places, as_of, guideline, guideline_file, codes, EngineName.oxigraph)
        if found.errors:
            raise typer.Exit(2)
    served = dataset(loaded, evaluation, data or ())
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(message)s")
    say(f"serving {served.size} triples at http://{host}:{port}/sparql; stop with Ctrl+C")
    index, _ = inputs.codes(codes)
    bench = _bench(loaded, guideline_file or (), len(evaluation.patients) if evaluation else 0)
    if bench:
        say(f"workbench at http://{host}:{port}/")
    app = create_app(served, settings, f"sacroiliitis-kg: {loaded.slug} {loaded.version}", Rules(loaded, index), date.today, bench)
    uvicorn.run(app, host=host, port=port, access_log=False, log_level="warning", server_header=False, timeout_graceful_shutdown=int(seconds) + 1)


def _bench(guideline, files, served: int):
    """The frame of the workbench (kg.serve.workbench.bench); None, and a note, when what makes pages is not installed."""
    try:
        need_html("kg serve")
    except InputError as error:
        say(f"no workbench: {error.message}; {error.remedy}")
        return None
    from kg.serve.workbench.bench import bench

    return bench(guideline, files, release_file(), served)

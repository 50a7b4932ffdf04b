"""`kg derive`: the derivation in a triple store that is already there."""

from __future__ import annotations

from typing import Annotated, Optional

import typer

from kg.cli_common import DEFAULT_SLUG, AsOf, Codes, GuidelineFile, Places, Slug, parse_date, read_inputs, say
from kg.errors import InputError


def derive(
    places: Places,
    store: Annotated[str, typer.Option("--store", metavar="URL", help="The store's SPARQL 1.1 endpoint for queries.")],
    update_url: Annotated[Optional[str], typer.Option("--update-url", metavar="URL", help="Its endpoint for updates, when that is another one.")] = None,
    as_of: AsOf = None,
    write: Annotated[bool, typer.Option("--write", help="Really write; without it the steps are only listed.")] = False,
    guideline: Slug = DEFAULT_SLUG,
    guideline_file: GuidelineFile = None,
    codes: Codes = None,
) -> None:
    """Load guideline and patients into a triple store and derive the verdicts there, by the INSERT forms of `queries/derive/`.

    Three graphs are emptied and filled: .../graph/rules, .../graph/facts, .../graph/derived.
    Example: kg derive patient.ttl --store http://localhost:3030/ds/query --update-url http://localhost:3030/ds/update --write"""
    from rich.console import Console
    from rich.progress import Progress

    from kg import store as remote
    from kg.derive import steps
    from kg.guideline import load

    loaded = load(guideline, tuple(guideline_file or ()))
    day, found = parse_date(as_of), read_inputs(places, codes)
    if not found.patients:
        raise InputError(", ".join(places), "input", "no patient in it", "give a FHIR Patient, or a pt:Patient in RDF")
    facts = remote.dated(found.triples, day)
    loads = [*remote.load_forms(remote.RULES, loaded.triples), *remote.load_forms(remote.FACTS, facts), *remote.load_forms(remote.DERIVED, ())]
    if not write:
        print(f"would send {len(loads)} updates with {len(loaded.triples)} triples of the guideline and {len(facts)} of {len(found.patients)} patients,")
        print(f"then the {len(steps(remote.STAGES))} steps of queries/derive/ into <{remote.DERIVED}>; nothing was written: --write does it")
        return
    target = remote.Remote(store, update_url or store)
    with Progress(console=Console(stderr=True), disable=not Console(stderr=True).is_terminal) as progress:
        task = progress.add_task("loading", total=len(loads) + len(steps(remote.STAGES)))
        for text in loads:
            target.update(text)
            progress.advance(task)
        remote.derive(target.update, target.size, lambda query: progress.update(task, advance=1, description=query.name))
    say(f"{target.size()} derived triples in <{remote.DERIVED}>")
    if found.errors:
        raise typer.Exit(2)

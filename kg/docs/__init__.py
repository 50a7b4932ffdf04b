"""Documentation of an ontology and its guideline as static pages: `kg docs -o FOLDER`.

The pages are made from the graph by SPARQL (`queries/`) and templates (`templates/`); they load nothing else."""

from __future__ import annotations

from pathlib import Path

from kg.docs import guideline_pages, source_pages, term_pages
from kg.docs.book import Book, read
from kg.docs.render import HERE, Site, shared_style
from kg.errors import InputError
from kg.guideline import Guideline


def pages(guideline: Guideline, release: Path | None = None) -> dict[str, str]:
    """The whole site: text by path from its folder. The same graph gives the same bytes.

    `release` is the reasoned release (Turtle), from which inferred parents are taken."""
    return made(read(guideline, release)).pages


def made(book: Book, bench: tuple[tuple[str, str], ...] = ()) -> Site:
    """The site of a book with all its pages; `bench` as in `Site`."""
    site = Site(book, bench)
    for make in (
        guideline_pages.start, guideline_pages.way, guideline_pages.rules, guideline_pages.conditions,
        guideline_pages.numbers, guideline_pages.flags, source_pages.statements, source_pages.evidence,
        source_pages.checks, source_pages.decisions, source_pages.references, term_pages.terms, term_pages.queries,
    ):  # fmt: skip
        make(site)
    for asset in sorted((HERE / "assets").iterdir()):
        site.pages[asset.name] = asset.read_text(encoding="utf-8")
    site.pages["style.css"] = shared_style() + site.pages["style.css"]
    return site


def write(site: dict[str, str], folder: Path) -> None:
    """Write the pages into a folder, made when missing; other files in it stay.

    Raises InputError when it cannot be written."""
    try:
        for path, text in site.items():
            place = folder / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(
            str(folder), "-o", error.strerror or "cannot be written", "give a folder that can be written"
        ) from error

"""One canonical Turtle for the sources: sorted, fixed layout, so that an edit of one triple is a difference of one line."""

from __future__ import annotations

from pathlib import Path

from kg.errors import InputError
from kg.paths import data


def sources() -> list[Path]:
    """Every hand-written Turtle file of the ontology and the shapes."""
    ontology = [path for path in data("ontology").rglob("*.ttl") if "release" not in path.parts]
    return sorted([*ontology, *data("shapes").glob("*.ttl")])


def formatted(path: Path) -> str:
    """The text of a Turtle file in canonical form (package diffable-rdf). Comments are lost: what matters is a triple.

    Raises InputError when the file cannot be read, is not Turtle, or the package is absent."""
    try:
        from diffable_rdf import deterministic_turtle
    except ImportError as error:
        raise InputError("kg format", "diffable-rdf", "not installed", "install the project with its extra `author`") from error
    from rdflib import Graph

    try:
        graph = Graph().parse(path, format="turtle")
    except OSError as error:
        raise InputError(str(path), "file", error.strerror or "cannot be read", "give the path of a Turtle file") from error
    except Exception as error:  # rdflib raises several kinds for bad syntax
        raise InputError(str(path), "syntax", f"not Turtle: {str(error).splitlines()[0]}", "correct the file") from error
    return deterministic_turtle(graph)


def changed(paths: list[Path]) -> dict[Path, str]:
    """The files whose text is not canonical, with the text they should have."""
    wanted = {path: formatted(path) for path in paths}
    return {path: text for path, text in wanted.items() if path.read_text(encoding="utf-8") != text}

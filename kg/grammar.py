"""Does a guideline follow the grammar for authors (shapes/guideline.ttl)? Part of `kg check`, spec/output.md."""

from __future__ import annotations

from kg.engine import to_rdflib
from kg.guideline import Guideline
from kg.paths import data
from kg.validate import Report, validate


def grammar(guideline: Guideline) -> Report:
    """The SHACL report of a guideline with everything it imports; each message says what its author has to do."""
    from rdflib import Graph

    return validate(to_rdflib(guideline.triples), None, Graph().parse(data("shapes", "guideline.ttl")))

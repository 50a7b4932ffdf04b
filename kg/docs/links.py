"""Where each thing of the graph stands in the site: a page of its own, or an anchor on a shared page."""

from __future__ import annotations

from posixpath import dirname, relpath
from urllib.parse import quote

from kg.terms import GL, local

OWL = "http://www.w3.org/2002/07/owl#"
RULES = ("Recommendation", "Advice", "Caution", "PrerequisiteRule", "MonitoringRule", "DocumentationChecklist")
CONDITIONS = ("Criterion", "Constraint", "Comparison", "ResponseInference", "StalenessRule")
PROPERTIES = ("ObjectProperty", "DatatypeProperty", "AnnotationProperty")
_ANCHORED = {
    **dict.fromkeys(CONDITIONS, "criteria.html"),
    "Flag": "flags.html",
    "Decision": "decisions.html",
    "Finding": "evidence.html",
    "SourceCheck": "checks.html",
    "Reference": "references.html",
    "CandidateIdentity": "references.html",
    "ExternalReference": "references.html",
    "SourceDocument": "references.html",
    "SourceLine": "statements.html",
}


def module(iri: str) -> str:
    """The ontology that a term belongs to, as a folder: the last part of its namespace."""
    return local(iri[: -len(local(iri)) - 1])


def place(iri: str, kind: str, whole: str | None = None) -> str | None:
    """The page of a thing, with its anchor; None for what has none.

    Kind is the IRI of its kind in `nodes.rq`; whole is the place of what it is a part of, if anything."""
    name, kind = local(iri), kind.removeprefix(str(GL)).removeprefix(OWL)
    if kind == "Guideline":
        return "index.html"
    if kind == "Statement":
        return f"statements/{name}.html"
    if kind in RULES:
        return f"rules/{name}.html"
    if kind == "DocumentationItem":
        return f"{whole}#{name}" if whole else None
    if kind in _ANCHORED:
        return f"{_ANCHORED[kind]}#{name}"
    if kind in PROPERTIES:
        return f"terms/{module(iri)}.html#{name}"
    return f"terms/{module(iri)}/{name}.html" if kind in ("Class", "NamedIndividual") else None


def href(page: str, to: str) -> str:
    """A relative link from one page of the site to a place in it, both as paths from the site's folder."""
    target, _, anchor = to.partition("#")
    path = "" if target == page else quote(relpath(target, dirname(page) or "."))
    return path + (f"#{quote(anchor)}" if anchor else "") or quote(relpath(target, dirname(page) or "."))

"""What the workbench serves unchanged: start, empty forms, documentation, assets. Made once, when the service starts."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from posixpath import splitext

from kg import docs, report
from kg.docs import guideline_pages, pathway
from kg.docs.book import Book, read
from kg.docs.links import OWL, PROPERTIES, href
from kg.docs.render import MENU, Site, shown
from kg.guideline import Guideline
from kg.serve.workbench import policy
from kg.serve.workbench.bench import HERE, PLACES, Bench, about_patients, questions
from kg.serve.worker import PREFIXES
from kg.terms import DCTERMS, GL

_MEDIA = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".rq": "application/sparql-query", ".json": "application/json"}
_PREFIX = re.compile(r"^PREFIX\s+(\w*):\s*<([^>]*)>", re.MULTILINE)


@dataclass(frozen=True)
class Leaf:
    """One thing that is served as it is: media type, content, and what a browser may load for it."""

    media: str
    body: bytes
    policy: str = policy.PAGE


def leaves(bench: Bench, guideline: Guideline) -> dict[str, Leaf]:
    """Everything by its path."""
    book = read(guideline, bench.release)
    site = docs.made(book, tuple((href("docs/index.html", path), name) for path, name in PLACES))
    own = _asset("bench.css")
    texts = {f"docs/{path}": text for path, text in site.pages.items()}
    texts |= {
        "docs/style.css": texts["docs/style.css"] + own, "docs/": texts["docs/index.html"],
        "": _start(bench, book, site), "patient": bench.patient(), "query": _query(bench),
        "assets/patient.css": report.style() + own, "assets/query.css": _asset("query.css"),
        "assets/patient.js": _asset("patient.js"), "assets/query.js": _asset("query.js"), "assets/terms.json": terms(book),
        "assets/yasgui.css": _asset("vendor/yasgui.min.css"), "assets/yasgui.js": _asset("vendor/yasgui.min.js"),
    }  # fmt: skip
    return {f"/{path}": Leaf(_media(path), text.encode(), policy.QUERY if path == "query" else policy.PAGE) for path, text in texts.items()}


def terms(book: Book) -> str:
    """What the query page knows of the ontology, as JSON: prefixes, classes, properties, and each thing's label and page."""
    prefixes = PREFIXES | {name: iri for one in questions() for name, iri in _PREFIX.findall(one.text)}
    kinds = {name: sorted(node.iri for node in book.nodes.values() if node.kind in {OWL + kind for kind in of})
             for name, of in (("classes", ("Class",)), ("properties", PROPERTIES))}
    labels = {node.iri: [node.label, f"docs/{place}" if (place := book.place(node.iri)) else ""] for node in book.nodes.values()}
    return json.dumps({"prefixes": prefixes, **kinds, "labels": labels}, ensure_ascii=False)


def _start(bench: Bench, book: Book, site: Site) -> str:
    def url(iri: str) -> str:
        place = book.place(iri)
        return f"docs/{place}" if place else ""

    iri = book.guideline.iri.value
    plan = pathway.plan(book, url)
    about = guideline_pages.about(site)
    return bench.page(
        "start.html", bench.title, "./", **shown(book), url=url, queries_showing=site.queries_showing, about=about, caveat=book.first(iri, GL.caveat),
        source=next((book.first(one, DCTERMS.description) for one in book.values(iri, GL.derivedFrom)), ""),
        drawing=pathway.svg(plan.dot(), "Treatment pathway"), sections=guideline_pages.glance(site), legend=guideline_pages.LEGEND, menu=MENU,
    )  # fmt: skip


def _query(bench: Bench) -> str:
    sorts = (("About the guideline", False), ("About patients", True))
    groups = [(title, [one for one in questions() if about_patients(one) == sort]) for title, sort in sorts]
    first = min(groups[0][1], key=lambda one: len(one.text))
    scripts, styles = ("assets/yasgui.js", "assets/query.js"), ("assets/yasgui.css", "assets/query.css")
    return bench.page("query.html", "Query", "query", scripts=scripts, styles=styles, groups=groups, first=first)


def _asset(name: str) -> str:
    return (HERE / "assets" / name).read_text(encoding="utf-8")


def _media(path: str) -> str:
    media = _MEDIA[splitext(path)[1] or ".html"]
    return media if media == "application/json" else f"{media}; charset=utf-8"

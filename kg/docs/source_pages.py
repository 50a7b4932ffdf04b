"""Pages of the source: statements, evidence, source checks, decisions, references."""

from __future__ import annotations

from collections import defaultdict
from itertools import groupby

from kg.docs import criteria
from kg.docs.book import Node
from kg.docs.grades import checks_of
from kg.docs.links import CONDITIONS, RULES
from kg.docs.render import Site
from kg.terms import GL, RDF, RDFS

_APART = {
    RDF.type, RDFS.label, GL.id, GL.line, GL.kind, GL.direction, GL.strength, GL.ambiguity,
}  # fmt: skip


def statements(site: Site) -> None:
    """An index by section, and a page a statement."""
    book, nodes = site.book, site.book.kind("Statement")
    sections = [
        (section.replace(" > ", " › ") or "Without a section", list(members))
        for section, members in groupby(nodes, key=lambda node: book.first(node.iri, GL.section))
    ]
    lines = sorted(book.kind("SourceLine"), key=lambda node: int(book.first(node.iri, GL.line)))
    site.page("statements.html", "statements.html", "Statements", sections=sections, source_lines=lines)
    for before, node, after in zip([None, *nodes], nodes, [*nodes[1:], None], strict=False):
        _statement(site, node, before, after)


def _statement(site: Site, node: Node, before: Node | None, after: Node | None) -> None:
    book, iri = site.book, node.iri
    resting = book.using(iri, GL.statement, *CONDITIONS)
    decided = {*book.values(iri, GL.ambiguity), *(one.iri for one in book.using(iri, GL.concerns, "Decision"))}
    site.page(
        "statement.html", book.place(iri), f"{node.id} {node.label}", node.label, "statements.html", node=node,
        before=before, after=after, checked=bool(checks_of(book, iri)),
        rules=book.using(iri, GL.statement, *RULES), items=book.using(iri, GL.statement, "DocumentationItem"),
        criteria=[criteria.tree(book, one.iri) for one in resting],
        findings=book.using(iri, GL.statement, "Finding"), decided=sorted(decided),
        rest=[fact for fact in book.facts[iri] if fact.property not in _APART],
    )  # fmt: skip


def evidence(site: Site) -> None:
    """All findings as charts."""
    site.page("evidence.html", "evidence.html", "Evidence", findings=site.book.kind("Finding"))


def checks(site: Site) -> None:
    """All source checks by verdict, those that differ from the source first."""
    book = site.book
    found: dict[str, list[Node]] = defaultdict(list)
    for node in book.kind("SourceCheck"):
        found[book.first(node.iri, GL.checkVerdict)].append(node)
    agreeing = (GL.Confirmed, GL.NotVerified, GL.PartlyConfirmed)
    order = sorted(found, key=lambda verdict: (verdict in agreeing, verdict))
    site.page("checks.html", "checks.html", "Source checks", groups=[(one, found[one]) for one in order])


def decisions(site: Site) -> None:
    """All decisions with the literal reading, the one chosen and what rests on it."""
    book = site.book
    entries = []
    for node in book.kind("Decision"):
        resting: dict[str, list[Node]] = defaultdict(list)
        for one in book.using(node.iri, GL.decision):
            resting["rules" if one.kind in {str(GL) + kind for kind in RULES} else "criteria and flags"].append(one)
        said = {
            *book.values(node.iri, GL.concerns),
            *(one.iri for one in book.using(node.iri, GL.ambiguity, "Statement")),
        }
        entries.append({"node": node, "statements": sorted(said), "counts": sorted(resting.items(), reverse=True)})
    site.page("decisions.html", "decisions.html", "Decisions", entries=entries)


def references(site: Site) -> None:
    """The source, its references with candidate identities, other publications."""
    book = site.book
    entries = []
    for node in book.kind("Reference"):
        candidates = [
            {"node": one, "confidence": said, "percent": round(100 * float(said), 2)}
            for one in book.using(node.iri, GL.candidateFor, "CandidateIdentity")
            if (said := book.first(one.iri, GL.confidence, "0"))
        ]
        candidates.sort(key=lambda one: (-one["percent"], one["node"].iri))
        citing = [one.iri for one in book.using(node.iri, GL.cites, "Statement")]
        entries.append({"node": node, "candidates": candidates, "citing": citing})
    site.page(
        "references.html", "references.html", "References", sources=book.kind("SourceDocument"), references=entries,
        external=book.kind("ExternalReference"),
    )  # fmt: skip

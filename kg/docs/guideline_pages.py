"""Pages of the guideline: start, pathway, rules, criteria, numbers, flags."""

from __future__ import annotations

from collections import defaultdict

from kg.docs import criteria, pathway
from kg.docs.book import Node
from kg.docs.grades import checks_of, findings_of
from kg.docs.links import CONDITIONS, RULES, href
from kg.docs.render import Site
from kg.terms import DCTERMS, GL, RDF, RDFS
from kg.words import humane, number, unit

_USUAL = {RDF.type, RDFS.label, GL.id, GL.statement, GL.decision, GL.basis, GL.needs, GL.direction, GL.strength}
_RULE = _USUAL | {
    GL.treatment, GL.preferredOver, GL.exception, GL.variantOf, GL.compares, GL.role, GL.step, GL.wording, GL.case,
    GL.otherwise,
}  # fmt: skip


LEGEND = (
    ("↑↑", "for, strong"), ("↑?", "for, conditional"), ("↑", "for, strength not stated"), ("↓↓ ↓? ↓", "against, likewise"),
    ("=", "none preferred"), ("≻", "preferred"), ("·", "advice or procedure"),
)  # fmt: skip


def start(site: Site) -> None:
    """What it is, the recommendations by section of the source, the population, what is not covered."""
    book, iri = site.book, site.book.guideline.iri.value
    source = next((book.first(one, DCTERMS.description) for one in book.values(iri, GL.derivedFrom)), "")
    population = book.first(iri, GL.population)
    counts = (
        ("statements.html", "Statement", "statements of the source"), ("criteria.html", CONDITIONS, "criteria"),
        ("evidence.html", "Finding", "findings"), ("checks.html", "SourceCheck", "source checks"),
        ("decisions.html", "Decision", "decisions"), ("flags.html", "Flag", "flags"),
    )  # fmt: skip
    figures = [("rules.html", len(book.kind(*RULES)), "rules")]
    figures += [
        (path, len(book.kind(*([kinds] if isinstance(kinds, str) else kinds))), what) for path, kinds, what in counts
    ]
    site.page(
        "index.html", "index.html", site.frame.title, about(site), sections=glance(site),
        figures=figures, population=criteria.tree(book, population) if population else None,
        legend=LEGEND, guideline={"description": about(site), "caveat": book.first(iri, GL.caveat), "source": source,
                                  "not_covered": book.values(iri, GL.notCovered)},
    )  # fmt: skip


def about(site: Site) -> str:
    """What the guideline's ontology says of itself."""
    return site.book.first(_ontology(site.book.guideline.iri.value), DCTERMS.description)


def glance(site: Site) -> list[tuple[str, list[Node]]]:
    """The rules with an id by section, then the cautions."""
    book = site.book
    cautions = [node for node in book.kind(*RULES) if not node.id]
    return by_section(site, [node for node in book.kind(*RULES) if node.id]) + (
        [("Cautions", cautions)] if cautions else []
    )


def by_section(site: Site, rules: list[Node]) -> list[tuple[str, list[Node]]]:
    """Rules under the section of the source in which they first occur, in the source's order."""
    found: dict[str, list[tuple[str, Node]]] = defaultdict(list)
    firsts = {node.iri: min(site.book.values(node.iri, GL.statement), default="~") for node in rules}
    for node in sorted(rules, key=lambda node: (firsts[node.iri], node.id)):
        section = site.book.first(firsts[node.iri], GL.section).replace(" > ", " › ")
        found[section or "Without a section"].append((firsts[node.iri], node))
    return [(section, [node for _, node in nodes]) for section, nodes in found.items()]


def way(site: Site) -> None:
    """The treatment pathway: diagram, the same in words, DOT text."""
    plan = pathway.plan(site.book, lambda iri: href("pathway.html", site.book.place(iri) or ""))
    groups: dict[str, list[pathway.Step]] = defaultdict(list)
    after: dict[str, list[pathway.Way]] = defaultdict(list)
    for one in plan.steps:
        groups[one.group].append(one)
    for one in plan.ways:
        for rule in one.targets:
            after[rule].append(one)
    text = plan.dot()
    site.page(
        "pathway.html", "pathway.html", "Treatment pathway", dot=text, drawing=pathway.svg(text, "Treatment pathway"),
        groups=list(groups.items()), comes_after=defaultdict(list, after), population=plan.population, exceptions=plan.exceptions,
    )  # fmt: skip


def rules(site: Site) -> None:
    """An index by kind, and a page a rule."""
    book = site.book
    groups = [(nodes[0].sort_label, nodes) for kind in RULES if (nodes := book.kind(kind))]
    site.page("rules.html", "rules.html", "Rules", groups=groups)
    targets: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in site.fetch("treatments"):
        targets[row["rule"], row["aside"]].append(row["treatment"])
    for node in book.kind(*RULES):
        _rule(site, node, targets)


def _rule(site: Site, node: Node, targets: dict[tuple[str, str], list[str]]) -> None:
    book, iri = site.book, node.iri
    statements = book.values(iri, GL.statement)
    named = (("Role", GL.role), ("Step", GL.step), ("Wording", GL.wording), ("Basis", GL.basis))
    pills = [
        (name, humane(book.first(iri, property), book.spellings))
        for name, property in named
        if book.first(iri, property)
    ]
    site.page(
        "rule.html", book.place(iri), f"{node.id} {node.label}".strip(), node.label, "rules.html", node=node,
        pills=pills,
        statements=statements, checked=bool(checks_of(book, iri)),
        treatments=targets[iri, "false"], aside=targets[iri, "true"],
        needs=[criteria.tree(book, one) for one in book.values(iri, GL.needs)],
        compares=[criteria.tree(book, one) for one in book.values(iri, GL.compares)],
        own=criteria.tree(book, iri) if book.values(iri, GL.case) else None,
        items=[_item(site, one) for one in book.using(iri, GL.partOf, "DocumentationItem")],
        exceptions=book.values(iri, GL.exception), excepted=[one.iri for one in book.using(iri, GL.exception)],
        variants=[*book.values(iri, GL.variantOf), *(one.iri for one in book.using(iri, GL.variantOf))],
        findings=findings_of(book, iri), decided=book.values(iri, GL.decision),
        rest=[fact for fact in book.facts[iri] if fact.property not in _RULE],
    )  # fmt: skip


def _item(site: Site, node: Node) -> dict:
    book = site.book
    return {
        "node": node, "needs": [criteria.tree(book, one) for one in book.values(node.iri, GL.needs)],
        "recorded": [criteria.tree(book, one) for one in book.values(node.iri, GL.recordedWhen)],
        "statements": book.values(node.iri, GL.statement), "decisions": book.values(node.iri, GL.decision),
    }  # fmt: skip


def conditions(site: Site) -> None:
    """Every criterion and constraint with what it rests on and who uses it."""
    book = site.book
    apart = {GL.statement, GL.decision}
    entries = [
        {
            "node": node, "tree": criteria.tree(book, node.iri), "ask": book.first(node.iri, GL.ask),
            "decisions": book.values(node.iri, GL.decision), "statements": book.values(node.iri, GL.statement),
            "users": users(site, node.iri, apart),
        }
        for node in sorted(book.kind(*CONDITIONS), key=lambda node: (node.label.lower(), node.iri))
    ]  # fmt: skip
    site.page("criteria.html", "criteria.html", "Criteria", entries=entries)


def users(site: Site, iri: str, apart: set[str]) -> list[Node]:
    """The nodes that refer to one, by themselves or through one of their cases, other than by some properties."""
    book, found = site.book, {}
    for user, how in book.users.get(iri, ()):
        owners = [user] if user in book.nodes else [whole for whole, _ in book.users.get(user, ())]
        found |= {one: book.nodes[one] for one in owners if one in book.nodes and how not in apart}
    return sorted(found.values(), key=lambda node: (node.id or "~", node.label, node.iri))


def numbers(site: Site) -> None:
    """Every threshold, from the query `thresholds`."""
    table = next(table for table in site.tables if table.query.name == "thresholds")
    merged: dict[str, dict] = {}
    for cells in table.rows:
        row = dict(zip(table.names, cells, strict=True))
        entry = merged.setdefault(row["threshold"], {**row, "decisions": set(), "statements": set()})
        entry["decisions"].add(row["decision"])
        entry["statements"].add(row["statement"])
    entries = [
        {
            "iri": iri, "basis": row["basis"], "days": number(row["days"]), "words": _amount(site, iri, row),
            "decisions": _known(site, row["decisions"]), "statements": _known(site, row["statements"]),
        }
        for iri, row in sorted(merged.items(), key=lambda pair: (pair[1]["label"].lower(), pair[0]))
    ]  # fmt: skip
    site.page("numbers.html", "numbers.html", "Numbers", entries=entries)


def _amount(site: Site, iri: str, row: dict) -> str:
    said = criteria.threshold(site.book, iri)
    return said or f"{number(row['value'])} {unit(row['unit'], site.book.units, row['value'])}".strip()


def _known(site: Site, ids: set[str]) -> list[str]:
    return [site.by_id[one] for one in sorted(ids) if one in site.by_id]


def flags(site: Site) -> None:
    """Every flag with what raises it."""
    book = site.book
    entries = [
        {
            "node": node, "needs": [criteria.tree(book, one) for one in book.values(node.iri, GL.needs)],
            "decisions": book.values(node.iri, GL.decision), "statements": book.values(node.iri, GL.statement),
            "rest": [fact for fact in book.facts[node.iri] if fact.property not in _USUAL | {GL.slug}],
        }
        for node in sorted(book.kind("Flag"), key=lambda node: (node.label, node.iri))
    ]  # fmt: skip
    site.page("flags.html", "flags.html", "Flags", entries=entries)


def _ontology(iri: str) -> str:
    """The ontology IRI of a guideline: its namespace without the separator."""
    return iri.rpartition("#")[0]

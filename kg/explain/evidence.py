"""Evidence behind the rules of a treatment, and what checking the statements against the literature showed."""

from __future__ import annotations

from collections.abc import Iterable

import pyoxigraph as ox

from kg.explain.context import Context
from kg.explain.node import Node
from kg.results import checked, statements_behind
from kg.terms import GL, RDF


def evidence(context: Context, rules: Iterable) -> tuple[Node, ...]:
    """The statements behind these rules that report a finding or were checked, each with its checks; the claim is never overwritten."""
    index = context.rules
    said = {one for rule in rules for one in statements_behind(index, rule)}
    rows = []
    for statement in sorted(said, key=lambda one: one.value):
        checks = tuple(Node("check", check["differs"] or check["outcome"].replace("-", " "), result=check["outcome"], source=check["seenIn"] or "",
                            says=(("how seen", check["howSeen"]),) if check["howSeen"] else ()) for check in checked(index, (statement,)))
        finding = next((node for node in index.subjects(GL.statement, statement) if ox.NamedNode(GL.Finding) in index.objects(node, RDF.type)), None)
        if finding is None and not checks:
            continue
        studied = index.value(finding, GL.population) if finding is not None else None
        rows.append(Node("evidence", context.label(statement), id=index.text(statement, GL.id) or "", iri=statement.value,
                         lines=tuple(int(line.value) for line in index.objects(statement, GL.line)),
                         says=(("studied", context.label(studied)),) if studied is not None else (), children=checks))
    return tuple(rows)

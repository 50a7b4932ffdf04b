"""Facts of the patient as nodes: what they say, when, and where they were read."""

from __future__ import annotations

from collections.abc import Iterable

import pyoxigraph as ox

from kg.explain.context import Context, Gap
from kg.explain.node import Node
from kg.terms import PT, RDF

_APART = (PT.about, PT.patient, PT.source, PT.value, PT.unit, PT.partOf, RDF.type)
_SPACE = str(PT)


def fact(context: Context, iri: ox.NamedNode, gaps: Iterable[Gap] = ()) -> Node:
    """A fact: its kind and concept, value with unit, dates and other attributes, origin, and what was measured of it.

    gaps: why it does not meet the criterion it stands below, when it does not."""
    derived = context.derived
    about = derived.value(iri, PT.about)
    kind = next((node for node in derived.objects(iri, RDF.type) if node.value.startswith(_SPACE)), None)
    said = [("value", f"{value} {derived.text(iri, PT.unit) or ''}".strip().replace("{score}", "points")) for value in _texts(derived, iri, PT.value)]
    for predicate in sorted(_predicates(context, iri)):
        if predicate not in _APART:
            name = context.label(ox.NamedNode(predicate)).removeprefix("has ").removeprefix("had ")
            said += [(name, _text(context, value)) for value in derived.objects(iri, predicate)]
    gaps = tuple(gaps)
    failed = dict.fromkeys(gap.failed for gap in gaps if gap.failed)
    said += [("fails", text) for text in failed]
    parts = tuple(fact(context, part) for part in derived.subjects(PT.partOf, iri))
    return Node("fact", f"{context.label(kind) if kind else 'Fact'}: {context.label(about) if about is not None else derived.text(iri, PT.text) or ''}".rstrip(": "),
                iri=iri.value, says=tuple(said), source=derived.text(iri, PT.source) or "", reasons=tuple(sorted({gap.reason for gap in gaps})), children=parts)


def _predicates(context: Context, iri: ox.NamedNode) -> set[str]:
    return {predicate for predicate in context.derived.predicates(iri) if predicate.startswith(_SPACE)}


def _texts(derived, iri: ox.NamedNode, predicate: str) -> list[str]:
    return [term.value for term in derived.objects(iri, predicate)]


def _text(context: Context, term) -> str:
    return term.value if isinstance(term, ox.Literal) else context.label(term)

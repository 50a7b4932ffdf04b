"""Why one treatment and not another: the two verdicts side by side, and what differs between them."""

from __future__ import annotations

from kg.explain.context import Context
from kg.explain.node import Contrast, Difference, Node
from kg.explain.verdicts import verdict


def contrast(context: Context, row: dict, slug: str, other: str) -> Contrast:
    """Two verdicts of one patient side by side. Criteria are about the patient and so the same for both; what differs is which rules
    speak of the treatment and apply, what bars it, what is preferred. Raises KeyError when no treatment has a slug."""
    left, right = verdict(context, row, slug), verdict(context, row, other)
    pairs = [("verdict", left.result, right.result), *((name, left.said(name), right.said(name)) for name in ("strength", "role", "step", "reason", "current"))]
    pairs += [(f"{name}", _rule(left, key), _rule(right, key)) for key, name in _rules(left, right)]
    pairs += [(f"bar: {label}", _bar(left, label), _bar(right, label)) for label in dict.fromkeys(bar.label for node in (left, right) for bar in _bars(node))]
    pairs += [("closest to applying", _closest(left), _closest(right)), ("stands in the way", _obstacles(left), _obstacles(right)), ("preferred over it", _preferred(left), _preferred(right))]
    return Contrast(left, right, tuple(Difference(what, one, two) for what, one, two in pairs if one != two))


def _sides(node: Node) -> list[Node]:
    return [child for side in node.of("side") for child in side.children]


def _rules(*nodes: Node) -> list[tuple[str, str]]:
    found = {child.iri: f"{child.id} {child.label}" for node in nodes for child in _sides(node) if child.kind == "recommendation"}
    return sorted(found.items(), key=lambda item: item[1])


def _rule(node: Node, iri: str) -> str:
    """How a rule stands to a treatment."""
    one = next((child for child in _sides(node) if child.iri == iri), None)
    return "does not speak of it" if one is None else f"{one.said('direction')}: {one.result.replace('-', ' ')}"


def _bars(node: Node) -> list[Node]:
    return [child for child in _sides(node) if child.kind == "bar"]


def _bar(node: Node, label: str) -> str:
    return next((bar.result for bar in _bars(node) if bar.label == label), "")


def _closest(node: Node) -> str:
    return next((f"{one.id} {one.label}".strip() for one in node.of("closest")), "")


def _obstacles(node: Node) -> str:
    return "; ".join(f"{child.label} ({child.result})" for one in node.of("closest") for child in one.children)


def _preferred(node: Node) -> str:
    return ", ".join(one.label for one in node.of("preference") if one.result == "preferred-over-it")

"""An explanation as a fragment of HTML: nested lists that open, no script, no style of its own, no outside address."""

from __future__ import annotations

from html import escape

from kg.explain import words
from kg.explain.node import Contrast, Node


def html(tree: Node | Contrast, level: int = 3) -> str:
    """A self-contained, well-formed fragment. Class names begin with `kg-`; what decides stands open, the rest is folded.

    `level` is that of its topmost heading."""
    if isinstance(tree, Contrast):
        return _contrast(tree)
    head = "".join(f"<p class=\"kg-says\">{escape(line)}</p>" for line in words.about(tree))
    sides = "".join(_side(side, level + 1) for side in tree.of("side"))
    rest = "".join(_section(name, tree.of(name), level + 1) for name in words.SECTIONS)
    return (f'<article class="kg-verdict kg-{escape(tree.result)}"><h{level}>{escape(tree.label)}: <span class="kg-result">{escape(words.result("verdict", tree.result))}</span></h{level}>'
            f'{head}{"".join(_list(tree.of("population")))}<div class="kg-sides">{sides}</div>{rest}</article>')


def _contrast(tree: Contrast) -> str:
    head = "".join(f'<th scope="col">{escape(text)}</th>' for text in ("", tree.left.label, tree.right.label))
    rows = "".join(f'<tr><th scope="row">{escape(row.what)}</th><td>{escape(_value(row.what, row.left))}</td><td>{escape(_value(row.what, row.right))}</td></tr>' for row in tree.differences)
    return (f'<section class="kg-contrast"><table class="kg-differences"><caption>{escape(tree.left.label)} and {escape(tree.right.label)}: what differs</caption>'
            f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{html(tree.left)}{html(tree.right)}</section>")


def _value(what: str, value: str) -> str:
    return words.result("verdict", value) if what == "verdict" else words.reason(value)


def _side(side: Node, level: int) -> str:
    return f'<section class="kg-side kg-{escape(side.id)}"><h{level}>{escape(words.SIDES[side.id])}</h{level}>{_list(side.children) or "<p>nothing</p>"}</section>'


def _section(name: str, nodes: tuple[Node, ...], level: int) -> str:
    return f'<section class="kg-section kg-section-{name}"><h{level}>{escape(words.SECTIONS[name])}</h{level}>{_list(nodes)}</section>' if nodes else ""


def _list(nodes: tuple[Node, ...]) -> str:
    return f'<ul class="kg-list">{"".join(map(_item, nodes))}</ul>' if nodes else ""


def _item(node: Node) -> str:
    state = f" kg-{escape(node.result)}" if node.result and node.kind != "check" else ""
    aside = "" if node.decides else " kg-aside"
    notes = "".join(f'<small class="kg-note">{escape(note)}</small>' for note in words.notes(node))
    line = f'<span class="kg-label">{escape(words.line(node))}</span>{notes}'
    if not node.children:
        return f'<li class="kg-node kg-{node.kind}{state}{aside}">{line}</li>'
    opened = ' open=""' if node.decides and node.result not in ("met", "does-not-apply") and node.kind not in ("evidence", "flag", "fact") else ""
    return f'<li class="kg-node kg-{node.kind}{state}{aside}"><details{opened}><summary>{line}</summary>{_list(node.children)}</details></li>'

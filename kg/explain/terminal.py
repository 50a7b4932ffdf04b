"""An explanation in the terminal: rich trees, cut to what decides."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.tree import Tree

from kg.explain import words
from kg.explain.node import Contrast, Node

_COLOURS = {"eligible": "bold green", "contraindicated": "bold red", "advised-against": "bold red", "undetermined": "bold yellow",
            "met": "green", "applies": "green", "unmet": "red", "unknown": "yellow"}


def verdict(console: Console, tree: Node, patient: str, as_of: str) -> None:
    """Print the tree of one verdict: for and against side by side, then what decides down to the facts."""
    colour = _COLOURS.get(tree.result, "bold")
    console.print(f"[bold]{escape(tree.label)}[/bold] for {escape(patient)} as of {as_of}: [{colour}]{escape(words.result('verdict', tree.result))}[/]")
    for line in words.about(tree):
        console.print(f"  {escape(line)}")
    console.print(_sides(tree))
    for node in tree.of("population"):
        console.print(_tree(node))
    for side in tree.of("side"):
        for node in side.children:
            if side.id != "beside" and node.result in ("applies", "unknown"):                # else the closest says what stands in the way
                console.print(_tree(node))
    for name, title in words.SECTIONS.items():
        nodes = tree.of(name)
        if nodes and name == "not-checked":
            console.print(f"\n! {title.lower()}: {escape('; '.join(node.label for node in nodes))}")
        elif nodes:
            console.print(f"\n[bold]{title}[/bold]")
            for node in nodes:
                console.print(_short(node) if name == "closest" else _tree(node))


def contrast(console: Console, tree: Contrast, patient: str, as_of: str) -> None:
    """Print what differs between two verdicts, side by side."""
    console.print(f"[bold]{escape(tree.left.label)}[/bold] and [bold]{escape(tree.right.label)}[/bold] for {escape(patient)} as of {as_of}: what differs")
    table = Table("", tree.left.label, tree.right.label, box=None, pad_edge=False)
    for row in tree.differences:
        values = (words.result("verdict", value) if row.what == "verdict" else words.reason(value) for value in (row.left, row.right))
        table.add_row(escape(row.what), *map(escape, values))
    console.print(table)
    if not tree.differences:
        console.print("nothing")
    for side in (tree.left, tree.right):
        if unchecked := side.of("not-checked"):
            console.print(f"! {escape(side.label)}: {words.SECTIONS['not-checked'].lower()}: {escape('; '.join(node.label for node in unchecked))}")


def _sides(tree: Node) -> Table:
    table = Table(*(words.SIDES[side] for side in ("for", "against")), box=None, pad_edge=False)
    columns = [[words.line(node) for node in side.children] or ["nothing"] for side in tree.of("side") if side.id != "beside"]
    for place in range(max(map(len, columns))):
        table.add_row(*(escape(column[place]) if place < len(column) else "" for column in columns))
    return table


def _tree(node: Node) -> Tree:
    root = Tree(_line(node))
    _grow(root, node)
    return root


def _short(node: Node) -> Tree:
    """A node with what stands in the way, each with the reason and the facts at fault."""
    root = Tree(_line(node))
    for child in node.children:
        _grow(root.add(_line(child)), child)
    return root


def _grow(branch: Tree, node: Node) -> None:
    shown = [child for child in node.children if child.decides]
    for child in shown:
        if child.kind == "group":
            below = [one for one in child.children if one.decides]
            under = branch if node.kind == "recommendation" else branch.add(_line(child)) if len(below) > 1 else branch
            for one in below:
                _grow(under.add(_line(one)), one)
        else:
            _grow(branch.add(_line(child)), child)


def _line(node: Node) -> str:
    text = escape(words.line(node))
    against = node.kind == "bar" or node.said("direction") in ("against", "caution")
    colour = None if node.kind == "closest" else "red" if against and node.result == "applies" else _COLOURS.get(node.result)
    notes = "  ".join(words.notes(node))
    return (f"[{colour}]{text}[/]" if colour else text) + (f"  [dim]{escape(notes)}[/dim]" if notes else "")

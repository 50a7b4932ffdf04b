"""Explanations: one neutral tree a verdict, shown in the terminal, as HTML and as JSON.

    context = prepare(evaluation)
    tree = verdict(context, context.rows[0], "the-treatment")
    fragment = html(tree)
"""

from kg.explain.context import Context, prepare
from kg.explain.contrast import contrast
from kg.explain.node import Contrast, Difference, Node, as_json
from kg.explain.page import html
from kg.explain.verdicts import CLOSENESS, verdict

__all__ = ["CLOSENESS", "Context", "Contrast", "Difference", "Node", "as_json", "contrast", "html", "prepare", "verdict"]

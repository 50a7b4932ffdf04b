"""Words and symbols of explanations: every result has both, never colour alone."""

from __future__ import annotations

from kg.explain.node import Node
from kg.words import REASONS, STRENGTHS

RESULTS = {
    "met": "✓ met", "unmet": "✗ not met", "unknown": "? unknown", "applies": "✓ applies", "does-not-apply": "✗ does not apply", "not-applicable": "– outside the population",
    "holds": "✓ holds", "may-hold": "? may hold", "does-not-hold": "✗ does not hold", "not-met": "✗ not met", "indeterminate": "~ in between",
}  # fmt: skip
VERDICTS = {
    "eligible": "✓ ELIGIBLE", "contraindicated": "⨯ CONTRAINDICATED on the record", "advised-against": "⨯ ADVISED AGAINST by the guideline", "undetermined": "? UNDETERMINED",
    "not-indicated": "– NOT INDICATED (this does not mean stop)", "not-applicable": "– OUTSIDE THE GUIDELINE'S POPULATION",
}  # fmt: skip
SECTIONS = {
    "closest": "What comes closest, and what stands in its way", "prerequisite": "Before it is considered", "preference": "Preferences", "conflict": "Where the guideline pulls apart",
    "flag": "Review flags", "evidence": "Evidence as the source states it, and what a check of the literature showed", "not-checked": "Not checked, the source is silent",
}  # fmt: skip


def result(kind: str, value: str) -> str:
    """Symbol and words of a result; a check's outcome and a conflict's resolution speak for themselves."""
    return VERDICTS.get(value, value) if kind == "verdict" else RESULTS.get(value, value.replace("-", " "))


def strength(value: str) -> str:
    """The strength of a verdict, in symbols and words."""
    return dict(STRENGTHS).get(value, value)


def reason(value: str) -> str:
    """Why nothing is indicated; never to be read as an advice to stop."""
    return REASONS.get(value, value)


def place(lines: tuple[int, ...], statements: tuple[str, ...]) -> str:
    """Source lines and statements, or "" where there are none."""
    numbers = f"line{'s' if len(lines) > 1 else ''} {', '.join(map(str, lines))}" if lines else ""
    return "; ".join(part for part in (numbers, ", ".join(statements)) if part)


SIDES = {"for": "For", "against": "Against", "beside": "Said beside it"}
_QUIET = ("asks", "current", "direction", "fails", "leads to", "strength", "wording", "reason", "rule", "not met", "unknown")


def about(verdict: Node) -> tuple[str, ...]:
    """What a verdict says of itself beside its value: strength, role and step, why nothing is indicated, what is going on."""
    grade = strength(verdict.said("strength")) if verdict.said("strength") else ""
    place_ = [f"{name}: {verdict.said(name)}" for name in ("role", "step") if verdict.said(name)]
    said = (grade, *place_)
    return tuple(line for line in ("; ".join(part for part in said if part), reason(verdict.said("reason")), verdict.said("current")) if line)


def line(node: Node) -> str:
    """A node in one line: its result in words and symbol, its id, its label."""
    state = result(node.kind, node.result) if node.result else ""
    if node.kind in ("check", "conflict"):
        state = state.lower() if node.kind == "check" else ""
    if node.kind == "preference":
        return f"{node.label} is preferred over it" if node.result == "preferred-over-it" else f"preferred over {node.label}"
    if node.kind == "missing":
        return f"→ {node.label}"
    if node.kind == "fact":
        values = [f"{name} {value}" if name != "value" else value for name, value in node.says if name != "fails"]
        return f"• {node.label}: {', '.join(values)}" if values else f"• {node.label}"
    if node.kind == "group":
        return node.label
    named = node.kind in ("recommendation", "closest", "exception", "prerequisite", "statement", "evidence")
    label = f"{node.id} {node.label}" if named and node.id and node.id != node.label else node.label
    label = f"unless {label}" if node.kind == "exception" else label
    return f"{state}: {label}" if state else label


def notes(node: Node) -> tuple[str, ...]:
    """What stands small beside a node: direction and strength, reason codes, basis with decisions, place in the source, origin."""
    found = []
    if node.said("direction"):
        found.append(", ".join(part for part in (node.said("direction"), node.said("strength"), f"worded “{node.said('wording')}”" if node.said("wording") else "") if part))
    if node.kind == "closest" and node.id:
        found.append(f"not met: {node.said('not met')}; unknown: {node.said('unknown')}; closest: {node.said('rule')}")
    if node.kind != "fact":
        found += [f"{name}: {value}" for name, value in node.says if name not in _QUIET]
    found += [f"fails: {value}" for name, value in node.says if name == "fails"]
    found += [f"{text.lower()} ({code})" for code, text in node.reasons]
    if node.basis:
        found.append(" ".join((node.basis, *node.decisions)))
    found += [part for part in (place(node.lines, node.statements),) if part]
    if node.source:
        found.append(f"from {node.source}" if node.kind == "fact" else node.source)
    return tuple(found)

"""Criteria as trees: how a combination came about, down to the facts that were judged."""

from __future__ import annotations

import pyoxigraph as ox

from kg.explain.context import Context
from kg.explain.facts import fact
from kg.explain.node import Node
from kg.results import word
from kg.terms import GL, local

_HOLDS = {"0": "does-not-hold", "1": "may-hold", "2": "holds"}
_DEGREES = {"0": "unmet", "1": "unknown", "2": "met"}
_IS = {"met": "is met", "unmet": "is not met", "not-met": "is not met for sure", "answered": "is answered"}
#: What a count or a total says of itself beside its result.
_MEASURED = ((GL.counted, "counted for certain"), (GL.daysAtLeast, "days at least"), (GL.daysAtMost, "days at most"))


def criterion(context: Context, patient, iri, decides: bool = True) -> Node:
    """A criterion with its result, its basis, and below it what it is made of, or the facts that were judged.

    Of a combination, the parts that do not bear on its result are marked so (`decides`)."""
    rules, result = context.rules, context.result(patient, iri)
    below = _parts(context, patient, iri, result) or _judged(context, patient, iri)
    ask = rules.text(iri, GL.ask)
    if result == "unknown" and ask:
        below = (*below, Node("missing", ask))
    own = tuple(sorted({gap.reason for gap in context.gaps.get((patient, iri), ())}))
    return Node("criterion", context.label(iri), id=local(iri.value), iri=iri.value, result=result, says=_says(context, patient, iri), basis=rules.text(iri, GL.basis) or "",
                decisions=tuple(local(one.value) for one in rules.objects(iri, GL.decision)), reasons=own or _inherited(below, result),
                decides=decides, children=below, **source(context, iri))


def source(context: Context, iri) -> dict:
    """The statements that a rule or criterion encodes, by id, and their lines in the source."""
    said = context.rules.objects(iri, GL.statement)
    lines = {int(line.value) for one in said for line in context.rules.objects(one, GL.line)}
    return {"statements": tuple(context.rules.text(one, GL.id) or local(one.value) for one in said), "lines": tuple(sorted(lines))}


def cases(context: Context, patient, iri) -> tuple[Node, ...]:
    """The cases of a decision in their order, each with what it asks; those read after the first that surely holds do not decide."""
    rules, derived = context.rules, context.derived
    judged = sorted(context.cases.get((patient, iri), ()), key=lambda node: int(derived.text(node, GL.order)))
    rows, open_ = [], True
    for node in judged:
        case, holds = derived.value(node, GL.judgedCase), derived.text(node, GL.holds)
        asked, then = rules.value(case, f"{GL}if"), rules.value(case, GL.then if case != iri else GL.otherwise)
        outcome = derived.value(node, GL.outcome)
        leads = _DEGREES[outcome.value] if isinstance(outcome, ox.Literal) else word(outcome).removeprefix("prerequisite-")
        follows = () if rules.value(then, GL.basis) is None else (criterion(context, patient, then, open_),)
        if asked is None:
            rows.append(Node("case", f"otherwise: {leads}", result=_HOLDS[holds], says=(("leads to", leads),), decides=open_, children=follows))
        else:
            label = f"if “{context.label(asked)}” {_IS[word(rules.value(case, f'{GL}is'))]}: {leads}"
            rows.append(Node("case", label, id=local(case.value), result=_HOLDS[holds], says=(("leads to", leads),), decides=open_,
                             children=(criterion(context, patient, asked, open_), *follows)))
        open_ = open_ and holds != "2"
    return tuple(rows)


def _parts(context: Context, patient, iri, result: str) -> tuple[Node, ...]:
    rules = context.rules
    parts = rules.objects(iri, GL.of)
    if parts:
        every = rules.value(iri, GL.combine).value == GL.All
        # of all: what keeps it from being met; of any: what makes it met, or open
        bearing = {result} if result != ("met" if every else "unmet") else {"met", "unmet", "unknown"}
        below = tuple(criterion(context, patient, part, context.result(patient, part) in bearing) for part in parts)
        return (Node("group", "all of these" if every else "any of these", id="all" if every else "any", result=result, children=below),)
    if rules.value(iri, GL.case) is not None:
        return (Node("group", "the first case that holds", id="cases", result=result, children=cases(context, patient, iri)),)
    return ()


def _judged(context: Context, patient, iri) -> tuple[Node, ...]:
    gaps = context.gaps.get((patient, iri), ())
    facts = dict.fromkeys((*context.facts(patient, iri), *(gap.fact for gap in gaps if gap.fact is not None)))
    rows = [fact(context, one, (gap for gap in gaps if gap.fact == one)) for one in facts]
    others = [one for name in (GL.first, GL.second, GL.amongCounted) for one in context.rules.objects(iri, name)]
    return (*(criterion(context, patient, one) for one in dict.fromkeys(others)), *rows)


def _says(context: Context, patient, iri) -> tuple[tuple[str, str], ...]:
    rules, node = context.rules, context.results.get((patient, iri))
    asks = [("asks", rules.text(one, "http://www.w3.org/2000/01/rdf-schema#label")) for one in rules.objects(iri, GL.constraint)]
    needed = [("days asked for", limit) for limit in filter(None, [rules.text(iri, GL.limit)])]
    measured = [(name, value) for predicate, name in _MEASURED if node is not None for value in filter(None, [context.derived.text(node, predicate)])]
    return tuple([*asks, *measured, *needed])


def _inherited(below: tuple[Node, ...], result: str) -> tuple[tuple[str, str], ...]:
    """The reasons of a combination: those of the parts that would have had to be met and are not."""
    if result == "met":
        return ()
    codes: set[tuple[str, str]] = set()
    for node in below:
        if node.kind == "group":
            for part in node.children:
                wanted = part if part.kind == "criterion" else _toward(part)
                if wanted is not None and wanted.decides and wanted.result != "met":
                    codes.update(wanted.reasons)
    return tuple(sorted(codes))


def _toward(case: Node) -> Node | None:
    """The criterion of a case that would have led to met, that is open, or whose answer is taken over."""
    criteria = case.of("criterion")
    if case.result == "may-hold" and criteria:
        return criteria[0]
    return criteria[-1] if criteria and (case.said("leads to") == "met" or len(criteria) > 1 or case.label.startswith("otherwise")) else None

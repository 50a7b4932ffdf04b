"""The tree of one verdict: what stands for and against it, what comes closest, what else concerns the treatment."""

from __future__ import annotations

import pyoxigraph as ox

from kg.explain.context import Context
from kg.explain.criteria import cases, criterion, source
from kg.explain.evidence import evidence
from kg.explain.facts import fact
from kg.explain.node import Node
from kg.results import word
from kg.terms import GL, RDF, local

#: The rule of closeness, shown beside its result.
CLOSENESS = "fewest criteria that are not met, then fewest that are unknown, then the stronger recommendation, then the smaller number"
_STATUS = {"status-unknown": "unknown"}
_SIDES = {GL.For: "for", GL.Against: "against"}
_IN_THE_WAY = ("unmet", "unknown")


def verdict(context: Context, row: dict, slug: str) -> Node:
    """Explain one verdict of a patient.

    row: the patient's results (kg.results.results), one of `context.rows`. Raises KeyError when no treatment has this slug."""
    treatment = next((one for one in row["treatments"] if one["treatment"] == slug), None)
    if treatment is None:
        raise KeyError(slug)
    patient, target = ox.NamedNode(row["iri"]), ox.NamedNode(treatment["iri"])
    bars = _bars(context, patient, target)
    rules = _recommendations(context, patient, target)
    sides = {name: tuple(node for side, node in rules if side == name) for name in ("for", "against", "beside")}
    closest = () if treatment["verdict"] == "eligible" else (_closest(sides["for"], (*bars, *_applying(sides["against"]))),)
    said = [(name, treatment[key]) for name, key in (("strength", "strength"), ("role", "role"), ("step", "step"), ("reason", "reason")) if treatment[key]]
    if treatment["current"]:
        said.append(("current", "the patient is on it"))
    children = (
        *_population(context, row, patient),
        Node("side", "for", id="for", children=sides["for"]),
        Node("side", "against", id="against", children=(*bars, *sides["against"])),
        *((Node("side", "beside", id="beside", children=sides["beside"]),) if sides["beside"] else ()),
        *closest,
        *_prerequisites(context, patient, target),
        *_preferences(context, row, treatment),
        *_conflicts(context, patient, slug, row),
        *_flags(context, patient, row, target),
        *evidence(context, _speaking(sides, closest)),
        *(Node("not-checked", one) for one in (row["notChecked"] if treatment["notChecked"] else ())),
    )
    return Node("verdict", treatment["label"], id=slug, iri=treatment["iri"], result=treatment["verdict"], says=tuple(said), children=children)


def rank(node: Node) -> tuple:
    """What the closeness of a recommendation node is ordered by, the closest first."""
    results = [one.result for one in asked(node)]
    strength = {"strong": 0, "conditional": 1}.get(node.said("strength"), 2)
    return results.count("unmet"), results.count("unknown"), strength, node.id, node.iri


def _speaking(sides: dict[str, tuple[Node, ...]], closest: tuple[Node, ...]) -> list:
    """The rules whose evidence matters: those that apply or are open, and the one that comes closest."""
    nodes = (*_applying(tuple(node for side in sides.values() for node in side)), *closest)
    return [ox.NamedNode(node.iri) for node in nodes if node.iri]


def asked(node: Node) -> tuple[Node, ...]:
    """The criteria that a recommendation asks for itself."""
    return tuple(one for group in node.of("group") for one in group.children)


def _applying(nodes: tuple[Node, ...]) -> tuple[Node, ...]:
    return tuple(node for node in nodes if node.result in ("applies", "unknown"))


def _population(context: Context, row: dict, patient) -> tuple[Node, ...]:
    if row["applicability"] == "applies":
        return ()
    population = context.rules.value(ox.NamedNode(row["guideline"]["iri"]), GL.population)
    return (Node("population", row["guideline"]["label"], result=row["applicability"], children=(criterion(context, patient, population),)),)


def _bars(context: Context, patient, target) -> tuple[Node, ...]:
    derived, rows = context.derived, []
    for bar in derived.subjects(GL.treatment, target):
        if ox.NamedNode(GL.Bar) in derived.objects(bar, RDF.type) and derived.value(bar, GL.patient) == patient:
            kind = derived.value(bar, GL.barKind)
            facts = tuple(fact(context, one) for one in derived.objects(bar, GL.usedFact))
            known = derived.text(bar, GL.degree) == "2"
            ask = context.rules.text(kind, GL.ask)
            rows.append(Node("bar", context.label(kind), id=word(kind), result="applies" if known else "unknown",
                             children=facts if known or not ask else (*facts, Node("missing", ask))))
    return tuple(rows)


def _rules_for(context: Context, target) -> list:
    return context.rules.subjects(GL.targets, target)


def _recommendations(context: Context, patient, target) -> list[tuple[str, Node]]:
    rows = []
    for status in context.derived.subjects(GL.treatment, target):
        if ox.NamedNode(GL.RecommendationStatus) in context.derived.objects(status, RDF.type) and context.derived.value(status, GL.patient) == patient:
            rule = context.derived.value(status, GL.recommendation)
            direction = context.rules.text(rule, GL.direction)
            side = "against" if direction is None else _SIDES.get(direction, "beside")                # a caution has no direction and can bar
            rows.append((side, recommendation(context, patient, status)))
    return sorted(rows, key=lambda row: (row[1].id, row[1].iri))


def recommendation(context: Context, patient, status) -> Node:
    """A rule for one treatment: its status, its criteria, what it compares, its exceptions, what the source says."""
    rules, derived = context.rules, context.derived
    rule = derived.value(status, GL.recommendation)
    parts = [criterion(context, patient, one) for one in rules.objects(rule, GL.needs)]
    parts += [_comparison(context, one, parts, derived.text(status, GL.degree)) for one in rules.objects(rule, GL.compares)]
    direction, strength = rules.value(rule, GL.direction), rules.value(rule, GL.strength)
    said = [("direction", word(direction) or "caution"), *((("strength", word(strength)),) if strength is not None else ()),
            *((("wording", text),) if (text := rules.text(rule, GL.wording)) else ())]
    statements = tuple(Node("statement", context.label(one), id=rules.text(one, GL.id) or "", lines=tuple(int(line.value) for line in rules.objects(one, GL.line)))
                       for one in rules.objects(rule, GL.statement))
    value = word(derived.value(status, GL.status))
    return Node("recommendation", context.label(rule), id=rules.text(rule, GL.id) or "", iri=rule.value, result=_STATUS.get(value, value),
                says=tuple(said), basis=rules.text(rule, GL.basis) or "", decisions=tuple(local(one.value) for one in rules.objects(rule, GL.decision)),
                children=(Node("group", "all of these", id="all", children=tuple(parts)), *_exceptions(context, patient, rule, status), *statements), **source(context, rule))


def _comparison(context: Context, iri, parts: list[Node], degree: str) -> Node:
    """What a rule compares its treatment with. Its result is known where it decides the status; where another criterion does, none is shown."""
    worst = min((("unmet", "unknown", "met").index(part.result) for part in parts), default=2)
    decides = int(degree) < worst or worst == 2
    result = ("unmet", "unknown", "met")[int(degree)] if decides else ""
    ask = context.rules.text(iri, GL.ask)
    reasons = {"unmet": (context.coded("GapInvalidAttribute"),), "unknown": (context.coded("GapMissing"),)}.get(result, ())
    return Node("comparison", context.label(iri), id=local(iri.value), iri=iri.value, result=result, basis=context.rules.text(iri, GL.basis) or "", reasons=reasons,
                decisions=tuple(local(one.value) for one in context.rules.objects(iri, GL.decision)), decides=decides,
                children=(Node("missing", ask),) if result == "unknown" and ask else ())


def _exceptions(context: Context, patient, rule, status) -> tuple[Node, ...]:
    rows, target = [], context.derived.value(status, GL.treatment)
    for other in context.rules.objects(rule, GL.exception):
        own = next((node for node in context.derived.subjects(GL.recommendation, other)
                    if (context.derived.value(node, GL.patient), context.derived.value(node, GL.treatment)) == (patient, target)), None)
        value = word(context.derived.value(own, GL.status)) if own is not None else "does-not-apply"
        rows.append(Node("exception", context.label(other), id=context.rules.text(other, GL.id) or local(other.value), iri=other.value, result=_STATUS.get(value, value)))
    return tuple(rows)


def _closest(for_it: tuple[Node, ...], in_the_way: tuple[Node, ...]) -> Node:
    if not for_it:
        return Node("closest", "the guideline has no recommendation for it", children=in_the_way)
    best = min(for_it, key=rank)
    unmet, unknown, *_ = rank(best)
    lacking = tuple(one for one in asked(best) if one.result in _IN_THE_WAY)
    level = ", ".join(node.id for node in for_it if node is not best and rank(node)[:2] == (unmet, unknown))
    said = (("not met", str(unmet)), ("unknown", str(unknown)), *((("as close", level),) if level else ()), ("rule", CLOSENESS))
    return Node("closest", best.label, id=best.id, iri=best.iri, result=best.result, says=said, children=(*in_the_way, *lacking))


def _prerequisites(context: Context, patient, target) -> tuple[Node, ...]:
    rows = []
    for status in context.derived.subjects(GL.treatment, target):
        if ox.NamedNode(GL.PrerequisiteStatus) in context.derived.objects(status, RDF.type) and context.derived.value(status, GL.patient) == patient:
            rule = context.derived.value(status, GL.rule)
            result = word(context.derived.value(status, GL.prerequisite)).removeprefix("prerequisite-")
            group = Node("group", "the first case that holds", id="cases", children=cases(context, patient, rule))
            rows.append(Node("prerequisite", context.label(rule), id=context.rules.text(rule, GL.id) or "", iri=rule.value, result=result, children=(group,), **source(context, rule)))
    return tuple(rows)


def _preferences(context: Context, row: dict, treatment: dict) -> tuple[Node, ...]:
    labels = {one["treatment"]: one["label"] for one in row["treatments"]}
    return (*(Node("preference", labels[one], id=one, result="preferred-over-it") for one in treatment["lessPreferredThan"]),
            *(Node("preference", labels[one], id=one, result="less-preferred") for one in treatment["preferredOver"]))


def _conflicts(context: Context, patient, slug: str, row: dict) -> tuple[Node, ...]:
    labels, applies = {one["treatment"]: one["label"] for one in row["treatments"]}, context.label(ox.NamedNode(GL.Applies))
    groups: dict = {}
    for one in context.conflicts.get(patient, ()):
        if slug in one.treatments:
            others = groups.setdefault((one.type, one.standing, one.rules, one.resolution, one.by), [])
            others += [labels[other] for other in one.treatments if other != slug]
    rows = []
    for (kind, standing, rules, resolution, by), others in groups.items():
        said = [("rules", "both apply" if standing == applies else "still open whether both apply"), ("resolved", f"{resolution} ({by})" if by else resolution)]
        if others:
            said.append(("other treatments", ", ".join(dict.fromkeys(others))))
        pair = tuple(Node("statement", context.label(rule), id=context.rules.text(rule, GL.id) or local(rule.value), iri=rule.value, **source(context, rule)) for rule in rules)
        rows.append(Node("conflict", kind, id="-".join(node.id for node in pair), result=resolution, says=tuple(said), children=pair))
    return tuple(rows)


def _flags(context: Context, patient, row: dict, target) -> tuple[Node, ...]:
    """The raised flags that concern a treatment: all but those whose criteria only rules for other treatments share."""
    raised = {flag["flag"]: flag for flag in row["flags"]}
    own = _reads(context, _rules_for(context, target))
    everywhere, rows = _reads(context, _rules_with_targets(context)), []
    for node in context.derived.subjects(GL.patient, patient):
        flag = context.derived.value(node, GL.flag)
        if flag is None:
            continue
        drawn = {source for need in context.rules.objects(flag, GL.needs) for source in context.rules.objects(need, GL.drawsOn)}
        if not drawn & everywhere or drawn & own:
            found = raised[context.rules.text(flag, GL.slug)]
            facts = tuple(fact(context, ox.NamedNode(iri)) for iri in found["facts"])
            rows.append(Node("flag", found["label"], id=found["flag"], iri=flag.value, decisions=tuple(local(one.value) for one in context.rules.objects(flag, GL.decision)), children=facts))
    return tuple(sorted(rows, key=lambda node: node.id))


def _rules_with_targets(context: Context) -> list:
    kinds = (GL.Recommendation, GL.Caution)
    return [rule for kind in kinds for rule in context.rules.subjects(RDF.type, ox.NamedNode(kind))]


def _reads(context: Context, rules: list) -> set:
    """The judged criteria below what rules ask for, the population's apart: it is asked by every rule."""
    shared = {context.rules.value(guideline, GL.population) for guideline in context.rules.subjects(RDF.type, ox.NamedNode(GL.Guideline))}
    needs = {need for rule in rules for need in context.rules.objects(rule, GL.needs)} - shared
    return {leaf for need in needs for leaf in context.rules.objects(need, GL.drawsOn)}

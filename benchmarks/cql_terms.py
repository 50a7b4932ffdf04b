"""What the CQL library must not type itself: value sets, limits and drugs of the guideline, from the closed graph."""

from __future__ import annotations

import pyoxigraph as ox

from kg.guideline import Guideline
from kg.index import Index
from kg.terms import GL, SKOS, local

_RULES = "https://w3id.org/sacroiliitis-kg/guideline/refractory-sacroiliitis#"
_CRITERIA = ("pain-intensity", "pain-duration-recorded", "pain-since-onset", "asdas-high", "basdai-high", "scored", "asserted-active", "isolated-sacroiliitis",
             "sacroiliitis-diagnosis", "axial-spondyloarthritis-diagnosis", "latest-injection-helped", "nsaid-days", "tnf-inhibitor-failed",
             "il17-inhibitor-failed", "targeted-biologic-failed", "other-biologic-goes-on", "biologic-starting", "short-oral-glucocorticoid")
_DRUGS = ("nsaid-days", "tnf-inhibitor-failed", "il17-inhibitor-failed", "targeted-biologic-failed", "other-biologic-goes-on", "biologic-starting",
          "short-oral-glucocorticoid")
#: What the library calls a limit: where the graph keeps it.
_LIMITS = {
    "stale": ("staleness", "limit"), "painScore": ("pain-intensity.value", "limit"), "painOnset": ("since-onset.days", "limit"),
    "painDuration": ("pain-duration-recorded.days", "limit"), "nsaidDays": ("nsaid-days", "limit"), "nsaidInference": ("nsaid-inference", "limit"),
    "evaluation": ("not-premature", "limit"), "asdasHigh": ("asdas-high.value", "limit"), "asdasLow": ("asdas-inactive.value", "limit"),
    "basdaiHigh": ("basdai-high.value", "limit"), "reliefPercent": ("relief-percent", "limit"), "reliefPercentFrom": ("relief-percent", "notBefore"),
    "reliefDuration": ("relief-duration", "limit"), "shortCourse": ("short-course", "limit"), "recentStart": ("started-recently", "limit"),
    "pairWithin": ("bridging-course", "withinDays"), "adult": ("adult", "years"),
}
_UNITS = {"perWeek": "wk", "perMonth": "mo", "perYear": "a"}


def terms(guideline: Guideline) -> dict:
    """The parameters and value sets of `benchmarks/cql/SacroiliitisFive.cql`."""
    rules = guideline.index
    sets = {}
    for name in _CRITERIA:
        surely = _names(rules, _rule(name), "matches")
        sets[name], sets["maybe-" + name] = surely, sorted(set(_names(rules, _rule(name), "mayMatch")) - set(surely))
    for constraint in ("relief-percent", "relief-duration"):
        sets[constraint] = sorted({code for measure in rules.objects(_rule(constraint), _gl("measure")) for code in _names(rules, measure, "covers")})
    named = {code for name in _DRUGS for code in (*sets[name], *sets["maybe-" + name])}
    drugs = _drugs(rules)
    sets["classes-above"] = sorted({one["drug"] for one in drugs if named & set(one["maybe"])} - named)  # a record of one may belong to any of their courses
    sets["drugs-read"] = sorted(named | set(sets["classes-above"]))
    return {"valueSets": {name: codes for name, codes in sets.items() if codes}, "limits": _limits(rules), "drugs": drugs,
            "targets": {name: _names(rules, _rule(name), "targets") for name in ("R01", "R03", "R05", "R07", "R21")},
            "switches": [{"drug": local(one.value), "agent": local(rules.value(one, _gl("joinKey")).value)} for one in rules.objects(_rule("R05"), _gl("targets"))]}


def _gl(name: str) -> str:
    return f"{GL}{name}"


def _rule(name: str) -> ox.NamedNode:
    return ox.NamedNode(_RULES + name)


def _names(rules: Index, node: ox.NamedNode, predicate: str) -> list[str]:
    return sorted({local(one.value) for one in rules.objects(node, _gl(predicate))})


def _limits(rules: Index) -> dict:
    """The numbers; KeyError when the graph no longer has one where the library expects it."""
    found = {}
    for name, (node, predicate) in _LIMITS.items():
        value = rules.value(_rule(node), _gl(predicate))
        if value is None:
            raise KeyError(f"{node} has no gl:{predicate}")
        found[name] = float(value.value) if "." in value.value else int(value.value)
    for name, code in _UNITS.items():
        unit = next(one for one in rules.subjects(SKOS.notation, ox.Literal(code)) if rules.value(one, _gl("inDays")))
        found[name] = int(rules.value(unit, _gl("inDays")).value)
    return found


def _drugs(rules: Index) -> list[dict]:
    """Every drug and class of drugs that joins with others of its kind: its substance, its key, its gap, what it may turn out to be."""
    found = []
    for node in rules.having(_gl("joinDays")):
        key = rules.value(node, _gl("joinKey"))
        substance = rules.value(key, _gl("activeSubstance")) if key is not None else None
        found.append({"drug": local(node.value), "substance": local(substance.value) if substance is not None else None,
                      "agent": local((key or node).value), "gap": int(rules.value(node, _gl("joinDays")).value), "maybe": _names(rules, node, "mayBeOneAgent")})
    return found

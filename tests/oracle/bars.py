"""Row 2 and the unknown bars of spec/verdicts.md section 2, and R02's question about contraindications."""

from tests.oracle.courses import course_facts, course_worlds
from tests.oracle.logic import MET, UNKNOWN, UNMET, all_of, any_of
from tests.oracle.observations import diagnosed
from tests.oracle.vocabulary import (
    BELOW,
    BIOLOGIC_LEAVES,
    CHILDREN,
    INJECTION_LEAVES,
    LEAVES,
    NSAID_LEAVES,
    STEROID_LEAVES,
    TNF_AGENTS,
    USES,
    ancestors,
    is_a,
    substance,
)

REACTIONS = ("Intolerance", "UnreadReason")


def barring_targets(slug):
    """Concepts whose contraindication bars a leaf: itself, its drug, classes above, its substance's other products."""
    name = LEAVES[slug]
    targets = {name} | ancestors(name)
    used = USES.get(slug)
    if used:
        targets |= {used} | ancestors(used)
    if slug in BIOLOGIC_LEAVES:
        targets |= {drug for drug in BELOW["Biologic"] if drug not in CHILDREN and substance(drug) == substance(name)}
    return targets


def _reactions(record):
    """Concepts (drugs or classes) whose course may have ended for intolerance or an unread reason."""
    facts = [f for f in course_facts(record, "Drug") if set(f.responses) & set(REACTIONS)]
    found = set()
    for fact in facts:
        for courses, _ in course_worlds(record, [fact]):
            if any(c.responses & set(REACTIONS) for c in courses):
                found.add(fact.about)
    return found


def bars(record):
    """slug -> (row 2 truth, unknown bar on record as a truth that is never met)."""
    infectious = all_of(diagnosed(record, "InfectiousCauseOfSacroiliitis"), UNKNOWN)
    ulcer = all_of(diagnosed(record, "UlcerOrBleed"), UNKNOWN)
    reactions = _reactions(record)
    found = {}
    for slug in LEAVES:
        targets = barring_targets(slug)
        outcomes = [UNMET]
        for fact in record.of("Contraindication"):
            if fact.about in targets:
                outcomes.append(UNKNOWN if fact.certainty == "Unconfirmed" else MET)
        if reactions & targets:
            outcomes.append(UNKNOWN)
        if slug in BIOLOGIC_LEAVES + STEROID_LEAVES + INJECTION_LEAVES:
            outcomes.append(infectious)
        if slug in NSAID_LEAVES:
            outcomes.append(ulcer)
        found[slug] = any_of(*outcomes)
    return found


def tnf_contraindicated(record):
    """R02: a contraindication to the TNF inhibitor class or to each of the four agents."""
    agents = []
    for agent in TNF_AGENTS:
        targets = barring_targets(agent.lower())
        agents.append(any_of(*((UNKNOWN if f.certainty == "Unconfirmed" else MET)
                               for f in record.of("Contraindication") if f.about in targets)))
    return all_of(*agents)


def confirmed(record):
    """Contraindications that are confirmed."""
    return [f for f in record.of("Contraindication") if f.certainty != "Unconfirmed" and f.about]


def member_contraindicated(record):
    """Flag: a contraindication to a drug or class strictly below what a treatment consists of."""
    classes = {used for used in USES.values() if used in CHILDREN}
    return any(f.about != used and is_a(f.about, used) for f in confirmed(record) for used in classes)


def tnf_reason(record):
    """Is the reason of a TNF inhibitor contraindication on record?"""
    return any(f.reason and (is_a(f.about, "TnfInhibitor") or is_a("TnfInhibitor", f.about)) for f in confirmed(record))



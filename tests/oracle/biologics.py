"""Criteria over TNF and IL-17 inhibitor courses: R01-R06, R27, R28 and their flags (spec/verdicts.md sections 4, 5)."""

from tests.oracle.courses import EVALUATION_DAY, FAILURES, KINDS, course_facts, course_worlds
from tests.oracle.facts import cut
from tests.oracle.logic import MET, UNKNOWN, UNMET, agree_all, all_of, any_of, negate, truth
from tests.oracle.observations import observations
from tests.oracle.vocabulary import (
    BIOLOGIC_LEAVES,
    IL17_SUBSTANCES,
    LEAVES,
    SLUG_OF,
    TNF_LEAVES,
    TNF_SUBSTANCES,
    substance,
)


def _first_criteria(first, others):
    """What R04-R06 ask, for one course tried as FIRST (None: there is none)."""
    out = {"NO-OTHER-FAILURE": negate(any_of(*(c.failed for c in others)))}
    if first is None:
        out |= {"FIRST-PRIMARY": UNMET, "FIRST-SECONDARY": UNMET, "FIRST-FAILED": UNMET, "unclassified": UNMET}
        out |= {f"differs:{slug}": MET for slug in TNF_LEAVES}
        out |= {f"same-product-group:{slug}": UNMET for slug in TNF_LEAVES}
        return out
    late, early = first.failure_records(early=False), first.failure_records(early=True)
    late_kinds = frozenset().union(*(r.responses for r in late)) if late else frozenset()
    for name, kind in (("FIRST-PRIMARY", "PrimaryNonResponse"), ("FIRST-SECONDARY", "SecondaryNonResponse")):
        if first.failed == UNMET:
            out[name] = UNMET
        elif not late or first.conflict or not late_kinds & KINDS or (early and len(first.responses & FAILURES) > 1):
            out[name] = UNKNOWN
        else:
            out[name] = truth(kind in late_kinds)
    out["FIRST-FAILED"] = first.failed_late
    out["unclassified"] = all_of(truth(first.failed == MET), truth(not first.responses & KINDS))
    failed = [r for r in first.records if r.responses & FAILURES]
    at_stake = late or early or failed or first.records  # while no failure is recorded, any product taken
    biosimilar_failed = any_of(*(r.biosimilar for r in at_stake))
    for slug in TNF_LEAVES:
        name = LEAVES[slug]
        same = substance(name) == first.substance
        out[f"differs:{slug}"] = all_of(truth(not same), out["FIRST-SECONDARY"])
        if slug.endswith("-biosimilar"):
            out[f"same-product-group:{slug}"] = all_of(truth(same), out["FIRST-FAILED"])
        else:
            out[f"same-product-group:{slug}"] = all_of(truth(same), out["FIRST-FAILED"], biosimilar_failed)
    return out


def _monitoring(course, scores):
    """R28 for one ongoing TNF inhibitor course in one world: (treatment, status, due day)."""
    due = course.start + EVALUATION_DAY
    taken = min(course.products_now(), key=lambda r: (-r.start, -r.last_known, r.product or ""), default=course.records[-1])
    treatment = SLUG_OF.get(taken.product)
    if course.asof < due:
        return treatment, "not-yet-due", due
    done = any_of(*(MET if low is not None and low >= due else UNMET if high < due else UNKNOWN for low, high in scores))
    return treatment, {MET: "done", UNMET: "due", UNKNOWN: "unknown"}[done], due


def _world(courses, asof, scores):
    """All outcomes of one world."""
    tnf = [c for c in courses if c.substance in TNF_SUBSTANCES]
    il17 = [c for c in courses if c.substance in IL17_SUBSTANCES]
    others = [c for c in courses if c not in tnf and c not in il17]
    both = tnf + il17
    out = {
        "NONE-FAILED": negate(any_of(*(c.failed for c in both))),
        "BIOLOGIC-FAILED": any_of(*(c.failed for c in both)),
        "IL17-NOT-FAILED": negate(any_of(*(c.failed for c in il17))),
        "TNFI-FAIL": any_of(*(c.failed_late for c in tnf)),
        "tnfi-intolerance": any_of(*(truth("Intolerance" in c.responses) for c in tnf)),
        "too-early": any_of(*(truth(bool(c.failure_records(early=True))) for c in tnf)),
        "conflicting-response": any_of(*(truth(c.conflict) for c in courses)),
    }
    unchanged = [all_of(c.ongoing, negate(c.failed)) for c in both]
    elsewhere = [all_of(c.ongoing, UNKNOWN) for c in others]
    out["NO-ONGOING"] = negate(any_of(*unchanged, *elsewhere))
    earliest = min((c.start for c in tnf), default=None)
    tried = [c for c in tnf if c.start == earliest] or [None]
    out |= agree_all(_first_criteria(c, [o for o in both if o is not c]) for c in tried)
    on_biologic = [c for c in courses if c.substance != "JakInhibitor" and c.ongoing == MET]
    out["on-unfailed-biologic"] = any(c.failed != MET for c in on_biologic)
    current = {r.product for c in on_biologic for r in c.products_now()}
    for slug in BIOLOGIC_LEAVES:
        out[f"current:{slug}"] = LEAVES[slug] in current
    out["monitoring"] = sorted((_monitoring(c, scores) for c in tnf if c.ongoing == MET), key=str)
    return out


def _merge_monitoring(worlds):
    """Monitoring entries on which all worlds agree; where they differ the status or the due day is unknown."""
    lists = [world.pop("monitoring") for world in worlds]
    if all(entries == lists[0] for entries in lists):
        return lists[0]
    if any(len(entries) != len(lists[0]) for entries in lists):
        return [entry for entry in lists[0] if all(entry in entries for entries in lists)]
    merged = []
    for same in zip(*lists, strict=True):
        columns = [set(column) for column in zip(*same, strict=True)]
        treatment, status, due = (column.pop() if len(column) == 1 else None for column in columns)
        merged.append((treatment, status or "unknown", due))
    return merged


def biologics(record):
    """Criteria, flags, current leaves and monitoring, agreed over all worlds."""
    facts = course_facts(record, "Biologic") + course_facts(record, "JakInhibitor")
    scores = [cut(f.date, record.asof) for f in observations(record, "DiseaseActivityScore")]
    found = [_world(courses, record.asof, scores) for courses, _ in course_worlds(record, _unique(facts))]
    monitoring = _merge_monitoring(found)
    out = agree_all(found)
    out["monitoring"] = monitoring
    return out


def _unique(facts):
    return list({fact.iri: fact for fact in facts}.values())

"""R21: short oral glucocorticoid bridging at the start of a biologic (spec/verdicts.md section 4, A35)."""

from tests.oracle.courses import (
    anchors,
    course_facts,
    course_worlds,
    drug_gap,
)
from tests.oracle.logic import FAR_PAST, MET, UNKNOWN, UNMET, agree_all, all_of, any_of, candidate_days, truth, worlds
from tests.oracle.vocabulary import is_a, may_be

WINDOW, BRIDGING_DAYS = 30, 90


def _plan_facts(record, concept):
    return [f for f in record.of("Plan") if f.about and (is_a(f.about, concept) or may_be(f.about, concept))]


def _plan_worlds(record, facts):
    """Lists of (fact, start or None, end or None), one list a world."""
    around = anchors(record)

    def days(span):
        return [None] if span is None else candidate_days(*span, around)

    choices = [[(f, s, e) for s in days(f.start) for e in days(f.end)] for f in facts]
    return list(worlds(choices))


def _started(plan_start, asof):
    """Has a plan's start passed? Then it is a plan no longer (spec/fhir-input.md)."""
    return plan_start is not None and plan_start <= asof


def _biologic_starts(courses, future, plans, asof):
    """(truth that it counts, start or None) for each biologic planned or begun."""
    found = []
    for course in courses:
        if is_biologic(course.substance):
            found.append((truth(asof - course.start <= WINDOW), course.start))
    for record in future:
        if is_biologic(record.substance):
            found.append((MET, record.start))
    for fact, start, _ in plans:
        if not _started(start, asof):
            found.append((MET if is_a(fact.about, "Biologic") else UNKNOWN, start))
    return found


def is_biologic(substance):
    """Is a substance of a world a biologic? By its gap: the JAK inhibitors and all other drugs have another."""
    return drug_gap(substance) == 120


def _route(routes):
    """Oral? 'OtherRoute' alone is not; unknown otherwise."""
    if "Oral" in routes:
        return MET
    return UNMET if routes == {"OtherRoute"} else UNKNOWN


def _stop_of(course):
    """(truth that it is shorter than 90 days) for a course that runs at the as-of day."""
    asof = course.asof
    if asof - course.start >= BRIDGING_DAYS:
        return UNMET
    ends = [None if r.supply else r.end for r in course.products_now()]
    known = [r.end for r in course.products_now() if r.end is not None]
    if any(end is None for end in ends) or not ends:
        longest = max(known, default=asof)
        return UNMET if longest - course.start >= BRIDGING_DAYS else UNKNOWN
    return truth(max(ends) - course.start < BRIDGING_DAYS)


def _steroids(courses, future, plans, asof):
    """(truth that it is a planned or ongoing oral course, truth of < 90 days, start or None) for each steroid."""
    found = []
    for course in courses:
        if course.ongoing != UNMET:
            routes = {r.fact.route for r in course.products_now() or course.records}
            found.append((all_of(course.ongoing, _route(routes)), _stop_of(course), course.start))
    for record in future:
        short = UNKNOWN
        if record.end is not None:
            short = truth(record.end - record.start < BRIDGING_DAYS)
            if record.supply and short == MET:
                short = UNKNOWN
        found.append((_route({record.fact.route}), short, record.start))
    for fact, start, end in plans:
        if not _started(start, asof):
            short = UNKNOWN if start is None or end is None else truth(end - start < BRIDGING_DAYS)
            found.append((_route({fact.route}), short, start))
    return found


def _world(record, biologic, steroid, plans):
    """R21's biologic and steroid criteria in one world."""
    asof = record.asof
    starts = _biologic_starts(*biologic, [p for p in plans if not is_a(p[0].about, "Glucocorticoid")], asof)
    courses = _steroids(*steroid, [p for p in plans if is_a(p[0].about, "Glucocorticoid")], asof)
    outcomes = []
    for planned_or_ongoing, short, begins in courses:
        if planned_or_ongoing == UNMET:
            continue
        near = UNMET
        for counts, start in starts:
            if counts == UNMET:
                continue
            close = UNKNOWN if start is None or begins is None else truth(abs(begins - start) <= WINDOW)
            near = any_of(near, all_of(counts, close))
        outcomes.append(all_of(planned_or_ongoing, short, near))
    return {
        "BIOLOGIC-BEGINS": any_of(*(counts for counts, _ in starts)),
        "BRIDGING-COURSE": any_of(*outcomes) if outcomes else UNKNOWN,
    }


def _bridging(course):
    """Does an ongoing steroid course fit the bridging leaf: oral, with a stop less than 90 days from its start?"""
    routes = {r.fact.route for r in course.products_now()}
    return all_of(_route(routes), _stop_of(course))


def bridging(record):
    """BIOLOGIC-BEGINS, BRIDGING-COURSE and which steroid leaf is current, agreed over all worlds."""
    biologic_facts = course_facts(record, "Biologic")
    steroid_facts = course_facts(record, "Glucocorticoid")
    plan_facts = _plan_facts(record, "Biologic") + _plan_facts(record, "Glucocorticoid")
    found = []
    steroid_worlds = list(course_worlds(record, steroid_facts))
    plans = _plan_worlds(record, plan_facts)
    biologic_worlds = _distinct_starts(course_worlds(record, biologic_facts), record.asof)
    for biologic in biologic_worlds:
        for steroid in steroid_worlds:
            for planned in plans:
                found.append(_world(record, biologic, steroid, planned))
    merged = agree_all(found)
    merged["current:oral-glucocorticoid-bridging"] = all(
        any(c.ongoing == MET and _bridging(c) == MET for c in courses) for courses, _ in steroid_worlds)
    merged["current:systemic-glucocorticoid-ongoing"] = all(
        any(c.ongoing == MET and _bridging(c) != MET and {r.fact.route for r in c.products_now()} != {"OtherRoute"}
            for c in courses) for courses, _ in steroid_worlds)
    return merged


def _distinct_starts(found, asof):
    """One world for each set of biologic starts that can matter, so that the product with the steroids stays small."""
    kept = {}
    for courses, future in found:
        recent = frozenset(c.start for c in courses if is_biologic(c.substance) and asof - c.start <= FAR_PAST)
        key = (frozenset(s for s in recent if asof - s <= WINDOW),
               frozenset(r.start for r in future if is_biologic(r.substance)))
        kept.setdefault(key, (courses, future))
    return list(kept.values())

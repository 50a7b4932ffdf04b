"""R21: short oral glucocorticoid bridging at the start of a biologic (spec/verdicts.md section 4, A35)."""

from dataclasses import dataclass

from tests.oracle.courses import (
    JoinedCourse,
    anchors,
    course_facts,
    course_worlds,
    drug_gap,
    substances,
)
from tests.oracle.logic import MET, UNKNOWN, UNMET, agree_all, all_of, any_of, candidate_days, truth, worlds
from tests.oracle.vocabulary import is_a, may_be

WINDOW, BRIDGING_DAYS = 30, 90


@dataclass(frozen=True, eq=False)
class Span:
    """A course, a coming record or a plan taken by itself: its first day, last known day, and stop when one is known."""

    substance: str | None
    what: object
    start: int | None
    last: int | None
    stop: int | None

    def near(self, other):
        """Is the other no further away than the gap?"""
        gap = drug_gap(self.substance)
        return other.start - self.last <= gap and self.start - other.last <= gap


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


def _spans(courses, future, plans, asof):
    """Every course, coming record and plan of a world as a span by itself."""
    found = [Span(c.substance, c, c.start, *_reach(c)) for c in courses]
    for record in future:
        stop = None if record.supply else record.end
        found.append(Span(record.substance, record, record.start, stop or record.last_known, stop))
    for fact, start, end in plans:
        if not _started(start, asof):
            substances_of = substances(fact)
            name = substances_of[0] if len(substances_of) == 1 else None
            stop = None if fact.supply else end  # A35 wants the planned stop: where a supply ends is none
            found.append(Span(name, fact, start, end if end is not None else start, stop))
    return found


def _reach(course):
    """(last known day, the day of its stop or None) of a course by itself."""
    ends = [r.end for r in course.records if r.end is not None]
    if course.ongoing == UNMET:
        if all(r.end is not None for r in course.records):
            return max(ends), max(ends)
        return max(r.last_known for r in course.records), None  # distances count from the last known day
    known = max([course.asof, *ends] if course.ongoing == MET else [course.start, *ends])
    if any(r.end is None or r.supply for r in course.records):
        return known, None
    return known, max(ends)


def _one_course(span, spans):
    """The spans that make one course with this one: of its substance, joined step by step across the gap."""
    found, left = [span], [s for s in spans if s is not span and s.substance == span.substance]
    grew = span.substance is not None and span.start is not None
    while grew:
        near = [s for s in left if s.start is not None and any(f.near(s) for f in found)]
        found += near
        left = [s for s in left if s not in near]
        grew = bool(near)
    return found


def _length(parts):
    """(first day, truth that it lasts less than 90 days) of the course made of these spans."""
    starts = [s.start for s in parts]
    if None in starts:
        return None, UNKNOWN
    first, longest = min(starts), max(s.last for s in parts)
    if longest - first >= BRIDGING_DAYS:
        return first, UNMET
    return first, UNKNOWN if any(s.stop is None for s in parts) else MET


def _biologic_starts(spans, asof):
    """(truth that it counts, first day or None) for each biologic planned or begun."""
    found = []
    for span in spans:
        first, _ = _length(_one_course(span, spans))
        if isinstance(span.what, JoinedCourse):
            if is_biologic(span.substance):
                found.append((truth(asof - span.start <= WINDOW), first))
        elif span.substance is not None and is_biologic(span.substance) or is_a(_about(span), "Biologic"):
            found.append((MET, first))
        elif may_be(_about(span), "Biologic"):
            found.append((UNKNOWN, first))
    return found


def _about(span):
    """The concept that a plan or coming record is about."""
    return getattr(span.what, "fact", span.what).about


def is_biologic(substance):
    """Is a substance of a world a biologic? By its gap: the JAK inhibitors and all other drugs have another."""
    return drug_gap(substance) == 120


def _route(routes):
    """Oral? 'OtherRoute' alone is not; unknown otherwise."""
    if "Oral" in routes:
        return MET
    return UNMET if routes == {"OtherRoute"} else UNKNOWN


def _steroids(spans):
    """(truth that it is a planned or ongoing oral course, truth of < 90 days, first day or None) for each steroid."""
    found = []
    for span in spans:
        first, short = _length(_one_course(span, spans))
        if isinstance(span.what, JoinedCourse):
            counts = all_of(span.what.ongoing, _route({r.fact.route for r in span.what.products_now() or span.what.records}))
        else:
            counts = _route({getattr(span.what, "fact", span.what).route})
        found.append((counts, short, first))
    return found


def _world(record, biologic, steroid, plans):
    """R21's biologic and steroid criteria in one world."""
    asof = record.asof
    starts = _biologic_starts(_spans(*biologic, [p for p in plans if not is_a(p[0].about, "Glucocorticoid")], asof), asof)
    courses = _steroids(_spans(*steroid, [p for p in plans if is_a(p[0].about, "Glucocorticoid")], asof))
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


def _current(courses, future, plans, asof):
    """(is a bridging course taken, is another systemic one taken) in one world of steroids."""
    spans = _spans(courses, future, plans, asof)
    short = other = False
    for span in spans:
        if not isinstance(span.what, JoinedCourse) or span.what.ongoing != MET:
            continue
        routes = {r.fact.route for r in span.what.products_now()}
        fits = all_of(_route(routes), _length(_one_course(span, spans))[1]) == MET
        short = short or fits
        other = other or (not fits and routes != {"OtherRoute"})
    return short, other


def bridging(record):
    """BIOLOGIC-BEGINS, BRIDGING-COURSE and which steroid leaf is current, agreed over all worlds."""
    biologic_facts = course_facts(record, "Biologic")
    steroid_facts = course_facts(record, "Glucocorticoid")
    plan_facts = _plan_facts(record, "Biologic") + _plan_facts(record, "Glucocorticoid")
    found = []
    steroid_worlds = list(course_worlds(record, steroid_facts))
    plans = _plan_worlds(record, plan_facts)
    biologic_worlds = _distinct_starts(course_worlds(record, biologic_facts), record.asof, bool(plan_facts))
    for biologic in biologic_worlds:
        for steroid in steroid_worlds:
            for planned in plans:
                found.append(_world(record, biologic, steroid, planned))
    merged = agree_all(found)
    steroid_plans = [[p for p in world if is_a(p[0].about, "Glucocorticoid")] for world in plans]
    taken = [_current(courses, future, planned, record.asof) for courses, future in steroid_worlds for planned in steroid_plans]
    merged["current:oral-glucocorticoid-bridging"] = all(short for short, _ in taken)
    merged["current:systemic-glucocorticoid-ongoing"] = all(other for _, other in taken)
    return merged


def _distinct_starts(found, asof, planned):
    """One world for each set of biologics that can matter, so that the product with the steroids stays small: those begun lately,
    those to come, and where one is to come those that it may go on with."""
    kept = {}
    for courses, future in found:
        recent = frozenset(c.start for c in courses if is_biologic(c.substance) and asof - c.start <= WINDOW)
        coming = frozenset((r.start, r.substance) for r in future if is_biologic(r.substance))
        near = [c for c in courses if (planned or coming) and is_biologic(c.substance) and asof - _reach(c)[0] <= drug_gap(c.substance)]
        kept.setdefault((recent, coming, frozenset((c.substance, c.start, *_reach(c)) for c in near)), (courses, future))
    return list(kept.values())

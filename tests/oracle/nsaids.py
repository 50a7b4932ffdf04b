"""NSAID-FAIL, physical therapy and the conservative-treatment days of D5 (spec/verdicts.md sections 3 and 4)."""

from dataclasses import dataclass, replace

from tests.oracle.courses import (
    FAILURES,
    THERAPY_GAP,
    anchors,
    course_facts,
    course_worlds,
)
from tests.oracle.facts import cut
from tests.oracle.logic import MET, UNKNOWN, UNMET, agree, any_of, candidate_days, truth, worlds
from tests.oracle.observations import STALE_DAYS, observations
from tests.oracle.vocabulary import is_a

TRIAL_DAYS, INJECTION_DAYS = 30, 42


def union_days(spans):
    """Days covered by half-open spans, overlaps counted once (a set of days: obviously right)."""
    covered = set()
    for first, end in spans:
        covered |= set(range(first, end))
    return len(covered)


@dataclass(frozen=True)
class PainWorld:
    """The pain scores of one world: (day, value)."""

    scores: tuple

    def fresh_since(self, day, asof):
        """Is the latest score fresh, above 4 and dated on or after `day`?"""
        if not self.scores:
            return UNMET
        latest = max(at for at, _ in self.scores)
        if latest < asof - STALE_DAYS or latest < day:
            return UNMET
        return agree(truth(value > 4) for at, value in self.scores if at == latest)


def pain_worlds(record):
    """Every assignment of days to the pain scores."""
    facts = [f for f in observations(record, "PainScore") if f.values]
    around = anchors(record)
    days = []
    for fact in facts:
        low, high = cut(fact.date, record.asof)
        days.append(candidate_days(record.asof - 400 if low is None else low, high, around))
    return [PainWorld(tuple(zip(chosen, (f.values[0][0] for f in facts), strict=True))) for chosen in worlds(days)]


def _outcome(certain, possible, bound):
    if union_days(certain) >= bound:
        return MET
    return UNKNOWN if union_days(possible) >= bound else UNMET


def _covered(courses, which):
    return [record.covered[which] for course in courses for record in course.records]


def _nsaid_world(courses, pain, asof):
    """NSAID-FAIL with and without inference, D5's part and the number of different NSAIDs, in one world."""
    failed = [c for c in courses if c.failed == MET]
    inferred, maybe = [], []
    for course in courses:
        if course.responses:
            if course.failed == UNKNOWN:
                maybe.append(course)
            continue
        maybe.append(course)
        long_enough = course.ongoing == MET and asof - course.start >= TRIAL_DAYS
        if long_enough and pain.fresh_since(course.start + TRIAL_DAYS, asof) == MET:
            inferred.append(course)
    possible = _covered(failed + maybe, 1)
    recorded = _outcome(_covered(failed, 0), _covered(failed, 1), TRIAL_DAYS)
    counted = failed + inferred
    return {
        "recorded-only": recorded,
        "total": _outcome(_covered(counted, 0), possible, TRIAL_DAYS),
        "six-weeks": _outcome(_covered(failed, 0), possible, INJECTION_DAYS),
        "fewer-than-two": truth(len({c.substance for c in counted}) < 2),
    }


def nsaid_not_tolerated(record):
    """An NSAID intolerance (a course that ended for it too) or contraindication on record; unconfirmed: unknown."""
    outcomes = []
    for courses, _ in course_worlds(record, course_facts(record, "Nsaid")):
        said = frozenset().union(*(c.responses for c in courses))
        outcomes.append(MET if "Intolerance" in said else UNKNOWN if "UnreadReason" in said else UNMET)
    found = [agree(outcomes)]
    for fact in record.of("Contraindication"):
        if fact.about and (is_a(fact.about, "Nsaid") or is_a("Nsaid", fact.about)):
            found.append(UNKNOWN if fact.certainty == "Unconfirmed" else MET)
    return any_of(*found)


def nsaids(record):
    """NSAID-FAIL and its flags; 'any' says whether an NSAID course is on record."""
    facts = course_facts(record, "Nsaid")
    if not facts:
        return {"NSAID-FAIL": UNKNOWN, "inferred": False, "single": False, "six-weeks": UNKNOWN, "any": False}
    pains = pain_worlds(record)
    found = []
    for courses, _ in course_worlds(record, facts):
        undecided = any(c.ongoing == MET and not c.responses for c in courses)
        tried = pains if undecided else pains[:1]
        found += [_nsaid_world(courses, pain, record.asof) for pain in tried]
    merged = {key: agree(world[key] for world in found) for key in found[0]}
    outcome = merged["total"]
    if outcome == UNMET and nsaid_not_tolerated(record) != UNMET:
        outcome = UNKNOWN
    return {
        "NSAID-FAIL": outcome,
        "inferred": outcome == MET and merged["recorded-only"] != MET,
        "single": outcome == MET and merged["fewer-than-two"] == MET,
        "six-weeks": merged["six-weeks"],
        "any": True,
    }


def therapy_facts(record):
    """Courses of physical therapy; a completed procedure is read as a completed course."""
    found = []
    for fact in record.facts:
        if fact.kind == "Course" and fact.about and is_a(fact.about, "PhysicalTherapy"):
            found.append(fact)
        if fact.kind == "Procedure" and fact.about and is_a(fact.about, "PhysicalTherapy"):
            start, end = fact.start or fact.date, fact.end or fact.date
            found.append(replace(fact, start=start, end=end, status="Completed"))
    return found


def physical_therapy(record):
    """Days of physical therapy with inadequate response, at least 42, for D5."""
    facts = therapy_facts(record)
    if not facts:
        return UNKNOWN
    found = []
    for courses, _ in course_worlds(record, facts, lambda _: THERAPY_GAP, lambda _: "physical therapy"):
        failed = [c for c in courses if c.responses & FAILURES]
        maybe = [c for c in courses if c.failed == UNKNOWN]
        found.append(_outcome(_covered(failed, 0), _covered(failed + maybe, 1), INJECTION_DAYS))
    return agree(found)

"""Injections, their relief, and diagnostic blocks: R07, R10, R11, R26 (spec/verdicts.md section 4)."""

from dataclasses import dataclass

from tests.oracle.courses import anchors
from tests.oracle.facts import cut
from tests.oracle.logic import (
    FAR_PAST,
    MET,
    UNKNOWN,
    UNMET,
    agree,
    agree_all,
    any_of,
    candidate_days,
    negate,
    truth,
    worlds,
)
from tests.oracle.vocabulary import is_a, may_be

RELIEF_PERCENT, RELIEF_DAYS = 50, 60


@dataclass(frozen=True)
class Treated:
    """One procedure in one world: its day and its relief records (day, value)."""

    day: int
    side: str | None
    percents: tuple
    durations: tuple

    @property
    def inadequate(self):
        """INADEQUATE: highest later percentage below 50, or relief that lasted less than 60 days."""
        later = [value for day, value in self.percents if day > self.day]
        low_relief = truth(max(later) < RELIEF_PERCENT) if later else UNKNOWN
        return any_of(low_relief, self._short())

    def _short(self):
        if not self.durations:
            return UNKNOWN
        latest = max(day for day, _ in self.durations)
        outcomes = []
        for day, value in self.durations:
            if day == latest:
                lower_bound = value >= day - self.day
                outcomes.append(UNMET if value >= RELIEF_DAYS else UNKNOWN if lower_bound else MET)
        return agree(outcomes)

    @property
    def best_percent(self):
        """Highest percentage recorded, None without one."""
        return max((value for _, value in self.percents), default=None)


def _procedures(record, concept):
    """(fact, surely of the class?) for procedures that are or may be of a class."""
    return [(f, is_a(f.about, concept)) for f in record.of("Procedure")
            if f.about and (is_a(f.about, concept) or may_be(f.about, concept))]


def _span(fact):
    return fact.date or fact.start or fact.end


def _days(span, asof, around):
    low, high = cut(span, asof)
    return candidate_days(asof - FAR_PAST if low is None else low, high, around)


def _relief(record, fact, concept, value_of):
    return [(o, value_of(o)) for o in record.of("Observation")
            if o.part_of == fact.iri and o.about == concept and value_of(o) is not None]


def _percent(observation):
    return observation.values[0][0] if observation.values and observation.values[0][1] == "%" else None


def _duration(observation):
    days = observation.days()
    return days[0] if days else None


def _procedure_choices(record, fact, sure, around):
    """Every way one procedure and its relief records can lie; None: it is not of the class."""
    percents = _relief(record, fact, "PercentRelief", _percent)
    durations = _relief(record, fact, "ReliefDuration", _duration)
    spans = [_span(fact)] + [o.date for o, _ in percents + durations]
    found = [] if sure else [None]
    for days in worlds([_days(span, record.asof, around) for span in spans]):
        noted = days[1:]
        first = tuple(zip(noted, (v for _, v in percents), strict=False))
        second = tuple(zip(noted[len(percents):], (v for _, v in durations), strict=True))
        found.append(Treated(days[0], fact.side, first, second))
    return list(dict.fromkeys(found))


def _injection_world(done):
    """What R07, R10, R11 ask of the injections of one world."""
    if not done:
        return {"NOT-FAILED-INJ": MET, "INJ-FAILED": UNMET, "FIRST-INJ-ADEQUATE": UNMET}
    assessed = [t for t in done if t.inadequate != UNKNOWN]
    latest = max((t.day for t in assessed), default=None)
    last = agree(t.inadequate for t in assessed if t.day == latest)
    first = min(t.day for t in done)
    return {
        "NOT-FAILED-INJ": negate(last) if assessed else MET,
        "INJ-FAILED": last if assessed else UNKNOWN,
        "FIRST-INJ-ADEQUATE": agree(negate(t.inadequate) for t in done if t.day == first),
    }


def injections(record):
    """NOT-FAILED-INJ, INJ-FAILED (R11) and FIRST-INJ-ADEQUATE (R10), agreed over all worlds."""
    around = anchors(record)
    choices = [_procedure_choices(record, f, sure, around) for f, sure in _procedures(record, "SiJointInjection")]
    found = agree_all(_injection_world([t for t in world if t is not None]) for world in worlds(choices))
    if choices and not any(sure for _, sure in _procedures(record, "SiJointInjection")):
        found |= {"INJ-FAILED": UNKNOWN, "FIRST-INJ-ADEQUATE": UNKNOWN}  # none but of unstated purpose: section 4
    return found


def injection_count(record):
    """How many procedures are surely therapeutic injections."""
    return sum(sure for _, sure in _procedures(record, "SiJointInjection"))


def _pair(one, other):
    """Two blocks on different days and not on different sides."""
    apart = one.side is not None and other.side is not None and one.side != other.side
    return one.day != other.day and not apart


def _block_world(blocks):
    """R26 in one world, in the order in which the text checks."""
    reliefs = [b.best_percent for b in blocks]
    pairs = [(a, b) for i, a in enumerate(blocks) for b in blocks[:i] if _pair(a, b)]
    if any(r is not None and r <= 70 for r in reliefs) or not pairs:
        return "not-met"
    if any(r is None for r in reliefs):
        return "unknown"
    return "met" if any(a.best_percent > 80 and b.best_percent > 80 for a, b in pairs) else "indeterminate"


def fusion_prerequisite(record):
    """The prerequisite of SI joint fusion: met, not-met, indeterminate or unknown."""
    around = anchors(record)
    choices = [_procedure_choices(record, f, sure, around) for f, sure in _procedures(record, "DiagnosticBlock")]
    if choices and not any(sure for _, sure in _procedures(record, "DiagnosticBlock")):
        return "unknown"  # none but of unstated purpose: section 4
    return agree(_block_world([t for t in world if t is not None]) for world in worlds(choices))


def planned_injection(record, concept="SiJointInjection"):
    """Is an SI joint injection of this class planned? One whose purpose is not stated counts as one."""
    return any(f.about and (is_a(f.about, concept) or may_be(f.about, concept)) for f in record.of("Plan"))


def unguided_injection(record):
    """Flag: an injection without imaging guidance on record or planned."""
    done = any(sure for _, sure in _procedures(record, "UnguidedSiJointInjection"))
    return done or planned_injection(record, "UnguidedSiJointInjection")



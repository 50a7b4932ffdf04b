"""Courses in one possible world: records of one substance joined, ongoing, FAILED (spec/verdicts.md section 3)."""

from dataclasses import dataclass, field

from tests.oracle.logic import (
    FAR_PAST,
    MET,
    UNKNOWN,
    UNMET,
    all_of,
    any_of,
    candidate_days,
    compare,
    negate,
    truth,
    worlds,
)
from tests.oracle.vocabulary import (
    BELOW,
    BIOSIMILARS,
    CHILDREN,
    IL17_SUBSTANCES,
    TNF_SUBSTANCES,
    is_a,
    may_be,
    substance,
)

FAILURES = frozenset({"PrimaryNonResponse", "SecondaryNonResponse", "InadequateResponse"})
KINDS = {"PrimaryNonResponse", "SecondaryNonResponse"}
BIOLOGIC_GAP, OTHER_GAP, THERAPY_GAP = 120, 14, 30
EVALUATION_DAY = 84


@dataclass(frozen=True)
class Rec:
    """One record in one world: exact days (ordinals), what is visible at the as-of day."""

    fact: object
    substance: str
    start: int
    end: int | None
    status: str
    supply: bool
    responses: frozenset
    responded: tuple  # (first, last) day on which the response can have been noted
    asof: int

    @property
    def product(self):
        """The drug individual, or None when only its class is recorded."""
        return None if self.fact.about in CHILDREN else self.fact.about

    @property
    def biosimilar(self):
        """Is the product a biosimilar?"""
        return UNKNOWN if self.product is None else truth(self.product in BIOSIMILARS)

    @property
    def last_known(self):
        """The last day on which the record is known to run."""
        if self.end is not None:
            return self.end
        return self.asof if self.status == "Active" else self.start

    @property
    def own_ongoing(self):
        """Does the record by itself run at the as-of day?"""
        if self.end is not None:
            return MET if self.end > self.asof and not (self.supply and self.status == "Stopped") else UNMET
        return {"Active": MET, "Completed": UNMET, "Stopped": UNMET}.get(self.status, UNKNOWN)

    @property
    def stop(self):
        """(first, last) day of the stop that the record tells of, None when it tells of none."""
        if self.end is not None and self.end <= self.asof and (self.status == "Stopped" or not self.supply):
            return self.end, self.end
        if self.end is not None and self.supply and self.status == "Stopped":
            return self.start, self.asof
        if self.end is None and (self.status == "Stopped" or (self.status == "Completed" and not self.supply)):
            return self.start, self.asof
        return None

    @property
    def covered(self):
        """((start, certain end), (start, possible end)): half-open days at most up to the as-of day."""
        if self.end is not None:
            end = min(self.end, self.asof)
            certain = self.start if self.end > self.asof and self.own_ongoing == UNMET else end
            return (self.start, certain), (self.start, end)
        certain = self.asof if self.status == "Active" else self.start
        return (self.start, certain), (self.start, self.asof)


@dataclass
class JoinedCourse:
    """Records of one substance no further apart than the gap."""

    gap: int
    asof: int
    records: list = field(default_factory=list)

    @property
    def substance(self):
        """The active substance."""
        return self.records[0].substance

    @property
    def start(self):
        """First day."""
        return self.records[0].start

    @property
    def responses(self):
        """All responses recorded in any record."""
        return frozenset().union(*(r.responses for r in self.records))

    def _stopped_since(self, day):
        """Does a record tell of a stop on or after a day?"""
        outcomes = []
        for first, last in (r.stop for r in self.records if r.stop):
            outcomes.append(MET if first >= day else UNMET if last < day else UNKNOWN)
        return any_of(*outcomes)

    def _last_supply(self):
        supplies = [r for r in self.records if r.supply and r.status != "Stopped"]
        return max(supplies, key=lambda r: (r.last_known, r.start), default=None)

    @property
    def ongoing(self):
        """Is the course ongoing at the as-of day?"""
        outcomes = []
        for record in self.records:
            own = record.own_ongoing
            if own == UNKNOWN:
                own = all_of(UNKNOWN, negate(self._stopped_since(record.start)))
            outcomes.append(own)
        last = self._last_supply()
        if last is not None and last.start <= self.asof:
            near = truth(self.asof - min(last.last_known, self.asof) <= self.gap)
            if near == UNMET and last.end is None:
                near = UNKNOWN
            outcomes.append(all_of(near, negate(self._stopped_since(last.start))))
        return any_of(*outcomes)

    def products_now(self):
        """The records now taken: those that run by themselves, else the last supply."""
        running = [r for r in self.records if r.own_ongoing == MET]
        last = self._last_supply()
        return running or ([last] if last is not None else [])

    @property
    def failed(self):
        """FAILED of section 4."""
        if self.responses & FAILURES:
            return MET
        if "UnreadReason" in self.responses:
            return UNKNOWN
        if self.responses:
            return UNMET
        return UNMET if self.ongoing == MET else UNKNOWN

    def failure_records(self, early):
        """Records with a failure surely before day 84 of the course (early) or surely on or after it."""
        found = []
        for record in self.records:
            if record.responses & FAILURES:
                first, last = record.responded
                late = compare((first - self.start, last - self.start), EVALUATION_DAY)
                if late == (UNMET if early else MET):
                    found.append(record)
        return found

    @property
    def failed_late(self):
        """FAILED on or after day 84; an earlier failure leaves it unknown."""
        return MET if self.failure_records(early=False) else UNMET if self.failed == UNMET else UNKNOWN

    @property
    def conflict(self):
        """Both kinds of non-response in one course."""
        return KINDS <= self.responses


def make_record(fact, name, start, end, recorded, asof):
    """The Rec of a course fact for chosen days; end, status and response count from when they were noted or came."""
    happened = end is not None and end <= asof
    noted = recorded is not None and recorded <= asof
    unsaid = recorded is None and (end is None or happened)
    status = (fact.status or "StatusUnknown") if noted or happened or unsaid else "StatusUnknown"
    responses = fact.responses if noted or unsaid else frozenset()
    exposed_to = end if end is not None else asof if status == "Active" else None
    latest = recorded if noted else asof
    if exposed_to is None:
        responded = (start, max(start, latest))
    else:
        responded = (max(start, min(latest, exposed_to)),) * 2
    return Rec(fact, name, start, end, status, fact.supply, responses, responded, asof)


def join(records, gap_of, asof):
    """Join records of one substance whose distance is at most the gap."""
    joined = []
    for name in sorted({r.substance for r in records}):
        same = sorted((r for r in records if r.substance == name), key=lambda r: (r.start, r.last_known, r.fact.iri))
        last = None
        for record in same:
            if last is None or record.start - last > gap_of(name):
                joined.append(JoinedCourse(gap_of(name), asof))
                last = record.last_known
            joined[-1].records.append(record)
            last = max(last, record.last_known)
    return joined


def drug_gap(name):
    """The gap in days within which records of a substance are one course."""
    biologic = name in TNF_SUBSTANCES or name in IL17_SUBSTANCES or name == "OtherBiologic"
    return BIOLOGIC_GAP if biologic else OTHER_GAP


def substances(fact):
    """The substances that a course about a drug, or about a class of drugs, may be of."""
    if fact.about not in CHILDREN:
        return [substance(fact.about)]
    names = sorted({substance(d) for d in BELOW[fact.about] if d not in CHILDREN})
    if fact.about == "InterleukinInhibitor":
        return names + ["OtherBiologic"]
    if fact.about in ("TnfInhibitor", "Il17Inhibitor", "Biologic"):
        return names
    return names + [f"other than listed: {fact.iri}"]


def course_facts(record, concept):
    """Course facts about a class or what may belong to it."""
    return [f for f in record.of("Course") if f.about and (is_a(f.about, concept) or may_be(f.about, concept))]


def anchors(record):
    """Exact days of the patient's facts: partial dates are tried around them."""
    days = {record.asof}
    for fact in record.facts:
        for span in (fact.start, fact.end, fact.recorded, fact.date, fact.authored):
            if span is not None:
                days |= set(span)
    return days


def fact_choices(fact, asof, around, names):
    """Choices of (substance, start, end, recorded) for a course fact."""
    last = fact.start[1] if fact.start else min(fact.end[1] if fact.end else asof, asof)
    if fact.start and fact.start[1] > asof and fact.authored is None:
        last = asof
    starts = candidate_days(fact.start[0], last, around) if fact.start else candidate_days(
        min(asof - FAR_PAST, last), last, around)
    ends = [None] if fact.end is None else candidate_days(*fact.end, around)
    noted = [None] if fact.recorded is None else candidate_days(*fact.recorded, around)
    if fact.recorded is None and fact.supply and fact.status == "Stopped":
        noted = [None, asof]  # stopped before its supply would have run out: on a day that the record does not tell
    found = [(n, s, e, r) for n in names for s in starts for e in ends for r in noted if e is None or e >= s]
    return found or [(n, s, s, r) for n in names for s in starts for r in noted]


def course_worlds(record, facts, gap_of=drug_gap, name_of=None):
    """Every world of some course facts: (joined courses, future records that are plans)."""
    around = anchors(record)
    choices = []
    for fact in facts:
        names = [name_of(fact)] if name_of else substances(fact)
        choices.append(fact_choices(fact, record.asof, around, names))
    for world in worlds(choices):
        records = [make_record(f, *choice, record.asof) for f, choice in zip(facts, world, strict=True)]
        plans = [r for r in records if r.start > record.asof]
        yield join([r for r in records if r.start <= record.asof], gap_of, record.asof), plans

"""Latest observations, diagnoses and the criteria that need nothing else (spec/verdicts.md sections 3 and 4)."""

import datetime
import itertools
from decimal import Decimal

from tests.oracle.facts import cut
from tests.oracle.logic import MET, UNKNOWN, UNMET, agree, any_of, truth
from tests.oracle.vocabulary import is_a, may_be

STALE_DAYS = 90


def observations(record, concept):
    """Observations about a concept or below it."""
    return [f for f in record.of("Observation") if f.about and is_a(f.about, concept)]


def possible_latest(facts, asof, stale=None):
    """Every fact that could be the latest, with None when nothing (fresh) may be on record."""
    if not facts:
        return [None]
    spans = [(fact, *cut(fact.date, asof)) for fact in facts]
    lows = [low for _, low, _ in spans if low is not None]
    latest_low = max(lows) if lows else None
    found = []
    for fact, low, high in spans:
        if latest_low is not None and high < latest_low:
            continue
        earliest = latest_low  # as the latest it is no earlier than any other fact
        if stale is None or high >= asof - stale:
            found.append(fact)
        if stale is not None and (earliest is None or earliest < asof - stale):
            found.append(None)
    return found


def latest_boolean(record, concept):
    """Possible presences ('Present', 'Absent', None) of the latest boolean about a concept."""
    return {None if f is None else f.presence for f in possible_latest(observations(record, concept), record.asof)}


def asserted(record, concept):
    """Criterion: the latest boolean is true; false: unmet; nothing: unknown."""
    table = {"Present": MET, "Absent": UNMET, None: UNKNOWN}
    return agree(table.get(value, UNKNOWN) for value in latest_boolean(record, concept))


# ---------------------------------------------------------------- diagnoses

def diagnosis_state(fact, asof):
    """Set of possible states of a diagnosis at the as-of day: present, resolved, absent, unconfirmed."""
    presence = fact.presence or "Present"
    if presence in ("Absent", "Unconfirmed"):
        return {presence.lower()}
    if fact.end is not None and fact.end[0] > asof:
        return {"present"}
    if presence == "Resolved":
        return {"resolved"}
    if fact.end is not None:
        return {"resolved"} if fact.end[1] <= asof else {"present", "resolved"}
    return {"present"}


def diagnosed(record, concept, history=False):
    """Is a condition on record as present (or, with history, as resolved too)? An unconfirmed one: unknown."""
    found = UNMET
    wanted = {"present", "resolved"} if history else {"present"}
    for fact in record.of("Diagnosis"):
        if not fact.about:
            continue
        sure, maybe = is_a(fact.about, concept), may_be(fact.about, concept)
        states = diagnosis_state(fact, record.asof)
        if sure and states <= wanted:
            found = any_of(found, MET)
        elif (sure or maybe) and (states & wanted or "unconfirmed" in states):
            found = any_of(found, UNKNOWN)
    return found


def age_criterion(record):
    """At least 18 years at the as-of day."""
    if record.birth is None:
        return UNKNOWN
    today = datetime.date.fromordinal(record.asof)

    def adult(ordinal):
        born = datetime.date.fromordinal(ordinal)
        return today.year - born.year - ((today.month, today.day) < (born.month, born.day)) >= 18

    return agree({truth(adult(record.birth[0])), truth(adult(record.birth[1]))})


def sacroiliitis(record):
    """Sacroiliitis diagnosed; none or a resolved one is unmet, but unknown where axial spondyloarthritis is."""
    facts = [f for f in record.of("Diagnosis") if f.about and is_a(f.about, "SacroiliitisDiagnosis")]
    outcome = diagnosed(record, "SacroiliitisDiagnosis")
    if outcome != UNMET:
        return outcome
    if any("absent" in diagnosis_state(f, record.asof) for f in facts):
        return UNMET
    return UNMET if diagnosed(record, "AxialSpondyloarthritis") == UNMET else UNKNOWN


# ---------------------------------------------------------------- disease activity

def _states(record):
    """Possible asserted states: 'high', 'active', 'stable' or None."""
    found = set()
    facts = [f for f in observations(record, "DiseaseState") if f.findings]
    for fact in possible_latest(facts, record.asof, STALE_DAYS):
        names = set() if fact is None else fact.findings
        if "HighDiseaseActivity" in names:
            found.add("high")
        elif "ActiveDisease" in names:
            found.add("active")
        if "StableDisease" in names:
            found.add("stable")
        if not names:
            found.add(None)
    return found


def _values(record, concept):
    """Possible latest fresh values of a score, None for nothing."""
    facts = [f for f in observations(record, concept) if f.values]
    return {None if f is None else f.values[0][0] for f in possible_latest(facts, record.asof, STALE_DAYS)}


def activity(record):
    """ACTIVE, STABLE, NOT-STABLE, HIGH over every combination of what could be the latest assertion and scores."""
    active, stable, not_stable, high = set(), set(), set(), set()
    for state, asdas, basdai in itertools.product(_states(record), _values(record, "Asdas"), _values(record, "Basdai")):
        above = (asdas is not None and asdas >= Decimal("2.1")) or (basdai is not None and basdai >= 4)
        said = state in ("active", "high")
        calm = state == "stable" or (asdas is not None and asdas < Decimal("1.3"))
        active.add(MET if said or above else UNMET if calm else UNKNOWN)
        is_stable = MET if state == "stable" else UNMET if said or above else UNKNOWN
        stable.add(is_stable)
        not_stable.add(UNMET if is_stable == MET else MET)
        scored = asdas is not None or basdai is not None
        high.add(MET if above or state == "high" else UNMET if scored else UNKNOWN)
    return {"ACTIVE": agree(active), "STABLE": agree(stable), "NOT-STABLE": agree(not_stable), "HIGH": agree(high)}


# ---------------------------------------------------------------- pain

def pain_intensity(record):
    """Latest fresh pain score above 4 (strict)."""
    return agree(UNKNOWN if v is None else truth(v > 4) for v in _values(record, "PainScore"))


def _since(span, asof, exact):
    """More than 30 days since a day in a span? A recorded date (not exact) is a lower bound of the duration."""
    low, high = cut(span, asof)
    shortest = asof - high
    longest = None if low is None else asof - low
    if shortest > 30:
        return MET
    return UNMET if exact and longest is not None and longest <= 30 else UNKNOWN


def _onset(record, concept):
    """Pain duration read from active conditions: onset, else recorded date as a lower bound; None: nothing to read."""
    found = []
    for fact in record.of("Diagnosis"):
        if fact.about and is_a(fact.about, concept) and "present" in diagnosis_state(fact, record.asof):
            span = fact.start or fact.recorded
            if span is not None:
                outcome = _since(span, record.asof, fact.start is not None)
                sure = diagnosis_state(fact, record.asof) == {"present"}
                found.append(outcome if sure else UNKNOWN)
    return any_of(*found) if found else None


def pain_duration(record):
    """Pain for more than 30 days: recorded duration, else onset of a pain condition, else of the sacroiliitis."""
    asof = record.asof
    facts = [f for f in observations(record, "PainDuration") if f.days()]
    floor = max([asof - STALE_DAYS] + [f.date[0] for f in facts if f.date])  # the latest is no earlier than this
    outcomes = set()
    for fact in possible_latest(facts, asof, STALE_DAYS):
        if fact is None:
            onset = _onset(record, "SacroiliacPainCondition") or _onset(record, "SacroiliitisDiagnosis")
            outcomes.add(onset or UNKNOWN)
            continue
        days = fact.days()[0]
        if days > 30:
            outcomes.add(MET)
        else:
            outcomes |= {UNMET if days + (asof - day) <= 30 else UNKNOWN for day in (floor, cut(fact.date, asof)[1])}
    return agree(outcomes)


# ---------------------------------------------------------------- other assertions

def gastrointestinal_risk(record):
    """R19: high risk asserted, or an ulcer or bleed (past ones too); asserted false: unmet; nothing: unknown."""
    history = diagnosed(record, "UlcerOrBleed", history=True)
    base = asserted(record, "HighGastrointestinalRisk")
    return base if history == UNMET else agree({base, MET}) if history == UNKNOWN else MET


def coxib_available(record):
    """R19: not asserted unavailable (nothing on record: met)."""
    return agree(truth(value != "Absent") for value in latest_boolean(record, "Cox2InhibitorAvailable"))


def purely_axial(record):
    """R23: asserted; asserted not, or peripheral arthritis on record: unmet; nothing: unknown."""
    outcomes = set()
    peripheral = any_of(diagnosed(record, "PeripheralJointDisease"),
                        agree(truth(v == "Present") for v in latest_boolean(record, "PeripheralArthritis")))
    for value in latest_boolean(record, "PurelyAxialDisease"):
        if value == "Present":
            outcomes.add(MET)
        else:
            outcomes.add(UNMET if value == "Absent" or peripheral == MET else UNKNOWN)
    return agree(outcomes)

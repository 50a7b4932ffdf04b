"""The evaluator: criteria, recommendations, verdicts, flags, documentation, monitoring (spec/verdicts.md)."""

import datetime

from tests.oracle import bars as barring
from tests.oracle import documentation, facts, injections, nsaids, observations
from tests.oracle.biologics import biologics
from tests.oracle.courses import course_facts, course_worlds
from tests.oracle.logic import MET, UNKNOWN, UNMET, all_of, any_of, negate
from tests.oracle.steroids import bridging
from tests.oracle.vocabulary import (
    BIOLOGIC_LEAVES,
    GUIDED_LEAVES,
    IL17_LEAVES,
    INJECTION_LEAVES,
    LEAVES,
    MTX_LEAVES,
    PASSIVE_LEAVES,
    STEROID_LEAVES,
    TNF_LEAVES,
    is_a,
)

AGAINST = ("R06", "R20", "R22", "R23")
STRENGTH = {"R01": "strong", "R02": "conditional", "R03": "conditional", "R07": "conditional", "R14": "strong",
            "R15": "conditional", "R18": "conditional", "R20": "strong", "R21": "conditional", "R22": "strong"}
STRENGTHS = ("strong", "conditional", "unstated")
STATUS = {MET: "applies", UNMET: "does-not-apply", UNKNOWN: "unknown"}
BIOSIMILARS_AND_ORIGINATORS = tuple(s for s in TNF_LEAVES if s != "golimumab")


def recommendation_truths(c, out):
    """id -> {slug: truth} for every recommendation for or against a treatment; P is part of each."""
    r01 = all_of(c["P"], c["ACTIVE"], c["NSAID-FAIL"], c["PAIN"], out["NONE-FAILED"], out["NO-ONGOING"])
    r02 = all_of(c["P"], c["ACTIVE"], c["NSAID-FAIL"], c["PAIN"], c["TNF-CONTRAINDICATED"], out["IL17-NOT-FAILED"],
                 out["NO-ONGOING"])
    r03 = all_of(c["P"], out["TNFI-FAIL"], out["IL17-NOT-FAILED"], out["NO-ONGOING"], c["NOT-STABLE"])
    switch = all_of(c["P"], out["NO-OTHER-FAILURE"], out["NO-ONGOING"], c["NOT-STABLE"])
    r07 = all_of(c["P"], c["ACTIVE"], c["ISOLATED"], c["NSAID-FAIL"], c["NOT-FAILED-INJ"])
    r11 = all_of(c["P"], c["INJ-FAILED"])
    r21 = all_of(c["P"], c["BIOLOGIC-BEGINS"], c["HIGH"], c["BRIDGING-COURSE"])
    r27 = all_of(c["P"], any_of(c["CHANGE"], out["BIOLOGIC-FAILED"]))

    def each(slugs, value):
        return dict.fromkeys(slugs, value)

    return {
        "R01": each(TNF_LEAVES, r01),
        "R02": each(IL17_LEAVES, r02),
        "R03": each(IL17_LEAVES, r03),
        "R04": each(IL17_LEAVES, all_of(switch, out["FIRST-PRIMARY"])),
        "R05": {s: all_of(switch, out["FIRST-SECONDARY"], out[f"differs:{s}"]) for s in TNF_LEAVES},
        "R06": {s: all_of(c["P"], out["FIRST-FAILED"], out[f"same-product-group:{s}"])
                for s in BIOSIMILARS_AND_ORIGINATORS},
        "R07": each(("si-injection-fluoroscopy",), r07),
        "R08": each(GUIDED_LEAVES, r07),
        "R10": each(("si-injection-repeat",), all_of(c["P"], c["FIRST-INJ-ADEQUATE"], c["NOT-FAILED-INJ"])),
        "R11": each(("prolotherapy-dextrose",), r11),
        "R12": each(("pelvic-stabilization-exercise",), r11),
        "R13": each(("cooled-radiofrequency-ablation",), r11),
        "R14": each(("active-physical-therapy",), c["P"]),
        "R15": each(("land-based-physical-therapy",), c["P"]),
        "R16": each(("active-physical-therapy",), c["P"]),
        "R17": each(("nsaid-on-demand",), c["P"]),
        "R18": each(("nsaid-on-demand",), all_of(c["P"], c["STABLE"])),
        "R19": each(("cox2-inhibitor",), all_of(c["P"], c["GI-RISK"], c["COXIB-AVAILABLE"])),
        "R20": each(STEROID_LEAVES, c["P"]),
        "R21": each(("oral-glucocorticoid-bridging",), r21),
        "R22": each(("methotrexate-monotherapy",), c["P"]),
        "R23": each(MTX_LEAVES + ("sulfasalazine", "leflunomide"), all_of(c["P"], c["PURELY-AXIAL"])),
        "R27": each(("evaluation-for-other-cause",), r27),
    }


def _strongest(ids):
    return min((STRENGTH.get(i, "unstated") for i in ids), key=STRENGTHS.index, default=None)


def verdict(slug, population, bar, truths):
    """(verdict, strength) of one treatment, in the order of section 2."""
    rules = {i: targets[slug] for i, targets in truths.items() if slug in targets}
    against = {i: t for i, t in rules.items() if i in AGAINST}
    if "R20" in against and "R21" in rules:
        against["R20"] = all_of(against["R20"], negate(rules["R21"]))
    favourable = {i: t for i, t in rules.items() if i not in AGAINST}
    if population == UNMET:
        return "not-applicable", None
    if bar == MET:
        return "contraindicated", None
    if MET in against.values():
        return "advised-against", _strongest(i for i, t in against.items() if t == MET)
    if population == UNKNOWN or bar == UNKNOWN or UNKNOWN in against.values():
        return "undetermined", None
    if MET in favourable.values():
        return "eligible", _strongest(i for i, t in favourable.items() if t == MET)
    return ("undetermined" if UNKNOWN in favourable.values() else "not-indicated"), None


def _running(record, concept, test=lambda fact: True):
    """Is a course of a concept, with a record now taken that passes a test, ongoing in every world? And unfailed?"""
    facts_ = [f for f in course_facts(record, concept) if is_a(f.about, concept)]
    found = []
    for courses, _ in course_worlds(record, facts_):
        running = [c for c in courses if c.ongoing == MET and any(test(r.fact) for r in c.products_now())]
        found.append((bool(running), any(c.failed != MET for c in running)))
    return all(run for run, _ in found), all(unfailed for _, unfailed in found)


def _surely_off(record, concept):
    """Is no course of a concept ongoing in any world?"""
    facts_ = course_facts(record, concept)
    return all(c.ongoing == UNMET for courses, _ in course_worlds(record, facts_) for c in courses)


def current_treatments(record, out):
    """slug -> (is the patient on it, and without its having failed?)."""
    found = {slug: (False, False) for slug in LEAVES}
    for slug in BIOLOGIC_LEAVES:
        found[slug] = (out[f"current:{slug}"], out["on-unfailed-biologic"])
    for slug, pattern in (("nsaid-on-demand", "OnDemand"), ("nsaid-continuous", "Continuous")):
        found[slug] = _running(record, "Nsaid", lambda f, pattern=pattern: f.pattern == pattern)
    found["cox2-inhibitor"] = _running(record, "SelectiveCox2Inhibitor")
    for slug in STEROID_LEAVES:
        found[slug] = (out[f"current:{slug}"],) * 2
    therapies = ("active-physical-therapy", "pelvic-stabilization-exercise", "land-based-physical-therapy",
                 "aquatic-physical-therapy", *PASSIVE_LEAVES, "sulfasalazine", "leflunomide")
    for slug in therapies:
        found[slug] = _running(record, LEAVES[slug])
    beside = ("Biologic", "JakInhibitor", "Sulfasalazine", "Leflunomide")
    combined = any(_running(record, concept)[0] for concept in beside)
    methotrexate = _running(record, "Methotrexate")
    found["methotrexate-combination"] = methotrexate if combined else (False, False)
    alone = all(_surely_off(record, concept) for concept in beside)
    found["methotrexate-monotherapy"] = methotrexate if alone else (False, False)
    return found


def reason(slug, truths, current, out):
    """Why a treatment is not indicated: ongoing, source-silent or criteria-unmet, the first that holds."""
    on_it, unfailed = current[slug]
    if (on_it and unfailed) or (slug in BIOLOGIC_LEAVES and out["on-unfailed-biologic"]):
        return "ongoing"
    silent = all(i in AGAINST for i, targets in truths.items() if slug in targets)
    return "source-silent" if silent else "criteria-unmet"


def preferences(truths, verdicts):
    """slug -> sorted slugs that are preferred over it (section 6)."""
    def open_(slugs):
        return {s for s in slugs if verdicts[s] == "eligible"}

    def applies(rule):
        return MET in truths[rule].values()

    less = {slug: set() for slug in LEAVES}
    if applies("R08"):
        less["si-injection-unguided"] |= open_(GUIDED_LEAVES)
    if applies("R14"):
        for slug in PASSIVE_LEAVES:
            less[slug] |= open_(["active-physical-therapy"])
    if applies("R15"):
        less["aquatic-physical-therapy"] |= open_(["land-based-physical-therapy"])
    if applies("R18"):
        less["nsaid-continuous"] |= open_(["nsaid-on-demand"])
    if applies("R19"):
        for slug in ("nsaid-on-demand", "nsaid-continuous"):
            less[slug] |= open_(["cox2-inhibitor"])
    for slug in open_(IL17_LEAVES):
        less[slug] |= open_(TNF_LEAVES)
    return {slug: sorted(names) for slug, names in less.items()}


def flags(record, c, out, nsaid, truths, verdicts):
    """Review flags of section 5; unknown raises none."""
    il17_open = any(verdicts[s] == "eligible" for s in IL17_LEAVES)
    raised = {
        "other-cause": observations.diagnosed(record, "OtherCauseOfSacroiliitis") == MET,
        "single-nsaid": nsaid["single"],
        "nsaid-not-possible": c["NSAID-FAIL"] != MET and nsaids.nsaid_not_tolerated(record) == MET,
        "nsaid-response-inferred": nsaid["inferred"],
        "member-contraindicated": barring.member_contraindicated(record),
        "unread-allergy": bool(record.of("UnreadAlert")),
        "source-silent-risk": observations.diagnosed(record, "SilentRisk", history=True) == MET,
        "same-reason": il17_open and barring.tnf_reason(record),
        "unilateral": documentation.unilateral(record),
        "mri-against-radiograph": documentation.radiograph_against_mri(record),
        "repeated-injections": injections.injection_count(record) > 2,
        "unclassified-failure": out["unclassified"] == MET,
        "too-early": out["too-early"] == MET,
        "conflicting-response": out["conflicting-response"] == MET,
        "later-biologic-failure": out["NO-OTHER-FAILURE"] == UNMET,
        "tnfi-intolerance": out["tnfi-intolerance"] == MET,
        "no-concurrent-therapy": not nsaids.therapy_facts(record),
        "unguided-injection": injections.unguided_injection(record),
        "change-in-course": truths["R27"]["evaluation-for-other-cause"] == MET,
    }
    return sorted(flag for flag, up in raised.items() if up)


def criteria_of(record):
    """(criteria, biologic outcomes, NSAID outcomes) of a patient."""
    out = biologics(record)
    nsaid = nsaids.nsaids(record)
    steroid = bridging(record)
    out |= {key: value for key, value in steroid.items() if key.startswith("current:")}
    c = {
        "DIAGNOSED": observations.sacroiliitis(record),
        "ADULT": observations.age_criterion(record),
        "NSAID-FAIL": nsaid["NSAID-FAIL"],
        "PAIN-INTENSITY": observations.pain_intensity(record),
        "PAIN-DURATION": observations.pain_duration(record),
        "TNF-CONTRAINDICATED": barring.tnf_contraindicated(record),
        "ISOLATED": observations.asserted(record, "IsolatedSacroiliitis"),
        "CHANGE": observations.asserted(record, "SignificantChangeInCourse"),
        "GI-RISK": observations.gastrointestinal_risk(record),
        "COXIB-AVAILABLE": observations.coxib_available(record),
        "PURELY-AXIAL": observations.purely_axial(record),
        **observations.activity(record),
        **injections.injections(record),
        "BIOLOGIC-BEGINS": steroid["BIOLOGIC-BEGINS"],
        "BRIDGING-COURSE": steroid["BRIDGING-COURSE"],
    }
    c["P"] = all_of(c["DIAGNOSED"], c["ADULT"])
    c["PAIN"] = all_of(c["PAIN-INTENSITY"], c["PAIN-DURATION"])
    return c, out, nsaid


def _monitoring(out):
    return [{"treatment": treatment, "status": status,
             "dueOn": None if due is None else datetime.date.fromordinal(due).isoformat()}
            for treatment, status, due in out["monitoring"]]


def evaluate(graph, patient, as_of):
    """What spec/verdicts.md derives for one patient of an rdflib graph at a date.

    The keys are applicability, criteria, recommendations, treatments, flags, documentation, monitoring, prerequisites;
    the last four are empty unless the population criterion is met. A monitoring entry on which possible worlds differ
    has status 'unknown' and no due date.
    """
    record = facts.read(graph, patient, as_of)
    c, out, nsaid = criteria_of(record)
    population = c["P"]
    truths = recommendation_truths(c, out)
    barred = barring.bars(record)
    current = current_treatments(record, out)
    judged = {slug: verdict(slug, population, barred[slug], truths) for slug in LEAVES}
    verdicts = {slug: word for slug, (word, _) in judged.items()}
    less = preferences(truths, verdicts)
    inside = population == MET
    injecting = injections.planned_injection(record) or any(verdicts[s] == "eligible" for s in INJECTION_LEAVES)
    shown = c | {k: v for k, v in out.items() if ":" not in k and v in (MET, UNMET, UNKNOWN) and k.isupper()}
    return {
        "applicability": {MET: "applies", UNMET: "not-applicable", UNKNOWN: "unknown"}[population],
        "criteria": shown,
        "recommendations": {
            i: {s: "not-applicable" if population == UNMET else STATUS[t] for s, t in targets.items()}
            for i, targets in truths.items()},
        "treatments": {
            slug: {
                "verdict": word, "strength": strength, "current": current[slug][0],
                "reason": reason(slug, truths, current, out) if word == "not-indicated" else None,
                "lessPreferredThan": less[slug]}
            for slug, (word, strength) in judged.items()},
        "flags": flags(record, c, out, nsaid, truths, verdicts) if inside else [],
        "documentation": documentation.items(record, nsaid) if inside and injecting else {},
        "monitoring": _monitoring(out) if inside else [],
        "prerequisites": {"si-joint-fusion": injections.fusion_prerequisite(record)} if inside else {},
    }

"""Random patients of pt: facts, crowded around the thresholds of spec/verdicts.md; the same rng gives the same patient."""

import datetime

from rdflib import XSD, Literal

from tests.oracle.patient_maker import Maker

TNF = ("Etanercept", "Adalimumab", "Infliximab", "Golimumab", "CertolizumabPegol", "EtanerceptBiosimilar",
       "AdalimumabBiosimilar", "InfliximabBiosimilar")
IL17 = ("Secukinumab", "Ixekizumab")
NSAIDS = ("Naproxen", "Ibuprofen", "Diclofenac", "Indomethacin", "Meloxicam", "Celecoxib", "Etoricoxib")
BRANDS = {"Etanercept": "EtanerceptBiosimilar", "Adalimumab": "AdalimumabBiosimilar", "Infliximab": "InfliximabBiosimilar"}
GUIDED = ("SiInjectionFluoroscopy", "SiInjectionUltrasound", "SiInjectionCt")
MANEUVERS = ("ThighThrust", "Faber", "LateralCompression", "Distraction", "Gaenslen", "SacralThrust")
SITES = ("Sacrum", "Buttock", "PosteriorThigh")
LUMBAR = ("LumbarDiscHerniation", "LumbarSpinalStenosis", "LumbarFacetDisease")
FAILING = ("PrimaryNonResponse", "SecondaryNonResponse", "InadequateResponse")
OTHER_CAUSES = ("UnspecifiedOtherCause", "SpinalFracture", "InfectiousSacroiliitis", "SpinalTuberculosis")
RISKS = ("Tuberculosis", "LatentTuberculosis", "HepatitisB", "HeartFailure", "DemyelinatingDisease", "Uveitis",
         "InflammatoryBowelDisease", "Psoriasis", "Malignancy", "Pregnancy")
TARGETS = ("TnfInhibitor", "Biologic", "Il17Inhibitor", "Adalimumab", "AdalimumabBiosimilar", "Etanercept", "Golimumab",
           "CertolizumabPegol", "Secukinumab", "Nsaid", "NonselectiveNsaid", "SelectiveCox2Inhibitor", "Naproxen",
           "Celecoxib", "Glucocorticoid", "Triamcinolone", "Prednisone", "Methotrexate", "ConventionalDmard",
           "Sulfasalazine", "SiJointInjection", "SiInjectionFluoroscopy", "GuidedSiJointInjection", "Dextrose",
           "SiJointFusion", "AquaticPhysicalTherapy", "Ropivacaine")
AGES_OF_SCORES = ((0, 1), (3, 3), (10, 6), (45, 1), (89, 1), (90, 2), (91, 2), (200, 1), (-5, 0.4))


def random_patient(rng, iri):
    """(graph of one random patient, as-of date); most are adults with sacroiliitis."""
    as_of = datetime.date(2025, 6, 1) + datetime.timedelta(days=rng.randrange(8) * 57)  # few days, so that many are evaluated together
    m = Maker(rng, iri, as_of)
    birth(m)
    diagnosis(m)
    activity(m)
    pain(m)
    nsaid_courses(m)
    biologic_courses(m)
    therapy(m)
    assertions(m)
    if m.chance(0.35):
        injections(m)
    if m.chance(0.25):
        blocks(m)
    if m.chance(0.3):
        documentation(m)
    if m.chance(0.3):
        steroids(m)
    contraindications(m)
    conditions(m)
    others(m)
    return m.graph, as_of


def birth(m):
    """Date of birth: adults, the eighteenth birthday, years alone, none."""
    eighteenth = m.as_of.replace(year=m.as_of.year - 18, day=min(m.as_of.day, 28))
    kind = m.pick(("adult", 88), ("edge", 5), ("year", 3), ("child", 2), ("none", 2))
    if kind == "adult":
        day = m.as_of.replace(year=m.as_of.year - m.rng.randrange(20, 80), day=min(m.as_of.day, 28))
        m.birth(Literal(day.isoformat(), datatype=XSD.date))
    elif kind == "edge":
        day = eighteenth + datetime.timedelta(days=m.pick(-1, 0, 1))
        m.birth(Literal(day.isoformat(), datatype=XSD.date))
    elif kind == "year":
        m.birth(Literal(str(m.as_of.year - m.pick(17, 18, 19, 40)), datatype=XSD.gYear))
    elif kind == "child":
        m.birth(Literal(f"{m.as_of.year - 12}-03-02", datatype=XSD.date))


def diagnosis(m):
    """Sacroiliitis in most, axial spondyloarthritis in some."""
    kind = m.pick(("Present", 90), ("none", 3), ("Resolved", 2), ("Unconfirmed", 2), ("Absent", 2), ("ended", 1))
    start = m.pick(None, None, 29, 30, 31, 400, 900)
    if kind == "ended":
        m.fact("Diagnosis", "Sacroiliitis", presence="Present", start=400, end=m.pick(100, 0, 1, -1))
    elif kind != "none":
        after = m.chance(0.01)
        m.fact("Diagnosis", m.pick(("Sacroiliitis", 20), ("SacroiliitisDiagnosis", 1)), presence=kind,
               start=-3 if after else start, end=20 if kind == "Resolved" and m.chance(0.5) else None,
               recorded=-3 if after else m.pick(None, 20, 31, 300))
    if m.chance(0.12 if kind == "Present" else 0.5):
        m.fact("Diagnosis", m.pick("AnkylosingSpondylitis", "NonRadiographicAxialSpondyloarthritis",
                                   "AxialSpondyloarthritisWithPeripheralArthritis"),
               presence=m.pick(("Present", 8), ("Unconfirmed", 1), ("Resolved", 1), ("Absent", 1)), start=700)


def activity(m):
    """Asserted states and scores, around ASAS's cut-offs and 90 days of age."""
    if m.typical:
        m.fact("Observation", "DiseaseState", date=10, findings=["ActiveDisease"])
        if m.chance(0.4):
            m.fact("Observation", "Asdas", date=m.pick(10, 90), value=(m.pick("2.0", "2.1", "3.2"), "{score}"))
        return
    states = {"active": ["ActiveDisease"], "high": ["HighDiseaseActivity"], "stable": ["StableDisease"],
              "both": ["ActiveDisease", "HighDiseaseActivity"]}
    for _ in range(m.pick((0, 2), (1, 8), (2, 2))):
        state = m.pick(("active", 10), ("high", 2), ("stable", 3), ("both", 1))
        m.fact("Observation", "DiseaseState", date=m.pick(*AGES_OF_SCORES), findings=states[state])
    for score, values in (("Asdas", "1.2 1.3 1.4 2.0 2.1 2.2 3.5"), ("Basdai", "3.9 4 4.1 6 1")):
        for _ in range(m.pick((0, 7), (1, 3), (2, 1))):
            m.fact("Observation", score, date=m.pick(*AGES_OF_SCORES), value=(m.pick(*values.split()), "{score}"))


def pain(m):
    """Pain scores, recorded durations and onsets of pain conditions."""
    if m.typical:
        m.fact("Observation", "PainIntensity", date=m.pick(10, 90), value=(m.pick("4.1", "6"), "{score}"))
        m.fact("Observation", "PainDuration", date=10, value=m.pick(("90", "d"), ("31", "d"), ("3", "mo")))
        return
    for _ in range(m.pick((0, 1), (1, 8), (2, 3))):
        value = m.pick(("3", 1), ("4.0", 1), ("4", 1), ("4.1", 2), ("6", 8), ("8.5", 1))
        m.fact("Observation", "PainIntensity", date=m.pick(*AGES_OF_SCORES), value=(value, "{score}"))
    for _ in range(m.pick((0, 3), (1, 8), (2, 1))):
        value = m.pick((("90", "d"), 5), (("31", "d"), 2), (("30", "d"), 2), (("29", "d"), 1), (("1", "mo"), 1),
                       (("4", "wk"), 1), (("5", "wk"), 1), (("1", "a"), 1), (("10", "d"), 1))
        m.fact("Observation", "PainDuration", date=m.pick(*AGES_OF_SCORES), value=value)
    if m.chance(0.25):
        m.fact("Diagnosis", m.pick("SacroiliacPain", "LowBackPain"), start=m.pick(None, 29, 30, 31, 200),
               recorded=m.pick(None, 10, 30, 31, 100), end=m.pick((None, 9), (5, 1)),
               presence=m.pick(("Present", 8), ("Resolved", 1), ("Unconfirmed", 1)))


def course(m, about, start, length, response=(), **more):
    """A MedicationStatement-like course: `length` None runs on; it may be stopped, completed or of unknown end."""
    if length is None:
        status = m.pick(("Active", 10), ("StatusUnknown", 1), ("OnHold", 1), ("Stopped", 1))
        end = None
    else:
        status, end = m.pick(("Stopped", 6), ("Completed", 3), ("StatusUnknown", 0.5)), start - length
        if end < 0:
            status = "Active"
        if m.chance(0.04):
            end = None
    noted = None
    if response and m.chance(0.3):
        noted = m.pick((max(0, start - 60), 1), (max(0, start - 83), 1), (max(0, start - 84), 1), (0, 1),
                       (max(0, end or 0), 3), (-4, 0.3))
    if end is not None and end < 0:
        noted = min(start, 20) if noted is None else max(noted, 0)
    if end is None and status in ("Stopped", "Completed") and m.chance(0.5):  # over since a day that nobody wrote down
        noted = max(0, start - m.pick(15, 29, 31, 83, 200))
    start = None if m.chance(0.01) else start
    return m.fact("Course", about, start=start, end=end, status=status, responses=response, recorded=noted,
                  **more)


def supply(m, about, start, length, response=(), **more):
    """An order, dispense or administration: its end is the end of a supply."""
    status = m.pick(("Completed", 8), ("Active", 2), ("Stopped", 1))
    end = start - length
    noted = max(0, end) if response else None
    return m.fact("Course", about, start=start, end=end, status=status, responses=response, supply=True,
                  authored=start, recorded=noted, **more)


def nsaid_courses(m):
    """NSAID courses around 30 and 42 days, overlapping, refilled at 13 to 15 days, ongoing and not tolerated."""
    kind = m.pick(("classic", 8), ("mixed", 6), ("refills", 2), ("ongoing", 3), ("none", 1))
    pattern = m.pick(None, None, "OnDemand", "Continuous")
    if m.typical and m.chance(0.85):
        kind = "classic"
    if kind == "classic":
        length = m.pick(60, 60, 60, 42)
        course(m, m.pick(*NSAIDS), 190, length, ["InadequateResponse"])
        if m.chance(0.75):
            course(m, m.pick(*NSAIDS), 120, m.pick(60, 41, 42, 12), ["InadequateResponse"])
    elif kind == "mixed":
        for _ in range(m.rng.randint(1, 3)):
            response = m.pick((("InadequateResponse",), 6), ((), 3), (("AdequateResponse",), 1), (("Intolerance",), 1),
                              (("UnreadReason",), 0.5), (("Intolerance", "InadequateResponse"), 0.5))
            about = m.pick(*NSAIDS, "Nsaid") if m.chance(0.5) else "Naproxen"
            course(m, about, m.pick(30, 40, 60, 75, 90, 200), m.pick(10, 14, 15, 16, 20, 29, 30, 31, 41, 42), response,
                   pattern=pattern)
    elif kind == "refills":
        start, drug = m.pick(150, 100, 60), m.pick(*NSAIDS[:2], "Celecoxib")
        for number in range(m.pick(2, 3)):
            response = ["InadequateResponse"] if number == 1 and m.chance(0.7) else []
            supply(m, drug, start, 15, response)
            start -= 15 + m.pick(0, 1, 3, 13, 14, 15)
            if start < 0:
                break
    elif kind == "ongoing":
        course(m, m.pick(*NSAIDS), m.pick(20, 29, 30, 31, 40, 90, 95), None,
               m.pick(((), 7), (("AdequateResponse",), 1), (("InadequateResponse",), 1)), pattern=pattern)


def biologic_response(m):
    """Responses of a biologic course."""
    return m.pick(((), 3), (("PrimaryNonResponse",), 4), (("SecondaryNonResponse",), 4), (("InadequateResponse",), 2),
                  (("AdequateResponse",), 3), (("Intolerance",), 2), (("UnreadReason",), 0.5),
                  (("PrimaryNonResponse", "SecondaryNonResponse"), 0.5), (("Intolerance", "PrimaryNonResponse"), 0.3))


def biologic_courses(m):
    """None, one, two or joined courses around 83 and 84 days and 119 to 121 days apart."""
    kind = m.pick(("none", 9), ("past", 5), ("ongoing", 3), ("two", 4), ("joined", 3), ("supplied", 2), ("other", 1))
    about = m.pick(*TNF, *TNF, *TNF, *IL17) if m.chance(0.95) else m.pick("TnfInhibitor", "Biologic")
    lengths = (60, 83, 84, 85, 150, 200)
    if kind == "past":
        course(m, about, m.pick(230, 260, 400), m.pick(*lengths), biologic_response(m))
    elif kind == "ongoing":
        response = m.pick(((), 6), (("AdequateResponse",), 3), (("PrimaryNonResponse",), 1), (("InadequateResponse",), 1))
        course(m, about, m.pick(10, 29, 30, 31, 83, 84, 85, 200), None, response)
    elif kind == "two":
        start = m.pick(700, 800)
        course(m, about, start, m.pick(*lengths), biologic_response(m))
        second = m.pick(*TNF, *IL17)
        begin = start if m.chance(0.12) else m.pick(250, 300)
        if m.chance(0.3):
            course(m, second, m.pick(20, 90, 130), None, m.pick(((), 3), (("AdequateResponse",), 2)))
        else:
            course(m, second, begin, m.pick(*lengths), biologic_response(m))
    elif kind == "joined":
        drug = m.pick(*BRANDS)
        length = m.pick(60, 84, 100)
        course(m, drug, 600, length, biologic_response(m))
        gap = m.pick(0, 30, 119, 120, 121, 150)
        course(m, m.pick(drug, BRANDS[drug]), 600 - length - gap, m.pick(40, 84, 120, None), biologic_response(m))
    elif kind == "supplied":
        start = m.pick(200, 230)
        for _ in range(m.pick(1, 2, 3)):
            supply(m, about, start, m.pick(14, 28, 30), m.pick(((), 5), (("AdequateResponse",), 1),
                                                              (("SecondaryNonResponse",), 1)))
            start -= m.pick(28, 60, 119, 148, 149, 150, 151)
            if start < 0:
                break
    elif kind == "other":
        course(m, m.pick("OtherBiologic", "JakInhibitor"), m.pick(50, 200), m.pick(None, 40), m.pick((), ("AdequateResponse",)))


def therapy(m):
    """Physical therapy around 42 days, sessions 29 to 31 days apart."""
    kind = m.pick(("one", 8), ("sessions", 2), ("none", 1.5), ("ongoing", 1))
    about = m.pick(("PhysicalTherapyUnspecified", 6), ("ActivePhysicalTherapy", 2), ("Massage", 1),
                   ("AquaticPhysicalTherapy", 1), ("PhysicalTherapy", 1))
    response = m.pick((("InadequateResponse",), 6), ((), 2), (("AdequateResponse",), 1))
    if kind == "one":
        course(m, about, m.pick(100, 101), m.pick(60, 60, 41, 42, 43), response)
    elif kind == "sessions":
        start = 160
        for number in range(3):
            course(m, about, start, 15, response if number == 2 else ())
            start -= 15 + m.pick(29, 30, 31)
    elif kind == "ongoing":
        course(m, about, m.pick(41, 42, 90), None, m.pick((), ("InadequateResponse",)))


def assertions(m):
    """Booleans: mostly recorded once, now and then twice."""
    rates = {"IsolatedSacroiliitis": (0.6, 0.6), "PurelyAxialDisease": (0.7, 0.6), "HighGastrointestinalRisk": (0.7, 0.3),
             "Cox2InhibitorAvailable": (0.15, 0.5), "SignificantChangeInCourse": (0.7, 0.2),
             "PeripheralArthritis": (0.1, 0.5)}
    for concept, (recorded, true) in rates.items():
        if m.chance(recorded):
            for _ in range(m.pick((1, 9), (2, 1))):
                m.fact("Observation", concept, date=m.pick((10, 5), (30, 3), (200, 2), (-2, 0.2)),
                       presence="Present" if m.chance(true) else "Absent")


def injections(m):
    """Therapeutic injections with relief around 50 % and 60 days, some of unstated purpose."""
    for _ in range(m.pick((1, 5), (2, 3), (3, 1.5))):
        about = m.pick((GUIDED[0], 6), (GUIDED[1], 2), (GUIDED[2], 1), ("SiInjectionUnguided", 1), ("SiInjectionRepeat", 1),
                       ("SiInjectionPurposeNotStated", 1.2))
        done = m.pick(45, 59, 60, 61, 100, 100, 150, 200)
        injection = m.fact("Procedure", about, date=done, side=m.pick(None, None, "Left", "Right"))
        if m.chance(0.75):
            for _ in range(m.pick((1, 6), (2, 1))):
                m.fact("Observation", "PercentRelief", date=done - m.pick((0, 1), (1, 1), (14, 5)), partOf=injection,
                       value=(m.pick("20", "49", "50", "51", "80"), "%"))
        if m.chance(0.65):
            value = m.pick((("59", "d"), 1), (("60", "d"), 2), (("61", "d"), 1), (("2", "mo"), 1), (("8", "wk"), 1),
                           (("20", "d"), 1), (("90", "d"), 1))
            m.fact("Observation", "ReliefDuration", date=max(0, done - m.pick(20, 59, 60, 61, 95)), partOf=injection,
                   value=value)


def blocks(m):
    """Diagnostic blocks with relief around 70 and 80 percent."""
    for _ in range(m.pick((1, 2), (2, 6), (3, 1.5))):
        about = m.pick(("SiDiagnosticBlock", 9), ("SiBlockPurposeNotStated", 1))
        done = m.pick(30, 31, 60, 90)
        block = m.fact("Procedure", about, date=done, side=m.pick((None, 3), ("Left", 3), ("Right", 1)))
        if m.chance(0.9):
            for _ in range(m.pick((1, 8), (2, 1))):
                m.fact("Observation", "PercentRelief", date=done - m.pick(0, 0, 1), partOf=block,
                       value=(m.pick(("70", 1), ("71", 2), ("80", 2), ("81", 6), ("95", 4)), "%"))


def documentation(m):
    """Plans of injections and the five items."""
    if m.chance(0.7):
        m.fact("Plan", m.pick((GUIDED[0], 6), ("SiInjectionCt", 2), ("SiInjectionUnguided", 1), ("SiJointFusion", 1)),
               authored=m.pick((3, 8), (0, 1), (-1, 0.5)))
    finding = m.pick(("BilateralSacroiliitis", 5), ("EquivocalImaging", 3), ("NoSacroiliitis", 2), ("UnilateralSacroiliitis", 1),
                     (None, 2))
    if finding:
        m.fact("Observation", "SacroiliacRadiograph", date=60, findings=[finding])
    if m.chance(0.3 if finding == "BilateralSacroiliitis" else 0.6):
        m.fact("Observation", "SacroiliacMri", date=m.pick(59, 60, 61, 20), findings=m.rng.sample(
            ["BoneMarrowEdema", "SacroiliacInflammation", "BilateralSacroiliitis", "UnilateralSacroiliitis",
             "NoSacroiliitis"], m.pick(1, 1, 2)))
    if m.chance(0.1):
        m.fact("Observation", "SacroiliacCt", date=30, findings=["BilateralSacroiliitis"])
    for maneuver in m.rng.sample(MANEUVERS, m.pick(0, 2, 3, 3, 4, 5)):
        for _ in range(m.pick((1, 6), (2, 1))):
            m.fact("Observation", maneuver, date=12, presence="Present" if m.chance(0.9) else "Absent",
                   side=m.pick(("Left", 8), ("Right", 1), (None, 1)))
    for disease in LUMBAR if m.chance(0.85) else ():
        presence = m.pick(("Absent", 12), ("Present", 1), ("Unconfirmed", 0.5), ("Resolved", 0.5), (None, 0.7))
        if presence:
            m.fact("Diagnosis", disease, presence=presence, recorded=40)
    for _ in range(m.pick((0, 1), (1, 6), (2, 2))):
        site = m.pick(*SITES, *SITES, "LowBack", "Groin")
        m.fact("Observation", "PainSite", date=12, findings=[site])
    if m.chance(0.8):
        m.fact("Observation", "RadicularSymptomsToFoot", date=12, presence="Absent" if m.chance(0.85) else "Present")


def steroids(m):
    """A biologic about to start or just started, and a steroid course around 89 and 90 days."""
    begins = m.pick(-7, -7, 10, 29, 30, 31)
    drug = m.pick(*TNF, *IL17)
    if begins < 0:
        planned = m.pick(("plan", 5), ("course", 2), ("undated", 1))
        if planned == "course":
            m.fact("Course", drug, start=begins, authored=2, status="Active")
        else:
            passed = m.pick((begins, 6), (0, 1), (2, 1))  # a start that has come makes it no plan
            m.fact("Plan", drug, authored=2, start=passed if planned == "plan" else None)
    elif m.chance(0.7):
        m.fact("Course", drug, start=begins, status="Active")
    length = m.pick(60, 88, 89, 89, 90, 91, None)
    offset = m.pick(0, 0, 29, 30, -30, -31, 31)
    start = begins - offset
    route = m.pick(("Oral", 8), ("OtherRoute", 1), (None, 1))
    about = m.pick(("Prednisone", 5), ("Prednisolone", 3), ("Glucocorticoid", 1))
    end = None if length is None else start - length
    if start < 0 and m.chance(0.9):
        m.fact("Plan", about, authored=2, start=start, end=end, route=route)
    elif start >= 0:
        status = "Active" if end is None or end < 0 else "Stopped"
        m.fact("Course", about, start=start, end=end, status=status, route=route, authored=start)
    if end is not None and end < 0 and m.chance(0.3):  # a taper in parts: the next one begins about where the first ends
        begin = end - m.pick(0, 0, 14, 15)
        m.fact("Plan", about, authored=2, start=begin, end=m.pick(begin - 10, begin - 30, None), route=route)
    if m.chance(0.15):
        course(m, "Methylprednisolone", 300, m.pick(20, 89, 90), (), route="Oral")


def contraindications(m):
    """Confirmed and unconfirmed, of classes, agents, members and procedures; alerts nobody can read."""
    if m.chance(0.06):
        m.fact("Contraindication", "TnfInhibitor", certainty="Confirmed", recorded=m.pick(None, 40),
               reason=m.pick(None, "HeartFailure"))
    for _ in range(m.pick((0, 13), (1, 5), (2, 1))):
        target = m.pick(*TARGETS, *["TnfInhibitor"] * 4, *["Nsaid"] * 2)
        m.fact("Contraindication", target, certainty="Confirmed" if m.chance(0.8) else "Unconfirmed",
               recorded=m.pick((None, 3), (50, 5), (-1, 0.4)), reason=m.pick(None, None, "HeartFailure", "Tuberculosis"))
    if m.chance(0.03):
        for agent in ("Etanercept", "AdalimumabBiosimilar", "Infliximab", "Golimumab"):
            m.fact("Contraindication", agent, certainty="Confirmed" if m.chance(0.9) else "Unconfirmed", recorded=20)
    if m.chance(0.05):
        m.fact("UnreadAlert", recorded=m.pick(None, 10, -2), text="as written")


def conditions(m):
    """Other causes, ulcers and bleeds, risks on which the source is silent."""
    for names, rate in ((OTHER_CAUSES, 0.06), (("PepticUlcer", "GastrointestinalBleed"), 0.08), (RISKS, 0.08)):
        if m.chance(rate):
            presence = m.pick(("Present", 6), ("Resolved", 2), ("Unconfirmed", 1), ("Absent", 1))
            ended = presence == "Resolved" or m.chance(0.1)
            m.fact("Diagnosis", m.pick(*names), presence=presence, start=300, end=m.pick(50, None) if ended else None,
                   recorded=m.pick(None, 290))


def others(m):
    """Conventional drugs, now and then."""
    if m.chance(0.1):
        course(m, m.pick("Methotrexate", "Sulfasalazine", "Leflunomide"), 200, m.pick(None, 100),
               m.pick(((), 3), (("Intolerance",), 1), (("UnreadReason",), 0.3)))

"""R29: the documentation items D1-D5 of an SI joint injection (spec/verdicts.md section 4)."""

from tests.oracle.facts import cut
from tests.oracle.logic import MET, UNKNOWN, any_of
from tests.oracle.nsaids import physical_therapy, therapy_facts
from tests.oracle.observations import latest_boolean, observations
from tests.oracle.vocabulary import is_a

SITES = {"Sacrum", "Buttock", "PosteriorThigh"}
MRI_SIGNS = {"BilateralSacroiliitis", "BoneMarrowEdema", "SacroiliacInflammation"}
LUMBAR = ("LumbarDiscHerniation", "LumbarSpinalStenosis", "LumbarFacetDisease")


def _status(complete, recorded):
    return "complete" if complete else "incomplete" if recorded else "missing"


def _not_before(later, earlier, asof):
    """Is a dated fact surely on or after another?"""
    low, high = cut(later.date, asof)[0], cut(earlier.date, asof)[1]
    return MET if later.date is not None and low >= high else UNKNOWN


def imaging(record):
    """D1."""
    found = observations(record, "SacroiliacImaging")
    radiographs = [f for f in found if f.about == "SacroiliacRadiograph"]
    outcomes = [MET for f in radiographs if "BilateralSacroiliitis" in f.findings]
    for scan in (f for f in found if f.about == "SacroiliacMri"):
        if scan.findings & MRI_SIGNS and "UnilateralSacroiliitis" not in scan.findings:
            outcomes += [_not_before(scan, r, record.asof) for r in radiographs if "EquivocalImaging" in r.findings]
    return _status(any_of(*outcomes) == MET if outcomes else False, found)


def maneuvers(record):
    """D2: at least three distinct maneuvers positive on one side; those without a side share one unknown side."""
    found = observations(record, "ProvocationManeuver")
    kinds = {}
    for fact in found:
        if fact.presence == "Present":
            kinds.setdefault(fact.side, set()).add(fact.about)
    return _status(any(len(names) >= 3 for names in kinds.values()), found)


def lumbar(record):
    """D3: each of the three explicitly excluded and none of them otherwise on record as present or possible."""
    found = [f for f in record.of("Diagnosis") if f.about and is_a(f.about, "LumbarPathology")]
    excluded = True
    for disease in LUMBAR:
        about = [f.presence or "Present" for f in found if is_a(disease, f.about)]
        excluded &= "Absent" in about and not {"Present", "Unconfirmed"} & set(about)
    return _status(excluded, found)


def pain_site(record):
    """D4: every recorded site in the set, at least one, and radicular symptoms to the foot explicitly absent."""
    sites = set().union(*(f.findings for f in observations(record, "PainSite")))
    radicular = latest_boolean(record, "RadicularSymptomsToFoot")
    complete = bool(sites) and sites <= SITES and radicular == {"Absent"}
    return _status(complete, sites or radicular != {None})


def conservative(record, nsaid):
    """D5: NSAIDs and physical therapy, each with inadequate response for at least 42 days."""
    complete = nsaid["six-weeks"] == MET and physical_therapy(record) == MET
    return _status(complete, nsaid["any"] or therapy_facts(record))


def items(record, nsaid):
    """D1-D5."""
    return {"D1": imaging(record), "D2": maneuvers(record), "D3": lumbar(record), "D4": pain_site(record),
            "D5": conservative(record, nsaid)}


def radiograph_against_mri(record):
    """Flag: a negative radiograph with a positive MRI, or an MRI without any radiograph."""
    radiographs = observations(record, "SacroiliacRadiograph")
    scans = observations(record, "SacroiliacMri")
    positive = [s for s in scans if s.findings & (MRI_SIGNS | {"UnilateralSacroiliitis"})]
    negative = [r for r in radiographs if "NoSacroiliitis" in r.findings]
    return bool((negative and positive) or (scans and not radiographs))


def unilateral(record):
    """Flag: some imaging shows unilateral sacroiliitis."""
    return any("UnilateralSacroiliitis" in f.findings for f in observations(record, "SacroiliacImaging"))



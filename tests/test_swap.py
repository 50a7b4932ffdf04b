"""The guideline is data: treatments renamed and thresholds changed in the Turtle files alone, the verdicts follow."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pyoxigraph as ox
import pytest

from kg.engine import Triple
from kg.evaluate import evaluate
from kg.guideline import load
from kg.paths import data
from kg.results import results

GL = "https://w3id.org/sacroiliitis-kg/core#"
PT = "https://w3id.org/sacroiliitis-kg/patient#"
CL = "https://w3id.org/sacroiliitis-kg/clinical#"
TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
LABEL = "http://www.w3.org/2000/01/rdf-schema#label"
DATE = ox.NamedNode("http://www.w3.org/2001/XMLSchema#date")
AS_OF = date(2026, 1, 15)
TIME = ("d", "wk", "mo", "a")
NUMBERS = tuple(GL + name for name in ("threshold", "joinGap", "withinDays", "years"))

# one line a fact: patient, kind, concept, then property value pairs; days count back from the as-of date
FACTS = """
candidate Diagnosis Sacroiliitis presence=Present
candidate Observation PainIntensity date=10 value=4.1 unit={score}
candidate Observation PainDuration date=10 value=31 unit=d
candidate Observation Asdas date=10 value=2.1 unit={score}
candidate Course Naproxen start=60 end=30 status=Stopped response=InadequateResponse
candidate Observation IsolatedSacroiliitis date=10 presence=Present
candidate Contraindication Golimumab certainty=Confirmed
candidate Observation HighGastrointestinalRisk date=10 presence=Present

just-under Diagnosis Sacroiliitis presence=Present
just-under Observation PainIntensity date=10 value=4.0 unit={score}
just-under Observation PainDuration date=0 value=30 unit=d
just-under Observation Asdas date=10 value=2.0 unit={score}
just-under Course Naproxen start=60 end=31 status=Stopped response=InadequateResponse

stale Diagnosis Sacroiliitis presence=Present
stale Observation PainIntensity date=91 value=8 unit={score}
stale Observation PainDuration date=90 value=1 unit=mo
stale Observation Basdai date=90 value=4 unit={score}

lost-response Diagnosis Sacroiliitis presence=Present
lost-response Course Adalimumab start=184 end=100 status=Stopped response=SecondaryNonResponse
lost-response Observation PurelyAxialDisease date=10 presence=Present

too-early Diagnosis Sacroiliitis presence=Present
too-early Course Adalimumab start=183 end=100 status=Stopped response=PrimaryNonResponse

biosimilar-failed Diagnosis Sacroiliitis presence=Present
biosimilar-failed Course EtanerceptBiosimilar start=300 end=100 status=Stopped response=SecondaryNonResponse

refilled Diagnosis Sacroiliitis presence=Present
refilled Course Infliximab start=260 end=230 status=Completed supply=true
refilled Course InfliximabBiosimilar start=110 end=84 status=Completed supply=true

class-barred Diagnosis Sacroiliitis presence=Present
class-barred Observation PainIntensity date=10 value=7 unit={score}
class-barred Observation PainDuration date=10 value=12 unit=wk
class-barred Observation DiseaseState date=10 finding=ActiveDisease
class-barred Course Ibuprofen start=160 end=100 status=Stopped response=InadequateResponse
class-barred Contraindication TnfInhibitor certainty=Confirmed

intolerant Diagnosis Sacroiliitis presence=Present
intolerant Course Infliximab start=160 end=100 status=Stopped response=Intolerance

injected Diagnosis Sacroiliitis presence=Present
injected Procedure SiInjectionCt date=200 fact=injected-ct
injected Observation PercentRelief date=199 value=50 unit=% partOf=injected-ct
injected Observation ReliefDuration date=100 value=2 unit=mo partOf=injected-ct
injected Procedure SiDiagnosticBlock date=90 fact=injected-b1
injected Observation PercentRelief date=90 value=81 unit=% partOf=injected-b1
injected Procedure SiDiagnosticBlock date=60 fact=injected-b2
injected Observation PercentRelief date=60 value=81 unit=% partOf=injected-b2

injected-in-vain Diagnosis Sacroiliitis presence=Present
injected-in-vain Procedure SiInjectionUnguided date=200 fact=vain-u
injected-in-vain Observation PercentRelief date=199 value=49 unit=% partOf=vain-u
injected-in-vain Procedure SiDiagnosticBlock date=90 fact=vain-b1
injected-in-vain Observation PercentRelief date=90 value=80 unit=% partOf=vain-b1
injected-in-vain Procedure SiDiagnosticBlock date=60 fact=vain-b2
injected-in-vain Observation PercentRelief date=60 value=71 unit=% partOf=vain-b2

bridged Diagnosis Sacroiliitis presence=Present
bridged Observation Asdas date=1 value=3.6 unit={score}
bridged Course Etanercept start=30 status=Active
bridged Course Prednisone start=0 end=-89 status=Active route=Oral

bridged-too-long Diagnosis Sacroiliitis presence=Present
bridged-too-long Observation Asdas date=1 value=3.6 unit={score}
bridged-too-long Course Etanercept start=30 status=Active
bridged-too-long Course Prednisone start=0 end=-90 status=Active route=Oral

planned Diagnosis Sacroiliitis presence=Present
planned Plan SiInjectionUltrasound authored=5
planned Course Naproxen start=100 end=58 status=Stopped response=InadequateResponse
planned Course AquaticPhysicalTherapy start=100 end=58 status=Stopped response=InadequateResponse
planned Observation ThighThrust date=10 presence=Present side=Left
planned Observation Faber date=10 presence=Present side=Left

on-it-84 Diagnosis Sacroiliitis presence=Present
on-it-84 Course Golimumab start=84 status=Active

on-it-83 Diagnosis Sacroiliitis presence=Present
on-it-83 Course Golimumab start=83 status=Active

eighteen Diagnosis Sacroiliitis presence=Present birth=2008-01-15
seventeen Diagnosis Sacroiliitis presence=Present birth=2008-01-16
"""


def pt(name: str) -> ox.NamedNode:
    return ox.NamedNode(PT + name)


def patients() -> list[Triple]:
    """The facts above as triples; every patient was born in 1980 unless a line says otherwise."""
    found: list[Triple] = []
    born: dict[str, str] = {}
    for number, line in enumerate(filter(None, FACTS.splitlines())):
        patient, kind, concept, *pairs = line.split()
        given = dict(pair.split("=", 1) for pair in pairs)
        born.setdefault(patient, given.pop("birth", "1980-06-15"))
        node = fact(given.pop("fact", f"fact-{number}"))
        found += [
            Triple(node, ox.NamedNode(TYPE), pt(kind)),
            Triple(node, pt("patient"), fact(patient)),
            Triple(node, pt("about"), ox.NamedNode(CL + concept)),
        ]
        found += [Triple(node, pt(name), term(name, value)) for name, value in given.items()]
    for patient, day in born.items():
        found += [
            Triple(fact(patient), ox.NamedNode(TYPE), pt("Patient")),
            Triple(fact(patient), pt("birthDate"), ox.Literal(day, datatype=DATE)),
            Triple(fact(patient), ox.NamedNode("http://purl.org/dc/terms/identifier"), ox.Literal(patient)),
        ]
    return found


def fact(name: str) -> ox.NamedNode:
    return ox.NamedNode("http://example.org/fhir/" + name)


def term(name: str, value: str):
    if name in ("date", "start", "end", "authored"):
        return ox.Literal((AS_OF - timedelta(days=int(value))).isoformat(), datatype=DATE)
    if name == "value":
        return ox.Literal(Decimal(value))
    if name == "supply":
        return ox.Literal(True)
    if name == "unit":
        return ox.Literal(value)
    if name == "partOf":
        return fact(value)
    return ox.NamedNode((CL if name == "finding" else PT) + value)


# the swap: names and numbers in the Turtle files


def moved(number: str, unit: str) -> Decimal:
    """Where a number of this unit goes: times double, scores up by 0.5, percentages down by 10."""
    value = Decimal(number)
    return value * 2 if unit in TIME else {"{score}": value + Decimal("0.5"), "%": value - 10}[unit]


def swapped_files(folder, rename: dict[str, str]) -> int:
    """Write the ontology with renamed treatments and moved thresholds; the number of numbers changed."""
    changed = 0
    for path in sorted(data("ontology").rglob("*.ttl")):
        if "release" in path.parts:
            continue
        triples = [quad.triple for quad in ox.parse(path=str(path), format=ox.RdfFormat.TURTLE)]
        units = {triple.subject: triple.object.value for triple in triples if triple.predicate.value == GL + "unit"}
        values = [swapped(triple, units.get(triple.subject), rename) for triple in triples]
        changed += sum(
            value != triple.object and triple.predicate.value in NUMBERS
            for triple, value in zip(triples, values, strict=True)
        )
        target = folder / path.relative_to(data("ontology"))
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(
            ox.serialize(
                [
                    Triple(renamed(triple.subject, rename), triple.predicate, value)
                    for triple, value in zip(triples, values, strict=True)
                ],
                format=ox.RdfFormat.TURTLE,
            )
        )
    return changed


def swapped(triple: Triple, unit: str | None, rename: dict[str, str]):
    """The object that takes the place of this triple's object."""
    predicate, value = triple.predicate.value, triple.object
    if predicate == GL + "threshold" and isinstance(value, ox.Literal):
        return ox.Literal(moved(value.value, unit))
    if predicate in (GL + "joinGap", GL + "withinDays"):
        return ox.Literal(int(value.value) * 2)
    if predicate == GL + "years":
        return ox.Literal(int(value.value) + 3)
    if predicate in (LABEL, GL + "slug") and renamed(triple.subject, rename) != triple.subject:
        return ox.Literal(renamed(triple.subject, rename).value.rsplit("#")[-1].lower())
    return renamed(value, rename)


def renamed(node, rename: dict[str, str]):
    return ox.NamedNode(rename[node.value]) if isinstance(node, ox.NamedNode) and node.value in rename else node


def moved_facts(facts: list[Triple], rename: dict[str, str]) -> list[Triple]:
    """The same patients under the swapped guideline: other names, numbers and days as far from the new thresholds."""
    units = {triple.subject: triple.object.value for triple in facts if triple.predicate == pt("unit")}
    result = []
    for triple in facts:
        name, value = triple.predicate.value.removeprefix(PT), triple.object
        if name in ("date", "start", "end", "authored"):
            value = ox.Literal((AS_OF - 2 * (AS_OF - date.fromisoformat(value.value))).isoformat(), datatype=DATE)
        elif name == "birthDate":
            born = date.fromisoformat(value.value)
            value = ox.Literal(born.replace(year=born.year - 3).isoformat(), datatype=DATE)
        elif name == "value":
            value = ox.Literal(moved(value.value, units[triple.subject]))
        result.append(Triple(triple.subject, triple.predicate, renamed(value, rename)))
    return result


@pytest.fixture(scope="module")
def original():
    return load()


@pytest.fixture(scope="module")
def rename(original) -> dict[str, str]:
    treatments = sorted(
        triple.subject.value
        for triple in original.triples
        if triple.predicate.value == TYPE and triple.object.value == GL + "Treatment"
    )
    return {iri: f"{CL}Swapped{number:02}" for number, iri in enumerate(treatments)}


@pytest.fixture(scope="module")
def other(rename, tmp_path_factory):
    folder = tmp_path_factory.mktemp("swapped")
    assert swapped_files(folder / "ontology", rename) == len(
        [triple for triple in load().triples if triple.predicate.value in NUMBERS]
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("kg.guideline.data", lambda *parts: folder.joinpath(*parts))
        return load()


def outcome(facts: list[Triple], guideline, names: dict[str, str]) -> dict[str, dict]:
    """By patient: everything derived that people act on; treatments called by the names given."""
    found = {}
    for result in results(evaluate(facts, guideline, AS_OF)):
        treatments = {}
        for row in result["treatments"]:
            name = names.get(row["treatment"], row["treatment"])
            kept = {key: row[key] for key in ("verdict", "strength", "role", "step", "current", "reason")}
            kept |= {
                key: sorted(names.get(slug, slug) for slug in row[key])
                for key in ("preferredOver", "lessPreferredThan")
            }
            kept["missing"] = sorted(question["criterion"] for question in row["missing"])
            kept["recommendations"] = sorted((rule["id"], rule["status"]) for rule in row["recommendations"])
            treatments[name] = kept
        found[result["patient"]] = {
            "applicability": result["applicability"],
            "treatments": treatments,
            "flags": [flag["flag"] for flag in result["flags"]],
            "documentation": [(item["item"], item["status"]) for item in result["documentation"]],
            "monitoring": [
                (names.get(row["treatment"], row["treatment"]), row["status"]) for row in result["monitoring"]
            ],
            "prerequisites": [
                (names.get(row["treatment"], row["treatment"]), row["status"]) for row in result["prerequisites"]
            ],
        }
    return found


def slugs(guideline) -> dict[str, str]:
    return {
        triple.subject.value: triple.object.value
        for triple in guideline.triples
        if triple.predicate.value == GL + "slug"
    }


@pytest.fixture(scope="module")
def expected(original):
    return outcome(patients(), original, {})


def test_the_patients_reach_every_verdict_and_both_sides_of_the_thresholds(expected):
    assert {row["verdict"] for result in expected.values() for row in result["treatments"].values()} == {
        "not-applicable",
        "contraindicated",
        "advised-against",
        "undetermined",
        "eligible",
        "not-indicated",
    }

    def verdict(patient: str, treatment: str) -> str:
        return expected[patient]["treatments"][treatment]["verdict"]

    assert [verdict(patient, "etanercept") for patient in ("candidate", "just-under")] == ["eligible", "not-indicated"]
    assert [verdict(patient, "etanercept") for patient in ("lost-response", "too-early")] == [
        "eligible",
        "undetermined",
    ]
    assert [verdict(patient, "oral-glucocorticoid-bridging") for patient in ("bridged", "bridged-too-long")] == [
        "eligible",
        "advised-against",
    ]
    assert [verdict(patient, "si-injection-repeat") for patient in ("injected", "injected-in-vain")] == [
        "eligible",
        "not-indicated",
    ]
    assert [expected[patient]["prerequisites"][0][1] for patient in ("injected", "injected-in-vain")] == [
        "met",
        "indeterminate",
    ]
    assert [expected[patient]["monitoring"][0][1] for patient in ("on-it-84", "on-it-83")] == ["due", "not-yet-due"]
    assert [expected[patient]["applicability"] for patient in ("eighteen", "seventeen")] == [
        "applies",
        "not-applicable",
    ]


def test_the_verdicts_follow_names_and_thresholds(original, other, rename, expected):
    old, new = slugs(original), slugs(other)
    back = {new[rename[iri]]: old[iri] for iri in rename}
    assert not set(back) & set(back.values())
    assert outcome(moved_facts(patients(), rename), other, back) == expected


def test_the_old_numbers_no_longer_hold(original, other, rename, expected):
    old, new = slugs(original), slugs(other)
    back = {new[rename[iri]]: old[iri] for iri in rename}
    kept = [Triple(triple.subject, triple.predicate, renamed(triple.object, rename)) for triple in patients()]
    found = outcome(kept, other, back)
    for patient in ("candidate", "lost-response", "injected", "on-it-84", "eighteen", "stale"):
        assert found[patient] != expected[patient], patient


def test_the_old_names_mean_nothing_to_the_swapped_guideline(other, rename):
    known = {
        node.value
        for triple in other.triples
        for node in (triple.subject, triple.object)
        if isinstance(node, ox.NamedNode)
    }
    assert not known & set(rename)

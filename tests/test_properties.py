"""What must hold for every patient, tried on generated ones (hypothesis shrinks what breaks it)."""

from __future__ import annotations

import random
from collections import Counter
from datetime import timedelta

import rdflib
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rdflib import RDF, XSD, Literal, URIRef

from kg.engine import from_rdflib
from kg.evaluate import evaluate
from kg.results import results
from tests.oracle.random_patients import TARGETS, random_patient
from tests.oracle.vocabulary import CL, LEAVES, PT
from tests.support.vignettes import guideline

IRI = URIRef("http://example.org/fhir/Patient/p")
VERDICTS = {"not-applicable", "contraindicated", "advised-against", "undetermined", "eligible", "not-indicated"}
seeds = st.integers(min_value=0, max_value=10**6)
some = settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])


def patient(seed: int):
    """(graph, as-of date) of the random patient with this seed."""
    return random_patient(random.Random(seed), IRI)


def answers(graph: rdflib.Graph, as_of) -> dict:
    """The published JSON of the one patient."""
    (found,) = results(evaluate(from_rdflib(graph), guideline(), as_of))
    return found


def verdicts(found: dict) -> dict[str, str]:
    return {row["treatment"]: row["verdict"] for row in found["treatments"]}


def pt(name: str) -> URIRef:
    return URIRef(PT + name)


@some
@given(seeds)
def test_a_verdict_is_always_exactly_one_of_six(seed: int):
    found = answers(*patient(seed))
    assert [row["treatment"] for row in found["treatments"]] == list(LEAVES)
    assert set(verdicts(found).values()) <= VERDICTS


@some
@given(seeds, st.sampled_from(TARGETS), st.booleans())
def test_a_contraindication_never_leaves_its_target_eligible(seed: int, target: str, sure: bool):
    graph, as_of = patient(seed)
    fact = URIRef(f"{IRI}#added")
    for predicate, value in (("patient", IRI), ("about", URIRef(CL + target)), ("certainty", pt("Confirmed" if sure else "Unconfirmed"))):
        graph.add((fact, pt(predicate), value))
    graph.add((fact, RDF.type, pt("Contraindication")))
    found = answers(graph, as_of)
    barred = {row["treatment"] for row in found["treatments"] for bar in row["bars"] if str(fact) in bar["facts"]}
    same = [slug for slug, concept in LEAVES.items() if concept == target]
    assert set(same) <= barred
    allowed = {"contraindicated", "not-applicable"} if sure else VERDICTS - {"eligible", "not-indicated"}
    assert {verdict for slug, verdict in verdicts(found).items() if slug in barred} <= allowed


def _agent(graph: rdflib.Graph, fact) -> str:
    return str(graph.value(fact, pt("about"))).removesuffix("Biosimilar")


def blur(graph: rdflib.Graph, rng: random.Random) -> str | None:
    """Make one value, date or response of one fact unknown; which, or None when there is nothing to blur."""
    dated = [(s, p, o) for s, p, o in graph if isinstance(o, Literal) and o.datatype == XSD.date and s != IRI]
    # what is part of an injection is left: one that is not assessed is passed over, by contract
    measured = [(s, p, o) for s, p, o in graph if p == pt("value") and (s, pt("partOf"), None) not in graph]
    agents = Counter(_agent(graph, course) for course in graph.subjects(RDF.type, pt("Course")))
    # where another record of the agent speaks too, the contract lets that one stand for the course
    said = [(s, p, o) for s, p, o in graph if p == pt("response") and agents[_agent(graph, s)] == 1]
    kind, choices = rng.choice([("date", dated), ("value", measured), ("response", said)])
    if not choices:
        return None
    s, p, o = rng.choice(sorted(choices))
    if kind == "date":
        graph.set((s, p, Literal(str(o)[:4], datatype=XSD.gYear)))
    elif kind == "value":
        graph.remove((s, p, None))
    else:
        graph.remove((s, p, None))
        graph.add((s, p, pt("UnreadReason")))
    return f"{kind} of {s}"


@settings(some, max_examples=100)
@given(seeds, st.integers(min_value=0, max_value=10**6))
def test_not_knowing_never_gives_another_definite_verdict(seed: int, choice: int):
    graph, as_of = patient(seed)
    before = verdicts(answers(graph, as_of))
    what = blur(graph, random.Random(choice))
    if what is None:
        return
    after = verdicts(answers(graph, as_of))
    assert {slug: (before[slug], word) for slug, word in after.items() if word not in (before[slug], "undetermined")} == {}, what


@some
@given(seeds, st.integers(min_value=0, max_value=10**6))
def test_what_comes_after_the_date_changes_nothing(seed: int, other: int):
    graph, as_of = patient(seed)
    before = answers(graph, as_of)
    later, day = random_patient(random.Random(other), IRI)
    shift = as_of + timedelta(days=1)
    for fact in set(later.subjects(pt("about"))):
        if (fact, RDF.type, pt("Contraindication")) in later or (fact, RDF.type, pt("Diagnosis")) in later:
            continue
        new = URIRef(f"{fact}-later")
        for p, o in later.predicate_objects(fact):
            if isinstance(o, Literal) and o.datatype in (XSD.date, XSD.gYear, XSD.gYearMonth):
                o = Literal(shift.isoformat(), datatype=XSD.date)
            graph.add((new, p, URIRef(f"{o}-later") if p == pt("partOf") else o))
        for p in ("start", "date", "authored", "recorded"):
            graph.set((new, pt(p), Literal(shift.isoformat(), datatype=XSD.date)))
    assert answers(graph, as_of) == before


@some
@given(seeds, st.randoms(use_true_random=False))
def test_the_order_of_the_input_does_not_matter(seed: int, rng: random.Random):
    graph, as_of = patient(seed)
    triples = list(from_rdflib(graph))
    rng.shuffle(triples)
    (shuffled,) = results(evaluate(triples, guideline(), as_of))
    assert shuffled == answers(graph, as_of)

"""Whatever is sent to the services for patients: an answer by the rules or a clear refusal, never a fault."""

from __future__ import annotations

import copy
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kg.guidance.rules import Rules
from kg.serve.advisor import Advisor, Job
from tests.support import vignettes
from tests.support.hooks import faults
from tests.test_hooks import CLASS, DAY, OPEN, VIGNETTES, asked, patient_of


@pytest.fixture(scope="module")
def advisor() -> Advisor:
    return Advisor(Rules(vignettes.guideline(), vignettes.codes()))


ATOMS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12) | st.sampled_from(
    ["Patient/x", "2026-13-45", "9999-12-31", "urn:uuid:", "#x", "active", "\x00", "\ud800", "https://w3id.org/sacroiliitis-kg/clinical#Adalimumab", -1, 10**30, [], {}, [None], {"resourceType": "Bundle"}])


ANSWERED = {"resourceType": "QuestionnaireResponse", "status": "completed", "authored": "2026-03-01", "subject": {"reference": f"Patient/{patient_of(OPEN)}"},
            "item": [{"linkId": "Observation/cl:PainIntensity/value", "answer": [{"valueDecimal": 7}]}]}


def places(value: object, path: tuple = ()):
    yield path
    for key, child in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(child, (*path, key))


def replaced(value, path: tuple, new):
    if not path:
        return new
    found = copy.copy(value)
    found[path[0]] = replaced(value[path[0]], path[1:], new)
    return found


SEEDS = [asked(CLASS), asked(CLASS, "order-sign", ["Adalimumab", "Prednisone"]), asked(OPEN, "order-select", ["Naproxen"]), VIGNETTES[CLASS].bundle,
         {"resourceType": "Parameters", "parameter": [{"name": "asOf", "valueDate": "2026-03-02"}, {"name": "record", "resource": VIGNETTES[OPEN].bundle}]},
         {"resourceType": "Bundle", "type": "collection", "entry": [*VIGNETTES[OPEN].bundle["entry"], {"resource": ANSWERED}]}]
PLACES = [list(places(seed)) for seed in SEEDS]


@st.composite
def mutated(draw) -> tuple[dict, object]:
    """A good request with up to three of its values replaced by others."""
    number = draw(st.integers(0, len(SEEDS) - 1))
    body = SEEDS[number]
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(PLACES[number]))
        try:
            body = replaced(body, path, draw(ATOMS))
        except (KeyError, IndexError, TypeError):
            pass                # an earlier change took the place away
    return SEEDS[number], body


def route(seed: dict) -> str | None:
    return seed.get("hook")


def no_fault(advisor: Advisor, seed: dict, body: object) -> None:
    try:
        raw = json.dumps(body).encode()
    except (ValueError, TypeError):
        return
    found = advisor.answer(Job(route(seed), raw, DAY))
    assert found.status in (200, 400, 412, 422), found.body
    if found.status == 200 and route(seed):
        assert faults(json.loads(found.body)) == []


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(mutated())
def test_no_request_gives_a_fault(advisor, case):
    no_fault(advisor, *case)


@pytest.mark.slow
@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(mutated())
def test_no_request_of_many_gives_a_fault(advisor, case):
    no_fault(advisor, *case)

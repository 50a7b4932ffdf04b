"""Tampering with a proof, a record or a guideline: one small change at a time, chosen by a seed, with what was changed."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import pyoxigraph as ox

from kg.engine import Triple
from kg.terms import GL, PROV, PT, RDF

TYPE = ox.NamedNode(RDF.type)
DATES = tuple(map(PT.iri.__add__, ("date", "start", "end", "recorded", "authored", "birthDate")))
STEPS = tuple(GL.iri + name for name in ("CriterionResult", "RecommendationStatus", "Judgement", "Verdict", "JudgedCase"))


@dataclass(frozen=True)
class Change:
    """Triples taken away and triples put in their place."""

    removed: tuple[Triple, ...]
    added: tuple[Triple, ...]

    def of(self, triples: Sequence[Triple]) -> list[Triple]:
        gone = set(self.removed)
        return [triple for triple in triples if triple not in gone] + list(self.added)


Mutator = Callable[[random.Random, Sequence[Triple]], Change | None]


def _instead(triple: Triple, value) -> Change | None:
    return None if value == triple.object else Change((triple,), (Triple(triple.subject, triple.predicate, value),))


def _chosen(rng: random.Random, triples: Sequence[Triple], *predicates: str) -> Triple | None:
    found = sorted((t for t in triples if t.predicate.value in predicates), key=str)
    return rng.choice(found) if found else None


def other_value(*predicates: str) -> Mutator:
    """Another value that the same property has elsewhere."""

    def mutate(rng: random.Random, triples: Sequence[Triple]) -> Change | None:
        chosen = _chosen(rng, triples, *predicates)
        values = sorted({t.object for t in triples if chosen and t.predicate == chosen.predicate} - {chosen and chosen.object}, key=str)
        return _instead(chosen, rng.choice(values)) if chosen and values else None

    return mutate


def shifted(*predicates: str) -> Mutator:
    """A number one or ten higher or lower."""

    def mutate(rng: random.Random, triples: Sequence[Triple]) -> Change | None:
        chosen = _chosen(rng, triples, *predicates)
        if chosen is None:
            return None
        number = Decimal(chosen.object.value) + rng.choice((-10, -1, 1, 10))
        return _instead(chosen, ox.Literal(str(number), datatype=chosen.object.datatype))

    return mutate


def another_day(rng: random.Random, triples: Sequence[Triple]) -> Change | None:
    """A whole date moved by a day, a month or a year."""
    chosen = _chosen(rng, [t for t in triples if re.fullmatch(r"\d{4}-\d\d-\d\d", t.object.value or "")], *DATES)
    days = timedelta(rng.choice((-400, -31, -1, 1, 31)))
    return _instead(chosen, ox.Literal((date.fromisoformat(chosen.object.value) + days).isoformat(), datatype=chosen.object.datatype)) if chosen else None


def other_patient(rng: random.Random, triples: Sequence[Triple]) -> Change | None:
    chosen = _chosen(rng, triples, PT.patient)
    return _instead(chosen, ox.NamedNode("http://example.org/fhir/Patient/somebody-else")) if chosen else None


def dropped_step(rng: random.Random, triples: Sequence[Triple]) -> Change | None:
    """A derived node with everything about it."""
    nodes = sorted({t.subject for t in triples if t.predicate == TYPE and t.object.value in STEPS}, key=str)
    if not nodes:
        return None
    node = rng.choice(nodes)
    return Change(tuple(t for t in triples if node in (t.subject, t.object)), ())


def dropped_link(rng: random.Random, triples: Sequence[Triple]) -> Change | None:
    chosen = _chosen(rng, triples, PROV.wasDerivedFrom, PROV.wasGeneratedBy)
    return Change((chosen,), ()) if chosen else None


def added_step(rng: random.Random, triples: Sequence[Triple]) -> Change | None:
    """A copy of a derived node under another name, which says the opposite and bears on the same."""
    nodes = sorted({t.subject for t in triples if t.predicate == TYPE and t.object.value in STEPS}, key=str)
    if not nodes:
        return None
    node, copy = (chosen := rng.choice(nodes)), ox.NamedNode(chosen.value + "-again")
    return Change((), tuple(Triple(copy, t.predicate, t.object) for t in triples if t.subject == node) + tuple(Triple(t.subject, t.predicate, copy) for t in triples if t.object == node))


def added_link(rng: random.Random, triples: Sequence[Triple]) -> Change | None:
    links = sorted((t for t in triples if t.predicate.value == PROV.wasDerivedFrom), key=str)
    if len(links) < 2:
        return None
    new = Triple(rng.choice(links).subject, ox.NamedNode(PROV.wasDerivedFrom), rng.choice(links).object)
    return None if new in set(links) else Change((), (new,))


def dropped_fact(rng: random.Random, triples: Sequence[Triple]) -> Change | None:
    facts = sorted({t.subject for t in triples if t.predicate.value == PT.patient}, key=str)
    fact = rng.choice(facts) if facts else None
    return Change(tuple(t for t in triples if t.subject == fact), ()) if fact else None


def added_fact(rng: random.Random, triples: Sequence[Triple]) -> Change | None:
    """A fact of the record once more, about something else that the record speaks of."""
    facts = sorted({t.subject for t in triples if t.predicate.value == PT.patient}, key=str)
    about = sorted({t.object for t in triples if t.predicate.value == PT.about}, key=str)
    if not facts:
        return None
    fact, copy = (chosen := rng.choice(facts)), ox.NamedNode(chosen.value + "-again")
    return Change((), tuple(Triple(copy, t.predicate, rng.choice(about) if t.predicate.value == PT.about else t.object) for t in triples if t.subject == fact))


#: What is done to the record after the proof was made.
RECORD: dict[str, Mutator] = {
    "value": shifted(PT.value), "date": another_day, "concept": other_value(PT.about), "patient": other_patient,
    "presence": other_value(PT.presence, PT.response, PT.certainty, PT.status), "fact dropped": dropped_fact, "fact added": added_fact,
}
#: What is done to the proof itself.
PROOF: dict[str, Mutator] = {
    "result": other_value(GL.degree, GL.verdict, GL.truth, GL.holds), "value as read": shifted(PT.value), "step dropped": dropped_step,
    "link dropped": dropped_link, "step added": added_step, "link added": added_link,
}
#: What is done to the guideline after the proof was made: the properties, each of whose triples is changed in turn.
GUIDELINE: dict[str, tuple[str, ...]] = {
    "threshold": (GL.threshold, GL.years, GL.atLeast, GL.withinDays, GL.notBefore), "comparator": (GL.comparator,), "direction": (GL.direction,), "target": (GL.treatment,),
}

"""The population file: read, checked and made into steps; and one patient from it (kg.simulation)."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from random import Random

from kg.errors import InputError
from kg.paths import data
from kg.simulation import lines, steps, visits
from kg.simulation.concepts import Concepts
from kg.simulation.draws import choice, integer
from kg.simulation.mistakes import Made, Mistakes
from kg.simulation.person import Calendar, Missing, Person
from kg.simulation.tables import Table

_KINDS: dict[str, type[steps.Step]] = {
    "bar": steps.Bar,
    "condition": steps.Condition,
    "examination": visits.Examination,
    "excluded": steps.Excluded,
    "finding": visits.Finding,
    "line": lines.Line,
    "other": steps.Other,
    "plan": steps.Plan,
    "procedure": steps.Procedure,
    "score": visits.Score,
    "since-onset": visits.SinceOnset,
    "state": visits.State,
    "statement": visits.Statement,
}
_NUMBERS = 2**40  # more patients than there are people


@dataclass(frozen=True)
class Patient:
    """A simulated patient: the number, the resources of the record (the Patient first), and the mistake put into it."""

    number: int
    resources: list[dict]
    mistake: Made | None


class Population:
    """What the file says, ready to draw patients from."""

    def __init__(self, path: Path) -> None:
        try:
            content = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise InputError(str(path), "file", str(error), "give a population file in TOML") from error
        whole = Table(str(path), "file", content)
        self.as_of = _date(whole)
        missing = whole.table("missing")
        missing.get("basis", str)
        self.missing = Missing(**{name: missing.share(name) for name in missing.names()})
        coding = whole.table("coding")
        coding.get("basis", str)
        concepts = Concepts(coding)
        pools, doses = whole.table("pool"), whole.table("dose")
        concepts.pools = {name: pools.weights(name) for name in pools.names()}
        concepts.doses = {name: lines.dose(doses.table(name), concepts) for name in doses.names()}
        self.mistakes = Mistakes(whole.table("mistakes"), concepts)
        self._read_person(whole.table("person"))
        self._read_visits(whole.table("visits"))
        self.steps = [self._step(whole, one, concepts) for one in whole.get("step", list)]
        whole.done()

    def patient(self, number: int, seed: int, calendar: Calendar, mistaken: float) -> Patient:
        """The patient of this number, the same whatever others there are; `mistaken`: how likely with a mistake."""
        person = Person(number, Random((seed * _NUMBERS + number) * 2).random, calendar, self.missing)
        self._begin(person)
        for step in self.steps:
            step.run(person)
        # random numbers of its own: whoever has no mistake is the same with mistakes as without
        rand = Random((seed * _NUMBERS + number) * 2 + 1).random
        made = self.mistakes.make(person.resources, rand) if rand() < mistaken else None
        return Patient(number, person.resources, made)

    def _read_person(self, table: Table) -> None:
        table.get("basis", str)
        self._sex, self._group = choice(table.weights("sex")), choice(table.weights("group"))
        self._age, self._onset = integer(table.rows("age")), integer(table.rows("onset"))
        self._activity, self._birth = integer(table.rows("activity")), choice(table.weights("birth"))
        table.done()

    def _read_visits(self, table: Table) -> None:
        table.get("basis", str)
        self._latest, self._every, self._most = integer(table.rows("latest")), integer(table.rows("every")), table.get("most", int)
        table.done()

    @staticmethod
    def _step(whole: Table, values: dict, concepts: Concepts) -> steps.Step:
        table = Table(whole.file, f"step {values.get('name', '?')}", values)
        kind = table.get("kind", str)
        if kind not in _KINDS:
            raise table.fault(f"is of the unknown kind {kind}", f"use one of {', '.join(_KINDS)}")
        return _KINDS[kind](table, concepts)

    def _begin(self, person: Person) -> None:
        """Sex, age, onset and visits, and the Patient."""
        rand = person.rand
        person.sex, person.age, person.onset = self._sex(rand), self._age(rand), self._onset(rand)
        person.activity = self._activity(rand)
        person.labels.add(self._group(rand))
        born = person.calendar[-(person.age * 365 + person.age // 4 + 1 + int(rand() * 364))]
        length = {"day": 10, "month": 7, "year": 4, "none": 0}[self._birth(rand)]
        content = {"resourceType": "Patient", "id": person.id, "gender": person.sex}
        person.resources.append(content | ({"birthDate": born[:length]} if length else {}))
        day = -min(self._latest(rand), person.onset)
        person.visits = [day]
        while len(person.visits) < self._most:
            day -= self._every(rand)
            if day < -person.onset:
                break
            person.visits.append(day)


def _date(table: Table) -> date:
    text = table.get("as-of", str)
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise table.fault(f"as-of {text} is no date", "write it as YYYY-MM-DD") from None


@cache
def population(path: Path | None = None) -> Population:
    """The population of a file; the project's own without one. Raises InputError when the file cannot be used."""
    return Population(path or data("ontology", "population.toml"))

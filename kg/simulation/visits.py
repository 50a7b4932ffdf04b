"""The steps of the population file that record what visits found: scores, statements, examinations, images."""

from __future__ import annotations

from kg.simulation.concepts import Concepts, quantity
from kg.simulation.draws import choice, integer, noise
from kg.simulation.person import Person
from kg.simulation.steps import Step, raw_code
from kg.simulation.tables import Table


def observe(person: Person, code: dict, day: int | None, content: dict) -> None:
    """Add an Observation; without a date when the day is None."""
    dated = {} if day is None else {"effectiveDateTime": person.calendar[day]}
    person.add("Observation", {"status": "final", "code": code, **dated, **content})


class Score(Step):
    """A number at each visit that follows the activity of the disease; `rate` is the share of the visits."""

    def read(self, table: Table, concepts: Concepts) -> None:
        about = table.get("about", str, None)
        if about:
            self._code = concepts.coded(about)
            self._unit, self._floor, self._ceiling = concepts.quantity(about)
        else:
            code = raw_code(table)
            self._code = lambda rand: code
            self._unit, self._floor, self._ceiling = table.get("unit", str), 0.0, None
        self._least, self._most, self._spread = (table.get(key, float) for key in ("least", "most", "spread"))
        self._scaled = self._scale(table.table("scaled", {}), concepts, about)

    @staticmethod
    def _scale(table: Table, concepts: Concepts, about: str | None) -> tuple[float, dict, str, int] | None:
        rate = table.share("rate", 0)
        found = (rate, concepts.scaled(about), table.get("unit", str), table.get("factor", int)) if rate else None
        table.done()
        return found

    def run(self, person: Person) -> None:
        if self.possible(person):
            for day in person.visits:
                if person.rand() < self.rate:
                    self._measure(person, day)

    def _measure(self, person: Person, day: int) -> None:
        rand = person.rand
        value = self._least + (self._most - self._least) * person.active(day) / 100 + noise(rand) * self._spread
        value = max(value, self._floor)
        value = round(value if self._ceiling is None else min(value, self._ceiling), 1)
        when = None if rand() < person.missing.date else day
        if self._scaled and rand() < self._scaled[0]:
            _, code, unit, factor = self._scaled
            observe(person, code, when, {"valueQuantity": quantity(round(value * factor, 1), unit)})
        else:
            observe(person, self._code(rand), when, {"valueQuantity": quantity(value, self._unit)})


class SinceOnset(Step):
    """How long the disease has lasted, as told at the latest visit."""

    def read(self, table: Table, concepts: Concepts) -> None:
        self._code, self._days = concepts.coded(table.get("about", str)), concepts.index.days
        self._unit = choice(table.weights("unit"))

    def happen(self, person: Person) -> None:
        unit = self._unit(person.rand)
        value = (person.visits[0] + person.onset) // self._days[unit]
        observe(person, self._code(person.rand), person.visits[0], {"valueQuantity": quantity(value, unit)})


class State(Step):
    """A word for the activity of the disease, by its height at the latest visit."""

    def read(self, table: Table, concepts: Concepts) -> None:
        self._code = concepts.coded(table.get("about", str))
        self._words = [(bound, concepts.coded(name)) for bound, name in table.get("upto", list)]

    def happen(self, person: Person) -> None:
        height = person.active(person.visits[0]) + 10 * noise(person.rand)
        coded = next(coded for bound, coded in self._words if height <= bound)
        observe(person, self._code(person.rand), person.visits[0], {"valueCodeableConcept": coded(person.rand)})


class Statement(Step):
    """A question answered by yes or no at the latest visit."""

    def read(self, table: Table, concepts: Concepts) -> None:
        self._code, self._yes = concepts.coded(table.get("about", str)), table.share("yes")

    def happen(self, person: Person) -> None:
        yes = person.rand() < self._yes
        person.labels.add(f"{self.name}:{'yes' if yes else 'no'}")
        observe(person, self._code(person.rand), person.visits[0], {"valueBoolean": yes})


class Finding(Step):
    """A coded finding, or several: of an image, or told by the patient."""

    def read(self, table: Table, concepts: Concepts) -> None:
        answer = table.weights("answer")
        self._code, self._answer = concepts.coded(table.get("about", str)), choice(answer)
        self._codes = {name: concepts.coded(name) for name in answer}
        self._resource, self._day = choice(table.weights("resource")), integer(table.rows("day"))
        self._count = choice(table.weights("count", {"1": 1}))

    def happen(self, person: Person) -> None:
        rand = person.rand
        day, kind, code = -min(self._day(rand), person.onset), self._resource(rand), self._code(rand)
        names = dict.fromkeys(self._answer(rand) for _ in range(int(self._count(rand))))
        found = [self._codes[name](rand) for name in names]
        if kind == "DiagnosticReport":
            content = {"status": "final", "code": code, "effectiveDateTime": person.calendar[day], "conclusionCode": found}
            person.add(kind, content)
            return
        for one in found:
            observe(person, code, day, {"valueCodeableConcept": one})


class Examination(Step):
    """Several tests of one examination, each positive or negative, on one side or on none that is named."""

    def read(self, table: Table, concepts: Concepts) -> None:
        self._codes = [concepts.coded(name) for name in table.get("about", list)]
        self._done, self._positive = table.share("done"), integer(table.rows("positive"))
        side = table.weights("side")
        self._side, self._sides = choice(side), {name: concepts.coded(name) for name in side if name != "none"}
        self._day = integer(table.rows("day"))

    def happen(self, person: Person) -> None:
        rand = person.rand
        positive, side, day = self._positive(rand) / 100, self._side(rand), -self._day(rand)
        for coded in self._codes:
            if rand() < self._done:
                content: dict = {"valueBoolean": rand() < positive}
                if side != "none":
                    content["bodySite"] = self._sides[side](rand)
                observe(person, coded(rand), day, content)

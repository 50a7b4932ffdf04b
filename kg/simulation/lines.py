"""Lines of treatment: courses of drugs or therapies, one after the other, each with an outcome that decides what follows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kg.simulation.concepts import Concepts, quantity
from kg.simulation.draws import Rand, choice, integer
from kg.simulation.person import Person
from kg.simulation.steps import Step
from kg.simulation.tables import Table

_TRIES = 20  # how often another treatment is drawn before a line ends for want of one


@dataclass(frozen=True)
class _Outcome:
    """How a course ends, how long it lasts (None: it goes on) and what it does to the disease meanwhile."""

    codes: tuple[Callable[[Rand], dict], ...]
    good: bool
    lasts: Callable[[Rand], int] | None
    level: Callable[[Rand], int]
    fades: bool
    again: float


class Line(Step):
    """A line of treatment; marks `<name>:start` and `<name>:end` are those of its last course."""

    def read(self, table: Table, concepts: Concepts) -> None:
        self._resource, self._delay = choice(table.weights("resource")), integer(table.rows("delay"))
        self._gap, self._most = integer(table.rows("gap")), table.get("most", int)
        self._after, self._at = table.get("after", str, None), table.get("at", str, None)
        self._noted, self._planned = table.share("noted", 0), table.share("planned-end", 0)
        pattern = table.weights("pattern", None)
        self._pattern = choice(pattern) if pattern else lambda rand: "continuous"
        outcomes, following = table.table("outcome"), table.table("next", {})
        weights = {}
        self._outcomes: dict[str, _Outcome] = {}
        for name in outcomes.names():
            inner = outcomes.table(name)
            weights[name] = inner.get("weight", int)
            self._outcomes[name] = _outcome(inner, concepts)
        self._outcome = choice(weights)
        groups = {"": table.weights("first"), **{name: following.weights(name) for name in following.names()}}
        self._groups = {name: choice(weights) for name, weights in groups.items()}
        pools = {name: concepts.pools.get(name) for weights in groups.values() for name in weights}
        for name, pool in pools.items():
            if pool is None:
                raise table.fault(f"draws from {name}, which is no pool", "name a [pool] of the file")
        self._members = {name: choice(pool) for name, pool in pools.items()}
        members = [name for pool in pools.values() for name in pool]
        self._codes = {name: concepts.drug(name) for name in members}
        self._doses = {name: concepts.doses.get(name) for name in members}
        self._adequate = concepts.coded("AdequateResponse")

    def happen(self, person: Person) -> None:
        rand, used, before = person.rand, [], ""
        start = self._begin(person) + self._delay(rand)
        for _ in range(self._most):
            name = self._another(rand, before, used)
            if start > 0 or name is None:
                break
            used.append(name)
            before = self._outcome(rand)
            outcome = self._outcomes[before]
            end = None if outcome.lasts is None else start + outcome.lasts(rand)
            going = end is None or end >= 0
            self._record(person, name, outcome, start, end, going)
            person.labels.add(f"{self.name}:{'ongoing' if going else before}")
            person.marks[f"{self.name}:start"], person.marks[f"{self.name}:end"] = start, 0 if going else end
            person.courses.append((start, 0 if end is None else end, outcome.level(rand), outcome.fades))
            if going or rand() >= outcome.again:
                break
            start = end + self._gap(rand)

    def _begin(self, person: Person) -> int:
        """The day that the delay of the first course counts from."""
        if self._at:
            return person.marks[self._at]
        return person.marks.get(f"{self._after}:end", -person.onset)

    def _another(self, rand: Rand, before: str, used: list[str]) -> str | None:
        """A treatment that this line has not had yet, of what follows the last outcome."""
        groups = self._groups.get(before) or self._groups[""]
        for _ in range(_TRIES):
            name = self._members[groups(rand)](rand)
            if name not in used:
                return name
        return None

    def _record(self, person: Person, name: str, outcome: _Outcome, start: int, end: int | None, going: bool) -> None:
        """Add the resource of a course, as far as the record holds it."""
        rand = person.rand
        period = {"start": person.day(start)}
        if end is not None and (rand() < self._planned if going else rand() >= person.missing.end):
            period["end"] = person.day(end)
        reasons = [] if going or rand() < person.missing.response else [coded(rand) for coded in outcome.codes]
        if going and outcome.lasts is None and rand() < self._noted:
            reasons = [self._adequate(rand)]
        over = "completed" if outcome.good or not outcome.codes else "stopped"
        kind, code = self._resource(rand), self._codes[name](rand)
        if kind == "Procedure":
            content = {"status": "in-progress" if going else "completed", "code": code, "performedPeriod": period}
            person.add(kind, content | ({"outcome": reasons[0]} if reasons else {}))
            return
        dosage = self._dosage(rand, name) if rand() >= person.missing.dose else None
        content = {"status": "active" if going else over, "medicationCodeableConcept": code}
        if kind == "MedicationStatement":
            content |= {"effectivePeriod": period, "dateAsserted": person.calendar[0 if going else end]}
            content |= ({"statusReason": reasons} if reasons else {}) | ({"dosage": dosage} if dosage else {})
        else:
            content |= {"intent": "order", "authoredOn": period["start"], "dispenseRequest": {"validityPeriod": period}}
            content |= ({"statusReason": reasons[0]} if reasons else {}) | ({"dosageInstruction": dosage} if dosage else {})
        person.add(kind, content)

    def _dosage(self, rand: Rand, name: str) -> list[dict] | None:
        """Dose, route and whether it is taken at fixed times."""
        dose, pattern = self._doses[name], self._pattern(rand)
        if dose is None:
            return None
        found = {"doseAndRate": [{"doseQuantity": dose.amount}]}
        if dose.route:
            found["route"] = dose.route(rand)
        if pattern == "on-demand":
            found["asNeededBoolean"] = True
        elif pattern == "continuous":
            found["timing"] = dose.timing
        return [found]


@dataclass(frozen=True)
class Dose:
    """What is usually taken of a drug."""

    amount: dict
    timing: dict
    route: Callable[[Rand], dict] | None


def dose(table: Table, concepts: Concepts) -> Dose:
    """The dose that a table of the file gives."""
    repeat = {"frequency": table.get("times", int), "period": table.get("days", int), "periodUnit": "d"}
    route = table.get("route", str, None)
    amount = quantity(table.get("value", int), table.get("unit", str))
    table.done()
    return Dose(amount, {"repeat": repeat}, concepts.coded(route) if route else None)


def _outcome(table: Table, concepts: Concepts) -> _Outcome:
    response, lasts = table.get("response", list, []), table.get("lasts", (str, list))
    found = _Outcome(
        tuple(concepts.coded(name) for name in response), response == ["AdequateResponse"],
        None if lasts == "on" else integer(lasts), integer(table.rows("level")), table.get("fades", bool, False), table.share("again", 0),
    )  # fmt: skip
    table.done()
    return found

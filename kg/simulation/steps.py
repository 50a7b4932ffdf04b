"""The steps of the population file that record a thing or two: conditions, plans, procedures, allergies.

Each is made from its table once and then run for every patient; no concept stands here."""

from __future__ import annotations

from kg.simulation.concepts import Concepts, concept, quantity
from kg.simulation.draws import choice, integer
from kg.simulation.person import Person, status
from kg.simulation.tables import Table


class Step:
    """What all steps have: for whom they are, how often they happen, and the label that they leave."""

    def __init__(self, table: Table, concepts: Concepts) -> None:
        self.name, self.basis = table.get("name", str), table.get("basis", str)
        self.rate = table.share("rate", 1)
        self._when, self._unless = frozenset(table.get("when", list, [])), frozenset(table.get("unless", list, []))
        self._sex, self._age = table.get("sex", str, None), table.get("age", list, None)
        self.read(table, concepts)
        table.done()

    def read(self, table: Table, concepts: Concepts) -> None:
        """Take what this kind of step has of its own from the table."""
        raise NotImplementedError

    def happen(self, person: Person) -> None:
        """Record what happens to a patient."""
        raise NotImplementedError

    def run(self, person: Person) -> None:
        """Let it happen, if the patient is one to whom it can."""
        if self.possible(person) and person.rand() < self.rate:
            person.labels.add(self.name)
            self.happen(person)

    def possible(self, person: Person) -> bool:
        return (
            self._when <= person.labels
            and self._unless.isdisjoint(person.labels)
            and self._sex in (None, person.sex)
            and (self._age is None or self._age[0] <= person.age <= self._age[1])
        )


class Condition(Step):
    """A diagnosis, with what the record says of its status and its onset."""

    def read(self, table: Table, concepts: Concepts) -> None:
        about = table.weights("about")
        self._about, self._codes = choice(about), {name: concepts.coded(name) for name in about}
        onset = table.get("onset", (str, list))
        self._onset = None if onset == "disease" else integer(onset)
        self._clinical = choice(table.weights("clinical", {"active": 1}))
        self._verification = choice(table.weights("verification", {"confirmed": 1}))

    def happen(self, person: Person) -> None:
        rand = person.rand
        start = -person.onset if self._onset is None else -self._onset(rand)
        record_condition(person, self._codes[self._about(rand)](rand), start, self._clinical(rand), self._verification(rand))


class Excluded(Step):
    """Conditions that were looked for and are not there."""

    def read(self, table: Table, concepts: Concepts) -> None:
        self._codes = [concepts.coded(name) for name in table.get("about", list)]
        self._done, self._day = table.share("done"), integer(table.rows("day"))

    def happen(self, person: Person) -> None:
        day = -self._day(person.rand)
        for coded in self._codes:
            if person.rand() < self._done:
                content = {"code": coded(person.rand), "verificationStatus": status("condition-ver-status", "refuted")}
                person.add("Condition", {**content, "recordedDate": person.calendar[day]})


def record_condition(person: Person, code: dict, start: int, clinical: str, verification: str) -> None:
    """Add a Condition; one entered in error has no clinical status (an invariant of FHIR)."""
    content: dict = {"code": code}
    if clinical != "none" and verification != "entered-in-error":
        content["clinicalStatus"] = status("condition-clinical", clinical)
    content["verificationStatus"] = status("condition-ver-status", verification)
    content["onsetDateTime"] = person.day(start)
    if clinical == "resolved":
        content["abatementDateTime"] = person.calendar[start + int(-start * person.rand())]
    content["recordedDate"] = person.calendar[min(start + 7, 0)]
    person.add("Condition", content)


class Plan(Step):
    """A treatment that is ordered or proposed and has not begun; its name marks the day on which it is to begin."""

    def read(self, table: Table, concepts: Concepts) -> None:
        about = table.weights("about")
        self._resource = choice(table.weights("resource"))
        self._about = choice(about)
        self._codes = {name: concepts.coded(name) for name in about}
        self._authored, self._starts = integer(table.rows("authored")), table.rows("starts", None)
        self._starts = integer(self._starts) if self._starts else None

    def happen(self, person: Person) -> None:
        rand, calendar = person.rand, person.calendar
        code, kind = self._codes[self._about(rand)](rand), self._resource(rand)
        authored, starts = calendar[-self._authored(rand)], self._starts(rand) if self._starts else None
        person.marks[self.name] = starts or 0
        if kind == "ServiceRequest":
            content = {"status": "active", "intent": "order", "code": code, "authoredOn": authored}
            person.add(kind, content | ({} if starts is None else {"occurrenceDateTime": calendar[starts]}))
            return
        content = {"status": "draft", "intent": "plan", "medicationCodeableConcept": code, "authoredOn": authored}
        if starts is not None:
            content["dosageInstruction"] = [{"timing": {"repeat": {"boundsPeriod": {"start": calendar[starts]}}}}]
        person.add("MedicationRequest", content)


class Procedure(Step):
    """Interventions of one kind, and what was observed of their effect."""

    def read(self, table: Table, concepts: Concepts) -> None:
        about = table.weights("about")
        self._about, self._codes = choice(about), {name: concepts.coded(name) for name in about}
        self._delay, self._gap = integer(table.rows("delay")), integer(table.rows("gap"))
        self._count = choice(table.weights("count", {"1": 1}))
        side = table.weights("side")
        self._side, self._sides = choice(side), {name: concepts.coded(name) for name in side if name != "none"}
        effects = table.table("effect", {})
        self._effects = [_Effect(effects.table(name), name, concepts) for name in effects.names()]

    def happen(self, person: Person) -> None:
        rand, day = person.rand, -person.onset + self._delay(person.rand)
        side = self._side(rand)
        for _ in range(int(self._count(rand))):
            if day > 0:
                break
            content = {"status": "completed", "code": self._codes[self._about(rand)](rand), "performedDateTime": person.day(day)}
            if side != "none":
                content["bodySite"] = [self._sides[side](rand)]
            done = person.add("Procedure", content)
            for effect in self._effects:
                effect.record(person, done, day)
            day += self._gap(rand)


class _Effect:
    """A number that tells, some days later, how well a procedure worked."""

    def __init__(self, table: Table, name: str, concepts: Concepts) -> None:
        self._code = concepts.coded(name)
        self._rate, self._day = table.share("rate"), integer(table.rows("day"))
        self._value, self._unit = integer(table.rows("value")), table.get("unit", str)
        self._lasts = self._unit in concepts.index.days
        table.done()

    def record(self, person: Person, done: dict, day: int) -> None:
        rand = person.rand
        later = self._day(rand)
        value = self._value(rand)
        if day + later > 0 or rand() >= self._rate:
            return
        # what is recorded after some days cannot have lasted longer
        value = min(value, later) if self._lasts else value
        person.add("Observation", {
            "status": "final", "code": self._code(rand), "effectiveDateTime": person.calendar[day + later],
            "valueQuantity": quantity(value, self._unit), "partOf": [{"reference": f"Procedure/{done['id']}"}],
        })  # fmt: skip


class Bar(Step):
    """An allergy or a safety alert: to a concept, or in words that nobody coded."""

    def read(self, table: Table, concepts: Concepts) -> None:
        about, words = table.weights("about", None), table.get("words", list, None)
        if (about is None) == (words is None):
            raise table.fault("has both or none of about and words", "give one of them")
        self._about = choice(about or dict.fromkeys(words, 1))
        self._codes = {name: concepts.coded(name) for name in about or ()}
        self._verification = choice(table.weights("verification", {"confirmed": 1}))
        self._resource = choice(table.weights("resource", {"AllergyIntolerance": 1}))
        reason = table.weights("reason", {"none": 1})
        self._reason, self._reasons = choice(reason), {name: concepts.coded(name) for name in reason if name != "none"}
        self._alert = concepts.coded("ContraindicationAlert")

    def happen(self, person: Person) -> None:
        rand = person.rand
        about = self._about(rand)
        code = self._codes[about](rand) if self._codes else {"text": about}
        recorded = person.calendar[-int(rand() * 2000)]
        verification, reason = self._verification(rand), self._reason(rand)
        if self._resource(rand) == "AllergyIntolerance":
            words = {"clinicalStatus": status("allergyintolerance-clinical", "active")} if verification != "entered-in-error" else {}
            words["verificationStatus"] = status("allergyintolerance-verification", verification)
            person.add("AllergyIntolerance", {**words, "code": code, "recordedDate": recorded}, "patient")
            return
        content = {"status": "final", "code": self._alert(rand), "identifiedDateTime": recorded, "implicated": [{"reference": "#drug"}]}
        if reason != "none":
            content["evidence"] = [{"code": [self._reasons[reason](rand)]}]
        content["contained"] = [{"resourceType": "Medication", "id": "drug", "code": code}]
        person.add("DetectedIssue", content, "patient")


class Other(Step):
    """What no rule asks: a code of its own, in a resource that is read for others."""

    def read(self, table: Table, concepts: Concepts) -> None:
        self._resource, self._code = choice(table.weights("resource")), raw_code(table)
        self._day = integer(table.rows("day"))

    def happen(self, person: Person) -> None:
        day = -self._day(person.rand)
        if self._resource(person.rand) == "Condition":
            record_condition(person, self._code, day, "active", "confirmed")
        else:
            content = {"status": "active", "medicationCodeableConcept": self._code, "effectivePeriod": {"start": person.day(day)}}
            person.add("MedicationStatement", content)


def raw_code(table: Table) -> dict:
    """A code that stands in the file itself, because no concept of the ontology has it."""
    inner = table.table("code")
    found = concept(inner.get("system", str), inner.get("code", str), inner.get("text", str))
    inner.done()
    return found

"""One patient in the making: the random numbers, what happened so far, and the resources that record it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from kg.simulation.draws import Rand

_WORKS_AFTER = 14  # days from the start of a course until it tells in the activity
_HL7 = "http://terminology.hl7.org/CodeSystem/"


class Calendar(dict):
    """ISO dates by days from the as-of date (negative: before it), made when first asked for."""

    def __init__(self, as_of: date) -> None:
        super().__init__()
        self.as_of = as_of

    def __missing__(self, offset: int) -> str:
        self[offset] = found = (self.as_of + timedelta(days=offset)).isoformat()
        return found


@dataclass(frozen=True)
class Missing:
    """What records leave out, as shares."""

    response: float
    day: float
    end: float
    dose: float
    date: float


class Person:
    """The state of one patient. Days are offsets from the as-of date; `activity` is that of the untreated disease, 0 to 100.

    `labels`: what later steps ask for. `marks`: days that later steps count from. `courses`: (first day, last day, percent
    of the activity that is left, whether the effect fades). `visits`: the latest first."""

    __slots__ = (
        *("rand", "id", "subject", "calendar", "missing", "resources", "labels", "marks", "courses"),
        *("onset", "age", "sex", "activity", "visits"),
    )

    def __init__(self, number: int, rand: Rand, calendar: Calendar, missing: Missing) -> None:
        self.rand, self.calendar, self.missing = rand, calendar, missing
        self.id = f"sim-{number:09d}"
        self.subject = {"reference": f"Patient/{self.id}"}
        self.resources: list[dict] = []
        self.labels: set[str] = set()
        self.marks: dict[str, int] = {}
        self.courses: list[tuple[int, int, int, bool]] = []

    def add(self, kind: str, content: dict, owner: str = "subject") -> dict:
        """Record a resource of this patient and return it."""
        resource = {"resourceType": kind, "id": f"{self.id}-{len(self.resources):04d}", owner: self.subject, **content}
        self.resources.append(resource)
        return resource

    def day(self, offset: int) -> str:
        """The date, of which the day may be missing in the record."""
        text = self.calendar[offset]
        return text[:7] if self.rand() < self.missing.day else text

    def active(self, offset: int) -> float:
        """The activity of the disease on a day: the least that a course of then leaves of it."""
        left = [
            100 if fades and offset > last - (last - first) // 3 else level
            for first, last, level, fades in self.courses
            if first + _WORKS_AFTER <= offset <= last
        ]
        return self.activity * min(left, default=100) / 100


def status(system: str, code: str) -> dict:
    """One of HL7's status codes as a CodeableConcept."""
    return {"coding": [{"system": _HL7 + system, "code": code}]}

"""Typed, careful access to the elements of one resource: content of the wrong type becomes a finding, never a crash."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from kg.fhir import dates
from kg.fhir.dates import Period
from kg.fhir.findings import INFO, VIOLATION, WARNING, Finding
from kg.fhir.reading import Twice


@dataclass(frozen=True)
class View:
    """An object inside a resource: its JSON, the resource's name, the path to it, and where findings go."""

    data: dict
    resource: str
    place: str
    path: str = ""
    findings: list[Finding] = field(default_factory=list)

    def violation(self, element: str, message: str) -> None:
        self._report(VIOLATION, element, message)

    def warning(self, element: str, message: str) -> None:
        self._report(WARNING, element, message)

    def info(self, element: str, message: str) -> None:
        self._report(INFO, element, message)

    def _report(self, severity: str, element: str, message: str) -> None:
        finding = Finding(severity, self.resource, self._at(element), " ".join(message.split()), self.place)
        if finding not in self.findings:
            self.findings.append(finding)

    def _refuse(self, name: str, value: object, message: str) -> None:
        twice = isinstance(value, Twice)
        self.violation(name, "stands twice with different content; neither is read, keep one" if twice else message)

    def _at(self, element: str) -> str:
        return ".".join(part for part in (self.path, element) if part)

    def has(self, name: str) -> bool:
        """True when the element is there and not empty."""
        return self.data.get(name) not in (None, "", [], {})

    def present(self, names: Iterable[str]) -> list[str]:
        return [name for name in names if self.has(name)]

    def text(self, name: str) -> str | None:
        """A string, without outer spaces; None when absent or (finding) not a string."""
        value = self.data.get(name)
        if value is None or isinstance(value, str):
            return (value or "").strip() or None
        self._refuse(name, value, "is not a string; give it as FHIR says")
        return None

    def flag(self, name: str) -> bool | None:
        value = self.data.get(name)
        if value is None or isinstance(value, bool):
            return value
        self._refuse(name, value, "is not true or false; give it as FHIR says")
        return None

    def number(self, name: str) -> Decimal | None:
        """A JSON number of a size that a record can hold; None when absent or (finding) not one."""
        value = self.data.get(name)
        if value is None:
            return None
        if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
            number = Decimal(str(value))
            if number.is_finite() and -9 < number.adjusted() < 9 or number == 0:
                return number
        self._refuse(name, value, "is not a plausible number; correct it")
        return None

    def object(self, name: str) -> View | None:
        """The object under a name; a list of one is read too, with a finding."""
        value = self.data.get(name)
        if isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict):
            self.violation(name, "is a list where FHIR has one object; read as that object")
            value = value[0]
        if value is None or isinstance(value, dict):
            return self._inner(value, name) if value else None
        self._refuse(name, value, f"is {_kind(value)} where FHIR has an object; give it as FHIR says")
        return None

    def objects(self, name: str) -> list[View]:
        """The objects of a list; a single object is read too, with a finding."""
        value = self.data.get(name)
        if isinstance(value, dict):
            self.violation(name, "is an object where FHIR has a list; read as a list of one")
            value = [value]
        if value is not None and not isinstance(value, list):
            self._refuse(name, value, f"is {_kind(value)} where FHIR has a list; give it as FHIR says")
            return []
        found = []
        for position, item in enumerate(value or ()):
            if isinstance(item, dict):
                found.append(self._inner(item, f"{name}[{position}]"))
            else:
                self.violation(
                    f"{name}[{position}]", f"is {_kind(item)} where FHIR has an object; give it as FHIR says"
                )
        return found

    def _inner(self, value: dict, name: str) -> View:
        return View(value, self.resource, self.place, self._at(name), self.findings)

    def day(self, name: str) -> str | None:
        """A date, or a dateTime cut to its date; None when absent or (finding) no such day."""
        value = self.data.get(name)
        if value is None:
            return None
        found = dates.read(value) if isinstance(value, str) else None
        if found is None:
            message = f"'{str(value)[:40]}' is not a date; correct it, or give the year or month alone"
            self._refuse(name, value, message)
        return found

    def period(self, name: str) -> Period:
        """A Period; one that ends before it starts is lost whole (finding)."""
        inner = self.object(name)
        if inner is None:
            return Period(start_lost=self.has(name), end_lost=self.has(name))
        start, end = inner.day("start"), inner.day("end")
        if not dates.ordered(start, end):
            self.violation(name, "ends before it starts; correct it")
            return Period(start_lost=True, end_lost=True)
        return Period(start, end, inner.has("start") and start is None, inner.has("end") and end is None)

    def word(self, name: str, allowed: Iterable[str], required: bool = True) -> str | None:
        """A status word of FHIR; None when absent (a warning where FHIR requires it) or (finding) not one of those
        allowed."""
        value = self.text(name)
        if value in allowed:
            return value
        if value is not None:
            self.violation(
                name, f"'{value[:40]}' is not a word that FHIR R4 has here; use one of {', '.join(sorted(allowed))}"
            )
        elif required and not self.has(name):
            self.warning(name, "is missing although FHIR requires it; read as not known")
        return None


def _kind(value: object) -> str:
    if isinstance(value, list):
        return "a list"
    if isinstance(value, dict):
        return "an object"
    return "a string" if isinstance(value, str) else "a bare value"

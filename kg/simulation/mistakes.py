"""Mistakes as records have them: one in a record, of a kind that leaves the rest of it readable."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from kg.simulation.concepts import Coded, Concepts, concept
from kg.simulation.draws import Rand, choice
from kg.simulation.tables import Table

_PERIODS = ("effectivePeriod", "performedPeriod")
_LOCAL = "http://example.org/codes"

Places = Callable[[list[dict]], Iterator[int]]
Change = Callable[[list[dict], int, Rand], None]


@dataclass(frozen=True)
class Made:
    """The mistake that was made: its kind, and the resource (Type/id) that has it."""

    kind: str
    resource: str


class Mistakes:
    """The mistakes of the population file: how often, of which kinds, and which reasons contradict each other."""

    def __init__(self, table: Table, concepts: Concepts) -> None:
        table.get("basis", str)
        self.rate, self.kinds = table.share("rate"), table.weights("kinds")
        contrary = table.table("contrary")
        pairs = [(name, contrary.get(name, str)) for name in contrary.names()]
        table.done()
        reasons = _Contrary({code: concepts.coded(other) for name, other in pairs for code in concepts.codes(name)})
        self._ways = {**WAYS, "contradicting-reasons": (reasons.places, reasons.make)}
        unknown = [kind for kind in self.kinds if kind not in self._ways]
        if unknown:
            raise table.fault(f"has no mistake called {unknown[0]}", f"use one of {', '.join(self._ways)}")

    def make(self, resources: list[dict], rand: Rand) -> Made | None:
        """Make one mistake in the resources of a patient, of a kind that they allow; None when they allow none."""
        places = {kind: list(self._ways[kind][0](resources)) for kind in self.kinds}
        weights = {kind: weight for kind, weight in self.kinds.items() if places[kind]}
        if not weights:
            return None
        kind = choice(weights)(rand)
        position = places[kind][int(rand() * len(places[kind]))]
        resource = resources[position]
        self._ways[kind][1](resources, position, rand)
        return Made(kind, f"{resource['resourceType']}/{resource['id']}")


class _Contrary:
    """A second reason beside the first that cannot hold with it."""

    def __init__(self, contrary: dict[tuple[str, str], Coded]) -> None:
        self._contrary = contrary

    def places(self, resources: list[dict]) -> Iterator[int]:
        return (i for i in _having("statusReason", kind="MedicationStatement")(resources) if _code(resources[i]) in self._contrary)

    def make(self, resources: list[dict], position: int, rand: Rand) -> None:
        one = resources[position]
        resources[position] = {**one, "statusReason": [*one["statusReason"], self._contrary[_code(one)](rand)]}


def _code(resource: dict) -> tuple[str, str] | None:
    """System and code of the first reason of a course."""
    coding = resource["statusReason"][0].get("coding")
    return (coding[0]["system"], coding[0]["code"]) if coding else None


def _with_period(resources: list[dict]) -> Iterator[int]:
    for position, one in enumerate(resources):
        period = next((one[name] for name in _PERIODS if name in one), {})
        if period.get("start", "")[:7] < period.get("end", "")[:7]:
            yield position


def _having(*names: str, kind: str | None = None) -> Places:
    """The places of the resources that have these elements and are of this type."""

    def fits(one: dict) -> bool:
        return kind in (None, one["resourceType"]) and all(name in one for name in names)

    return lambda resources: (position for position, one in enumerate(resources) if fits(one))


def _scores(resources: list[dict]) -> Iterator[int]:
    scores = _having("valueQuantity", kind="Observation")(resources)
    return (position for position in scores if resources[position]["valueQuantity"]["unit"] == "{score}")


def _turn_period(resources: list[dict], position: int, rand: Rand) -> None:
    one = resources[position]
    name = next(name for name in _PERIODS if name in one)
    one[name] = {"start": one[name]["end"], "end": one[name]["start"]}


def _change(key: str, change: Callable[[dict], object]) -> Change:
    """Replace an element; values are never changed in place, as resources share them."""

    def changed(resources: list[dict], position: int, rand: Rand) -> None:
        resources[position] = {**resources[position], key: change(resources[position])}

    return changed


def _quantity(**new: object) -> Change:
    return _change("valueQuantity", lambda one: {**one["valueQuantity"], **new})


def _two_versions(resources: list[dict], position: int, rand: Rand) -> None:
    """The same Observation once more, with another date."""
    one = resources[position]
    resources.insert(position + 1, {**one, "effectiveDateTime": one["effectiveDateTime"][:4]})


def _no_day(one: dict) -> str:
    return one["effectiveDateTime"][:4] + "-02-30"


def _in_words(one: dict) -> dict:
    return {**one["valueQuantity"], "value": f"about {one['valueQuantity']['value']}"}


def _of_a_list(one: dict) -> dict:
    return concept(_LOCAL, "4711", f"{one['medicationCodeableConcept']['text']}, see list")


_STATEMENT = _having("effectivePeriod", "dateAsserted", kind="MedicationStatement")

#: Kinds of mistake: the positions of the resources in which one can be made, and how it is made there.
WAYS: dict[str, tuple[Places, Change]] = {
    "end-before-start": (_with_period, _turn_period),
    "unknown-unit": (_scores, _quantity(unit="furlong", code="furlong")),
    "out-of-range": (_scores, _quantity(value=-7)),
    "impossible-date": (_having("effectiveDateTime", "valueQuantity"), _change("effectiveDateTime", _no_day)),
    "number-as-text": (_scores, _change("valueQuantity", _in_words)),
    "name-in-text-only": (_STATEMENT, _change("medicationCodeableConcept", _of_a_list)),
    "two-versions": (_having("effectiveDateTime", "valueBoolean"), _two_versions),
    "dangling-reference": (_having("partOf"), _change("partOf", lambda one: [{"reference": f"Procedure/{one['id']}-gone"}])),
    "unknown-status": (_STATEMENT, _change("status", lambda one: "finished")),
    "unknown-reason": (
        _having("statusReason", kind="MedicationStatement"),
        _change("statusReason", lambda one: [{"text": "see letter"}]),
    ),
}

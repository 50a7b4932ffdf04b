"""Mistakes as records have them: one in a record, of a kind that leaves the rest of it readable."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from kg.simulation.concepts import concept
from kg.simulation.draws import Rand, choice

_PERIODS = ("effectivePeriod", "performedPeriod")
_REASONS = "https://w3id.org/sacroiliitis-kg/CodeSystem/record"
_LOCAL = "http://example.org/codes"


@dataclass(frozen=True)
class Made:
    """The mistake that was made: its kind, and the resource (Type/id) that has it."""

    kind: str
    resource: str


def make(resources: list[dict], rand: Rand, weights: dict[str, float]) -> Made | None:
    """Make one mistake in the resources of a patient, of a kind that they allow; None when they allow none."""
    places = {kind: list(KINDS[kind][0](resources)) for kind in weights}
    weights = {kind: weight for kind, weight in weights.items() if places[kind]}
    if not weights:
        return None
    kind = choice(weights)(rand)
    position = places[kind][int(rand() * len(places[kind]))]
    resource = resources[position]
    KINDS[kind][1](resources, position)
    return Made(kind, f"{resource['resourceType']}/{resource['id']}")


def _with_period(resources: list[dict]) -> Iterator[int]:
    for position, one in enumerate(resources):
        period = next((one[name] for name in _PERIODS if name in one), {})
        if period.get("start", "")[:7] < period.get("end", "")[:7]:
            yield position


def _having(*names: str, kind: str | None = None) -> Callable[[list[dict]], Iterator[int]]:
    def found(resources: list[dict]) -> Iterator[int]:
        return (i for i, one in enumerate(resources) if kind in (None, one["resourceType"]) and all(name in one for name in names))

    return found


def _unlike_others(resources: list[dict]) -> Iterator[int]:
    return (i for i in _having("code", "valueQuantity", kind="Observation")(resources) if resources[i]["valueQuantity"]["unit"] == "{score}")


def _failed_twice(resources: list[dict]) -> Iterator[int]:
    """Courses with a reason that has a contrary."""
    for i in _having("statusReason", kind="MedicationStatement")(resources):
        if resources[i]["statusReason"][0]["coding"][0]["code"] in _CONTRARY:
            yield i


_CONTRARY = {"primary-non-response": "secondary-non-response", "secondary-non-response": "primary-non-response"}


def _turn_period(resources: list[dict], position: int) -> None:
    one = resources[position]
    name = next(name for name in _PERIODS if name in one)
    one[name] = {"start": one[name]["end"], "end": one[name]["start"]}


def _change(key: str, change: Callable[[dict], object]) -> Callable[[list[dict], int], None]:
    """Replace an element; values are never changed in place, as resources share them."""

    def changed(resources: list[dict], position: int) -> None:
        resources[position] = {**resources[position], key: change(resources[position])}

    return changed


def _quantity(**new: object) -> Callable[[list[dict], int], None]:
    return _change("valueQuantity", lambda one: {**one["valueQuantity"], **new})


def _two_versions(resources: list[dict], position: int) -> None:
    """The same Observation once more, with another date."""
    one = resources[position]
    resources.insert(position + 1, {**one, "effectiveDateTime": one["effectiveDateTime"][:4]})


def _both(one: dict) -> list[dict]:
    code = one["statusReason"][0]["coding"][0]["code"]
    return [*one["statusReason"], {"coding": [{"system": _REASONS, "code": _CONTRARY[code]}]}]


#: Each kind of mistake: the positions of the resources in which it can be made, and how it is made there.
KINDS: dict[str, tuple[Callable[[list[dict]], Iterator[int]], Callable[[list[dict], int], None]]] = {
    "end-before-start": (_with_period, _turn_period),
    "unknown-unit": (_unlike_others, _quantity(unit="furlong", code="furlong")),
    "out-of-range": (_unlike_others, _quantity(value=-7)),
    "impossible-date": (_having("effectiveDateTime", "valueQuantity"), _change("effectiveDateTime", lambda one: one["effectiveDateTime"][:4] + "-02-30")),
    "number-as-text": (_unlike_others, _change("valueQuantity", lambda one: {**one["valueQuantity"], "value": f"about {one['valueQuantity']['value']}"})),
    "name-in-text-only": (
        _having("effectivePeriod", "dateAsserted", kind="MedicationStatement"),
        _change("medicationCodeableConcept", lambda one: concept(_LOCAL, "4711", f"{one['medicationCodeableConcept']['text']}, see list")),
    ),
    "two-versions": (_having("effectiveDateTime", "valueBoolean"), _two_versions),
    "dangling-reference": (_having("partOf"), _change("partOf", lambda one: [{"reference": f"Procedure/{one['id']}-gone"}])),
    "unknown-status": (_having("effectivePeriod", "dateAsserted"), _change("status", lambda one: "finished")),
    "unknown-reason": (_having("statusReason", kind="MedicationStatement"), _change("statusReason", lambda one: [{"text": "see letter"}])),
    "contradicting-reasons": (_failed_twice, _change("statusReason", _both)),
}  # fmt: skip

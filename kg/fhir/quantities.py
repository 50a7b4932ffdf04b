"""Numbers with units: scores, percentages and durations, checked against the range of their instrument."""

from __future__ import annotations

from decimal import Decimal

from kg.codes import CodeIndex, Mapping, Measure
from kg.fhir import dates
from kg.fhir.views import View
from kg.terms import UCUM

_SCORE_WORDS = frozenset(("score", "scores", "point", "points", "pt", "pts"))


def duration(quantity: View, codes: CodeIndex, bare: str | None = None) -> tuple[Decimal, str] | None:
    """Value and UCUM unit (d, wk, mo, a) of a Duration or Quantity; `bare` is the unit when none is given.

    None, with a finding, when the value or the unit cannot be read."""
    value = quantity.number("value")
    if value is None:
        if not quantity.has("value"):
            quantity.violation("value", "is missing; give a number")
        return None
    if _unit_lost(quantity):
        return None
    code, word = quantity.text("code"), quantity.text("unit")
    unit = next((u for u in (_day_unit(code, codes), _day_unit(word, codes)) if u), None)
    if unit is None and not (code or word):
        unit = bare
    if unit is None:
        _bad_unit(quantity, code or word, sorted(codes.days))
        return None
    return (value, unit) if _exact(quantity) and _within(quantity, value, Decimal(0), None) else None


def whole_days(quantity: View, codes: CodeIndex, bare: str | None = None) -> int | None:
    """A duration in whole days, by the ontology's rule for weeks, months and years; None as `duration`."""
    found = duration(quantity, codes, bare)
    return int(found[0] * codes.days[found[1]]) if found else None


def ends_after(start: str | None, quantity: View, codes: CodeIndex, bare: str | None = None) -> str | None:
    """The date a duration after a start; None when either is not known (the duration's faults become findings)."""
    days = whole_days(quantity, codes, bare)
    if start is None or days is None:
        return None
    try:
        return dates.after(start, days)
    except OverflowError:
        quantity.violation("value", "ends after the year 9999; correct it")
        return None


def measured(
    holder: View, name: str, meaning: Mapping, measure: Measure, codes: CodeIndex
) -> tuple[Decimal, str] | None:
    """Value and unit of a numeric measure given as valueQuantity or valueInteger;
    None, with a finding, when not readable."""
    if name == "valueInteger":
        value, unit, view, element = holder.number(name), None, holder, name
    else:
        view, element = holder.object(name), "value"
        if view is None:
            return None
        if measure.unit in codes.days:
            return duration(view, codes)
        value, unit = view.number("value"), _unit(view)
        if value is None and not view.has("value"):
            view.violation("value", "is missing; give a number")
        if _unit_lost(view):
            return None
    if value is None or not _exact(view):
        return None
    factor = _factor(unit, meaning, measure)
    if factor is None:
        _bad_unit(view, unit, [_accepted(meaning, measure)], element if name == "valueInteger" else "unit")
        return None
    scaled = value * factor
    return (scaled, measure.unit) if _within(view, scaled, measure.least, measure.most, element) else None


def _day_unit(unit: str | None, codes: CodeIndex) -> str | None:
    return unit if unit in codes.days else codes.unit_words.get((unit or "").casefold())


def _unit_lost(quantity: View) -> bool:
    """True (with a finding) when a unit is given that is no text: the number is then on no known scale."""
    return any(quantity.has(name) and quantity.text(name) is None for name in ("code", "unit"))


def _unit(quantity: View) -> str | None:
    """The unit of a Quantity: its UCUM code, else its code, else its unit in words."""
    code, word = quantity.text("code"), quantity.text("unit")
    return code if code and (quantity.text("system") in (UCUM, None) or not word) else word


def _factor(unit: str | None, meaning: Mapping, measure: Measure) -> Decimal | None:
    """What a number in this unit is multiplied with to be in the measure's own;
    None for a unit that it does not have."""
    if unit == measure.unit and not meaning.scaled:
        return Decimal(1)
    if not measure.unit.startswith("{"):
        return None
    if measure.most is not None:
        scales = {f"/{_plain(measure.most)}": Decimal(1), f"/{_plain(measure.most * 10)}": Decimal("0.1")}
        if measure.most == 10:
            scales |= {"cm": Decimal(1), "mm": Decimal("0.1")}
        found = scales.get((unit or "").replace(" ", "").removeprefix("{score}"))
        if found is not None:
            return found
    if meaning.scaled:
        return None
    plain = (
        unit is None
        or unit in ("1", "")
        or unit.startswith("{")
        and unit.endswith("}")
        or unit.casefold() in _SCORE_WORDS
    )
    return Decimal(1) if plain else None


def _accepted(meaning: Mapping, measure: Measure) -> str:
    return f"a unit that tells the scale (mm, cm or /{_plain(measure.most)})" if meaning.scaled else measure.unit


def _bad_unit(view: View, unit: str | None, accepted: list[str], element: str = "unit") -> None:
    what = f"'{unit[:20]}' is not a unit known here" if unit else "no unit is given"
    view.violation(element, f"{what}; use {' or '.join(accepted)}")


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"


def _exact(view: View) -> bool:
    if not view.has("comparator"):
        return True
    view.warning("comparator", "makes the value a bound, which is not read; give the value itself")
    return False


def _within(view: View, value: Decimal, least: Decimal | None, most: Decimal | None, element: str = "value") -> bool:
    if (least is None or value >= least) and (most is None or value <= most):
        return True
    said = f"{view.data.get(element)}"[:20]
    limits = f"{_plain(least)} to {_plain(most)}" if most is not None else f"{_plain(least)} or more"
    view.violation(element, f"{said} lies outside what is possible ({limits}); correct the value or its unit")
    return False

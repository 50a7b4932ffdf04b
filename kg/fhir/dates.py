"""FHIR dates as what they can mean: a day, or an interval when month or day is not given (spec/fhir-input.md, Partial
dates).

A date is its lexical form: `2025`, `2025-03` or `2025-03-14`. It is never completed."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date, timedelta

_TIME = r"(?:T(?:[01]\d|2[0-3]):[0-5]\d(?::(?:[0-5]\d|60)(?:\.\d+)?)?(?:Z|[+-](?:0\d|1[0-4]):[0-5]\d)?)?"
_DATE = re.compile(rf"(\d{{4}})(?:-(\d{{2}})(?:-(\d{{2}}){_TIME})?)?", re.ASCII)


@dataclass(frozen=True)
class Period:
    """A start and an end, each None when not given; `start_lost` / `end_lost` when it is given and cannot be read."""

    start: str | None = None
    end: str | None = None
    start_lost: bool = False
    end_lost: bool = False


def read(text: str) -> str | None:
    """The date of a FHIR date or dateTime (cut to its date), or None when there is no such day."""
    match = _DATE.fullmatch(text)
    if not match:
        return None
    year, month, day = (int(part) if part else None for part in match.groups())
    try:
        date(year, month or 1, day or 1)
    except ValueError:
        return None
    return text[:10]


def first(day: str) -> date:
    """The first day that a date can mean."""
    return date.fromisoformat((day + "-01-01")[:10])


def last(day: str) -> date:
    """The last day that a date can mean."""
    year, month = int(day[:4]), int(day[5:7] or 12)
    return date(year, month, int(day[8:10] or calendar.monthrange(year, month)[1]))


def between(earliest: date, latest: date) -> str | None:
    """The most precise date that is certain when a day lies between two days; None when not even the year is."""
    low, high = earliest.isoformat(), latest.isoformat()
    return next((low[:length] for length in (10, 7, 4) if low[:length] == high[:length]), None)


def after(day: str, days: int) -> str | None:
    """The date some days later, as precise as it is certain; None when it is not certain to the year.

    Raises OverflowError beyond the year 9999."""
    return between(first(day) + timedelta(days=days), last(day) + timedelta(days=days))


def at_age(birth: str, value: int, unit: str) -> str | None:
    """The date at which a person born then had this age, in UCUM a, mo, wk or d; None when not certain to the year.

    Raises OverflowError or ValueError beyond the year 9999."""

    def shifted(day: date, count: int) -> date:
        if unit in ("wk", "d"):
            return day + timedelta(days=count * (7 if unit == "wk" else 1))
        months = day.year * 12 + day.month - 1 + count * (12 if unit == "a" else 1)
        year, month = divmod(months, 12)
        return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))

    return between(shifted(first(birth), value), shifted(last(birth), value + 1) - timedelta(days=1))


def ordered(start: str | None, end: str | None) -> bool:
    """False when an end surely lies before its start."""
    return not (start and end) or last(end) >= first(start)

"""Bars of a report: parts of a whole side by side, told apart by pattern and sign; what is hidden has no length of its own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from kg.cohort.report.figures import Cell

#: Below this share of the whole (in %) a part has no sign on it.
_ROOM = 5


@dataclass(frozen=True)
class Kind:
    """What a part stands for: class name (which has a pattern), sign, words."""

    name: str
    sign: str
    words: str


@dataclass(frozen=True)
class Part:
    """A part of a bar, in % of the whole."""

    kind: Kind
    start: float
    width: float

    @property
    def sign(self) -> str:
        return self.kind.sign if self.width >= _ROOM else ""


@dataclass(frozen=True)
class Bar:
    """A bar and what it says in words."""

    parts: tuple[Part, ...]
    words: str


HIDDEN = Kind("hidden", "", "not shown")


def bar(cells: Iterable[tuple[Kind, Cell]], whole: int, filled: int | None = None) -> Bar:
    """The parts that are shown, in order; then, up to `filled` where it is known, what is hidden, as one part."""
    parts: list[Part] = []
    at, said, hidden = 0.0, [], False
    for kind, cell in cells:
        if cell.number != 0:
            said.append(f"{cell.text} {kind.words.lower()}")
        if cell.number is None:
            hidden = True
        elif cell.number and whole:
            width = 100 * cell.number / whole
            parts.append(Part(kind, round(at, 3), round(width, 3)))
            at += width
    if hidden and filled and whole and 100 * filled / whole > at:
        parts.append(Part(HIDDEN, round(at, 3), round(100 * filled / whole - at, 3)))
    return Bar(tuple(parts), ", ".join(said) or "none")


def share(cell: Cell, whole: Cell) -> str:
    """A cell in % of a whole; "" where either is hidden."""
    if cell.number is None or not whole.number:
        return ""
    value = 100 * cell.number / whole.number
    return "<1 %" if 0 < value < 1 else f"{value:.0f} %"

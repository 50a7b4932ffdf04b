"""Small cells: which numbers are shown, so that none of those under a set number follows from the others.

What everybody may know are sums: parts that add up to a total, across all tables, and how a hidden number is marked. A small
cell is protected when, whatever is shown, each of 1 ... least - 1 is still possible for it; more is hidden until that holds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from kg.errors import InputError

Key = tuple
Bounds = dict[Key, tuple[int, int]]
#: More than any number of patients.
_MANY = 10**12
#: A cell in more sums than this is the same figure of a whole population; it is hidden last and never left blank.
_FEW = 9


class Shown(Enum):
    """How a cell is shown: its number; that it is small; that it is not, hidden for another's sake; nothing at all."""

    number = "number"
    small = "small"
    large = "large"
    blank = "blank"


@dataclass(frozen=True)
class Sum:
    """Parts that add up to a total."""

    total: Key
    parts: tuple[Key, ...]

    @property
    def keys(self) -> tuple[Key, ...]:
        return (self.total, *self.parts)


def suppress(numbers: Mapping[Key, int], sums: Iterable[Sum], least: int, known: frozenset[Key] = frozenset()) -> dict[Key, Shown]:
    """How each cell is shown, when cells of 1 ... least - 1 must not be known; `known` are cells that everybody knows.

    Raises InputError when no choice of cells protects the small ones."""
    shown = {key: Shown.small if 0 < number < least and key not in known else Shown.number for key, number in numbers.items()}
    of: dict[Key, list[Sum]] = defaultdict(list)
    for one in sums:
        for key in one.keys:
            of[key].append(one)
    while True:
        bounds = bounded(numbers, [*of.values()], shown, least)
        bare = [key for key, number in numbers.items() if 0 < number < least and key not in known and not _free(bounds[key], least)]
        if not bare:
            return shown
        narrow = {one: None for key in bare for one in of[key] if not _free(_left(one, key, bounds), least)}
        if not any([_hide(one, numbers, shown, of, known) for one in narrow]):
            around = {one: None for near in narrow for key in near.keys if shown[key] is not Shown.number for one in of[key]}
            if not any([_hide(one, numbers, shown, of, known) for one in around]):
                raise InputError("--small-cells", str(least), "the population is too small to be shown without giving small cells away", "give a smaller number, or more patients")


def bounded(numbers: Mapping[Key, int], groups: Iterable[Iterable[Sum]], shown: Mapping[Key, Shown], least: int) -> Bounds:
    """Between which numbers each cell must lie for whoever sees what is shown and knows the sums."""
    bounds = {key: _seen(numbers[key], how, least) for key, how in shown.items()}
    sums = list(dict.fromkeys(one for group in groups for one in group))
    moved = True
    while moved:
        moved = False
        for one in sums:
            for key in one.keys:
                low, high = _left(one, key, bounds)
                low, high = max(low, bounds[key][0]), min(high, bounds[key][1])
                if (low, high) != bounds[key]:
                    bounds[key], moved = (low, high), True
    return bounds


def _seen(number: int, how: Shown, least: int) -> tuple[int, int]:
    return {Shown.number: (number, number), Shown.small: (1, least - 1), Shown.large: (least, _MANY), Shown.blank: (0, _MANY)}[how]


def _left(one: Sum, key: Key, bounds: Bounds) -> tuple[int, int]:
    """What a sum leaves for one of its cells, given what is known of the others."""
    low, high = (sum(bounds[part][end] for part in one.parts if part != key) for end in (0, 1))
    if key == one.total:
        return low, high
    total = bounds[one.total]
    return total[0] - high, total[1] - low


def _free(bounds: tuple[int, int], least: int) -> bool:
    return bounds[0] <= 1 and bounds[1] >= least - 1


def _hide(one: Sum, numbers: Mapping[Key, int], shown: dict[Key, Shown], of: Mapping[Key, list[Sum]], known: frozenset[Key]) -> bool:
    """Hide one more cell of a sum: the smallest that is not 0; where there is none, leave all of them blank. Whether anything changed."""
    free = [key for key in one.keys if key not in known]
    more = [key for key in free if shown[key] is Shown.number and numbers[key]]
    if more:
        shown[min(more, key=lambda key: (len(of[key]) > _FEW, numbers[key], key))] = Shown.large
        return True
    rest = [key for key in free if shown[key] is not Shown.blank and len(of[key]) <= _FEW]
    shown.update(dict.fromkeys(rest, Shown.blank))
    return bool(rest)

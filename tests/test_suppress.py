"""Small cells: whatever is shown, every small number stays possible; found out by trying all numbers."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.cohort.report.suppress import Shown, Sum, suppress
from kg.errors import InputError

LEAST = 3
TOTAL = ("all",)
numbers = st.lists(st.integers(0, 7), min_size=2, max_size=4)


def possible(cells: dict, sums: list[Sum], shown: dict, most: int) -> dict:
    """The numbers that each hidden cell may have for who sees the rest, by trying every one."""
    ends = {Shown.small: range(1, LEAST), Shown.large: range(LEAST, most + 1), Shown.blank: range(most + 1)}
    hidden = [key for key in cells if shown[key] is not Shown.number]
    found: dict = {key: set() for key in hidden}
    for guess in product(*(ends[shown[key]] for key in hidden)):
        whole = {**cells, **dict(zip(hidden, guess, strict=True))}
        if all(whole[one.total] == sum(whole[part] for part in one.parts) for one in sums):
            for key, number in zip(hidden, guess, strict=True):
                found[key].add(number)
    return found


def protected(cells: dict, sums: list[Sum], known: frozenset) -> None:
    try:
        shown = suppress(cells, sums, LEAST, known)
    except InputError:
        return
    may = possible(cells, sums, shown, max(cells.values()))
    for key, number in cells.items():
        if shown[key] is Shown.small:
            assert 0 < number < LEAST
        if shown[key] is Shown.large:
            assert number >= LEAST
        if 0 < number < LEAST and key not in known:
            assert set(range(1, LEAST)) <= may[key], (cells, shown)


@settings(max_examples=100, deadline=None)
@given(numbers)
def test_a_row_with_a_known_total(parts):
    cells = {TOTAL: sum(parts)} | {("part", place): number for place, number in enumerate(parts)}
    protected(cells, [Sum(TOTAL, tuple(key for key in cells if key != TOTAL))], frozenset([TOTAL]))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 5), min_size=2, max_size=2), st.lists(st.integers(0, 5), min_size=3, max_size=3))
def test_steps_whose_totals_are_cells(first, last):
    cells = {TOTAL: sum(first) + sum(last), ("met", 0): sum(last)}
    cells |= {("first", place): number for place, number in enumerate(first)} | {("last", place): number for place, number in enumerate(last)}
    sums = [Sum(TOTAL, (("met", 0), ("first", 0), ("first", 1))), Sum(("met", 0), tuple(("last", place) for place in range(3)))]
    protected(cells, sums, frozenset([TOTAL]))


@pytest.mark.parametrize(
    "parts, shown",
    [
        ((40, 30, 2), ("number", "large", "small")),
        ((40, 2, 2), ("large", "small", "small")),
        ((40, 30, 0), ("number", "number", "number")),
        ((40, 3, 1), ("large", "large", "small")),
        ((3, 1), ("blank", "blank")),
    ],
)
def test_what_else_is_hidden(parts, shown):
    cells = {TOTAL: sum(parts)} | {(place,): number for place, number in enumerate(parts)}
    found = suppress(cells, [Sum(TOTAL, tuple((place,) for place in range(len(parts))))], LEAST, frozenset([TOTAL]))
    assert tuple(found[(place,)].value for place in range(len(parts))) == shown


def test_a_cell_without_a_sum_hides_nothing_else():
    assert suppress({("a",): 2, ("b",): 9}, [], LEAST) == {("a",): Shown.small, ("b",): Shown.number}


def test_what_cannot_be_protected_is_refused():
    with pytest.raises(InputError, match="too small"):
        suppress({("a",): 2, ("b",): 2}, [Sum(("a",), (("b",),))], LEAST, frozenset([("a",)]))

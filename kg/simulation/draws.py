"""Draws from the distributions of the population file.

Only `Random.random()` is used, with +, -, * and comparisons: the same numbers on every platform and Python."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from typing import TypeVar

Rand = Callable[[], float]
T = TypeVar("T")


def choice(weights: dict[T, float]) -> Callable[[Rand], T]:
    """Draws one of the keys, by weight."""
    names, edges, total = list(weights), [], 0.0
    for weight in weights.values():
        total += weight
        edges.append(total)
    if len(names) == 1:
        return lambda rand: names[0]
    last = len(names) - 1
    return lambda rand: names[min(bisect_right(edges, rand() * total), last)]


def integer(rows: list[list[float]]) -> Callable[[Rand], int]:
    """Draws an integer: a row [weight, least, most] by weight, then evenly from it, ends included."""
    row = choice({(least, most - least + 1): weight for weight, least, most in rows})

    def draw(rand: Rand) -> int:
        least, width = row(rand)
        return least + int(rand() * width)

    return draw


def noise(rand: Rand) -> float:
    """A number from -1 to 1, mostly near 0: the sum of three even ones."""
    return (rand() + rand() + rand()) / 1.5 - 1.0

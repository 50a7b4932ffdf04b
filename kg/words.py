"""Words and signs for people: how results, grades, comparators, units and identifiers are shown."""

from __future__ import annotations

import re
from collections.abc import Iterable
from textwrap import wrap

from kg.terms import GL

STRENGTHS = (("strong", "●●● strongly"), ("conditional", "●●○ conditionally"), ("unstated", "●○○ strength not stated"))
REASONS = {
    "ongoing": "already on it or on another of its kind, nothing calls for a change: this does not mean stop",
    "source-silent": "the source says nothing for it: this does not mean stop",
    "criteria-unmet": "what it asks for is not met: this does not mean stop",
}
APPLICABILITY = {
    "applies": "the guideline applies",
    "not-applicable": "not applicable: outside the guideline's population",
    "unknown": "not known whether the guideline applies",
}
CHECK_OUTCOMES = {
    "partly-confirmed": "partly confirmed",
    "misdescribed": "misdescribed",
    "other-population": "made for another population",
    "other-strength": "graded otherwise",
    "contested": "contested",
    "not-verified": "not verified",
}
_DIRECTION = {GL.For: "↑", GL.Against: "↓", GL.Neutral: "=", GL.PreferenceOnly: "≻", GL.AdviceOnly: "·"}
_STRENGTH = {GL.Strong: "{0}{0}", GL.Conditional: "{0}?", GL.Unstated: "{0}"}
_COMPARATOR = {GL.AtLeast: "≥", GL.AtMost: "≤", GL.Over: ">", GL.Under: "<"}
_ACRONYM = re.compile(r"\b[A-Z][A-Z0-9-]*[A-Z0-9]s?\b")


def sign(direction: str, strength: str) -> str:
    """A sign for direction and strength (IRIs): an arrow for the way, doubled when strong, with ? when conditional."""
    return _STRENGTH.get(strength, "{0}").format(_DIRECTION.get(direction, "·"))


def comparator(iri: str, label: str) -> str:
    """The mathematical sign of a comparator, or its label where it has none."""
    return _COMPARATOR.get(iri, label)


def unit(code: str, names: dict[str, str], amount: str = "2") -> str:
    """A UCUM code for people: a unit of time by its name, an annotation without braces, % as it is, 1 as nothing.

    `names` are the labels of the units that the vocabulary knows, by code; the plural follows the amount."""
    if code in names:
        return names[code] + ("" if amount == "1" else "s")
    return "" if code == "1" else {"{score}": "points"}.get(code, code.strip("{}"))


def number(text: str) -> str:
    """A decimal without needless zeros."""
    return text.rstrip("0").rstrip(".") if "." in text else text


def acronyms(labels: Iterable[str]) -> dict[str, str]:
    """Spellings with capitals that occur in labels, by their lower case, so that identifiers can be shown in them."""
    return {word.lower(): word for label in labels for word in _ACRONYM.findall(label)}


def humane(identifier: str, spellings: dict[str, str]) -> str:
    """A kebab-case or plain identifier as words: first letter capital, known acronyms as the labels spell them."""
    words = [spellings.get(word, word) for word in identifier.replace("-", " ").split()]
    text = " ".join(words)
    return text[:1].upper() + text[1:]


def lines(text: str, width: int) -> list[str]:
    """Text broken into lines of at most this many characters, long words kept whole."""
    return wrap(text, width, break_long_words=False, break_on_hyphens=False) or [""]

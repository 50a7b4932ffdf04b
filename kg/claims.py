"""The claim gate: the fields of a statement must say what its own wording says.

Direction, strength, kind, comparison and numbers are read from the wording (rdfs:label) through marker words, which are
data (gl:ClaimMarker), and compared with the structured fields; lines are compared with each other and the source's."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

import pyoxigraph as ox

from kg.guideline import GL
from kg.index import Index

_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
_LABEL = "http://www.w3.org/2000/01/rdf-schema#label"
_SIGNS = ("Comparator", "ValueSign")
_NUMBER = r"(?<![\w.-])\d+(?:\.\d+)?(?:-\d+(?:\.\d+)?)?(?![\w]|\.\d|-\w)"


@dataclass(frozen=True)
class Quantity:
    """A number as text without trailing zeros (or a range "low-high"), the sign before it (IRI) and its UCUM unit."""

    sign: str | None
    number: str
    unit: str | None

    def __str__(self) -> str:
        return " ".join(part for part in (_word(self.sign), self.number, self.unit) if part)


@dataclass(frozen=True)
class Claim:
    """The fields of one statement; IRIs and literals as text, None for what it does not have."""

    id: str
    wording: str
    kind: str | None
    direction: str | None
    strength: str | None
    line: int | None
    section: str | None
    cites: frozenset[str]
    operator: str | None
    value: str | None
    value_range: str | None
    unit: str | None
    intervention: str | None
    comparator: str | None
    outcome: str | None
    time_point: str | None
    condition: str | None


@dataclass(frozen=True)
class Reading:
    """What the marker words of a text show.

    `sides` is the text before and after the words of comparison, `clause` the part of it that gives the direction."""

    senses: frozenset[str]
    quantities: frozenset[Quantity]
    sides: tuple[str, str] | None
    clause: str | None


@dataclass(frozen=True)
class Disagreement:
    """One place where the fields of a statement and its wording, or its line and the source's, do not agree."""

    statement: str
    message: str

    def __str__(self) -> str:
        return f"{self.statement}: {self.message}"


class Markers:
    """The marker words of a graph, ready to read texts with."""

    def __init__(self, index: Index) -> None:
        self._signs: dict[str, str] = {}
        self._units: dict[str, str] = {}
        self._numbers: dict[str, str] = {}
        self._senses: dict[str, frozenset[str]] = {}
        self.kinds_of: dict[str, str] = {}
        for marker in index.subjects(_TYPE, ox.NamedNode(GL + "ClaimMarker")):
            marked = frozenset(term.value for term in index.objects(marker, GL + "marks"))
            for kind in ("Direction", "Strength", "StatementKind"):
                self.kinds_of |= {
                    sense: kind
                    for sense in marked
                    if ox.NamedNode(GL + kind) in index.objects(ox.NamedNode(sense), _TYPE)
                }
            sign = next(
                (
                    s
                    for s in marked
                    for kind in _SIGNS
                    if ox.NamedNode(GL + kind) in index.objects(ox.NamedNode(s), _TYPE)
                ),
                None,
            )
            for phrase in (term.value.lower() for term in index.objects(marker, GL + "phrase")):
                if sign:
                    self._signs[phrase] = sign
                elif unit := index.text(marker, GL + "unit"):
                    self._units[phrase] = unit
                elif number := index.text(marker, GL + "value"):
                    self._numbers[phrase] = plain(number)
                else:
                    self._senses[phrase] = marked
        self._pattern = self._compiled()

    def _compiled(self) -> re.Pattern[str]:
        sign, unit, word, sense = map(_alternatives, (self._signs, self._units, self._numbers, self._senses))
        digits = rf"(?P<number>{_NUMBER})(?:\s*(?P<unit>{unit}))?"
        amount = rf"(?:(?P<sign>{sign})\s*)?(?:{digits}|(?P<word>{word})\s+(?P<of>{unit}))"
        return re.compile(rf"{amount}|(?P<sense>{sense})", re.IGNORECASE)

    def sign(self, text: str | None) -> str | None:
        """The sign that a field's operator stands for; the operator itself when no marker knows it."""
        return self._signs.get(text, text) if text else None

    def read(self, text: str) -> Reading:
        """What the marker words of a text show."""
        senses: set[str] = set()
        quantities: set[Quantity] = set()
        sides, cuts, turn = None, [0], None
        for match in self._pattern.finditer(text):
            if match["sense"]:
                found = self._senses[match["sense"].lower()]
                senses |= found
                if GL + "condition" in found:
                    cuts.append(match.start())
                if turn is None and any(self.kinds_of.get(sense) == "Direction" for sense in found):
                    turn = match.start()
                if GL + "comparator" in found:
                    sides = (text[: match.start()], text[match.end() :])
            else:
                number = plain(match["number"]) if match["number"] else self._numbers[match["word"].lower()]
                unit = self._units.get((match["unit"] or match["of"] or "").lower())
                quantities.add(Quantity(self._signs.get((match["sign"] or "").lower()), number, unit))
        return Reading(
            frozenset(senses), frozenset(quantities), sides, None if turn is None else _between(text, cuts, turn)
        )


def _between(text: str, cuts: Sequence[int], place: int) -> str:
    start = max(cut for cut in cuts if cut <= place)
    return text[start : min((cut for cut in cuts if cut > place), default=len(text))]


def _alternatives(phrases: Iterable[str]) -> str:
    """A pattern for any of the phrases, the longest first; one that ends in letters does not end within a word."""
    ordered = sorted(phrases, key=lambda phrase: (-len(phrase), phrase))
    edges = [
        (r"(?<![\w-])" if p[0].isalnum() else "") + re.escape(p) + (r"(?![\w-])" if p[-1].isalnum() else "")
        for p in ordered
    ]
    return "|".join(edges) or r"(?!)"


def plain(number: str) -> str:
    """A number, or a range of two, without trailing zeros: "3.30" is "3.3"."""
    return "-".join(f"{Decimal(part).normalize():f}" for part in number.split("-"))


def claims(index: Index) -> tuple[Claim, ...]:
    """The statements of a graph, in the order of their ids."""
    nodes = index.subjects(_TYPE, ox.NamedNode(GL + "Statement"))
    return tuple(sorted((_claim(index, node) for node in nodes), key=lambda claim: claim.id))


def _claim(index: Index, node) -> Claim:
    def field(name: str) -> str | None:
        return index.text(node, GL + name)

    line = field("line")
    return Claim(
        id=field("id") or node.value,
        wording=index.text(node, _LABEL) or "",
        kind=field("kind"),
        direction=field("direction"),
        strength=field("strength"),
        line=int(line) if line else None,
        section=field("section"),
        cites=frozenset(term.value for term in index.objects(node, GL + "cites")),
        operator=field("operator"),
        value=field("value"),
        value_range=field("valueRange"),
        unit=field("unit"),
        intervention=field("intervention"),
        comparator=field("comparator"),
        outcome=field("outcome"),
        time_point=field("timePoint"),
        condition=field("condition"),
    )


def line_counts(index: Index) -> dict[int, int | None]:
    """How many statements each line of the source is said to have (None where it is not said), by line number."""
    found: dict[int, int | None] = {}
    for node in index.subjects(_TYPE, ox.NamedNode(GL + "SourceLine")):
        number, count = index.text(node, GL + "line"), index.text(node, GL + "statementCount")
        if number:
            found[int(number)] = int(count) if count else None
    return found


def check(index: Index) -> list[Disagreement]:
    """Every disagreement of a guideline's statements; empty when each says in its fields what it says in words."""
    markers, found = Markers(index), claims(index)
    if not markers.kinds_of:
        return [Disagreement("markers", "there are none: let the guideline import the ontology of claim markers")]
    return [one for claim in found for one in wording(claim, markers)] + places(found, line_counts(index))


def wording(claim: Claim, markers: Markers) -> list[Disagreement]:
    """Where the fields of a statement and its wording do not agree."""
    reading = markers.read(claim.wording)
    said = [
        *_senses(claim, reading, markers),
        *_amounts(claim, reading, markers),
        *_compared(claim, reading),
        *_named(claim, reading),
    ]
    return [Disagreement(claim.id, message) for message in said]


def _senses(claim: Claim, reading: Reading, markers: Markers) -> Iterable[str]:
    for name, kind, field in (
        ("direction", "Direction", claim.direction),
        ("strength", "Strength", claim.strength),
        ("kind", "StatementKind", claim.kind),
    ):
        shown = {sense for sense in reading.senses if markers.kinds_of.get(sense) == kind}
        if shown != ({field} if field else set()):
            words = ", ".join(sorted(map(_word, shown)))
            yield f"{name}: its field says {_word(field) or 'nothing'}, its wording {words or 'nothing'}"


def _amounts(claim: Claim, reading: Reading, markers: Markers) -> Iterable[str]:
    said = {
        quantity
        for text in (claim.time_point, claim.outcome, claim.condition)
        if text
        for quantity in markers.read(text).quantities
    }
    if number := claim.value or claim.value_range:
        said.add(Quantity(markers.sign(claim.operator), plain(number), claim.unit))
    elif claim.operator or claim.unit:
        yield "number: an operator or a unit stands without a value"
    if claim.value and claim.value_range:
        yield "number: a value and a range stand side by side"
    if said != reading.quantities:
        fields, words = (
            "; ".join(sorted(map(str, part))) or "nothing"
            for part in (said - reading.quantities, reading.quantities - said)
        )
        yield f"number: its fields alone say {fields}, its wording alone {words}"


def _compared(claim: Claim, reading: Reading) -> Iterable[str]:
    if (claim.comparator is None) != (reading.sides is None):
        compares = "compares" if reading.sides else "compares nothing"
        yield f"comparator: its field says {claim.comparator or 'nothing'}, its wording {compares}"
    elif claim.comparator and reading.sides:
        before, after = reading.sides
        if lost := _lacking(claim.comparator, after):
            yield f"comparator: {', '.join(lost)} should stand after the words of comparison"
        if lost := _lacking(claim.intervention or "", before):
            yield f"intervention: {', '.join(lost)} should stand before the words of comparison"


def _named(claim: Claim, reading: Reading) -> Iterable[str]:
    fields = (
        ("intervention", claim.intervention, reading.clause or claim.wording),
        ("outcome", claim.outcome, claim.wording),
        ("time point", claim.time_point, claim.wording),
    )
    for name, field, text in fields:
        if lost := _lacking(field or "", text):
            yield f"{name}: its wording lacks {', '.join(lost)}" + (
                " where it gives the direction" if text == reading.clause else ""
            )
    if claim.comparator and claim.comparator == claim.intervention:
        yield "comparator: the intervention is compared with itself"
    if GL + "timePoint" in reading.senses and not claim.time_point:
        yield "time point: its wording names one, its field is missing"


def _lacking(field: str, text: str) -> list[str]:
    """The words of a field, what stands in brackets aside, that begin no word of the text.

    Words of one or two letters count in capitals only."""
    have = [word.lower() for word in re.findall(r"[A-Za-z][\w-]*", text)]
    wanted = [
        word
        for word in re.findall(r"[A-Za-z][\w-]*", re.sub(r"\([^)]*\)", " ", field))
        if len(word) > 2 or word.isupper()
    ]
    return [word for word in wanted if not any(other.startswith(word.lower()) for other in have)]


def places(found: Sequence[Claim], counts: Mapping[int, int | None]) -> list[Disagreement]:
    """Where the lines of statements disagree with each other or with the lines of the source.

    Statements follow the source's order, those of one line share section and references, and each line has as many
    statements as it says."""
    out: list[Disagreement] = []
    placed = [claim for claim in found if claim.line is not None]
    for before, after in pairwise(placed):
        if after.line < before.line:
            out.append(Disagreement(after.id, f"line: {after.line} lies before line {before.line} of {before.id}"))
    first: dict[int, Claim] = {}
    for claim in placed:
        same = first.setdefault(claim.line, claim)
        if (claim.section, claim.cites) != (same.section, same.cites):
            out.append(
                Disagreement(
                    claim.id, f"line: {claim.line} is also that of {same.id}, with another section or other references"
                )
            )
        if counts and claim.line not in counts:
            out.append(Disagreement(claim.id, f"line: the source has no line {claim.line}"))
    number = Counter(claim.line for claim in placed)
    for line, count in counts.items():
        if count is not None and number[line] != count:
            out.append(
                Disagreement(
                    f"line {line}", f"line: {number[line]} statements, {count} by the line's own gl:statementCount"
                )
            )
    return out


def _word(iri: str | None) -> str:
    return re.split(r"[#/]", iri)[-1] if iri else ""

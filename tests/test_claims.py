"""The claim gate: every statement says in its fields what it says in words, and a field that is flipped is found out.

`python -m tests.test_claims` prints how many flipped fields are caught, field by field, and lists the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import pyoxigraph as ox
import pytest

from kg import claims
from kg.claims import Claim, Quantity
from kg.engine import Triple
from kg.guideline import GL, load
from kg.index import Index

TOY = Path(__file__).resolve().parent / "guidelines" / "toy.ttl"
DIRECTIONS = (*(GL + name for name in ("For", "Against", "Neutral")), None)
STRENGTHS = (*(GL + name for name in ("Strong", "Conditional", "Unstated")), None)
KINDS = tuple(
    GL + name
    for name in (
        "CaveatStatement",
        "DiagnosticAccuracyStatement",
        "DocumentationRequirement",
        "EligibilityStatement",
        "EvidenceStatement",
        "MonitoringStatement",
        "RecommendationStatement",
        "Scope",
        "SequencingRule",
        "Terminology",
    )
)
OPERATORS = (">", ">=", "<", "<=", "~", None)
UNITS = ("%", "d", "wk", "mo", "a", "{score}", None)

BROADER = "a broader term: all its words stand in the wording, beside those that make it the narrower one"
TWICE = "nothing is lost: the value and its unit say the same as the time point"

#: Flipped fields that the gate does not find, and why: (statement, field, new value) -> reason.
UNCAUGHT = {
    **{
        (statement, "intervention", "SI corticosteroid injection"): BROADER
        for statement in ("S008", "S022", "S030", "S041", "S042", "S043", "S044")
    },
    **{(statement, "intervention", "TNF inhibitor"): BROADER for statement in ("S013", "S050", "S051")},
    **{(statement, "intervention", "physical therapy"): BROADER for statement in ("S057", "S062", "S065")},
    ("S105", "time_point", "None"): TWICE,
}

Mutation = tuple[str, Claim]


@cache
def index() -> Index:
    return load().index


@cache
def markers() -> claims.Markers:
    return claims.Markers(index())


@cache
def statements() -> tuple[Claim, ...]:
    return claims.claims(index())


def flipped(claim: Claim, others: tuple[str, ...]) -> Iterator[Mutation]:
    """The statement with one field changed at a time; `others` are the interventions of all statements."""

    def each(field: str, values) -> Iterator[Mutation]:
        own = getattr(claim, field)
        yield from ((field, replace(claim, **{field: value})) for value in dict.fromkeys(values) if value != own)

    yield from each("direction", DIRECTIONS)
    yield from each("strength", STRENGTHS)
    yield from each("kind", KINDS)
    yield from each("operator", OPERATORS)
    yield from each("value", (shifted(claim.value), "50", None))
    yield from each("value_range", (shifted(claim.value_range), "1-2", None))
    yield from each("unit", UNITS)
    yield from each("time_point", (shifted(claim.time_point), "3 weeks", None) if claim.time_point else ("3 weeks",))
    yield from each("line", (claim.line - 1, claim.line + 1))
    yield from each("comparator", (claim.intervention, "another thing", None))
    if claim.intervention:
        yield from each("intervention", (claim.comparator or "another thing", *others))
    if claim.outcome:
        yield from each("outcome", (shifted(claim.outcome), "another outcome"))


def shifted(text: str | None) -> str | None:
    """The text with every digit one higher (9 becomes 0)."""
    return text and "".join(str((int(sign) + 1) % 10) if sign.isdigit() else sign for sign in text)


def caught(number: int, mutant: Claim) -> bool:
    """Whether the gate finds the mutant in the place of statement `number`."""
    found = (*statements()[:number], mutant, *statements()[number + 1 :])
    return bool(claims.wording(mutant, markers()) or claims.places(found, claims.line_counts(index())))


@cache
def outcome() -> tuple[Counter, Counter, tuple[tuple[str, str, str], ...]]:
    """Flipped fields and caught ones, both counted by field, and the uncaught as (statement, field, new value)."""
    others = tuple(dict.fromkeys(claim.intervention for claim in statements() if claim.intervention))
    total, hit, missed = Counter(), Counter(), []
    for number, claim in enumerate(statements()):
        for field, mutant in flipped(claim, others):
            total[field] += 1
            if caught(number, mutant):
                hit[field] += 1
            else:
                missed.append((claim.id, field, str(getattr(mutant, field))))
    return total, hit, tuple(missed)


def report() -> str:
    total, hit, missed = outcome()
    lines = [f"{field:12} {hit[field]:5} of {total[field]:5} caught" for field in total]
    lines.append(f"{'all':12} {hit.total():5} of {total.total():5} caught")
    lines += [f"uncaught: {' '.join(one)}: {UNCAUGHT.get(one, 'NO REASON KNOWN')}" for one in missed]
    return "\n".join(lines)


def test_every_statement_says_in_its_fields_what_it_says_in_words():
    assert len(statements()) == 106
    assert [str(one) for one in claims.check(index())] == []


def test_flipped_fields_are_caught_but_for_those_with_a_reason():
    assert set(outcome()[2]) == set(UNCAUGHT), report()


def test_every_field_was_flipped_in_every_statement_that_has_it():
    total = outcome()[0]
    assert total["direction"] == 3 * 106 and total["strength"] == 3 * 106 and total["kind"] == 9 * 106
    assert total["line"] == 2 * 106
    assert total["operator"] == 5 * 106 and total["unit"] >= 6 * 106


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("is strongly recommended", "is conditionally recommended", "strength"),
        ("is strongly recommended", "is recommended", "strength"),
        ("is strongly recommended as", "is strongly recommended against as", "direction"),
        ("A TNF inhibitor", "Reported: a TNF inhibitor", "kind"),
        ("as the first biologic", "over the rest as the first biologic", "comparator"),
        ("as the first biologic", "for 3 months as the first biologic", "number"),
        ("A TNF inhibitor", "An inhibitor", "intervention"),
    ],
)
def test_a_changed_wording_is_found_out(old, new, field):
    claim = next(claim for claim in statements() if claim.id == "S011")
    assert old in claim.wording
    found = claims.wording(replace(claim, wording=claim.wording.replace(old, new)), markers())
    assert any(one.message.startswith(field + ":") for one in found) and all(one.statement == "S011" for one in found)


def quantities(text: str) -> set[tuple[str | None, str, str | None]]:
    return {(one.sign and one.sign.removeprefix(GL), one.number, one.unit) for one in markers().read(text).quantities}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("for at least one month", {("AtLeast", "1", "mo")}),
        ("for at least 1 month", {("AtLeast", "1", "mo")}),
        ("one would expect", set()),
        ("over 70-80 % of two years", {("Over", "70-80", "%"), (None, "2", "a")}),
        (">= 12 weeks", {("AtLeast", "12", "wk")}),
        ("more than 4 on a scale from 0 to 10", {("Over", "4", "{score}")}),
        ("no more than 5.50 points", {("AtMost", "5.5", "{score}")}),
        ("50% pain relief", {(None, "50", "%")}),
        ("X-17 and Y2 and Z46.1 and 3-fold", set()),
        ("under 3 monthly cycles", {("Under", "3", None)}),
    ],
)
def test_numbers_are_read_with_sign_and_unit(text, expected):
    assert quantities(text) == expected


def test_over_a_number_is_a_sign_and_over_a_thing_a_comparison():
    assert markers().read("recommended over rest").sides == ("recommended ", " rest")
    assert markers().read("recommended over 3 weeks").sides is None


def test_a_quantity_reads_as_words():
    assert str(Quantity(GL + "AtLeast", "12", "wk")) == "AtLeast 12 wk"


def test_the_toy_guideline_passes_and_fails_once_a_field_is_changed():
    toy = load("toy", (TOY,))
    assert claims.check(toy.index) == []
    weak = ox.NamedNode(GL + "Conditional")
    changed = [Triple(t.subject, t.predicate, weak) if t.predicate.value == GL + "strength" else t for t in toy.triples]
    found = claims.check(Index(changed))
    assert {one.statement for one in found} == {"S1", "S3"} and all(
        one.message.startswith("strength:") for one in found
    )


def test_a_guideline_without_markers_is_told_to_import_them():
    ours = [t for t in load("toy", (TOY,)).triples if not t.subject.value.startswith(GL + "marker-")]
    assert [one.statement for one in claims.check(Index(ours))] == ["markers"]


def test_places_are_compared_with_each_other_and_with_the_source():
    one = replace(statements()[0], id="S1", line=1)
    two = replace(one, id="S2", line=2)
    assert claims.places((one, two), {1: 1, 2: None}) == []
    wrong = claims.places((two, replace(one, id="S3"), replace(one, id="S4", section="another")), {1: 1, 3: None})
    assert [str(found).split(": ", 1)[0] for found in wrong] == ["S3", "S2", "S4", "line 1"]


if __name__ == "__main__":
    print(report())

"""The cells of a report: every number of a summary with its zeros, the sums that bind them, and how each is shown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import pyoxigraph as ox

from kg.cohort.report.suppress import Key, Shown, Sum, suppress
from kg.cohort.tally import KEYS, OF_FINDINGS, Names
from kg.errors import InputError
from kg.guideline import Guideline
from kg.report.view import KINDS
from kg.terms import GL, RDF, local

VERDICTS = tuple(kind.verdict for kind in KINDS)
OUTSIDE = ("applicability", "not-applicable")
WITH = ("patients", "out")
#: The statuses of each table, in the order in which they are shown.
STATUSES = {
    "applicability": ("applies", "unknown", "not-applicable"),
    "settled": ("open", "settled"),
    "rules": ("applies", "unknown", "does-not-apply"),
    "attrition": ("met", "unknown", "unmet"),
    "documentation": ("complete", "incomplete", "missing"),
    "monitoring": ("due", "not-yet-due", "done"),
    "prerequisites": ("met", "indeterminate", "unknown", "not-met"),
}


@dataclass(frozen=True)
class Cell:
    """A number as it is shown; `number` is None where it is hidden."""

    text: str
    number: int | None = None
    how: Shown = Shown.number


def grouped(number: int) -> str:
    """A number with narrow spaces between thousands."""
    return f"{number:,}".replace(",", "\u202f")


class Figures:
    """A summary's numbers by key: (table, parts...), hidden where fewer than `least` patients could be told.

    Raises InputError when the population is too small for `least`."""

    def __init__(self, summary: dict, guideline: Guideline, least: int = 0) -> None:
        self.summary, self.guideline, self.least, self.names = summary, guideline, least, Names(guideline)
        if least in (1, 2):
            raise InputError("--small-cells", str(least), f"it hides nothing: under {least} is {least - 1} and no other", "give 3 or more")
        if 0 < summary["patients"]["out"] < least:
            raise InputError("--small-cells", str(least), "fewer patients than that have verdicts", "give a smaller number, or more patients")
        self._sums: list[Sum] = []
        given = self._filled()
        self._alias = {key: other for key, other in self._same() if given[key] == given[other]}
        self._keys = tuple(given)
        self.numbers: dict[Key, int] = {key: number for key, number in given.items() if key not in self._alias}
        self._bind()
        self.shown = suppress(self.numbers, self._sums, least, frozenset([WITH]))

    @property
    def sums(self) -> tuple[Sum, ...]:
        return tuple(self._sums)

    def cell(self, *key: object) -> Cell:
        """A cell as it is shown; one that nobody counted is 0."""
        key = self._alias.get(key, key)
        how, number = self.shown.get(key, Shown.number), self.numbers.get(key, 0)
        if how is Shown.number:
            return Cell(grouped(number), number)
        return Cell({Shown.small: f"<{self.least}", Shown.large: f"≥{self.least}", Shown.blank: "–"}[how], None, how)

    def planned(self, item: str) -> Cell:
        """Of how many patients a documentation item is asked."""
        return self.cell(*self._planned(item))

    def having(self, table: str) -> list[str]:
        """What a table counts, by the first part of its keys, in order."""
        return sorted({str(key[1]) for key in self._keys if key[0] == table})

    @cached_property
    def steps(self) -> dict[str, list[str]]:
        """The criteria of each rule (its name here), in the order of attrition."""
        return {self.names.rule(rule): [local(one) for one in self.names.needs[rule]] for rule in self.names.rules if self.names.needs[rule]}

    def published(self) -> dict:
        """The summary with its small cells hidden as in the report: numbers, or `<N`, `≥N`, None; findings that occur less often than N are left out."""
        if not self.least:
            return self.summary
        counts = {table: [] for table in self.summary["counts"]}
        for table, *parts in sorted(self._keys, key=str):
            if table in counts:
                value = self._value((table, *parts))
                counts[table] += [] if value == 0 else [{**dict(zip(KEYS[table], parts, strict=True)), "number": value}]
        for table in set(OF_FINDINGS) & set(counts):
            counts[table] = [row for row in self.summary["counts"][table] if row["number"] >= self.least]
        patients = {key: self._value(("patients", key)) for key in self.summary["patients"]}
        return {**self.summary, "smallCells": self.least, "patients": patients, "counts": counts}

    def _value(self, key: Key) -> int | str | None:
        cell = self.cell(*key)
        return {Shown.number: cell.number, Shown.blank: None}.get(cell.how, cell.text)

    def _filled(self) -> dict[Key, int]:
        """Every number that can be shown, also those that are 0, whose absence would tell."""
        names, given = self.names, self.summary["counts"]
        rules = [names.rule(rule) for rule in names.rules]
        cells: list[Key] = [(table, one) for table in ("applicability", "settled") for one in STATUSES[table]]
        cells += [("verdicts", names.short(treatment), verdict) for treatment in names.treatments for verdict in VERDICTS]
        cells += [("rules", rule, status) for rule in rules for status in STATUSES["rules"]]
        cells += [("attrition", rule, place, one, answer) for rule, steps in self.steps.items() for place, one in enumerate(steps) for answer in STATUSES["attrition"]]
        for table, filled in (("current", VERDICTS), *((table, STATUSES[table]) for table in ("documentation", "monitoring", "prerequisites"))):
            cells += [(table, next(iter(row.values())), one) for row in given[table] for one in filled]
        cells += [("blockedAlone", row["criterion"]) for row in given["blocked"]]
        found = {("patients", key): number for key, number in self.summary["patients"].items()} | dict.fromkeys(cells, 0)
        for table in set(KEYS) - set(OF_FINDINGS):
            found |= {(table, *list(row.values())[:-1]): row["number"] for row in given[table]}
        return found

    def _same(self) -> Iterator[tuple[Key, Key]]:
        """Cells that are one figure under several names, with the name that stands for it: who hides it here must not show it there."""
        for treatment in map(self.names.short, self.names.treatments):
            yield ("verdicts", treatment, "not-applicable"), OUTSIDE
        population = local(self.guideline.index.text(self.guideline.iri, GL.population) or "")
        first: dict[tuple[str, ...], str] = {}
        whole: dict[tuple[str, ...], str] = {}
        for rule, steps in self.steps.items():
            for place, one in enumerate(steps):
                other = first.setdefault(tuple(steps[: place + 1]), rule)
                for answer in STATUSES["attrition"]:
                    key, before = ("attrition", rule, place, one, answer), ("attrition", other, place, one, answer)
                    if steps[: place + 1] == [population] and answer != "unmet":
                        yield key, ("applicability", {"met": "applies"}.get(answer, answer))
                    elif other != rule:
                        yield key, before
            if rule in self._plain and (other := whole.setdefault(tuple(steps), rule)) != rule:
                yield from ((("rules", rule, status), ("rules", other, status)) for status in STATUSES["rules"])

    def _bind(self) -> None:
        """The sums that hold between the cells, whoever counts."""
        numbers, add = self.numbers, self._add
        add(("patients", "in"), (WITH, ("patients", "rejected")))
        for table in ("applicability", "settled"):
            add(WITH, tuple((table, one) for one in STATUSES[table]))
        for treatment in map(self.names.short, self.names.treatments):
            add(WITH, tuple(("verdicts", treatment, one) for one in VERDICTS))
        for rule in map(self.names.rule, self.names.rules):
            add(WITH, (OUTSIDE, *(("rules", rule, one) for one in STATUSES["rules"])))
        for rule, steps in self.steps.items():
            cells = [tuple(("attrition", rule, place, one, answer) for answer in STATUSES["attrition"]) for place, one in enumerate(steps)]
            add(WITH, (OUTSIDE, *cells[0]))
            for before, after in pairwise(cells):  # who met the step before meets this one, may, or does not
                add(before[0], after)
            if rule in self._plain:
                add(("rules", rule, "applies"), (cells[-1][0],))
        for item in self.having("documentation"):
            parts = tuple(("documentation", item, one) for one in STATUSES["documentation"])
            numbers[self._planned(item)] = sum(numbers[part] for part in parts)
            add(self._planned(item), parts)
        for treatment in self.having("current"):
            parts = tuple(("current", treatment, one) for one in VERDICTS)
            numbers["taken", treatment] = sum(numbers[part] for part in parts)
            add(("taken", treatment), parts)
        for name in self.having("blocked"):
            numbers["together", name] = numbers["blocked", name] - numbers["blockedAlone", name]
            add(("blocked", name), (("blockedAlone", name), ("together", name)))
        for rule in self.having("prerequisites"):
            add(("applicability", "applies"), tuple(("prerequisites", rule, one) for one in STATUSES["prerequisites"]))

    def _add(self, total: Key, parts: tuple[Key, ...]) -> None:
        bound = Sum(self._alias.get(total, total), tuple(self._alias.get(part, part) for part in parts))
        if bound not in self._sums:
            self._sums.append(bound)

    @cached_property
    def _plain(self) -> set[str]:
        """Rules that apply wherever all their criteria are met: neither compared with a fact nor a caution."""
        index = self.guideline.index
        nodes = ((rule, ox.NamedNode(rule)) for rule in self.names.rules)
        return {self.names.rule(rule) for rule, node in nodes if not index.objects(node, GL.compares) and ox.NamedNode(GL.Caution) not in index.objects(node, RDF.type)}

    def _planned(self, item: str) -> Key:
        """One cell for all items of which the same number of patients is asked: it is the same figure."""
        of = {one: sum(self.numbers["documentation", one, status] for status in STATUSES["documentation"]) for one in self.having("documentation")}
        return ("planned",) if len(set(of.values())) == 1 else ("planned", item)

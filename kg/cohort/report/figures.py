"""The cells of a report: every number of a summary with its zeros, the sums that bind them, and how each is shown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import pyoxigraph as ox

from kg.cohort.report.suppress import Key, Shown, Sum, suppress
from kg.cohort.tally import KEYS, Names
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
        self.numbers: dict[Key, int] = {}
        self._fill()
        self._bind()
        self.shown = suppress(self.numbers, self._sums, least, frozenset([WITH]))

    @property
    def sums(self) -> tuple[Sum, ...]:
        return tuple(self._sums)

    def cell(self, *key: object) -> Cell:
        """A cell as it is shown; one that nobody counted is 0."""
        how, number = self.shown.get(key, Shown.number), self.numbers.get(key, 0)
        if how is Shown.number:
            return Cell(grouped(number), number)
        return Cell({Shown.small: f"<{self.least}", Shown.large: f"≥{self.least}", Shown.blank: "–"}[how], None, how)

    def verdict(self, treatment: str, verdict: str) -> Cell:
        """How many patients have a verdict on a treatment; who is outside the population is so for every treatment."""
        return self.cell(*OUTSIDE) if verdict == "not-applicable" else self.cell("verdicts", treatment, verdict)

    def planned(self, item: str) -> Cell:
        """Of how many patients a documentation item is asked."""
        return self.cell(*self._planned(item))

    def having(self, table: str) -> list[str]:
        """What a table counts, by the first part of its keys, in order."""
        return sorted({str(key[1]) for key in self.numbers if key[0] == table})

    @cached_property
    def steps(self) -> dict[str, list[str]]:
        """The criteria of each rule (its name here), in the order of attrition."""
        return {self.names.rule(rule): [local(one) for one in self.names.needs[rule]] for rule in self.names.rules if self.names.needs[rule]}

    def published(self) -> dict:
        """The summary with its small cells hidden as in the report: numbers, or `<N`, `≥N`, None; findings that occur less often than N are left out."""
        if not self.least:
            return self.summary
        counts = {table: [] for table in KEYS}
        for key in sorted(self.numbers, key=str):
            table, *parts = key
            if table in KEYS and len(parts) == len(KEYS[table]):
                counts[table] += self._row(table, key, parts)
        counts["verdicts"] += [row for one in self.names.treatments for row in self._row("verdicts", OUTSIDE, [self.names.short(one), "not-applicable"])]
        counts["findings"] = [row for row in self.summary["counts"]["findings"] if row["number"] >= self.least]
        patients = {key: self._value(("patients", key)) for key in self.summary["patients"]}
        return {**self.summary, "smallCells": self.least, "patients": patients, "counts": counts}

    def _row(self, table: str, key: Key, parts: list) -> list[dict]:
        value = self._value(key)
        return [] if value == 0 else [{**dict(zip(KEYS[table], parts, strict=True)), "number": value}]

    def _value(self, key: Key) -> int | str | None:
        cell = self.cell(*key)
        return {Shown.number: cell.number, Shown.blank: None}.get(cell.how, cell.text)

    def _fill(self) -> None:
        """Every cell that can be shown, also those that are 0, whose absence would tell."""
        names, given = self.names, self.summary["counts"]
        treatments = [names.short(one) for one in names.treatments]
        self.numbers |= {("patients", key): number for key, number in self.summary["patients"].items()}
        self.numbers |= dict.fromkeys((("applicability", one) for one in STATUSES["applicability"]), 0)
        self.numbers |= dict.fromkeys((("settled", one) for one in STATUSES["settled"]), 0)
        self.numbers |= dict.fromkeys((("verdicts", one, verdict) for one in treatments for verdict in VERDICTS if verdict != "not-applicable"), 0)
        self.numbers |= dict.fromkeys((("rules", names.rule(rule), status) for rule in names.rules for status in STATUSES["rules"]), 0)
        self.numbers |= dict.fromkeys(
            (("attrition", rule, place, one, answer) for rule, steps in self.steps.items() for place, one in enumerate(steps) for answer in STATUSES["attrition"]), 0)
        for table, filled in (("current", VERDICTS), *((table, STATUSES[table]) for table in ("documentation", "monitoring", "prerequisites"))):
            self.numbers |= dict.fromkeys(((table, next(iter(row.values())), one) for row in given[table] for one in filled), 0)
        for table in set(KEYS) - {"findings"}:
            for row in given[table]:
                *parts, number = row.values()
                if table != "verdicts" or parts[1] != "not-applicable":
                    self.numbers[table, *parts] = number

    def _bind(self) -> None:
        """The sums that hold between the cells, whoever counts."""
        numbers = self.numbers
        self._sums.append(Sum(("patients", "in"), (WITH, ("patients", "rejected"))))
        for table in ("applicability", "settled"):
            self._sums.append(Sum(WITH, tuple((table, one) for one in STATUSES[table])))
        for treatment in map(self.names.short, self.names.treatments):
            self._sums.append(Sum(WITH, (OUTSIDE, *(("verdicts", treatment, one) for one in VERDICTS if one != "not-applicable"))))
        for rule in map(self.names.rule, self.names.rules):
            self._sums.append(Sum(WITH, (OUTSIDE, *(("rules", rule, one) for one in STATUSES["rules"]))))
        for rule, chain in self._chains():
            self._sums += chain
            if rule in self._plain:
                self._sums.append(Sum(("rules", rule, "applies"), (chain[-1].parts[-3],)))
        for item in self.having("documentation"):
            parts = tuple(("documentation", item, one) for one in STATUSES["documentation"])
            numbers[self._planned(item)] = sum(numbers[part] for part in parts)
            self._sums.append(Sum(self._planned(item), parts))
        for treatment in self.having("current"):
            parts = tuple(("current", treatment, one) for one in VERDICTS)
            numbers["taken", treatment] = sum(numbers[part] for part in parts)
            self._sums.append(Sum(("taken", treatment), parts))
        for name in self.having("blocked"):
            alone = numbers.setdefault(("blockedAlone", name), 0)
            numbers["together", name] = numbers["blocked", name] - alone
            self._sums.append(Sum(("blocked", name), (("blockedAlone", name), ("together", name))))
        for rule in self.having("prerequisites"):
            self._sums.append(Sum(("applicability", "applies"), tuple(("prerequisites", rule, one) for one in STATUSES["prerequisites"])))

    def _chains(self) -> Iterator[tuple[str, list[Sum]]]:
        """Of each rule the sums of its steps: who met the step before (at the first, who is not outside) meets this one, may, or does not."""
        for rule, steps in self.steps.items():
            cells = [tuple(("attrition", rule, place, one, answer) for answer in STATUSES["attrition"]) for place, one in enumerate(steps)]
            first = Sum(WITH, (OUTSIDE, *cells[0]))
            yield rule, [first, *(Sum(before[0], after) for before, after in zip(cells, cells[1:], strict=False))]

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

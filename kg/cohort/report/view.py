"""What the report of a population shows: each table with its bars, from the cells of a summary and the guideline's labels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import pyoxigraph as ox

from kg.cohort.report.bars import Bar, Kind, bar, share
from kg.cohort.report.figures import OUTSIDE, STATUSES, VERDICTS, WITH, Cell, Figures, grouped
from kg.cohort.report.suppress import Shown
from kg.docs.book import Book
from kg.report.view import KINDS
from kg.terms import GL, local

_TABLES = {
    "applicability": (Kind("yes", "✓", "Applies"), Kind("open", "?", "Not known"), Kind("not-applicable", "○", "Outside")),
    "settled": (Kind("open", "?", "something is undetermined"), Kind("yes", "✓", "all is determined")),
    "rules": (Kind("yes", "✓", "Applies"), Kind("open", "?", "May apply"), Kind("no", "✗", "Does not apply")),
    "attrition": (Kind("yes", "✓", "Met"), Kind("open", "?", "Not known"), Kind("no", "✗", "Not met")),
    "documentation": (Kind("yes", "☑", "Complete"), Kind("open", "◩", "Incomplete"), Kind("lacking", "☐", "Missing")),
    "monitoring": (Kind("lacking", "!", "Due"), Kind("no", "◷", "Not yet due"), Kind("yes", "✓", "Done")),
    "prerequisites": (Kind("yes", "✓", "Met"), Kind("lacking", "~", "Indeterminate"), Kind("open", "?", "Not known"), Kind("no", "✗", "Not met")),
}  # fmt: skip
_ALONE, _TOGETHER, _COUNT = Kind("lacking", "1", "alone"), Kind("open", "+", "only together with others"), Kind("count", "", "patients")
_BARRED = ("contraindicated", "advised-against")


@dataclass(frozen=True)
class Row:
    """A line of a table: its name in the counts, IRI, id, label, a note, its bar, its cells, a share in words."""

    key: str
    iri: str
    id: str
    label: str
    note: str
    bar: Bar
    cells: tuple[Cell, ...]
    share: str = ""


@dataclass(frozen=True)
class Funnel:
    """Rules that need the same criteria, and how many patients meet each in turn."""

    rules: tuple[Row, ...]
    steps: tuple[Row, ...]


class View:
    """The tables of a report, by the names that the templates use."""

    contents = (("population", "Population"), ("verdicts", "Verdicts by treatment"), ("taken", "Who takes what now"), ("missing", "Missing facts"), ("attrition", "Attrition"),
                ("never", "Never applied"), ("flags", "Flags"), ("documentation", "Documentation gaps"), ("monitoring", "Monitoring"), ("findings", "Importer"))  # fmt: skip
    kinds = _TABLES
    verdict_kinds = tuple(Kind(kind.verdict, kind.sign, kind.title) for kind in KINDS)
    titles = tuple(kind.title for kind in KINDS)
    alone, together = _ALONE, _TOGETHER
    #: Where the cells of `taken` say that a verdict is against it.
    places = tuple(1 + VERDICTS.index(verdict) for verdict in _BARRED)
    most_findings = 30
    grouped = staticmethod(grouped)

    def __init__(self, figures: Figures, book: Book) -> None:
        self.figures, self.book, self._index = figures, book, figures.guideline.index
        self.summary, self.whole = figures.summary, figures.summary["patients"]["out"]

    def words(self, table: str) -> tuple[str, ...]:
        """What the cells of a table count."""
        return tuple(kind.words for kind in _TABLES[table])

    @cached_property
    def treatments(self) -> dict[str, str]:
        """IRIs of the treatments by their names in the counts, in the guideline's order."""
        return {self.figures.names.short(iri): iri for iri in self.figures.names.treatments}

    @cached_property
    def rules(self) -> dict[str, str]:
        """IRIs of what recommends or advises, by name in the counts; cautions and prerequisites have no direction."""
        named = {self.figures.names.rule(iri): iri for iri in self.figures.names.rules}
        return {name: iri for name, iri in sorted(named.items()) if self._index.text(ox.NamedNode(iri), GL.direction)}

    @cached_property
    def applicability(self) -> Row:
        return self._statuses("applicability", "All with verdicts", "", self.whole, self.whole)

    @cached_property
    def settled(self) -> Row:
        return self._statuses("settled", "All with verdicts", "", self.whole, self.whole)

    @cached_property
    def verdicts(self) -> list[Row]:
        cells = {name: tuple(self.figures.cell("verdicts", name, verdict) for verdict in VERDICTS) for name in self.treatments}
        return [self._row(name, iri, bar(zip(self.verdict_kinds, cells[name], strict=True), self.whole, self.whole), cells[name]) for name, iri in self.treatments.items()]

    @cached_property
    def taken(self) -> list[Row]:
        """The treatments that somebody is on: the first cell says how many, then by verdict; the scale is that of the most taken."""
        found = {name: iri for name, iri in self.treatments.items() if name in self.figures.having("current")}
        rows = []
        for name, iri in found.items():
            of, cells = self.figures.cell("taken", name), tuple(self.figures.cell("current", name, verdict) for verdict in VERDICTS)
            rows.append(self._row(name, iri, bar(zip(self.verdict_kinds, cells, strict=True), self.most_taken, of.number), (of, *cells)))
        return rows

    @cached_property
    def most_taken(self) -> int:
        """How many patients are on the treatment that most are on, as far as it is shown."""
        return max((self.figures.cell("taken", name).number or 0 for name in self.figures.having("current")), default=0)

    @property
    def barred(self) -> list[Row]:
        """What is taken although a verdict is against it."""
        return [row for row in self.taken if any(self.counted(row.cells[place]) for place in self.places)]

    @staticmethod
    def counted(cell: Cell) -> bool:
        """Whether a cell is shown to be more than 0."""
        return cell.number != 0 and cell.how is not Shown.blank

    @cached_property
    def missing(self) -> list[Row]:
        """Missing facts, those first that alone block most patients: cells are those blocked by it alone, and those by it at all."""
        rows = []
        for name in self.figures.having("blocked"):
            alone, whole = self.figures.cell("blockedAlone", name), self.figures.cell("blocked", name)
            iri = self._asked.get(name, "")
            note = self._index.text(ox.NamedNode(iri), GL.ask) if iri else None
            rows.append(self._row(name, iri, bar([(_ALONE, alone), (_TOGETHER, self.figures.cell("together", name))], self.whole, whole.number), (alone, whole), note or "", share(alone, self.figures.cell(*WITH))))
        return _most(rows, lambda row: [cell.number or 0 for cell in row.cells])

    @cached_property
    def recommendations(self) -> list[Row]:
        return [self._statuses("rules", name, iri, self.whole, self._concerned) for name, iri in self.rules.items()]

    @property
    def never(self) -> list[Row]:
        """Recommendations that apply to nobody, as far as it is shown."""
        return [row for row in self.recommendations if row.cells[0].number == 0]

    @cached_property
    def funnels(self) -> list[Funnel]:
        groups: dict[tuple[str, ...], list[Row]] = {}
        for row in self.recommendations:
            if row.key in self.figures.steps:
                groups.setdefault(tuple(self.figures.steps[row.key]), []).append(row)
        return [Funnel(tuple(rows), self._steps(rows[0].key, steps)) for steps, rows in groups.items()]

    @cached_property
    def flags(self) -> list[Row]:
        rows = []
        for name in self.figures.having("flags"):
            cell = self.figures.cell("flags", name)
            rows.append(self._row(name, self._named(GL.slug, name), bar([(_COUNT, cell)], self.whole), (cell,), "", share(cell, self.figures.cell(*WITH))))
        return _most(rows, lambda row: [row.cells[0].number or 0])

    @cached_property
    def documentation(self) -> list[Row]:
        """The items of a checklist; the last cell says of how many patients each is asked."""
        rows = []
        for name in self.figures.having("documentation"):
            of = self.figures.planned(name)
            rows.append(self._statuses("documentation", name, self._named(GL.id, name), of.number or 0, of.number, (of,)))
        return rows

    @cached_property
    def monitoring(self) -> list[Row]:
        """Treatments going on that ask for an evaluation; the numbers of a row have no sum, as one patient may have two courses."""
        asked = self.figures.having("monitoring")
        return [self._statuses("monitoring", name, iri, self.most_monitored, None) for name, iri in self.treatments.items() if name in asked]

    @cached_property
    def most_monitored(self) -> int:
        """The end of the scale of `monitoring`: the longest of its bars, as far as they are shown."""
        return max((sum(self.figures.cell("monitoring", name, one).number or 0 for one in STATUSES["monitoring"]) for name in self.figures.having("monitoring")), default=0)

    @cached_property
    def prerequisites(self) -> list[Row]:
        of = self.figures.cell("applicability", "applies").number
        named = {self.figures.names.short(iri): iri for iri in self.figures.names.rules}
        return [self._statuses("prerequisites", name, named[name], of or 0, of) for name in self.figures.having("prerequisites")]

    @cached_property
    def findings(self) -> list[dict]:
        """What the importer found, most frequent first; with small cells hidden, only what is frequent: a message may quote a record."""
        return sorted(self.figures.published()["counts"]["findings"], key=lambda row: (-row["number"], row["resource"], row["message"]))

    @property
    def findings_left_out(self) -> int:
        return len(self.summary["counts"]["findings"]) - len(self.findings)

    @cached_property
    def _asked(self) -> dict[str, str]:
        """IRIs of what can be asked or needed, by local name."""
        asked = [node.value for node in self._index.having(GL.ask)]
        return {local(iri): iri for iri in [*asked, *(one for needs in self.figures.names.needs.values() for one in needs)]}

    @property
    def _concerned(self) -> int | None:
        """How many patients are not outside the population, where that is shown."""
        outside = self.figures.cell(*OUTSIDE).number
        return None if outside is None else self.whole - outside

    def _named(self, property_: str, name: str) -> str:
        return next((node.value for node in self._index.subjects(property_, ox.Literal(name))), "")

    def _steps(self, rule: str, steps: tuple[str, ...]) -> tuple[Row, ...]:
        rows, left = [], self._concerned
        for place, name in enumerate(steps):
            cells = tuple(self.figures.cell("attrition", rule, place, name, answer) for answer in STATUSES["attrition"])
            rows.append(self._row(name, self._asked[name], bar(zip(_TABLES["attrition"], cells, strict=True), self.whole, left), cells))
            left = cells[0].number
        return tuple(rows)

    def _statuses(self, table: str, name: str, iri: str, whole: int, filled: int | None, further: tuple[Cell, ...] = ()) -> Row:
        """A row of a table with a cell for each status; `filled` is their sum, where that is shown."""
        about = (name,) if iri else ()
        cells = tuple(self.figures.cell(table, *about, status) for status in STATUSES[table])
        return self._row(name, iri, bar(zip(_TABLES[table], cells, strict=True), whole, filled), (*cells, *further))

    def _row(self, key: str, iri: str, drawn: Bar, cells: tuple[Cell, ...], note: str = "", part: str = "") -> Row:
        node = self.book.nodes.get(iri)
        return Row(key, iri, node.id if node else "", self.book.label(iri) if iri else key, note, drawn, cells, part)


def _most(rows: list[Row], amounts: Callable[[Row], list[int]]) -> list[Row]:
    """Largest first, as far as numbers are shown: an order by hidden ones would tell them."""
    return sorted(rows, key=lambda row: ([-one for one in amounts(row)], row.label))

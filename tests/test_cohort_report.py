"""The report of a population: its numbers are those of the proofs, small cells stay hidden, the page can be read by everybody."""

from __future__ import annotations

import json
import re
from collections import Counter
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from kg.cli import app
from kg.cohort import report
from kg.cohort.report.figures import VERDICTS, Figures
from kg.cohort.tally import KEYS, OF_FINDINGS, Tally
from kg.errors import InputError
from kg.guideline import load
from tests.support import recount, vignettes
from tests.support.pages import barriers, parse
from tests.test_report import HOSTILE, dangers, having, words

AS_OF = "2026-03-02"
TOY = Path(__file__).parent / "guidelines" / "toy.ttl"
#: All tests here read one run.
pytestmark = pytest.mark.xdist_group("cohort-report")


def kg(*line: object):
    return CliRunner().invoke(app, [str(one) for one in line])


@pytest.fixture(scope="module")
def population(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("population") / "export"
    assert kg("simulate", 40, "-o", folder, "--seed", 8).exit_code == 0
    return folder


@pytest.fixture(scope="module")
def outcome(population, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("cohort") / "out"
    done = kg("cohort", population, "-o", out, "--as-of", AS_OF, "--jobs", 1, "--proofs", "--report", out / "report.html")
    assert done.exit_code == 0, done.output
    return out


@pytest.fixture(scope="module")
def proofs(outcome):
    return recount.load(outcome, vignettes.guideline())


@pytest.fixture(scope="module")
def summary(outcome) -> dict:
    return json.loads((outcome / "summary.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def tree(outcome) -> ElementTree.Element:
    return parse((outcome / "report.html").read_text("utf-8"))


def empty() -> dict:
    counts = {table: [] for table in KEYS}
    return {"asOf": AS_OF, "guideline": "refractory-sacroiliitis", "patients": {"in": 0, "out": 0, "rejected": 0}, "entries": {"read": 0, "ignored": 0, "ofNobody": 0}, "counts": counts}


def counted(summary: dict, table: str) -> Counter:
    """The rows of a summary's table by their parts, as text."""
    return Counter({tuple(str(one) for one in list(row.values())[:-1]): row["number"] for row in summary["counts"][table]})


def table(tree: ElementTree.Element, name: str) -> dict[str, dict[str, str]]:
    """What a table of the page says: row to column to text."""
    (found,) = having(tree, "id", f"table-{name}")
    return {row.get("data-row"): cells(row) for row in having(found, "data-row")}


def cells(row: ElementTree.Element) -> dict[str, str]:
    return {cell.get("data-label"): words(cell) for cell in having(row, "data-label")}


# numbers


TABLES = (*recount.QUERIES, "attrition")


@pytest.fixture(scope="module")
def steps(proofs) -> Counter:
    return recount.recount(proofs, "attrition")


@pytest.mark.parametrize("name", TABLES)
def test_the_summary_counts_what_sparql_counts_over_the_proofs(name, proofs, steps, summary):
    again = steps if name == "attrition" else recount.recount(proofs, name)
    mine = counted(summary, name)
    if name == "rules":  # what has no criteria does not apply to anybody
        mine = Counter({key: number for key, number in mine.items() if any(key[0] == other[0] for other in again)})
    assert mine == again and again


def test_every_table_but_the_findings_is_recounted():
    assert set(TABLES) | set(OF_FINDINGS) == set(KEYS)


COLUMNS = {
    "verdicts": dict(zip(("Eligible", "Contraindicated", "Advised against", "Undetermined", "Not indicated", "Outside the guideline"), VERDICTS, strict=True)),
    "rules": {"Applies": "applies", "May apply": "unknown", "Does not apply": "does-not-apply"},
    "documentation": {"Complete": "complete", "Incomplete": "incomplete", "Missing": "missing"},
    "monitoring": {"Due": "due", "Not yet due": "not-yet-due", "Done": "done"},
    "prerequisites": {"Met": "met", "Indeterminate": "indeterminate", "Not known": "unknown", "Not met": "not-met"},
}
COLUMNS["taken"] = COLUMNS["verdicts"]


@pytest.mark.parametrize("name", COLUMNS)
def test_the_page_shows_what_sparql_counts(name, proofs, tree):
    again = recount.recount(proofs, {"taken": "current"}.get(name, name))
    shown = table(tree, name)
    told = Counter({(row, word): int(columns[label]) for row, columns in shown.items() for label, word in COLUMNS[name].items()})
    cautions = {key: number for key, number in again.items() if name == "rules" and key[0].endswith("-caution")}
    assert +told == again - Counter(cautions)


def test_the_page_shows_attrition_as_sparql_counts_it(steps, tree):
    seen = Counter()
    for funnel in having(tree, "data-rule"):
        for place, row in enumerate(having(funnel, "data-row")):
            for label, word in {"Met": "met", "Not known": "unknown", "Not met": "unmet"}.items():
                seen[funnel.get("data-rule"), str(place), row.get("data-row"), word] = int(cells(row)[label])
    assert len(seen) > 100
    assert +seen == Counter({key: number for key, number in steps.items() if any(key[0] == other[0] for other in seen)})
    alike = {tuple(row.get("data-row") for row in having(funnel, "data-row")) for funnel in having(tree, "data-rule")}
    assert len(alike) == len(having(tree, "data-rule"))  # rules that need the same stand together


def test_the_page_shows_missing_facts_and_flags_as_sparql_counts_them(proofs, tree):
    shown = table(tree, "missing")
    for column, name in (("At all", "blocked"), ("Alone", "blockedAlone")):
        assert +Counter({(row,): int(columns[column]) for row, columns in shown.items()}) == recount.recount(proofs, name)
    order = [(int(columns["Alone"]), int(columns["At all"])) for columns in shown.values()]
    assert order == sorted(order, reverse=True)
    assert {(row,): int(columns["Patients"]) for row, columns in table(tree, "flags").items()} == recount.recount(proofs, "flags")


def test_the_bars_are_as_long_as_their_numbers(tree, summary):
    whole = summary["patients"]["out"]
    (found,) = having(tree, "id", "table-verdicts")
    for row in having(found, "data-row"):
        drawn = {part.get("class").split()[1]: float(part.get("width")[:-1]) for part in having(row, "class", "part")}
        numbers = {COLUMNS["verdicts"][label]: int(text) for label, text in cells(row).items()}
        assert drawn == pytest.approx({verdict: 100 * number / whole for verdict, number in numbers.items() if number}, abs=0.01)
        assert sum(numbers.values()) == whole


def test_recommendations_that_never_apply_are_named(tree, summary):
    never = {key[0] for key in counted(summary, "rules") if key[0].startswith("R")} - {key[0] for key in counted(summary, "rules") if key[1] == "applies"} - {"R26"}
    assert never and {words(one).split()[0] for one in having(tree, "class", "never")[0]} == {one[:3] for one in never}


def test_labels_and_questions_are_the_guidelines_own(tree):
    said = words(tree)
    for text in ("Is the disease active now", "TNF inhibitor as first biologic", "Adult with sacroiliitis on record", "never means stop", "Not a medical device"):
        assert text in said
    toy = report.page(Figures({**empty(), "guideline": "toy"}, load("toy", (TOY,))))
    assert "TNF" not in toy and barriers(parse(toy)) == []


def test_counts_of_partitions_add_up(summary):
    whole, half = Tally(), [["settled", "open", 2], ["settled", "settled", 1]]
    whole.merge(half)
    whole.merge(half)
    assert [row for row in whole.rows() if row[0] == "settled"] == [["settled", "open", 4], ["settled", "settled", 2]]
    assert sum(counted(summary, "settled").values()) == summary["patients"]["out"]


# the page


def test_the_page_is_for_everybody_and_loads_nothing(tree, outcome):
    assert barriers(tree) == [] and dangers(tree) == []
    assert having(tree, "http-equiv", "Content-Security-Policy")[0].get("content").startswith("default-src 'none'")
    for part in having(tree, "class", "parts"):
        assert part.get("aria-label")
    assert len(having(tree, "class", "figures-of")) == len([one for one in having(tree, "class", "figures-of") if one.find(".//{*}caption") is not None])


def test_the_same_summary_gives_the_same_bytes(summary, outcome):
    assert report.page(Figures(summary, vignettes.guideline())) == (outcome / "report.html").read_text("utf-8")


def test_nobody_is_a_population(tmp_path):
    page = parse(report.page(Figures(empty(), vignettes.guideline())))
    assert barriers(page) == [] and "Nobody is on any of the treatments" in words(page)


def test_what_a_record_says_stays_text():
    hostile = {**empty(), "counts": {**empty()["counts"], "findings": [{"severity": "warning", "resource": HOSTILE, "message": HOSTILE, "number": 7}]}}
    page = report.page(Figures(hostile, vignettes.guideline()))
    assert dangers(parse(page)) == [] and "<script" not in page and "\x07" not in page
    assert "".join(parse(page).itertext()).count(HOSTILE.replace("\x07", "\ufffd")) == 2


# the command


def test_a_finished_run_is_only_reported(population, outcome, tmp_path):
    before = {path: path.stat().st_mtime_ns for path in outcome.rglob("*") if path.is_file()}
    done = kg("cohort", population, "-o", outcome, "--as-of", AS_OF, "--proofs", "--report", tmp_path / "again.html")
    assert done.exit_code == 0, done.output
    assert {path: path.stat().st_mtime_ns for path in outcome.rglob("*") if path.is_file()} == before
    assert (tmp_path / "again.html").read_bytes() == (outcome / "report.html").read_bytes()


@pytest.mark.parametrize(
    "options, said",
    [
        (["--report", "report.json"], "let it end with .html"),
        (["--report", "no/such/report.html"], "make the folder first"),
        (["--small-cells", "5"], "give --report FILE as well"),
    ],
)
def test_options_that_cannot_be_followed_are_refused_before_the_run(options, said, population, tmp_path):
    done = kg("cohort", population, "-o", tmp_path / "out", *options)
    assert said in str(done.exception) and not (tmp_path / "out").exists()


def test_without_the_extra_it_is_said_before_the_run(population, tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    done = kg("cohort", population, "-o", tmp_path / "out", "--report", tmp_path / "report.html")
    assert "extra `html`" in str(done.exception) and not (tmp_path / "out").exists()


# small cells


@pytest.fixture(scope="module")
def small(summary) -> Figures:
    return Figures(summary, vignettes.guideline(), 5)


def test_no_small_number_of_patients_is_shown(small, summary):
    told = small.published()
    assert told["smallCells"] == 5
    numbers = [row["number"] for name in set(KEYS) - set(OF_FINDINGS) for row in told["counts"][name]] + list(told["patients"].values())
    assert {one for one in numbers if isinstance(one, str)} == {"<5", "≥5"} and not set(numbers) & {1, 2, 3, 4}
    exact = {(name, key): number for name in set(KEYS) - set(OF_FINDINGS) for key, number in counted(summary, name).items()}
    for name in set(KEYS) - set(OF_FINDINGS):
        for key, number in counted(told, name).items():
            right = exact.get((name, key), 0)
            assert number is None or number == {True: "<5", False: "≥5"}[right < 5] or number == right, (name, key)


def test_no_hidden_small_number_follows_from_the_others(small):
    hidden = [key for key, number in small.numbers.items() if 0 < number < 5]
    assert len(hidden) > 50 and not set(hidden) & determined(small)


def determined(figures: Figures) -> set:
    """The hidden cells that the sums alone give away: by elimination, which knows nothing of how they were chosen."""
    unknown = {key for key in figures.numbers if figures.cell(*key).number is None}
    rows: list[dict] = []
    for one in figures.sums:
        row = Counter({key: 1 for key in one.parts if key in unknown})
        row.update({one.total: -1} if one.total in unknown else {})
        rows.append({key: value for key, value in row.items() if value})
    reduced: dict = {}
    for row in rows:
        for pivot, known in reduced.items():
            row = less(row, known, pivot)
        if row:
            pivot = next(iter(row))
            row = {key: value / row[pivot] for key, value in row.items()}
            reduced = {key: less(known, row, pivot) for key, known in reduced.items()} | {pivot: row}
    return {pivot for pivot, row in reduced.items() if len(row) == 1}


def less(row: dict, known: dict, pivot: object) -> dict:
    times = row.get(pivot, 0)
    found = {key: row.get(key, 0) - times * known.get(key, 0) for key in {**row, **known}} if times else row
    return {key: value for key, value in found.items() if abs(value) > 1e-9}


def test_one_figure_is_hidden_everywhere_or_nowhere(small):
    told: dict[tuple, set] = {}
    for rule, steps in small.steps.items():
        for place, one in enumerate(steps):
            for answer in ("met", "unknown", "unmet"):
                told.setdefault((*steps[: place + 1], answer), set()).add(small.cell("attrition", rule, place, one, answer).text)
    assert len(told) > 60 and {key: texts for key, texts in told.items() if len(texts) > 1} == {}
    assert told["population", "met"] == {small.cell("applicability", "applies").text}
    assert {small.cell("verdicts", one, "not-applicable").text for one in small.having("verdicts")} == {small.cell("applicability", "not-applicable").text}


def test_elimination_finds_what_is_given_away(summary):
    bare = Figures(summary, vignettes.guideline(), 5)
    first = next(key for key, number in bare.numbers.items() if key[0] == "verdicts" and 0 < number < 5)
    bare.shown = {key: how if key == first else next(iter(type(how))) for key, how in bare.shown.items()}
    assert determined(bare) == {first}


def test_the_page_hides_what_the_counts_hide(small, summary):
    page = parse(report.page(small))
    assert barriers(page) == [] and "Small cells are hidden" in words(page)
    shown = table(page, "verdicts")
    for row in small.published()["counts"]["verdicts"]:
        label = next(label for label, verdict in COLUMNS["verdicts"].items() if verdict == row["verdict"])
        assert shown[row["treatment"]][label] == ("–" if row["number"] is None else str(row["number"]))
    texts = {text for name in ("verdicts", "taken", "rules", "documentation", "prerequisites", "missing", "flags") for columns in table(page, name).values() for text in columns.values()}
    assert not texts & {"1", "2", "3", "4"} and {"<5", "≥5"} <= texts
    for name in ("verdicts", "taken", "rules", "missing", "flags"):
        for row in having(having(page, "id", f"table-{name}")[0], "data-row"):
            drawn = [part for part in having(row, "class", "part") if "hidden" not in part.get("class")]
            assert len(drawn) <= sum(text.isdigit() and text != "0" for text in cells(row).values())
            assert not re.search(r"\b[1-4] ", having(row, "role", "img")[0].get("aria-label").partition(": ")[2])


def test_nothing_is_ordered_by_a_hidden_number(small):
    page = parse(report.page(small))
    rows = having(having(page, "id", "table-flags")[0], "data-row")
    hidden = [words(row.find("{*}th")) for row in rows if cells(row)["Patients"] == "<5"]
    assert len(hidden) > 2 and hidden == sorted(hidden) and [row for row in rows if cells(row)["Patients"] == "<5"] == rows[-len(hidden) :]


def test_rare_findings_are_left_out_with_their_words(summary):
    given = [{"severity": "warning", "resource": "Observation", "message": message, "number": number} for message, number in (("often", 5), ("of John alone", 4))]
    figures = Figures({**summary, "counts": {**summary["counts"], "findings": given}}, vignettes.guideline(), 5)
    assert [row["message"] for row in figures.published()["counts"]["findings"]] == ["often"]
    assert "John" not in report.page(figures) and "1 kind of finding" in report.page(figures)


def test_counts_beside_the_report_are_hidden_and_the_table_is_not(population, outcome, tmp_path):
    exact = (outcome / "summary.json").read_bytes()
    done = kg("cohort", population, "-o", outcome, "--as-of", AS_OF, "--proofs", "--report", tmp_path / "r.html", "--small-cells", "5")
    assert done.exit_code == 0, done.output
    assert json.loads((tmp_path / "r.counts.json").read_text("utf-8")) == Figures(json.loads(exact), vignettes.guideline(), 5).published()
    assert (outcome / "summary.json").read_bytes() == exact


def test_a_population_too_small_is_refused(summary):
    with pytest.raises(InputError, match="fewer patients"):
        Figures(summary, vignettes.guideline(), 41)
    with pytest.raises(InputError, match="it hides nothing"):
        Figures(summary, vignettes.guideline(), 2)


@pytest.mark.parametrize("least", [3, 5, 11, 20])
def test_every_threshold_can_be_met(summary, least):
    figures = Figures(summary, vignettes.guideline(), least)
    assert not {key for key, number in figures.numbers.items() if 0 < number < least} & determined(figures)
    assert all(figures.cell(*key).number in (None, number) for key, number in figures.numbers.items())
    assert [one for one, other in pairwise(sorted(figures.numbers, key=str)) if one == other] == []

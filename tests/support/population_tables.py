"""The tables of docs/simulate.md: distributions from the population file, frequencies from evaluating simulated patients.

`python -m tests.support.population_tables` rewrites the former, with `--evaluate` the latter too (some minutes)."""

from __future__ import annotations

import re
import sys
import tomllib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from kg import fhir
from kg.evaluate import evaluate
from kg.paths import data
from kg.results import results
from kg.simulation import Calendar, population
from tests.support.vignettes import codes, guideline

PAGE = Path(__file__).parents[2] / "docs" / "simulate.md"
COUNT, SEED = 2000, 7
_TOGETHER = 25  # patients evaluated at a time: many share the cost of the rules, too many cost memory


def tables(settings: dict) -> dict[str, str]:
    """The tables of distributions, by the name of their block on the page."""
    person, visits = settings["person"], settings["visits"]
    general = [(f"{name}", _spread(person[name])) for name in ("group", "sex", "age", "onset", "activity", "birth")]
    general += [(f"visits: {name}", _spread(visits[name])) for name in ("latest", "every", "most")]
    general += [(f"missing: {name}", f"{value:.0%}") for name, value in settings["missing"].items() if name != "basis"]
    general += [("name without code", f"{settings['coding']['text-alone']:.0%}")]
    rate = f"{settings['mistakes']['rate']:.0%} of patients"
    return {
        "general": _table(("What", "How it is spread"), general),
        "steps": _table(("Step", "Kind", "Basis", "Rate", "Among", "What"), map(_step, settings["step"])),
        "outcomes": _table(("Line", "Outcome", "Weight", "Days", "Activity left", "Another follows"), _outcomes(settings["step"])),
        "mistakes": _table(("Mistake", f"Weight, {rate}"), settings["mistakes"]["kinds"].items()),
    }


def _step(step: dict) -> tuple:
    among = [*step.get("when", ()), *(f"not {label}" for label in step.get("unless", ())), *([step["sex"]] if "sex" in step else [])]
    among += [f"{step['age'][0]}-{step['age'][1]} years"] if "age" in step else []
    about = step.get("first") or step.get("about") or step.get("code", {}).get("text") or "words"
    return step["name"], step["kind"], step["basis"], f"{step.get('rate', 1):.0%}", ", ".join(among), _spread(about)


def _outcomes(steps: list[dict]) -> Iterable[tuple]:
    for step in steps:
        for name, one in step.get("outcome", {}).items():
            days = "goes on" if one["lasts"] == "on" else _spread(one["lasts"])
            yield step["name"], name, one["weight"], days, _spread(one["level"]) + " %", f"{one.get('again', 0):.0%}"


def _spread(found: object) -> str:
    """A distribution in words: names with their weights, or ranges with their weights where there are several."""
    if isinstance(found, dict):
        return ", ".join(f"{name} {weight:g}" for name, weight in found.items())
    if isinstance(found, list) and isinstance(found[0], list):
        return ", ".join(f"{least}-{most}" + (f" ({weight:g})" if len(found) > 1 else "") for weight, least, most in found)
    return ", ".join(found) if isinstance(found, list) else str(found)


def _table(head: tuple, rows: Iterable[tuple]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join("| " + " | ".join(map(str, line)) + " |\n" for line in lines)


def frequencies(count: int = COUNT, seed: int = SEED) -> dict[str, Counter]:
    """How many of the patients have each verdict (of some treatment), applying rule, flag and status, as of the file's date."""
    drawn, found = population(), {name: Counter() for name in ("applicability", "verdict", "rule", "flag", "status")}
    calendar = Calendar(drawn.as_of)
    for first in range(1, count + 1, _TOGETHER):
        numbers = range(first, min(first + _TOGETHER, count + 1))
        patients = (drawn.patient(number, seed, calendar, drawn.mistakes.rate) for number in numbers)
        documents = [("simulated", one) for patient in patients for one in patient.resources]
        for row in results(evaluate(fhir.lift(documents, codes()).triples, guideline(), drawn.as_of)):
            _count(row, found)
    return found


def _count(row: dict, found: dict[str, Counter]) -> None:
    found["applicability"][row["applicability"]] += 1
    found["verdict"].update({one["verdict"] for one in row["treatments"]})
    rules = (rule for one in row["treatments"] for rule in one["recommendations"])
    found["rule"].update({rule["id"] for rule in rules if rule["status"] == "applies"})
    found["flag"].update({one["flag"] for one in row["flags"]})
    found["status"].update({f"{one['item']} {one['status']}" for one in row["documentation"]})
    found["status"].update({f"R26 {one['status']}" for one in row["prerequisites"]} | {f"R28 {one['status']}" for one in row["monitoring"]})


def frequency_table(found: dict[str, Counter]) -> str:
    rows = ((name, ", ".join(f"{key} {number}" for key, number in sorted(counts.items()))) for name, counts in found.items())
    return _table(("What", f"Patients of {COUNT}, seed {SEED}"), rows)


def blocks() -> dict[str, str]:
    """The tables that stand on the page, by name."""
    return dict(re.findall(r"<!-- table: (\w+) -->\n((?:\|.*\n)*)", PAGE.read_text("utf-8")))


def rewrite(fresh: dict[str, str]) -> None:
    text = PAGE.read_text("utf-8")
    for name, table in fresh.items():
        text = re.sub(rf"(<!-- table: {name} -->\n)((?:\|.*\n)*)", lambda match, table=table: match[1] + table, text)
    PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    rewrite(tables(tomllib.loads(data("ontology", "population.toml").read_text("utf-8"))))
    if "--evaluate" in sys.argv:
        rewrite({"frequencies": frequency_table(frequencies())})

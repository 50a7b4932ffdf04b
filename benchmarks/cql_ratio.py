"""This engine and the same five recommendations in CQL, on the same patients: do they agree on every one, and what does a patient take?

Both start from the facts as imported; joining, windows, thresholds and the three values are each engine's own. This engine derives the whole
guideline, the CQL library R01, R03, R05, R07 and R21 alone. Exits 1 when they disagree on a patient, 2 without Node.js or its packages."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from benchmarks.cql_facts import by_patient, patient
from benchmarks.cql_terms import terms
from kg import inputs
from kg.evaluate import evaluate
from kg.guideline import Guideline, load
from kg.results import results
from kg.simulation import Wanted, export, population
from kg.terms import local

HERE = Path(__file__).parent / "cql"
FIVE = ("R01", "R03", "R05", "R07", "R21")
_BATCH = 25
_STATUS = {True: "applies", None: "unknown", False: "does-not-apply"}


class Missing(Exception):
    """Node.js or a package is not there; the message says which."""


@dataclass
class Found:
    """Statuses by patient and (recommendation, treatment), the population criterion among them; and milliseconds of each part."""

    statuses: dict[str, dict[tuple[str, str], str]] = field(default_factory=dict)
    took: dict[str, float] = field(default_factory=Counter)


def ready() -> None:
    """See to it that `node` and the packages of the lock file are there. Raises Missing."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            raise Missing(f"{program} is not installed")
    if not (HERE / "node_modules" / "cql-execution").exists():
        done = subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=HERE, capture_output=True, text=True, timeout=300)
        if done.returncode:
            raise Missing("npm ci failed: " + (done.stderr.strip().splitlines() or ["no word why"])[0])


def by_graph(groups: dict[str, list], guideline: Guideline, as_of: date, detail: bool = True) -> Found:
    """What this engine derives, a batch of patients at a time."""
    found, names = Found(), list(groups)
    for start in range(0, len(names), _BATCH):
        triples = [t for name in names[start : start + _BATCH] for t in groups[name]]
        began = time.perf_counter()
        derived = evaluate(triples, guideline, as_of, detail=detail)
        evaluated = time.perf_counter()
        rows = results(derived) if detail else []
        found.took["evaluate"] += (evaluated - began) * 1000
        found.took["results"] += (time.perf_counter() - evaluated) * 1000
        for row in rows:
            inside = row["applicability"] != "not-applicable"
            said = {(one["id"], local(treatment["iri"])): one["status"] for treatment in row["treatments"] for one in treatment["recommendations"] if inside}
            found.statuses[row["iri"]] = said | {("P", ""): _POPULATION[row["applicability"]]}
    return found


_POPULATION = {"applies": "applies", "unknown": "unknown", "not-applicable": "does-not-apply"}


def by_cql(patients: list[dict], guideline: Guideline) -> Found:
    """What the CQL library says. Raises RuntimeError with what Node.js wrote when it fails."""
    with tempfile.TemporaryDirectory() as folder:
        terminology, facts = Path(folder) / "terms.json", Path(folder) / "patients.ndjson"
        terminology.write_text(json.dumps(terms(guideline)), encoding="utf-8")
        facts.write_text("".join(json.dumps(one) + "\n" for one in patients), encoding="utf-8")
        done = subprocess.run(["node", "run.mjs", terminology, facts], cwd=HERE, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr)
    *rows, last = (json.loads(line) for line in done.stdout.splitlines())
    found = Found(took=last["timing"])
    for row in rows:
        said = {(name, target): row[name] for name in FIVE if name != "R05" for target in _targets(guideline, name)}
        said |= {("R05", one["drug"]): one["status"] for one in row["R05"]}
        found.statuses[row["patient"]] = {key: _STATUS[value] for key, value in {**said, ("P", ""): row["population"]}.items()}
    return found


def _targets(guideline: Guideline, name: str) -> list[str]:
    rules = guideline.index
    return [local(target.value) for rule in rules.subjects("https://w3id.org/sacroiliitis-kg/core#id", _literal(name))
            for target in rules.objects(rule, "https://w3id.org/sacroiliitis-kg/core#targets")]


def _literal(text: str):
    import pyoxigraph as ox

    return ox.Literal(text)


def disagreements(graph: Found, cql: Found) -> list[str]:
    """Each patient and recommendation on which the two differ; what neither mentions does not apply."""
    lines = []
    for who, said in cql.statuses.items():
        derived = graph.statuses[who]
        for (rule, target), status in sorted(said.items()):
            wanted = derived.get((rule, target), "does-not-apply")
            if wanted != status:
                lines.append(f"{who} {rule} {target}: graph {wanted}, CQL {status}")
    return lines


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--patients", type=int, default=200)
    options.add_argument("--seed", type=int, action="append", help="may be given several times; 0 without it")
    chosen = options.parse_args()
    try:
        ready()
    except (Missing, subprocess.TimeoutExpired) as error:
        print(error, file=sys.stderr)
        raise SystemExit(2) from None
    guideline, (index, _), wrong = load(), inputs.codes(), []
    _ = guideline.closure
    for seed in chosen.seed or [0]:
        wrong += compare(chosen.patients, seed, guideline, index)
    for line in wrong:
        print(line)
    raise SystemExit(bool(wrong))


def compare(count: int, seed: int, guideline: Guideline, index) -> list[str]:
    """Simulate, run both, print a row of figures, return the disagreements."""
    source = population()
    with tempfile.TemporaryDirectory() as folder:
        export(source, Wanted(count, seed, None, None, False, 1), Path(folder) / "records", lambda done: None)
        began = time.perf_counter()
        read = inputs.read(sorted(str(path) for path in (Path(folder) / "records").glob("*.ndjson")), index)
        imported = (time.perf_counter() - began) * 1000
    as_of = source.as_of
    groups = by_patient(read.triples)
    began = time.perf_counter()
    patients = [patient(iri, triples, as_of) for iri, triples in groups.items()]
    converted = (time.perf_counter() - began) * 1000
    graph, cql = by_graph(groups, guideline, as_of), by_cql(patients, guideline)
    lines = disagreements(graph, cql)
    each = lambda total: total / len(groups)  # noqa: E731
    ends = imported + graph.took["evaluate"] + graph.took["results"], imported + converted + cql.took["load"] + cql.took["execute"]
    differ = len({line.split()[0] for line in lines})
    spread = Counter(f"{rule} {status}" for said in cql.statuses.values() for (rule, status) in {(rule, status) for (rule, _), status in said.items()})
    print(f"seed {seed}: {len(groups)} patients, {len(groups) - differ} agree, {differ} differ; load {os.getloadavg()[0]:.1f}")
    print("  " + ", ".join(f"{name} {number}" for name, number in sorted(spread.items())))
    print(f"  evaluation, ms a patient: graph {each(graph.took['evaluate']):.2f} (whole guideline), CQL {each(cql.took['execute']):.2f} (five recommendations), "
          f"graph / CQL {graph.took['evaluate'] / cql.took['execute']:.2f}")
    print(f"  end to end, ms a patient: graph {each(ends[0]):.2f}, CQL {each(ends[1]):.2f}, ratio {ends[0] / ends[1]:.2f}; import {each(imported):.2f} of each; "
          f"CQL compiled once in {cql.took['compile']:.0f} ms, loads {each(cql.took['load']):.3f}")
    return lines


if __name__ == "__main__":
    main()

"""A population, side by side in one run: this engine against rdflib on the same files, against the cost of only reading the same input,
where the time of a verdict goes, growth with the number of patients, one process against two, Spark against processes. Writes its tables into `benchmarks/README.md`.

Times a patient are CPU time of the process, so that what else the machine does counts less; whole runs are time on the clock."""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from kg import fhir, inputs
from kg.cohort.judging import BATCH, Judge
from kg.derive import Depth
from kg.engine import Triple
from kg.evaluate import by_patient, evaluate
from kg.guideline import load
from kg.queries import Query
from kg.results import results
from kg.simulation import Wanted, export, population

README = Path(__file__).parent / "README.md"
START, END = "<!-- population: made by the command -->\n", "<!-- population: end -->\n"
_PER_PATIENT, _RDFLIB, _STEPS = 320, 4, 12


def milliseconds(work: Callable[[], object], patients: int) -> float:
    """CPU milliseconds a patient."""
    began = time.process_time()
    work()
    return (time.process_time() - began) * 1000 / patients


def batches(patients: list[list[Triple]], size: int) -> Iterator[list[Triple]]:
    """The facts of so many patients at a time."""
    for start in range(0, len(patients), size):
        yield [triple for facts in patients[start : start + size] for triple in facts]


def per_patient(folder: Path) -> str:
    """The table of what a patient costs."""
    source = population()
    export(source, Wanted(_PER_PATIENT, 11), folder / "few")
    index, _ = inputs.codes()
    guideline = load()
    judge = Judge(guideline, source.as_of)
    files = sorted((folder / "few").iterdir())
    parsed, lifted = [], []
    rows = [("reading the JSON alone", milliseconds(lambda: parsed.extend(json.loads(line) for path in files for line in path.open("rb")), _PER_PATIENT))]
    documents = [document for path in files for document in fhir.parse(path.read_bytes(), str(path))]
    rows.append(("FHIR to facts", milliseconds(lambda: lifted.extend(fhir.lift(documents, index).triples), _PER_PATIENT)))
    patients = list(by_patient(lifted).values())
    judge.judge(patients[0])
    rows.append(("verdicts, as `kg cohort` derives them", milliseconds(lambda: [judge.judge(batch) for batch in batches(patients, BATCH)], _PER_PATIENT)))
    rows.append(("verdicts with explanations, as JSON", milliseconds(lambda: [json.dumps(results(evaluate(batch, guideline, source.as_of, depth=Depth.FACTS))) for batch in batches(patients, BATCH)], _PER_PATIENT)))
    rows.append(("the same, one patient at a time", milliseconds(lambda: [json.dumps(results(evaluate(facts, guideline, source.as_of, depth=Depth.FACTS))) for facts in patients[:40]], 40)))
    rows.append(("rdflib, one patient at a time", milliseconds(lambda: [results(evaluate(facts, guideline, source.as_of, "rdflib", depth=Depth.FACTS)) for facts in patients[:_RDFLIB]], _RDFLIB)))
    floor, own = rows[0][1] + rows[1][1], rows[2][1]
    lines = ["| CPU ms a patient | ms | × reading and importing | × verdicts |", "|---|---|---|---|"]
    return "\n".join(lines + [f"| {name} | {took:.2f} | {took / floor:.1f} | {took / own:.2f} |" for name, took in rows])


def profile(folder: Path) -> str:
    """The table of the costliest steps of the derivation, as `kg cohort` runs them."""
    source, took = population(), Counter[str]()
    export(source, Wanted(_PER_PATIENT, 11), folder / "steps")
    read = inputs.read(sorted(str(path) for path in (folder / "steps").iterdir()), inputs.codes()[0])
    judge, last = Judge(load(), source.as_of), 0.0

    def done(query: Query) -> None:
        nonlocal last
        now = time.process_time()
        took[query.name] += now - last if last else 0
        last = now

    for batch in batches(list(by_patient(read.triples).values()), BATCH):
        last = 0.0                              # the first step is not told from the loading of the store
        judge.judge(batch, done)
    whole, dear = took.total(), took.most_common(_STEPS)
    rest = (f"the other {len(took) - _STEPS}", whole - sum(seconds for _, seconds in dear))
    lines = ["| step of `queries/derive` | CPU ms a patient | share |", "|---|---|---|"]
    return "\n".join(lines + [f"| {name} | {seconds * 1000 / _PER_PATIENT:.2f} | {seconds / whole:.0%} |" for name, seconds in (*dear, rest)])


@dataclass(frozen=True)
class Whole:
    """A whole run of `kg cohort`: seconds on the clock, CPU seconds, mebibytes of its largest process."""

    seconds: float
    cpu: float
    memory: int


def cohort(folder: Path, out: Path, *words: str) -> Whole:
    """Run `kg cohort` in a process of its own and measure it with its workers."""
    command = [sys.executable, "-m", "kg", "cohort", str(folder), "-o", str(out), "--as-of", population().as_of.isoformat(), *words]
    code = "import resource,subprocess,sys,time; t=time.monotonic(); subprocess.run(sys.argv[1:],check=True,stderr=subprocess.DEVNULL); u=resource.getrusage(resource.RUSAGE_CHILDREN); print(time.monotonic()-t,u.ru_utime+u.ru_stime,u.ru_maxrss//1024)"
    seconds, cpu, memory = subprocess.run([sys.executable, "-c", code, *command], check=True, capture_output=True, text=True).stdout.split()
    return Whole(float(seconds), float(cpu), int(memory))


def growth(folder: Path, sizes: list[int], jobs: int) -> str:
    """The table of growth with the number of patients."""
    lines = ["| patients | seconds | patients a second | CPU ms a patient | MiB of the largest process |", "|---|---|---|---|---|"]
    for size in sizes:
        export(population(), Wanted(size, 12), folder / f"in-{size}")
        found = cohort(folder / f"in-{size}", folder / f"out-{size}", "--jobs", str(jobs))
        lines.append(f"| {size:,} | {found.seconds:.0f} | {size / found.seconds:.0f} | {found.cpu * 1000 / size:.1f} | {found.memory} |")
        print(lines[-1], flush=True)
    return "\n".join(lines)


def runners(folder: Path, size: int) -> str:
    """The table of runners on the same patients."""
    export(population(), Wanted(size, 13), folder / "in")
    kinds = [("one process", ("--jobs", "1")), ("two processes", ("--jobs", "2")), ("Spark, local[2]", ("--jobs", "2", "--runner", "spark"))]
    lines, first = [f"| {size:,} patients | seconds | × one process |", "|---|---|---|"], None
    for name, words in kinds:
        try:
            found = cohort(folder / "in", folder / f"out-{name}", *words)
        except subprocess.CalledProcessError:
            lines.append(f"| {name} | not run: no Spark here | |")
            continue
        first = first or found.seconds
        lines.append(f"| {name} | {found.seconds:.0f} | {found.seconds / first:.2f} |")
        print(lines[-1], flush=True)
    return "\n".join(lines)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--sizes", type=int, nargs="+", default=[100, 1_000, 10_000, 100_000])
    options.add_argument("--runners", type=int, default=2_000, help="patients of the comparison of runners")
    options.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    chosen = options.parse_args()
    load_before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        tables = {"a patient": per_patient(place), "steps": profile(place)}
        print("\n\n".join(tables.values()), flush=True)
        tables["runners"] = runners(place, chosen.runners)
        tables["growth"] = growth(place, chosen.sizes, chosen.jobs)
    about = f"{datetime.date.today().isoformat()}, {os.cpu_count()} cores, Python {platform.python_version()}, load average {load_before:.1f} before; `{' '.join(['python -m benchmarks.population', *sys.argv[1:]])}`"
    text = README.read_text("utf-8")
    head, rest = text.split(START)
    _, tail = rest.split(END)
    README.write_text(f"{head}{START}\n{about}\n\n" + "\n\n".join(tables.values()) + f"\n\n{END}{tail}", encoding="utf-8")


if __name__ == "__main__":
    main()

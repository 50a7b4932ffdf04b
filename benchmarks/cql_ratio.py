"""This engine and five of its recommendations in CQL, on the same patients: do they agree on every one, and what does a patient take?

Both start from the facts as imported; joining records, windows, thresholds and the three values are each engine's own. This engine is
timed with the whole guideline and with the five recommendations alone, the CQL library has R01, R03, R05, R07 and R21. Times are CPU time:
what else the machine does counts less.
Exits 1 when they disagree on a patient, 2 without Node.js or its packages."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.cql_engines import Missing, by_cql, by_graph, disagreements, five_alone, ready
from benchmarks.cql_facts import patient
from benchmarks.cql_terms import terms
from kg import inputs
from kg.codes import CodeIndex
from kg.evaluate import by_patient
from kg.guideline import Guideline, load
from kg.simulation import Wanted, export, population


@dataclass
class Totals:
    """Sums over all seeds: patients, milliseconds of each part, statuses, disagreements."""

    patients: int = 0
    took: Counter = field(default_factory=Counter)
    statuses: Counter = field(default_factory=Counter)
    lines: list[str] = field(default_factory=list)


def run(count: int, seed: int, guideline: Guideline, alone: Guideline, index: CodeIndex, totals: Totals) -> None:
    """Simulate patients, give them to both, add to the totals."""
    source, took = population(), totals.took
    with tempfile.TemporaryDirectory() as folder:
        export(source, Wanted(count, seed), Path(folder) / "records")
        began = time.process_time()
        read = inputs.read(sorted(str(path) for path in (Path(folder) / "records").glob("*.ndjson")), index)
        took["import"] += (time.process_time() - began) * 1000
    groups = by_patient(read.triples)
    began = time.process_time()
    patients = [patient(iri, triples, source.as_of) for iri, triples in groups.items()]
    took["facts as JSON"] += (time.process_time() - began) * 1000
    graph, five, cql = by_graph(groups, guideline, source.as_of), by_graph(groups, alone, source.as_of), by_cql(patients, terms(guideline))
    took.update({"graph": graph.took["evaluate"], "graph results": graph.took["results"], "five": five.took["evaluate"],
                 "five results": five.took["results"], "cql": cql.took["execute"], "cql load": cql.took["load"]})
    took["cql compile"] = cql.took["compile"]
    totals.patients += len(groups)
    totals.statuses.update(said for statuses in cql.statuses.values() for said in {(rule, status) for (rule, _), status in statuses.items()})
    differ = {f"{what}{who}": lines for what, one in (("", graph), ("the five alone, ", five)) for who, lines in disagreements(one, cql).items()}
    totals.lines += [f"seed {seed}: {who}: {line}" for who, lines in differ.items() for line in lines]
    print(f"seed {seed}: {len(groups)} patients, {len(differ)} on whom they differ", flush=True)


def table(totals: Totals) -> str:
    """The figures, a patient each."""
    each = {name: total / totals.patients for name, total in totals.took.items()}
    rows = [("graph, whole guideline", each["graph"], each["import"] + each["graph"] + each["graph results"]),
            ("graph, the five alone", each["five"], each["import"] + each["five"] + each["five results"]),
            ("CQL, the five", each["cql"], each["import"] + each["facts as JSON"] + each["cql load"] + each["cql"])]
    lines = [f"{'CPU ms a patient':24} {'evaluation':>11} {'x CQL':>6} {'from FHIR':>11} {'x CQL':>6}"]
    lines += [f"{name:24} {alone:11.1f} {alone / each['cql']:6.1f} {ends:11.1f} {ends / rows[-1][2]:6.1f}" for name, alone, ends in rows]
    lines.append(f"of it the import of FHIR, the same for all: {each['import']:.1f}; CQL to ELM, once: {totals.took['cql compile']:.0f} ms")
    return "\n".join(lines)


def spread(statuses: Counter) -> str:
    """On how many patients each recommendation has each status, for any of its treatments."""
    words = ("applies", "unknown", "does-not-apply")
    rules = sorted({rule for rule, _ in statuses})
    return "\n".join([f"{'patients':12}" + "".join(f"{word:>16}" for word in words), *(f"{rule:12}" + "".join(f"{statuses[rule, word]:16}" for word in words) for rule in rules)])


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--patients", type=int, default=200, help="of each seed")
    options.add_argument("--seed", type=int, action="append", help="may be given several times; 0 without it")
    chosen = options.parse_args()
    try:
        ready()
    except Missing as error:
        print(error, file=sys.stderr)
        raise SystemExit(2) from None
    guideline, totals = load(), Totals()
    alone, (index, _) = five_alone(guideline), inputs.codes()
    for seed in chosen.seed or [0]:
        run(chosen.patients, seed, guideline, alone, index, totals)
    print(spread(totals.statuses), table(totals), sep="\n\n")
    if totals.lines:
        print("", *totals.lines, sep="\n")
        raise SystemExit(1)


if __name__ == "__main__":
    main()

"""Milliseconds a patient of SHACL validation: pySHACL, which looks at one patient at a time, and TopBraid's engine, many in one graph.

`python -m benchmarks.shacl [PATIENTS]`: both check the same simulated patients in one run, and must find the same. Time
of the clock and of the processor, which counts all threads of Java; Java's start is told apart, and the first pass, before
its compiler has done its work."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable

from kg import fhir, inputs
from kg.cohort.topbraid import TopBraid
from kg.engine import Triple
from kg.simulation import Calendar, population
from kg.validate import Result, validate_record

#: Patients in one graph: as `kg cohort` validates a bulk export, a large graph, and a file of one patient.
SIZES = (32, 500, 1)


def records(count: int) -> list[tuple[Triple, ...]]:
    """The facts of simulated patients, one in ten with a mistake."""
    codes, _ = inputs.codes()
    people, found = population(), []
    calendar = Calendar(people.as_of)
    for number in range(1, count + 1):
        lines = "\n".join(map(json.dumps, people.patient(number, 0, calendar, 0.1).resources))
        found.append(fhir.lift(fhir.parse(lines.encode(), "export"), codes).triples)
    return found


def timed(what: str, count: int, work: Callable[[], Iterable[Result]]) -> tuple[set[Result], float]:
    """Do it: what it found, and seconds by the clock."""
    clock, processor = time.perf_counter(), time.process_time()
    found = set(work())
    clock, processor = time.perf_counter() - clock, time.process_time() - processor
    print(f"{what:44} {clock * 1000 / count:8.2f} ms a patient {processor * 1000 / count:8.2f} ms of processor", flush=True)
    return found, clock


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    given = records(count)
    print(f"{count} patients, {sum(map(len, given)) / count:.0f} triples each")

    def batches(size: int) -> Iterable[Result]:
        for start in range(0, count, size):
            yield from engine.validate(fact for record in given[start : start + size] for fact in record)

    began = time.perf_counter()
    engine = TopBraid()
    print(f"Java, shapes and ontology ready after {time.perf_counter() - began:.1f} s")
    first, _ = timed("TopBraid, 32 in a graph, first pass", count, lambda: batches(32))
    took = {}
    for size in SIZES:
        found, took[size] = timed(f"TopBraid, {size} in a graph", count, lambda size=size: batches(size))
        assert found == first
    validate_record(given[0])  # shapes and ontology are read once a process
    expected, slow = timed("pySHACL, one at a time", count, lambda: (one for record in given for one in validate_record(record)[0].results))
    assert expected == first
    print(f"the same {len(expected)} results; pySHACL / TopBraid: " + ", ".join(f"{slow / took[size]:.0f} with {size} in a graph" for size in SIZES))


if __name__ == "__main__":
    main()

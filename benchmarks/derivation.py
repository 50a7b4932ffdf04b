"""Milliseconds a patient for the derivation of verdicts alone, guideline already loaded: 1, 100 and 1,000 patients, and rdflib beside the embedded store."""

from __future__ import annotations

import sys
import time
from datetime import date
from pathlib import Path

import pyoxigraph as ox

from kg import inputs
from kg.derive import Depth, derive
from kg.evaluate import prepare
from kg.guideline import load

EXAMPLE = Path(__file__).parent.parent / "examples" / "loss-of-response.json"


def copies(triples: list[ox.Triple], count: int) -> list[ox.Triple]:
    """The same patient `count` times, under other IRIs."""
    own = {t.subject for t in triples}

    def renamed(term, number: int):
        return ox.NamedNode(f"{term.value}-copy-{number}") if term in own else term

    return [ox.Triple(renamed(t.subject, number), t.predicate, renamed(t.object, number)) for number in range(count) for t in triples]


def main() -> None:
    index, _ = inputs.codes()
    triples = inputs.read([str(EXAMPLE)], index).triples
    guideline = load()
    as_of, took = date(2026, 3, 2), {}
    for engine, count in (("oxigraph", 1), ("oxigraph", 100), ("oxigraph", 1000), ("rdflib", 1), ("rdflib", 10)):
        store, _, _ = prepare(copies(triples, count), guideline, as_of, engine)
        began = time.perf_counter()
        derive(store, depth=Depth.VERDICTS)
        took[engine, count] = (time.perf_counter() - began) * 1000 / count
        print(f"{engine:9} {count:5} patients  {took[engine, count]:8.1f} ms a patient", flush=True)
    print(f"rdflib / embedded store, 1 patient: {took['rdflib', 1] / took['oxigraph', 1]:.0f}", file=sys.stdout)


if __name__ == "__main__":
    main()

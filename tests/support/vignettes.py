"""Vignettes: a FHIR bundle beside what the contract says of it. Only what expected.json names is judged."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import count
from pathlib import Path

import pyoxigraph as ox
import pytest

from kg import fhir
from kg.codes import CodeIndex
from kg.evaluate import evaluate
from kg.guideline import load
from kg.paths import data
from kg.results import results

OWN = Path(__file__).parent.parent / "vignettes"
#: Where a checkout of the specification lies, when there is one: its example vignettes are run too.
SHARED = Path(os.environ.get("KG_SHARED", Path(__file__).parents[3] / "shared"))


@dataclass(frozen=True)
class Vignette:
    name: str
    bundle: dict
    expected: dict

    @property
    def as_of(self) -> date:
        return date.fromisoformat(self.expected["asOf"])


def read_all(folder: Path) -> list[Vignette]:
    """Every vignette of a folder, by name; empty when the folder is absent."""
    return [Vignette(path.name, json.loads((path / "bundle.json").read_text("utf-8")), json.loads((path / "expected.json").read_text("utf-8")))
            for path in sorted(folder.glob("*/")) if (path / "expected.json").exists()]


def spread(cases: Iterable, every: int) -> list:
    """Cases for a test that takes long: one in so many is slow, the rest exhaustive (`make test-exhaustive`)."""
    marked = (pytest.mark.exhaustive if place % every else pytest.mark.slow for place in count())
    return [pytest.param(*(case if isinstance(case, tuple) else (case,)), marks=mark) for case, mark in zip(cases, marked, strict=False)]


@cache
def codes() -> CodeIndex:
    store = ox.Store()
    for path in (data("ontology", "clinical.ttl"), *sorted(data("ontology").glob("codes*.ttl")), data("ontology", "core.ttl"), data("ontology", "patient.ttl")):
        store.load(path=str(path), format=ox.RdfFormat.TURTLE)
    return CodeIndex.from_store(store)


@cache
def guideline():
    return load()


def run(vignette: Vignette, engine: str = "oxigraph") -> list[dict]:
    """The JSON results of a vignette's patients."""
    lifted = fhir.lift([(vignette.name, vignette.bundle)], codes())
    return results(evaluate(lifted.triples, guideline(), vignette.as_of, engine))


def differences(vignette: Vignette, found: list[dict]) -> list[str]:
    """What the results say otherwise than the vignette expects; empty when they agree."""
    wanted = vignette.expected.get("patients") or [vignette.expected]
    by_id = {one["patient"]: one for one in found}
    out: list[str] = []
    for expected in wanted:
        got = by_id.get(expected["patient"])
        if got is None:
            out.append(f"patient {expected['patient']} has no result")
            continue
        out += [f"{expected['patient']}: {line}" for line in _patient(expected, got)]
    return out


def _patient(expected: dict, got: dict) -> list[str]:
    out: list[str] = []

    def check(what: str, wanted, found) -> None:
        if wanted != found:
            out.append(f"{what}: expected {wanted!r}, got {found!r}")

    if "applicability" in expected:
        check("applicability", expected["applicability"], got["applicability"])
    treatments = {row["treatment"]: row for row in got["treatments"]}
    for slug, wanted in expected.get("treatments", {}).items():
        verdict, strength = (wanted, None) if isinstance(wanted, str) else (wanted["verdict"], wanted["strength"])
        check(slug, (verdict, strength), (treatments[slug]["verdict"], treatments[slug]["strength"]))
    if "flags" in expected:
        left_out = set(expected.get("flagsNotJudged", ()))
        check("flags", sorted(set(expected["flags"]) - left_out), sorted({flag["flag"] for flag in got["flags"]} - left_out))
    documentation = {row["item"]: row["status"] for row in got["documentation"]}
    for item, wanted in expected.get("documentation", {}).items():
        check(item, wanted, documentation.get(item))
    if "monitoring" in expected:
        keys = sorted({key for row in expected["monitoring"] for key in row} or {"treatment", "status"})
        rows = lambda given: sorted([[row.get(key) for key in keys] for row in given], key=str)  # noqa: E731
        check("monitoring", rows(expected["monitoring"]), rows(got["monitoring"]))
    if "prerequisites" in expected:
        check("prerequisites", expected["prerequisites"], {row["treatment"]: row["status"] for row in got["prerequisites"]})
    for slug, wanted in expected.get("lessPreferredThan", {}).items():
        found = treatments[slug]["lessPreferredThan"]
        if (wanted and not set(wanted) <= set(found)) or (not wanted and found):
            out.append(f"{slug} less preferred than: expected {wanted}, got {found}")
    for slug, wanted in expected.get("details", {}).items():
        for key, value in wanted.items():
            check(f"{slug} {key}", value, treatments[slug][key])
    return out

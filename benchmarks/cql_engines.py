"""The same patients through this engine and through the CQL library, and where their statuses differ."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pyoxigraph as ox

from kg.evaluate import evaluate
from kg.guideline import Guideline
from kg.results import results
from kg.terms import GL, local

HERE = Path(__file__).parent / "cql"
FIVE = ("R01", "R03", "R05", "R07", "R21")
POPULATION = "population"
_BATCH = 25
_STATUS = {True: "applies", None: "unknown", False: "does-not-apply"}
_RULES = "https://w3id.org/sacroiliitis-kg/guideline/refractory-sacroiliitis#"
_LINKS = ("needs", "constraint", "case", "if", "then", "otherwise", "of", "first", "second", "compares", "criterion", "beside", "amongCounted", "than",
          "countsInference", "staleAfter", "population")


class Missing(Exception):
    """Node.js or a package is not there; the message says which."""


@dataclass
class Found:
    """Statuses by patient and (recommendation, treatment), the population criterion among them; and CPU milliseconds of each part."""

    statuses: dict[str, dict[tuple[str, str], str]] = field(default_factory=dict)
    took: dict[str, float] = field(default_factory=Counter)


def ready() -> None:
    """See to it that Node.js and the packages of the lock file are there. Raises Missing."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            raise Missing(f"{program} is not installed")
    if (HERE / "node_modules" / "cql-execution").exists():
        return
    try:
        done = subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=HERE, capture_output=True, text=True, timeout=300)
    except subprocess.TimeoutExpired:
        raise Missing("npm ci did not end") from None
    if done.returncode:
        raise Missing("npm ci failed: " + (done.stderr.strip().splitlines() or ["no word why"])[0])


def five_alone(guideline: Guideline) -> Guideline:
    """The guideline without every rule, flag and criterion that the five recommendations do not read."""
    names = {f"{GL}{name}" for name in _LINKS}
    links: dict[str, list[str]] = {}
    for t in guideline.triples:
        if t.predicate.value in names:
            links.setdefault(t.subject.value, []).append(t.object.value)
    kept, waiting = set(), [guideline.iri.value, *(_RULES + name for name in FIVE)]
    while waiting:
        node = waiting.pop()
        if node not in kept:
            kept.add(node)
            waiting += links.get(node, ())
    triples = tuple(t for t in guideline.triples if not t.subject.value.startswith(_RULES) or t.subject.value in kept)
    return Guideline(guideline.iri, guideline.slug, guideline.version, triples)


def by_graph(groups: dict[str, list[ox.Triple]], guideline: Guideline, as_of: date) -> Found:
    """What this engine derives, a batch of patients at a time."""
    _ = guideline.closure  # loading is not evaluation
    found, names = Found(), list(groups)
    for start in range(0, len(names), _BATCH):
        triples = [t for name in names[start : start + _BATCH] for t in groups[name]]
        began = time.process_time()
        derived = evaluate(triples, guideline, as_of)
        evaluated = time.process_time()
        rows = results(derived)
        found.took["evaluate"] += (evaluated - began) * 1000
        found.took["results"] += (time.process_time() - evaluated) * 1000
        for row in rows:
            found.statuses[row["iri"]] = _statuses(row)
    return found


def _statuses(row: dict) -> dict[tuple[str, str], str]:
    """Of one patient's JSON; a recommendation that is not in it does not apply, and outside the population none does."""
    if row["applicability"] == "not-applicable":
        return {(POPULATION, ""): "does-not-apply"}
    said = {(one["id"], local(treatment["iri"])): one["status"] for treatment in row["treatments"] for one in treatment["recommendations"]}
    return {key: status for key, status in said.items() if key[0] in FIVE} | {(POPULATION, ""): row["applicability"]}


def by_cql(patients: list[dict], terms: dict) -> Found:
    """What the CQL library says with these value sets and limits. Raises RuntimeError with what Node.js wrote when it fails."""
    with tempfile.TemporaryDirectory() as folder:
        terminology, facts = Path(folder) / "terms.json", Path(folder) / "patients.ndjson"
        terminology.write_text(json.dumps(terms), encoding="utf-8")
        facts.write_text("".join(json.dumps(one) + "\n" for one in patients), encoding="utf-8")
        done = subprocess.run(["node", "run.mjs", terminology, facts], cwd=HERE, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr)
    *rows, last = (json.loads(line) for line in done.stdout.splitlines())
    found = Found(took=last["timing"])
    for row in rows:
        said = {(name, target): row[name] for name, targets in terms["targets"].items() for target in targets if name != "R05"}
        said |= {("R05", one["drug"]): one["status"] for one in row["R05"]}
        said[POPULATION, ""] = row["population"]
        found.statuses[row["patient"]] = {key: _STATUS[value] for key, value in said.items()}
    return found


def disagreements(graph: Found, cql: Found) -> dict[str, list[str]]:
    """On which recommendations the two differ, by patient; what is not mentioned does not apply."""
    found = {who: ["one of the two has no such patient"] for who in set(graph.statuses) ^ set(cql.statuses)}
    for who in set(graph.statuses) & set(cql.statuses):
        one, other = graph.statuses[who], cql.statuses[who]
        pairs = [(key, *(said.get(key, "does-not-apply") for said in (one, other))) for key in sorted(set(one) | set(other))]
        if lines := [f"{' '.join(key).strip()}: graph {derived}, CQL {computed}" for key, derived, computed in pairs if derived != computed]:
            found[who] = lines
    return dict(sorted(found.items()))

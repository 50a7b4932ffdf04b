"""The graph's results and the independent evaluator's, side by side."""

from __future__ import annotations

from datetime import date

import rdflib

from kg.engine import from_rdflib
from kg.evaluate import evaluate
from kg.results import results
from tests import oracle
from tests.support.vignettes import guideline


def by_engine(graph: rdflib.Graph, as_of: date, engine: str = "oxigraph") -> list[dict]:
    """The published JSON of every patient of the graph."""
    return results(evaluate(from_rdflib(graph), guideline(), as_of, engine))


def disagreements(graph: rdflib.Graph, found: dict, as_of: date) -> list[str]:
    """Where the JSON of one patient and the evaluator differ."""
    expected = oracle.evaluate(graph, rdflib.URIRef(found["iri"]), as_of)
    out: list[str] = []

    def check(what: str, wanted, got) -> None:
        if wanted != got:
            out.append(f"{what}: evaluator {wanted!r}, graph {got!r}")

    check("applicability", expected["applicability"], found["applicability"])
    for row in found["treatments"]:
        wanted = expected["treatments"][row["treatment"]]
        for key in ("verdict", "strength", "current", "reason", "lessPreferredThan"):
            check(f"{row['treatment']} {key}", wanted[key], row[key])
        for recommendation in row["recommendations"]:
            status = expected["recommendations"].get(recommendation["id"], {}).get(row["treatment"])
            if status is not None and recommendation["direction"] in ("for", "against") and recommendation["id"] != "R06":
                check(f"{row['treatment']} {recommendation['id']}", status, recommendation["status"])
    check("flags", sorted(expected["flags"]), [flag["flag"] for flag in found["flags"]])
    check("documentation", expected["documentation"], {row["item"]: row["status"] for row in found["documentation"]})
    keys = ("treatment", "status", "dueOn")
    rows = lambda given: sorted([[row.get(key) for key in keys] for row in given], key=str)  # noqa: E731
    # the contract knows no word for a start so vague that even "due" is open: the graph says due, the evaluator unknown
    clear = [row for row in expected["monitoring"] if row["status"] != "unknown"]
    check("monitoring", rows(clear), rows([row for row in found["monitoring"] if row["dueOn"]]))
    check("prerequisites", expected["prerequisites"], {row["treatment"]: row["status"] for row in found["prerequisites"]})
    return out

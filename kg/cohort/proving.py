"""Proofs of many patients as N-Quads: what `kg recommend --proof` gives of each, in a graph of its own named by the patient."""

from __future__ import annotations

from collections.abc import Iterable

import pyoxigraph as ox

from kg.cohort.judging import Judge, Judged, rows
from kg.engine import Triple
from kg.evaluate import by_patient, evaluate
from kg.proof import Trace, prove


def proved(judge: Judge, facts: Iterable[Triple]) -> tuple[list[Judged], bytes]:
    """The verdicts of some patients in the order of their IRIs, and the N-Quads that prove them."""
    judged, quads = [], []
    # one by one: what a step did for a patient is then told from what it did for another
    for iri, own in by_patient(facts).items():
        trace, patient = Trace(), ox.NamedNode(iri)
        evaluation = evaluate(own, judge.guideline, judge.as_of, step=trace.note)
        judged += rows(evaluation.engine.store)
        proof = sorted(prove(evaluation, trace), key=str)
        quads.append(ox.serialize((ox.Quad(*t, patient) for t in proof), format=ox.RdfFormat.N_QUADS))
    return judged, b"".join(quads)

"""Proofs of many patients as N-Quads: what `kg recommend --proof` gives of each, in a graph of its own named by the patient."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import pyoxigraph as ox

from kg.cohort.judging import Judge, Judged, rows
from kg.engine import Triple
from kg.evaluate import evaluate
from kg.proof import Trace, prove
from kg.terms import PT


def proved(judge: Judge, facts: Iterable[Triple]) -> tuple[list[Judged], bytes]:
    """The verdicts of some patients in the order of their IRIs, and the N-Quads that prove them."""
    patients: dict[ox.NamedNode, list[Triple]] = defaultdict(list)
    facts = list(facts)
    owner = {t.subject: t.object for t in facts if t.predicate.value == PT.patient}
    for triple in facts:
        patients[owner.get(triple.subject, triple.subject)].append(triple)
    judged, quads = [], []
    # one by one: what a step did for a patient is then told from what it did for another
    for patient in sorted(patients, key=lambda node: node.value):
        trace = Trace()
        evaluation = evaluate(patients[patient], judge.guideline, judge.as_of, step=trace.note)
        judged += rows(evaluation.engine.store)
        proof = sorted(prove(evaluation, trace), key=str)
        quads.append(ox.serialize((ox.Quad(t.subject, t.predicate, t.object, patient) for t in proof), format=ox.RdfFormat.N_QUADS))
    return judged, b"".join(quads)

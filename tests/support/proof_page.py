"""The excerpt of a proof on docs/proofs.md, made from an example; `python -m tests.support.proof_page` renews it."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pyoxigraph as ox

from kg import fhir
from kg.cli_common import as_turtle
from kg.evaluate import evaluate
from kg.proof import Trace, prove
from kg.terms import GL, PROV, PT, RDF
from tests.support import vignettes

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "proofs.md"
_BLOCK = re.compile(r"(?<=```turtle\n).*?(?=```)", re.DOTALL)
_PATIENT = "http://example.org/fhir/Patient/pv-061"
_RULES = "https://w3id.org/sacroiliitis-kg/guideline/refractory-sacroiliitis#"
#: From the verdict to the fact and the rule: each is derived from the next, among others.
_STEPS = (f"{_PATIENT}/verdict/Secukinumab", f"{_PATIENT}/status/R03/Secukinumab", f"{_PATIENT}/result/tnf-inhibitor-failed")
_SHOWN = frozenset((RDF.type, GL.verdict, GL.status, GL.truth, GL.degree, GL.item, GL.by, GL.response, GL.member, GL.threshold, GL.comparator, GL.unit, GL.direction, GL.line,
                    PROV.wasGeneratedBy, PROV.wasDerivedFrom, PROV.specializationOf, PROV.wasAssociatedWith, PROV.qualifiedAssociation, PROV.hadPlan, PROV.agent,
                    PT.about, PT.start, PT.end, PT.response, PT.source, PT.element, PT.patient, PT.asOf))


def excerpt() -> str:
    """One chain of the proof of an example, as Turtle."""
    documents = fhir.parse((ROOT / "examples" / "loss-of-response.json").read_bytes(), "example")
    trace = Trace()
    evaluation = evaluate(fhir.lift(documents, vignettes.codes()).triples, vignettes.guideline(), date(2026, 3, 2), step=trace.note)
    proof = prove(evaluation, trace)
    from_ = {}
    for triple in proof:
        if triple.predicate.value == PROV.wasDerivedFrom:
            from_.setdefault(triple.subject.value, set()).add(triple.object.value)
    judged = next(node for node in sorted(from_[_STEPS[2]]) if "-by-tnf-inhibitor-failed" in node)
    episode = next(node for node in sorted(from_[judged]) if node.endswith("-episode"))
    record = min(from_[episode])
    step = f"{_PATIENT}/step/71-verdict"
    nodes = {*_STEPS, judged, episode, record, f"{record}-as-read", f"{_RULES}R03-as-read", f"{_RULES}tnf-inhibitor-failed-as-read", f"{_PATIENT}-as-read", step, f"{step}/association"}
    nodes |= {node for node in from_[f"{_RULES}tnf-inhibitor-failed-as-read"] if node.startswith(_RULES)}
    kept = [t for t in proof if t.subject.value in nodes and t.predicate.value in _SHOWN
            and (t.predicate.value != PROV.wasDerivedFrom or t.object.value in nodes or not isinstance(t.object, ox.NamedNode))]
    return as_turtle(kept)


def shown() -> set:
    """The triples of the excerpt that the page shows."""
    (block,) = _BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    return {quad.triple for quad in ox.parse(block.encode(), format=ox.RdfFormat.TURTLE)}


def page() -> str:
    """The page with the excerpt renewed."""
    made = excerpt()
    return _BLOCK.sub(lambda _: made, PAGE.read_text(encoding="utf-8"), count=1)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")

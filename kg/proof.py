"""Why, as a graph: what was derived with PROV-O down to the facts and rules as read (`queries/prove/`), and its re-check.

`queries/verify/` re-checks a proof against the record and the guideline with rules of its own; nothing of `queries/derive/` is run."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from importlib.metadata import version
from pathlib import Path

import pyoxigraph as ox

from kg import __version__
from kg.derive import ANSWERS
from kg.engine import ENGINES, Engine, Triple
from kg.errors import InputError
from kg.evaluate import Evaluation
from kg.guideline import Guideline
from kg.queries import Query, folder
from kg.terms import GL, OWL, PROV, PT, RDF, RDFS, XSD, local

#: The graph that holds the proof while it is re-checked, and the one that holds what the re-check gives.
PROOF, RECHECK = "urn:kg:proof", "urn:kg:recheck"
#: What the steps tell each other of a patient: the nodes that are made of it stand in the proof.
_LINKS = frozenset((*ANSWERS, GL.speaksTo, GL.caseHolds, GL.caseMayHold, GL.openLevel))
#: Nodes that stand for a fact of the record: what is derived of them is influenced by a step, not made by it.
_OF_THE_RECORD = frozenset(GL.iri + name for name in ("Item", "Record"))
_TYPE, _PATIENT, _LABEL, _VERSION = map(ox.NamedNode, (RDF.type, GL.patient, RDFS.label, OWL.versionInfo))


@dataclass
class Trace:
    """How many triples each step of a derivation added, in order; give `note` to `evaluate` as its `step`."""

    steps: list[tuple[str, int]] = field(default_factory=list)

    def note(self, query: Query, added: int) -> None:
        self.steps.append((query.name, added))


@dataclass(frozen=True)
class Row:
    """One line of a re-check: a conclusion (IRI; None for a fault on which no conclusion rests), `valid` or `does not hold`,
    and a step (IRI) that does not hold, with what is wrong there; `first` where all that the step was derived from holds."""

    conclusion: str | None
    result: str
    step: str | None
    fault: str | None
    first: bool


def prove(evaluation: Evaluation, trace: Trace) -> tuple[Triple, ...]:
    """The proof of an evaluation whose steps the trace has noted: what was derived, and PROV-O that says from what and how.

    Patient facts and rules stand in it as copies of what was read, so that the proof and the record never mix."""
    found = [*(triple for triple in evaluation.derived if triple.predicate.value not in _LINKS), *_activities(evaluation, trace)]
    for query in folder("prove"):
        found.extend(evaluation.engine.construct(query.text))
    return tuple(dict.fromkeys(found))


def verify(proof: Iterable[Triple], facts: Iterable[Triple], guideline: Guideline, as_of: date, engine: str = "oxigraph") -> list[Row]:
    """Re-check a proof against a record (pt: facts) as of a day and a guideline: each conclusion with `valid`, or the steps that fail."""
    store = ENGINES[engine](guideline.triples)
    store.add(_record(facts, as_of))
    store.add(_plans())
    store.add([Triple(guideline.iri, _VERSION, ox.Literal(guideline.version))])
    store.add(proof, PROOF)
    for query in folder("verify"):
        if query.header["stage"] != "report":
            made = store.construct(query.text)
            store.add(made)
            if query.header["stage"] == "expect":
                store.add(made, RECHECK)
    return _report(store)


def read_proof(path: Path) -> tuple[Triple, ...]:
    """The triples of a proof in Turtle. Raises InputError when the file cannot be read, or is not Turtle."""
    try:
        return tuple(quad.triple for quad in ox.parse(path=str(path), format=ox.RdfFormat.TURTLE))
    except (SyntaxError, ValueError) as error:
        raise InputError(str(path), f"line {getattr(error, 'lineno', '?')}", f"not Turtle: {error}", "give a file that `kg recommend --proof` wrote") from error
    except OSError as error:
        raise InputError(str(path), "file", error.strerror or "cannot be read", "give a file that `kg recommend --proof` wrote") from error


def as_of_date(proof: Iterable[Triple], place: str) -> date:
    """The day for which a proof was made. Raises InputError when it names none, or several."""
    days = {triple.object.value for triple in proof if triple.predicate.value == PT.asOf}
    try:
        (day,) = days
        return date.fromisoformat(day)
    except ValueError:
        raise InputError(place, "pt:asOf", "not the proof of one evaluation", "give a file that `kg recommend --proof` wrote") from None


def _record(facts: Iterable[Triple], as_of: date) -> Iterator[Triple]:
    day = ox.Literal(as_of.isoformat(), datatype=ox.NamedNode(XSD.date))
    for triple in facts:
        if triple.predicate.value != PT.asOf:
            yield triple
        if triple.predicate == _TYPE and triple.object.value == PT.Patient:
            yield Triple(triple.subject, ox.NamedNode(PT.asOf), day)


def _report(store: Engine) -> list[Row]:
    (query,) = (query for query in folder("verify") if query.header["stage"] == "report")
    names, found = store.select(query.text)
    at = [names.index(name) for name in ("conclusion", "result", "step", "fault")]
    first = names.index("first")
    rows = {Row(*(None if row[place] is None else row[place].value for place in at), row[first].value in ("true", "1")) for row in found}
    told = {(row.step, row.fault) for row in rows if row.conclusion}
    rows = {row for row in rows if row.conclusion or (row.step is not None and (row.step, row.fault) not in told)}
    return sorted(rows, key=lambda row: (row.conclusion or "~", row.step or "", row.fault or ""))


def _plan(name: str) -> ox.NamedNode:
    return ox.NamedNode(f"https://w3id.org/sacroiliitis-kg/query/derive/{name}")


@cache
def _plans() -> tuple[Triple, ...]:
    """The query files of the derivation as plans: name and SHA-256."""
    made = []
    for query in folder("derive"):
        digest = hashlib.sha256(query.text.encode()).hexdigest()
        made += [Triple(_plan(query.name), _TYPE, ox.NamedNode(PROV.Plan)), Triple(_plan(query.name), _LABEL, ox.Literal(f"{query.name}.rq")),
                 Triple(_plan(query.name), ox.NamedNode(GL.sha256), ox.Literal(digest))]
    return tuple(made)


def _activities(evaluation: Evaluation, trace: Trace) -> Iterator[Triple]:
    """One activity a patient and query file, with its plan and agent; which node each made or, of the record, added to."""
    agent = ox.NamedNode(f"https://w3id.org/sacroiliitis-kg/engine/{__version__}/{evaluation.engine.name}")
    yield Triple(agent, _TYPE, ox.NamedNode(PROV.SoftwareAgent))
    yield Triple(agent, _LABEL, ox.Literal(f"sacroiliitis-kg {__version__}, {evaluation.engine.name} {version(evaluation.engine.package)}, Python {platform.python_version()}"))
    yield Triple(evaluation.guideline.iri, _TYPE, ox.NamedNode(PROV.Entity))
    yield Triple(evaluation.guideline.iri, _VERSION, ox.Literal(evaluation.guideline.version))
    yield from _plans()
    owners = {triple.subject: triple.object for triple in evaluation.derived if triple.predicate == _PATIENT}
    decided: dict[str, str] = {}
    position, known = 0, set()
    for name, count in trace.steps:
        for triple in evaluation.derived[position : position + count]:
            if triple.predicate.value in ANSWERS:
                decided[f"{triple.subject.value}/result/{local(triple.object.value)}"] = name
            if triple.predicate != _TYPE or triple.subject not in owners:
                continue
            # a result is made by the step that decided it, not by the one that wrote the node
            step = decided.get(triple.subject.value, name)
            activity = ox.NamedNode(f"{owners[triple.subject].value}/step/{step}")
            link = PROV.wasInfluencedBy if triple.object.value in _OF_THE_RECORD else PROV.wasGeneratedBy
            yield Triple(triple.subject, ox.NamedNode(link), activity)
            if activity not in known:
                known.add(activity)
                yield from _activity(activity, step, agent, evaluation.guideline.iri)
        position += count


def _activity(activity: ox.NamedNode, name: str, agent: ox.NamedNode, guideline: ox.NamedNode) -> Iterator[Triple]:
    association = ox.NamedNode(f"{activity.value}/association")
    for subject, predicate, value in (
        (activity, RDF.type, ox.NamedNode(PROV.Activity)),
        (activity, PROV.used, guideline),
        (activity, PROV.wasAssociatedWith, agent),
        (activity, PROV.qualifiedAssociation, association),
        (association, RDF.type, ox.NamedNode(PROV.Association)),
        (association, PROV.agent, agent),
        (association, PROV.hadPlan, _plan(name)),
    ):
        yield Triple(subject, ox.NamedNode(predicate), value)

"""From rules and facts to verdicts: the files of `queries/derive/` in their order, each step's triples loaded back before the next."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import Enum

from kg.engine import Engine, Triple
from kg.queries import Query, folder
from kg.terms import GL

#: How a patient stands to a criterion, by degree: unmet, unknown, met.
ANSWERS = (GL.doesNotMeet, GL.mayMeet, GL.meets)
#: Stages whose steps run in turn until they add nothing.
REPEATED = ("levels", "combine", "run")


class Depth(Enum):
    """How much is derived: the stages that run."""

    VERDICTS = ("patient", "combine")
    #: The facts behind each answer as well: what `kg.results` needs.
    FACTS = (*VERDICTS, "used")
    #: Nodes for each answer, case and rule as well: what explanations, questions and proofs need.
    NODES = (*FACTS, "detail")


def close_rules(engine: Engine) -> list[Triple]:
    """Run the steps that concern the guideline alone (stages `rules` and `levels`) and add what they derive; returned as well."""
    return _run(engine, "rules", "levels")


def derive(engine: Engine, step: Callable[[Query, int], None] | None = None, into: list[Triple] | None = None, depth: Depth = Depth.NODES) -> list[Triple]:
    """Derive everything of the patients in the engine's graph and add it; every pt:Patient needs pt:asOf.

    Stages: `patient` steps run once; consecutive `combine` steps run in turn until they add nothing; those that only tell
    why run as far as `depth` says. `into`: where the triples are collected, for a caller that must
    know what was added when a step fails."""
    return _run(engine, *depth.value, step=step, into=into)


def classify(engine: Engine) -> list[Triple]:
    """Classify the response of courses by the guideline's gl:ResponseMachine and add that; run it after `derive`, which never reads it.

    Stages: `classify` steps run once; consecutive `run` steps run in turn until they add nothing."""
    return _run(engine, "classify", "run")


def _run(engine: Engine, *stages: str, step: Callable[[Query, int], None] | None = None, into: list[Triple] | None = None) -> list[Triple]:
    derived: list[Triple] = [] if into is None else into
    steps = [query for query in folder("derive") if query.header["stage"] in stages]
    position = 0
    while position < len(steps):
        loop = [query for query in _from(steps, position) if query.header["stage"] == steps[position].header["stage"]]
        repeated = steps[position].header["stage"] in REPEATED
        if not repeated:
            loop = loop[:1]
        seen: set[Triple] = set()
        grew = True
        while grew:
            grew = False
            for query in loop:
                new = engine.construct(query.text)
                if repeated:
                    new = [triple for triple in new if triple not in seen]
                    seen.update(new)
                derived.extend(new)
                engine.add(new)
                grew = grew or bool(new)
                if step:
                    step(query, len(new))
            if not repeated:
                break
        position += len(loop)
    return derived


def _from(steps: list[Query], position: int) -> Iterable[Query]:
    stage = steps[position].header["stage"]
    for query in steps[position:]:
        if query.header["stage"] != stage:
            return
        yield query

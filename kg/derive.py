"""From rules and facts to verdicts: the files of `queries/derive/` in their order, each step's triples loaded back before the next."""

from __future__ import annotations

from collections.abc import Callable, Collection
from enum import Enum
from itertools import groupby

from kg.engine import Engine, Triple
from kg.queries import Query, folder
from kg.terms import GL

#: How a patient stands to a criterion, by degree: unmet, unknown, met.
ANSWERS = (GL.doesNotMeet, GL.mayMeet, GL.meets)
#: Stages whose steps run in turn until the first of them adds nothing.
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


def derive(engine: Engine, step: Callable[[Query, int], None] | None = None, depth: Depth = Depth.NODES) -> list[Triple]:
    """Derive everything of the patients in the engine's graph and add it; every pt:Patient needs pt:asOf.

    Stages: `patient` steps run once; `combine` steps run in turn until the first adds nothing; those that only tell why run as
    far as `depth` says."""
    return _run(engine, *depth.value, step=step)


def classify(engine: Engine) -> list[Triple]:
    """Classify the response of courses by the guideline's gl:ResponseMachine and add that; run it after `derive`, which never reads it.

    Stages: `classify` steps run once; consecutive `run` steps run in turn until the first adds nothing."""
    return _run(engine, "classify", "run")


def _run(engine: Engine, *stages: str, step: Callable[[Query, int], None] | None = None) -> list[Triple]:
    derived: list[Triple] = []
    seen: set[Triple] = set()

    def add(query: Query) -> bool:
        new = [triple for triple in engine.construct(query.text) if triple not in seen]
        if query.header["stage"] in REPEATED:
            seen.update(new)
        derived.extend(new)
        engine.add(new)
        if step:
            step(query, len(new))
        return bool(new)

    in_order(stages, add, add)
    return derived


def in_order(stages: Collection[str], run: Callable[[Query], object], adds: Callable[[Query], bool]) -> None:
    """Run the steps of these stages, those of a stage in REPEATED in turn; `adds` runs one and says whether that added anything."""
    for stage, group in groupby(steps(stages), lambda query: query.header["stage"]):
        first, *others = group
        if stage in REPEATED:
            while adds(first):
                for query in others:
                    run(query)
        else:
            for query in (first, *others):
                run(query)


def steps(stages: Collection[str]) -> list[Query]:
    """The steps of these stages, in order."""
    return [query for query in folder("derive") if query.header["stage"] in stages]

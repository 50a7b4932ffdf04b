"""What concepts are called in records: their codes by the ontology's mappings, the same that the reader uses."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

import pyoxigraph as ox

from kg.codes import CodeIndex
from kg.paths import data
from kg.simulation.draws import Rand, choice
from kg.simulation.tables import Table
from kg.terms import CL, GL, PT, RDFS, SKOS, UCUM

#: A CodeableConcept by a draw; the same one may be given twice, so nobody may change it.
Coded = Callable[[Rand], dict]


class Concepts:
    """Codes, names and units of concepts, by the local name that the population file uses."""

    def __init__(self, coding: Table) -> None:
        store = ox.Store()
        for path in sorted(data("ontology").glob("*.ttl")):
            store.load(path=str(path), format=ox.RdfFormat.TURTLE)
        self.index = CodeIndex.from_store(store)
        #: what lines draw from, and what is taken of each drug: other tables of the file (kg.simulation.population)
        self.pools: dict[str, dict[str, float]] = {}
        self.doses: dict = {}
        self._values: dict[str, dict[str, list[str]]] = {}
        self._store, self._coding = store, coding
        self._text_alone = coding.share("text-alone")
        self._systems = coding.weights("systems")
        self._chosen = coding.get("codes", dict, {})
        self._by_concept: dict[str, list[str]] = defaultdict(list)
        for node, concepts in self._of(GL.mapsTo).items():
            for concept in concepts:
                self._by_concept[concept].append(node)
        coding.done()
        for name, codes in self._chosen.items():
            self._check(name, codes)

    def coded(self, name: str) -> Coded:
        """The concept in one of its codes, by the weights of the code systems; by name when it has none."""
        codes = self.codes(name)
        weights: dict[int, float] = {}
        rows = []
        for system in dict.fromkeys(system for system, _ in codes):
            same = sorted(code for one, code in codes if one == system)
            for code in same:
                if system in self._systems:
                    weights[len(rows)] = self._systems[system] / len(same)
                    rows.append(concept(system, code, self.label(name)))
        if not rows:
            written = {"text": self.label(name)}
            return lambda rand: written
        draw = choice(weights)
        return lambda rand: rows[draw(rand)]

    def codes(self, name: str) -> list[tuple[str, str]]:
        """System and code: those chosen in the file and those that mean exactly this; failing both, categories and narrower ones."""
        found = [n for n in self._by_concept[self._iri(name)] if not self._first(GL.presence, n) and not self._first(GL.needsScaleUnit, n)]
        exact = [node for node in found if self._first(GL.match, node) == GL.ExactMatch]
        plain = [node for node in exact if not self._first(GL.prefix, node)]
        chosen = [(one["system"], one["code"]) for one in self._chosen.get(name, ())]
        return chosen + [self._code(node) for node in plain] or [self._code(node) for node in exact or found]

    def drug(self, name: str) -> Coded:
        """As `coded`, but now and then by its name alone."""
        coded, share, written = self.coded(name), self._text_alone, {"text": self.label(name)}
        return lambda rand: written if rand() < share else coded(rand)

    def scaled(self, name: str) -> dict:
        """The concept in a code whose numbers tell nothing without the unit of their scale."""
        nodes = sorted(node for node in self._by_concept[self._iri(name)] if self._first(GL.needsScaleUnit, node))
        if not nodes:
            raise self._coding.fault(f"{name} has no code of another scale", "leave its `scaled` out")
        return concept(*self._code(nodes[0]), self.label(name))

    def label(self, name: str) -> str:
        return self._first(RDFS.label, self._iri(name)) or name

    def quantity(self, name: str) -> tuple[str, float, float | None]:
        """Unit and range of what a measure measures. Raises InputError when the concept is none."""
        measure = self.index.measures.get(self._iri(name))
        if measure is None:
            raise self._coding.fault(f"{name} is not measured in numbers", "name a measure of the ontology")
        return measure.unit, float(measure.least or 0), None if measure.most is None else float(measure.most)

    def _iri(self, name: str) -> str:
        """The IRI of a local name. Raises InputError when the ontology has no such concept."""
        for space in (CL, PT, GL):
            if self._of(RDFS.label).get(space.iri + name):
                return space.iri + name
        raise self._coding.fault(f"the ontology has no concept {name}", "correct the name")

    def _check(self, name: str, codes: list[dict]) -> None:
        """Raises InputError when a code chosen for a concept means something else to the reader."""
        for one in codes:
            if self._iri(name) not in {m.concept for m in self.index.lookup(one["system"], one["code"])}:
                raise self._coding.fault(f"{one['code']} is not read as {name}", "choose a code that the mappings know")

    def _of(self, predicate: str) -> dict[str, list[str]]:
        if predicate not in self._values:
            found: dict[str, list[str]] = defaultdict(list)
            for quad in self._store.quads_for_pattern(None, ox.NamedNode(predicate), None, None):
                if isinstance(quad.subject, ox.NamedNode) and not isinstance(quad.object, ox.BlankNode):
                    found[quad.subject.value].append(quad.object.value)
            # a store gives them in no order that lasts
            self._values[predicate] = {subject: sorted(values) for subject, values in sorted(found.items())}
        return self._values[predicate]

    def _first(self, predicate: str, node: str) -> str | None:
        return next(iter(self._of(predicate).get(node, ())), None)

    def _code(self, node: str) -> tuple[str, str]:
        return self._first(GL.system, node), self._first(SKOS.notation, node)


def concept(system: str, code: str, text: str) -> dict:
    """A CodeableConcept of one code."""
    return {"coding": [{"system": system, "code": code}], "text": text}


def quantity(value: float, unit: str) -> dict:
    return {"value": value, "unit": unit, "system": UCUM, "code": unit}

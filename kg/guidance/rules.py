"""What guidance needs of a guideline and of the code mappings, gathered once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import pyoxigraph as ox

from kg.codes import CodeIndex
from kg.guideline import Guideline
from kg.index import Index
from kg.terms import GL, RDF, RDFS, RECORD, local

#: Which type of resource mostly says what a criterion reads, by the kind of fact or of criterion.
_READ_FROM = {"Observation": "Observation", "Diagnosis": "Condition", "DatedActiveDiagnosis": "Condition", "Procedure": "Procedure", "Plan": "ServiceRequest",
              "Contraindication": "AllergyIntolerance", "Episode": "MedicationStatement", "OngoingEpisode": "MedicationStatement",
              "AgeCriterion": "Patient", "EveryTargetCriterion": "AllergyIntolerance"}
_WORDS = {"strong": GL.Strong, "conditional": GL.Conditional, "for": GL.For, "against": GL.Against}


@dataclass(frozen=True, eq=False)
class Rules:
    """A guideline with the code mappings."""

    guideline: Guideline
    codes: CodeIndex

    @property
    def index(self) -> Index:
        return self.guideline.index

    @property
    def name(self) -> str:
        return self.index.text(self.guideline.iri, RDFS.label) or self.guideline.slug

    def label(self, iri: str) -> str:
        """The label of a term; its local name without one."""
        return self.index.text(ox.NamedNode(iri), RDFS.label) or local(iri)

    def covers(self, whole: str, part: str) -> bool:
        """Is the one concept the other, above it, or of the same active substance?"""
        if whole == part or ox.NamedNode(part) in self.index.objects(ox.NamedNode(whole), GL.covers):
            return True
        substances = [set(self.index.objects(ox.NamedNode(one), GL.activeSubstance)) for one in (whole, part)]
        return bool(substances[0] & substances[1])

    def codings(self, word: str) -> list[dict]:
        """The standard codes of a strength or a direction; none for a strength that the source does not state."""
        return self.standard(_WORDS[word]) if word in _WORDS else []

    def standard(self, concept: str) -> list[dict]:
        """Codings of the standard terminologies that mean exactly this concept (IRI)."""
        return self._standard.get(concept, [])

    @cached_property
    def _standard(self) -> dict[str, list[dict]]:
        found: dict[str, list[dict]] = {}
        for (system, code), meanings in sorted(self.codes.exact.items()):
            for meaning in meanings:
                if system != RECORD and meaning.match == GL.ExactMatch and meaning.presence is None:
                    found.setdefault(meaning.concept, []).append({"system": system, "code": code})
        return found

    def resource_types(self, question: str) -> list[str]:
        """The FHIR resource types that could answer a question (local name of a criterion), in a stable order."""
        return sorted({kind for node in self._asked.get(question, ()) for kind in self._types(node)})

    @cached_property
    def population_types(self) -> frozenset[str]:
        """The FHIR resource types that say whether a patient is in the guideline's population."""
        return frozenset(kind for node in self.index.objects(self.guideline.iri, GL.population) for kind in self._types(node))

    @cached_property
    def _asked(self) -> dict[str, list]:
        found: dict[str, list] = {}
        for triple in self.guideline.triples:
            if triple.predicate.value == GL.ask:
                found.setdefault(local(triple.subject.value), []).append(triple.subject)
        return found

    @cached_property
    def _parts(self) -> dict:
        """The criteria, and cases of criteria, that each refers to."""
        criteria = {t.subject for t in self.guideline.triples if t.predicate.value == RDF.type and t.object.value.endswith("Criterion")}
        criteria |= {t.object for t in self.guideline.triples if t.predicate.value == GL.case}
        found: dict = {}
        for triple in self.guideline.triples:
            if triple.subject in criteria and triple.object in criteria:
                found.setdefault(triple.subject, set()).add(triple.object)
        return found

    def _types(self, question) -> set[str]:
        reached, todo = set(), [question]
        while todo:
            node = todo.pop()
            if node not in reached:
                reached.add(node)
                todo.extend(self._parts.get(node, ()))
        return {kind for node in reached for kind in self._own_types(node)}

    def _own_types(self, node) -> set[str]:
        kinds = {local(kind.value) for name in (GL.reads, RDF.type) for kind in self.index.objects(node, name)}
        types = {_READ_FROM[kind] for kind in kinds & _READ_FROM.keys()}
        about = self.index.objects(node, GL.about)
        if "MedicationStatement" in types and any(self.index.value(one, GL.joinsTogether) for one in about):
            types = types - {"MedicationStatement"} | {"Procedure"}        # a therapy that is done, not given
        return types

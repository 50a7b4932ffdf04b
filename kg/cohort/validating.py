"""What the shapes say of the patients of a partition: rows for a file, and of RDF the facts that can be read safely."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

from rdflib import RDFS, URIRef

from kg.cohort.topbraid import TopBraid
from kg.engine import Triple
from kg.inputs import Inputs
from kg.terms import PT, RDF, local
from kg.validate import Result, own_shapes, readable

COLUMNS = ("patient", "severity", "focus", "path", "value", "message", "shape")
_IDENTIFIER = "http://purl.org/dc/terms/identifier"


class Validation:
    """Validates the patients of a partition and keeps what it finds until it is written."""

    def __init__(self, guideline_files: tuple[str, ...] = ()) -> None:
        self._engine = _engine(guideline_files)
        self._rows: set[tuple[str, ...]] = set()

    def check(self, triples: Sequence[Triple]) -> tuple[Result, ...]:
        """Validate facts, among which each patient stands whole."""
        results = self._engine.validate(triples)
        if results:
            patients = _patients(triples)
            for one in results:
                patient = patients.get(one.focus) or patients.get(one.value or "", "")
                self._rows.add((patient, *(getattr(one, name) or "" for name in COLUMNS[1:])))
        return results

    def safe(self, found: Inputs) -> list[Triple]:
        """The facts of a file; of RDF, which no importer has looked over, without what violates the shapes."""
        results = self.check(found.triples)
        return readable(found.triples, results, own_shapes()) if found.rdf else found.triples

    def table(self) -> bytes:
        """What was found as CSV, in order of the patients."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(sorted(self._rows))
        return text.getvalue().encode()

    def counted(self) -> Iterator[tuple[str, str, str]]:
        """Severity, shape and what the shape is called, of each result: messages hold what patients' records say."""
        for _, severity, *_, shape in self._rows:
            yield severity, local(shape), str(own_shapes().value(URIRef(shape), RDFS.label))


@lru_cache(maxsize=1)
def _engine(guideline_files: tuple[str, ...]) -> TopBraid:
    """Ready once a process."""
    return TopBraid(map(Path, guideline_files))


def _patients(triples: Sequence[Triple]) -> dict[str, str]:
    """Patients and their facts to what the verdict table calls the patient: the identifier, or else the IRI."""
    people = {t.subject.value for t in triples if t.predicate.value == RDF.type and t.object.value == PT.Patient}
    names = {iri: iri for iri in people}
    for name, iri in sorted(((t.object.value, t.subject.value) for t in triples if t.predicate.value == _IDENTIFIER), reverse=True):
        if iri in people:
            names[iri] = name
    return {t.subject.value: names.get(t.object.value, t.object.value) for t in triples if t.predicate.value == PT.patient} | names

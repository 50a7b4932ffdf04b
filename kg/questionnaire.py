"""The decisive questions as a FHIR R4 Questionnaire; kg.fhir.answers reads what comes back."""

from __future__ import annotations

import re

from kg.asking import NextQuestions
from kg.codes import CodeIndex
from kg.evaluate import Evaluation
from kg.questions import Question
from kg.terms import DCTERMS, GL, RDFS, RECORD, UCUM

_TYPES = {"number": "decimal", "days": "integer", "boolean": "boolean", "choice": "choice", "date": "date"}
_UNIT = "http://hl7.org/fhir/StructureDefinition/questionnaire-unit"
_BOUNDS = (("least", "http://hl7.org/fhir/StructureDefinition/minValue"), ("most", "http://hl7.org/fhir/StructureDefinition/maxValue"))
#: Which terminology names an item, where several do.
_FIRST = ("http://loinc.org", "http://snomed.info/sct")


def questionnaire(evaluation: Evaluation, found: NextQuestions, codes: CodeIndex) -> dict:
    """An R4 Questionnaire with the questions of the sets that settle a verdict, none of them required.

    `linkId` names what an answer is about (kg.slots), `definition` the property it fills."""
    name = next((t.object.value for t in evaluation.facts if t.subject == found.patient and t.predicate.value == DCTERMS.identifier), found.patient.value)
    label = evaluation.guideline.index.text(evaluation.guideline.iri, RDFS.label)
    return {
        "resourceType": "Questionnaire", "status": "active", "subjectType": ["Patient"], "date": evaluation.as_of.isoformat(),
        "title": f"{label}: what would settle the open verdicts of {name}",
        "item": [_item(one, codes) for one in found.decisive],
    }


def _item(one: Question, codes: CodeIndex) -> dict:
    item: dict = {"linkId": one.id, "definition": one.slot.property, "text": one.text, "type": _TYPES[one.type], "required": False}
    named = _code(one, codes)
    if named:
        item["code"] = [named]
    extension = [{"url": url, "valueDecimal" if one.type == "number" else "valueInteger": (float if one.type == "number" else int)(value)}
                 for key, url in _BOUNDS for value in [getattr(one, key)] if value is not None]
    if one.unit:
        extension.insert(0, {"url": _UNIT, "valueCoding": {"system": UCUM, "code": one.unit}})
    if extension:
        item["extension"] = extension
    if one.type == "choice":
        item["answerOption"] = [{"valueCoding": coding(answer.value, answer.label)} for answer in one.answers]
    return item


def coding(iri: str, label: str) -> dict:
    """A Coding of one of the project's own terms."""
    system, code = re.fullmatch(r"(.*)[#/]([^#/]+)", iri).groups()  # type: ignore[union-attr]
    return {"system": system, "code": code, "display": label}


def _code(one: Question, codes: CodeIndex) -> dict | None:
    """The code of a standard terminology that means exactly what a new observation is about."""
    if one.slot.fact or not one.slot.concept:
        return None
    exact = [(system, code) for (system, code), meanings in codes.exact.items() if system != RECORD
             and any(meaning.concept == one.slot.concept and meaning.match == GL.ExactMatch and meaning.presence is None and not meaning.scaled for meaning in meanings)]
    ranked = sorted(exact, key=lambda pair: (_FIRST.index(pair[0]) if pair[0] in _FIRST else len(_FIRST), pair))
    return {"system": ranked[0][0], "code": ranked[0][1]} if ranked else None

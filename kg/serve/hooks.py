"""CDS Hooks 2.0: what the service offers, and what a client's request says, as one value or one `Problem`.

The access token that a client may send (`fhirAuthorization`) is never used: what is not in the request is not fetched."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from decimal import Decimal

from kg.fhir import READ
from kg.guidance.rules import Rules
from kg.serve.problem import Problem

HOOKS = ("patient-view", "order-select", "order-sign")
_WHEN = {"patient-view": "a patient's chart is opened", "order-select": "an order is selected", "order-sign": "orders are to be signed"}
_ABSOLUTE = re.compile(r"(?:https?://|urn:)\S+")
_PATIENT = re.compile(r"(?:.*/)?Patient/([^/]+)(?:/_history/.*)?")


def key(kind: str) -> str:
    """The prefetch key of a resource type."""
    return kind[0].lower() + kind[1:]


PREFETCH = {key(kind): f"{kind}/{{{{context.patientId}}}}" if kind == "Patient" else f"{kind}?patient={{{{context.patientId}}}}" for kind in READ}


@dataclass(frozen=True)
class Hooked:
    """A request: the patient's id, the FHIR documents, the prefetch keys that could not be had, and the orders that it is about
    as pairs of `Type/id` (None without an id) and the IRI of the resource."""

    patient: str
    documents: tuple[tuple[str, object], ...]
    lacking: tuple[str, ...]
    orders: tuple[tuple[str | None, str], ...]


def service(slug: str, hook: str) -> str:
    """The id of the service of a guideline for a hook."""
    return f"{slug}-{hook}"


def discovery(rules: Rules) -> dict:
    """The answer to GET /cds-services."""
    return {"services": [
        {"hook": hook, "id": service(rules.guideline.slug, hook), "title": f"{rules.name}: when {_WHEN[hook]}",
         "description": f"Verdicts of the guideline on every treatment, with their reasons, when {_WHEN[hook]}. Not a medical device.",
         "prefetch": PREFETCH, "usageRequirements": "Reads the prefetch alone; it fetches nothing from the FHIR server. Verdicts are withheld when a prefetch key is missing."}
        for hook in HOOKS]}


def parsed(body: bytes) -> dict:
    """A JSON object. Raises Problem 400 when the body is none, is nested too deeply or holds what no text may."""
    try:
        found = json.loads(body.decode("utf-8"), parse_float=Decimal, parse_constant=_no_number)
        json.dumps(found, ensure_ascii=False, default=str).encode("utf-8")   # half a surrogate pair is no character
    except (ValueError, RecursionError):
        raise Problem(400, "not JSON", "Send one JSON object in UTF-8, without NaN, not nested too deeply.") from None
    if not isinstance(found, dict):
        raise Problem(400, "not an object", "Send one JSON object.")
    return found


def _no_number(word: str) -> None:
    raise ValueError(word)


def read(hook: str, body: bytes) -> Hooked:
    """What a client asks of the service for a hook.

    Raises Problem: 400 malformed or another hook's, 412 when the prefetch does not hold what verdicts need."""
    asked = parsed(body)
    if asked.get("hook") != hook:
        raise Problem(400, "another hook", f"This service is for the hook {hook}.")
    _text(asked, "hookInstance", "")
    context = asked.get("context")
    if not isinstance(context, dict):
        raise Problem(400, "no context", "Send the context of the hook, an object.")
    patient = _text(context, "patientId", "context.").removeprefix("Patient/")
    documents, lacking = _prefetched(asked.get("prefetch"))
    orders: tuple[tuple[str | None, str], ...] = ()
    if hook != "patient-view":
        drafts, orders = _orders(context, patient, selected=hook == "order-select")
        documents.append(("draftOrders", drafts))
    return Hooked(patient, tuple(documents), tuple(lacking), orders)


def _text(holder: dict, name: str, where: str) -> str:
    value = holder.get(name)
    if not isinstance(value, str) or not value.strip():
        raise Problem(400, f"no {name}", f"Send {where}{name}, a string.")
    return value


def _prefetched(prefetch: object) -> tuple[list[tuple[str, object]], list[str]]:
    """The documents of a prefetch, and the keys that hold none: absent, an error of the server, or a page of several.

    A key with null holds nothing and lacks nothing: the client looked, and there is no data."""
    if prefetch is None:
        prefetch = {}
    if not isinstance(prefetch, dict):
        raise Problem(400, "no prefetch", "prefetch is an object with a key for each template.")
    documents, lacking = [], []
    for name in PREFETCH:
        value = prefetch.get(name)
        if name not in prefetch or (value is not None and not _usable(value)):
            lacking.append(name)
        elif value is not None:
            documents.append((name, value))
    if "patient" in lacking or prefetch["patient"] is None:
        raise Problem(412, "prefetch unusable", "The request must hold the prefetch key patient with the Patient of context.patientId, and should hold: " + ", ".join(PREFETCH))
    return documents, lacking


def _usable(value: object) -> bool:
    """Is it a resource or a whole search result?"""
    if not isinstance(value, dict) or not isinstance(value.get("resourceType"), str) or value["resourceType"] == "OperationOutcome":
        return False
    links = value.get("link") if value["resourceType"] == "Bundle" else None
    return not any(isinstance(one, dict) and one.get("relation") == "next" for one in (links if isinstance(links, list) else ()))


def _orders(context: dict, patient: str, selected: bool) -> tuple[dict, tuple[tuple[str | None, str], ...]]:
    """The draft orders as a Bundle in which each has an address and a patient; those that the call is about."""
    drafts = context.get("draftOrders")
    entries = drafts.get("entry") if isinstance(drafts, dict) and drafts.get("resourceType") == "Bundle" else None
    if not isinstance(entries, list) or not all(isinstance(one, dict) and isinstance(one.get("resource"), dict) for one in entries):
        raise Problem(400, "no draft orders", "context.draftOrders is a Bundle with a resource in each entry.")
    kept, named = [], {}
    for number, entry in enumerate(entries, 1):
        resource = entry["resource"]
        local = resource.get("id") if isinstance(resource.get("id"), str) and resource["id"].strip() else None
        name = f"{resource.get('resourceType')}/{local}" if local else None
        url = entry.get("fullUrl")
        iri = url.strip() if isinstance(url, str) and _ABSOLUTE.fullmatch(url.strip()) else f"urn:kg:record:{name or f'order-{number}'}"
        kept.append({"fullUrl": iri, "resource": _of_patient(resource, patient)})
        named.setdefault(iri, name)
    about = {iri: name for iri, name in named.items() if not selected or _selected(context, name)}
    return {"resourceType": "Bundle", "type": "collection", "entry": kept}, tuple((name, iri) for iri, name in about.items())


def _of_patient(resource: dict, patient: str) -> dict:
    """The order with its patient: by the hook's definition it is for the patient in context."""
    owner = "patient" if "patient" in resource and "subject" not in resource else "subject"
    given = resource.get(owner)
    if given is None:
        return {**resource, "subject": {"reference": f"Patient/{patient}"}}
    named = _PATIENT.fullmatch(given["reference"]) if isinstance(given, dict) and isinstance(given.get("reference"), str) else None
    if named and named[1] != patient:
        raise Problem(400, "another patient", "An order in context.draftOrders is for another patient than context.patientId.")
    return resource


def _selected(context: dict, name: str | None) -> bool:
    selections = context.get("selections")
    if not isinstance(selections, list) or not all(isinstance(one, str) for one in selections):
        raise Problem(400, "no selections", "context.selections lists the ids of the selected orders.")
    return name is not None and (name in selections or name.split("/", 1)[1] in selections)

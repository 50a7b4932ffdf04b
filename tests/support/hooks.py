"""A CDS Hooks client: requests filled from a service's own prefetch templates, and the published rules of an answer."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Iterator

_TEMPLATE = re.compile(r"([A-Za-z]+)(?:/\{\{context\.patientId\}\}|\?patient=\{\{context\.patientId\}\})")


def prefetched(templates: dict[str, str], bundle: dict, patient: str) -> dict:
    """What an EHR that holds this record sends for the templates: the resource read, the search result, or null for no data."""
    resources = [entry for entry in bundle["entry"] if "resource" in entry]
    found = {}
    for key, template in templates.items():
        kind = _TEMPLATE.fullmatch(template)[1]
        mine = [entry for entry in resources if entry["resource"]["resourceType"] == kind and _owner(entry["resource"]) == patient]
        if template.startswith("Patient/"):
            found[key] = mine[0]["resource"] if mine else None
        else:
            found[key] = {"resourceType": "Bundle", "type": "searchset", "total": len(mine), "entry": [{**one, "search": {"mode": "match"}} for one in mine]} if mine else None
    return found


def _owner(resource: dict) -> str | None:
    if resource["resourceType"] == "Patient":
        return resource["id"]
    named = resource.get("subject") or resource.get("patient") or {}
    return named.get("reference", "").rsplit("/")[-1]


def request(hook: str, patient: str, prefetch: dict, **context) -> dict:
    """A request as an EHR sends it, with a token that a service need not use."""
    return {
        "hook": hook, "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea", "fhirServer": "https://ehr.example/fhir",
        "fhirAuthorization": {"access_token": "opaque", "token_type": "Bearer", "expires_in": 300, "scope": "patient/*.read", "subject": "cds"},
        "context": {"userId": "Practitioner/example", "patientId": patient, **context}, "prefetch": prefetch,
    }


def draft(kind: str, local: str, patient: str | None, **content) -> dict:
    """An order not yet signed."""
    owner = {"subject": {"reference": f"Patient/{patient}"}} if patient else {}
    return {"resourceType": kind, "id": local, "status": "draft", "intent": "order", **owner, **content}


def orders(*drafts: dict) -> dict:
    """draftOrders of a context."""
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in drafts]}


def faults(answer: object) -> list[str]:
    """Where an answer of a service breaks the rules of CDS Hooks 2.0; empty when it keeps them."""
    if not isinstance(answer, dict) or not isinstance(answer.get("cards"), list):
        return ["no cards array"]
    found = [f"{path} is null or empty" for path in empty(answer) if path != "cards"]
    for number, card in enumerate(answer["cards"]):
        found += [f"card {number}: {fault}" for fault in _card(card)]
    named = [card.get("uuid") for card in answer["cards"]]
    return found + (["two cards share a uuid"] if len(set(named)) < len(named) else [])


def empty(value: object, path: str = "") -> Iterator[str]:
    if value is None or value in ("", [], {}):
        yield path
    children: Iterable = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, child in children:
        yield from empty(child, f"{path}.{name}".lstrip("."))


def _card(card: dict) -> Iterator[str]:
    known = {"uuid", "summary", "detail", "indicator", "source", "suggestions", "selectionBehavior", "overrideReasons", "links"}
    yield from (f"unknown field {name}" for name in sorted(set(card) - known))
    if not isinstance(card.get("summary"), str) or len(card["summary"]) >= 140 or "\n" in card["summary"]:
        yield "summary is not one sentence under 140 characters"
    if card.get("indicator") not in ("info", "warning", "critical"):
        yield "indicator"
    if "uuid" in card and str(uuid.UUID(card["uuid"])) != card["uuid"]:
        yield "uuid"
    source = card.get("source", {})
    if not source.get("label"):
        yield "source without a label"
    if "url" in source and not re.match(r"https?://\S+$", source["url"]):
        yield "source.url is not absolute"
    if "topic" in source and not {"system", "code"} <= source["topic"].keys():
        yield "source.topic is no coding"
    if ("suggestions" in card) != ("selectionBehavior" in card):
        yield "suggestions and selectionBehavior do not come together"
    if card.get("selectionBehavior", "any") not in ("any", "at-most-one"):
        yield "selectionBehavior"
    for suggestion in card.get("suggestions", ()):
        if not suggestion.get("label"):
            yield "suggestion without a label"
        for action in suggestion.get("actions", ()):
            yield from _action(action)
    yield from ("override reason without a display" for one in card.get("overrideReasons", ()) if not one.get("display"))
    for link in card.get("links", ()):
        if not link.get("label") or link.get("type") not in ("absolute", "smart") or not re.match(r"https?://\S+$", link.get("url", "")):
            yield "link"


def _action(action: dict) -> Iterator[str]:
    if action.get("type") not in ("create", "update", "delete") or not action.get("description"):
        yield "action"
    needed = "resourceId" if action.get("type") == "delete" else "resource"
    if needed not in action:
        yield f"action without {needed}"

"""The resources of one input: each with its IRI, and what a reference in it points to (spec/fhir-input.md)."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from kg.fhir.findings import VIOLATION, Finding
from kg.fhir.reading import Unread
from kg.fhir.types import RESOURCES
from kg.fhir.views import View

_ABSOLUTE = re.compile(r"(?:https?://|urn:)\S+")
_RELATIVE = re.compile(r"([A-Za-z]+)/([^/\s?#]+)")


@dataclass(frozen=True)
class Entry:
    """One resource of the input. `iri`: its fullUrl when absolute, else `urn:kg:record:Type/id`;
    `base` of a REST fullUrl; `holder`: what it is contained in."""

    index: int
    place: str
    kind: str
    name: str
    iri: str
    data: dict = field(repr=False, compare=False, default_factory=dict)
    local: str | None = None
    base: str | None = None
    path: str = ""
    findings: list[Finding] = field(repr=False, compare=False, default_factory=list)
    holder: Entry | None = field(repr=False, compare=False, default=None)

    @cached_property
    def view(self) -> View:
        return View(self.data, self.name, self.place, self.path, self.findings)


@dataclass(frozen=True)
class Record:
    """All resources that were read, what was said of those that were not, and how many entries there were."""

    entries: tuple[Entry, ...]
    findings: tuple[Finding, ...]
    count: int
    reported: frozenset[int]

    @cached_property
    def _by_iri(self) -> dict[str, Entry]:
        return {_key(entry.iri): entry for entry in self.entries}

    @cached_property
    def _by_local(self) -> dict[str, list[Entry]]:
        found: dict[str, list[Entry]] = defaultdict(list)
        for entry in self.entries:
            if entry.local:
                found[f"{entry.kind}/{entry.local}"].append(entry)
        return found

    def resolve(self, entry: Entry, reference: str) -> Entry | None:
        """The resource that a reference of this entry names: contained (#id), a fullUrl, or Type/id;
        None when not in the input."""
        if reference.startswith("#"):
            return contained(entry, reference[1:])
        target = reference.split("/_history/")[0]
        found = self._by_iri.get(_key(target))
        if found:
            return found
        relative = _RELATIVE.fullmatch(target)
        if relative:
            return _only(self._by_local.get(target, ()), entry.base)
        if target.startswith("urn:uuid:"):
            return _only([e for e in self._anonymous if e.local and _key(e.local) == _key(target[9:])], None)
        match = re.fullmatch(r"(https?://\S+)/([A-Za-z]+/[^/\s?#]+)", target)
        return _only(self._by_local.get(match[2], ()), match[1]) if match else None

    @cached_property
    def _anonymous(self) -> list[Entry]:
        return [entry for entry in self.entries if entry.iri.startswith("urn:kg:record:")]


def _key(iri: str) -> str:
    return iri.lower() if iri.startswith("urn:") or "/" not in iri else iri


def _only(candidates: Iterable[Entry], base: str | None) -> Entry | None:
    """The one candidate of this server, else the only one that is not known to be of another server."""
    near = [entry for entry in candidates if base and entry.base == base]
    free = [entry for entry in candidates if not (base and entry.base)]
    chosen = near or free
    return chosen[0] if len({entry.iri for entry in chosen}) == 1 else None


def contained(entry: Entry, local: str) -> Entry | None:
    """The resource contained in an entry, or beside one in its holder, under this id;
    what is found wrong in it is found wrong in the entry."""
    entry = entry.holder or entry
    held = entry.data.get("contained")
    for position, inner in enumerate(held if isinstance(held, list) else ()):
        if isinstance(inner, dict) and inner.get("id") == local and isinstance(inner.get("resourceType"), str):
            iri, path = f"{entry.iri}#{local}", f"contained[{position}]"
            return Entry(
                entry.index,
                entry.place,
                inner["resourceType"],
                entry.name,
                iri,
                inner,
                local,
                None,
                path,
                entry.findings,
                entry,
            )
    return None


def collect(documents: Iterable[tuple[str, object]]) -> Record:
    """Number the resources of all documents and say which could not be taken; a repeated resource counts once."""
    entries, findings, reported, count = [], [], set(), 0
    for count, (place, name, full_url, resource) in enumerate(_expanded(documents), 1):
        problem = _problem(resource)
        if problem:
            findings.append(Finding(VIOLATION, name or f"entry {count}", *problem, place))
            reported.add(count)
        elif isinstance(resource, dict):
            entries.append(_entry(count, place, full_url, resource))
    return Record(tuple(_without_repeats(entries)), tuple(findings), count, frozenset(reported))


def _expanded(documents: Iterable[tuple[str, object]]) -> Iterator[tuple[str, str, object, object]]:
    """Place, name, fullUrl and resource of each entry, Bundles within Bundles included;
    None for an entry without a resource."""
    for place, document in documents:
        if not (isinstance(document, dict) and document.get("resourceType") == "Bundle"):
            yield place, "", None, document
            continue
        entries = document.get("entry") or []
        if not isinstance(entries, list):
            yield place, "Bundle", None, Unread("entry is not a list; give it as FHIR says")
            continue
        for position, item in enumerate(entries):
            if not isinstance(item, dict):
                yield place, f"Bundle.entry[{position}]", None, Unread("is not an object; give it as FHIR says")
                continue
            resource = item.get("resource")
            if isinstance(resource, dict) and resource.get("resourceType") == "Bundle":
                yield from _expanded([(place, resource)])
            else:
                yield place, f"Bundle.entry[{position}]", item.get("fullUrl"), resource


def _problem(resource: object) -> tuple[str, str] | None:
    """Element and message when an entry holds no R4 resource."""
    if isinstance(resource, Unread):
        return "", resource.message
    if resource is None:
        return None
    if not isinstance(resource, dict):
        return "resource", "is not an object; give a FHIR resource"
    kind = resource.get("resourceType")
    if not isinstance(kind, str) or kind not in RESOURCES:
        return (
            "resourceType",
            f"'{str(kind)[:40]}' is not a FHIR R4 resource type; correct it"
            if kind
            else "is missing; this is not FHIR",
        )
    return None


def _entry(index: int, place: str, full_url: object, resource: dict) -> Entry:
    kind, local = resource["resourceType"], resource.get("id")
    local = str(local) if isinstance(local, (str, int)) and str(local).strip() else None
    name = f"{kind}/{local}" if local else f"{kind} (entry {index})"
    own = f"{kind}/{local or f'entry-{index}'}"
    absolute = isinstance(full_url, str) and _ABSOLUTE.fullmatch(full_url.strip())
    iri = full_url.strip().split("/_history/")[0] if absolute else f"urn:kg:record:{own}"
    base = iri[: -len(own) - 1] if iri.startswith("http") and iri.endswith(f"/{own}") else None
    return Entry(index, place, kind, name, iri, resource, local, base)


def _without_repeats(entries: list[Entry]) -> list[Entry]:
    """The entries in order; of several versions of one resource the last updated counts, else the last;
    Patients are left for their own reader."""
    groups: dict[tuple, list[Entry]] = defaultdict(list)
    for entry in entries:
        owner = entry.data.get("subject") or entry.data.get("patient") or {}
        groups[entry.iri, str(owner.get("reference")) if isinstance(owner, dict) else "", entry.kind].append(entry)
    kept = []
    for versions in groups.values():
        if versions[0].kind == "Patient":
            kept.extend(versions)
            continue
        newest = max(versions, key=lambda entry: (_updated(entry) if all(map(_updated, versions)) else "", entry.index))
        kept.append(newest)
        if any(entry.data != newest.data for entry in versions):
            newest.view.warning(
                "", f"stands {len(versions)} times with different content; the last is read, check which holds"
            )
    return sorted(kept, key=lambda entry: entry.index)


def _updated(entry: Entry) -> str:
    meta = entry.data.get("meta")
    return str(meta.get("lastUpdated") or "") if isinstance(meta, dict) else ""

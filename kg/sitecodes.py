"""A site's own codes, mapped by a file of the user (`--codes FILE`): a FHIR R4 ConceptMap, or SSSOM as TSV.

A row counts when the site's code is equal to, or narrower than, a code that the mappings know;
others are noted, not used."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from kg.codes import CodeIndex, Mapping, normal_code
from kg.errors import InputError
from kg.terms import GL

# equivalence (R4) and relationship (R5) say what the target is to the source
_EXACT = frozenset(("equal", "equivalent"))
_NARROWER = frozenset(("wider", "subsumes", "source-is-narrower-than-target"))
# SSSOM predicates say what the object is to the subject
_EXACT_PREDICATES = frozenset(("skos:exactMatch", "owl:equivalentClass", "owl:sameAs"))
_NARROWER_PREDICATES = frozenset(("skos:broadMatch", "rdfs:subClassOf"))
_COLUMNS = ("subject_id", "predicate_id", "object_id")


@dataclass(frozen=True)
class Row:
    """One mapping: the site's (system, code), the target's (system, code), how it matches (None:
    not used), where it stands."""

    source: tuple[str, str]
    target: tuple[str, str]
    match: str | None
    relation: str
    place: str


def parse(data: bytes, file: str) -> tuple[Row, ...]:
    """The rows of a ConceptMap or an SSSOM table.

    Raises InputError, naming file and row, when the file is neither or a row cannot be read."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            file, f"byte {error.start}", "is not text", "give a ConceptMap in JSON or SSSOM as TSV"
        ) from error
    rows = _concept_map(text, file) if text.lstrip().startswith("{") else _sssom(text, file)
    return tuple(rows)


def extend(index: CodeIndex, rows: Iterable[Row], file: str) -> tuple[CodeIndex, tuple[str, ...]]:
    """The index with the rows that count, which come before everything else; and a note on each row that does not.

    Raises InputError for a target that the mappings do not know."""
    added: dict[tuple[str, str], list[Mapping]] = defaultdict(list)
    notes = []
    for row in rows:
        if row.match is None:
            notes.append(f"{file}: {row.place}: '{row.relation or 'no relation'}' does not make a code count; not used")
            continue
        known = index.lookup(*row.target)
        if not known:
            raise InputError(
                file,
                row.place,
                f"target {row.target[1]!r} of {row.target[0] or 'no system'} is not known",
                "map to a code that the ontology maps, such as one of the record code system",
            )
        exact = row.match == GL.ExactMatch
        meanings = (Mapping(m.concept, m.presence, m.match if exact else row.match, m.scaled, True) for m in known)
        added[normal_code(*row.source)].extend(m for m in meanings if m not in added[normal_code(*row.source)])
    return index.extended({key: tuple(found) for key, found in added.items()}), tuple(notes)


def _concept_map(text: str, file: str) -> Iterator[Row]:
    try:
        resource = json.loads(text)
    except (ValueError, RecursionError) as error:
        where = f"line {error.lineno}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else "file"
        raise InputError(file, where, "is not JSON", "correct the file") from error
    if resource.get("resourceType") != "ConceptMap":
        raise InputError(file, "resourceType", "is not a ConceptMap", "give a FHIR R4 ConceptMap or SSSOM as TSV")
    for g, group in enumerate(_objects(resource, "group", file, "ConceptMap")):
        place = f"group[{g}]"
        source, target = (str(group.get(name) or "").split("|")[0] for name in ("source", "target"))
        for e, element in enumerate(_objects(group, "element", file, place)):
            for t, one in enumerate(_objects(element, "target", file, f"{place}.element[{e}]")):
                at = f"{place}.element[{e}].target[{t}]"
                relation = _relation(one)
                yield Row(
                    _code(source, element, file, at),
                    (target, str(one.get("code") or "")),
                    _match(relation, _EXACT, _NARROWER),
                    relation,
                    at,
                )


def _relation(target: dict) -> str:
    """What a target is to its source; one that holds only together with other elements is no mapping of the code
    alone."""
    if target.get("dependsOn") or target.get("product"):
        return "depends on other elements"
    return str(target.get("equivalence") or target.get("relationship") or "")


def _code(system: str, element: dict, file: str, place: str) -> tuple[str, str]:
    code = element.get("code")
    if not isinstance(code, str) or not code.strip():
        raise InputError(file, place, "the element has no code", "give the site's code")
    return system, code


def _objects(holder: dict, name: str, file: str, place: str) -> list[dict]:
    found = holder.get(name) or []
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise InputError(file, f"{place}.{name}", "is not a list of objects", "give it as FHIR says")
    return found


def _match(relation: str, exact: frozenset[str], narrower: frozenset[str]) -> str | None:
    return GL.ExactMatch if relation in exact else GL.NarrowMatch if relation in narrower else None


def _sssom(text: str, file: str) -> Iterator[Row]:
    lines = text.splitlines()
    prefixes = _curie_map(line for line in lines if line.startswith("#"))
    numbered = [(number, line) for number, line in enumerate(lines, 1) if line.strip() and not line.startswith("#")]
    header = numbered[0][1].split("\t") if numbered else []
    missing = [column for column in _COLUMNS if column not in header]
    if missing:
        raise InputError(
            file,
            f"line {numbered[0][0] if numbered else 1}",
            f"no column {', '.join(missing)}",
            "give a ConceptMap in JSON, or SSSOM as tab-separated columns",
        )
    for number, line in numbered[1:]:
        place, cells = f"line {number}", next(csv.reader([line], delimiter="\t"))
        if len(cells) > len(header):
            raise InputError(file, place, f"has {len(cells)} cells under {len(header)} columns", "correct the row")
        row = dict(zip(header, (cell.strip() for cell in cells), strict=False))
        relation = " ".join(filter(None, (row.get("predicate_modifier"), row.get("predicate_id"))))
        subject, target = (
            _expand(row.get(column, ""), prefixes, file, place) for column in ("subject_id", "object_id")
        )
        yield Row(subject, target, _match(relation, _EXACT_PREDICATES, _NARROWER_PREDICATES), relation, place)


def _curie_map(comments: Iterable[str]) -> dict[str, str]:
    """The prefixes of an SSSOM header, each with the code system it stands for."""
    prefixes, inside = {}, False
    for line in comments:
        body = line[1:].rstrip()
        name, _, value = body.strip().partition(":")
        if body.strip() == "curie_map:":
            inside = True
        elif inside and body.startswith((" ", "\t")) and value:
            prefixes[name.strip().strip("\"'")] = value.strip().strip("\"'")
        elif body.strip():
            inside = False
    return prefixes


def _expand(identifier: str, prefixes: dict[str, str], file: str, place: str) -> tuple[str, str]:
    """System and code of a CURIE (its prefix gives the code system) or of an IRI (cut at its last / or #)."""
    prefix, colon, local = identifier.partition(":")
    if colon and prefix in prefixes:
        return prefixes[prefix].rstrip("/#"), local
    if colon and local.startswith("//"):
        cut = max(identifier.rfind("/"), identifier.rfind("#"))
        return identifier[:cut], identifier[cut + 1 :]
    raise InputError(
        file, place, f"{identifier!r} has no prefix of the curie_map", "add the prefix with the code system's URI"
    )

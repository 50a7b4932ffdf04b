"""Coverage of a guideline's source: whoever holds the text can check it line by line against the hashes in the graph.

The text itself is not in the project; `gl:sha256` of each line is (UTF-8, without the line break).
See spec/output.md, `kg check`."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher
from hashlib import sha256
from pathlib import Path

import pyoxigraph as ox

from kg.errors import InputError
from kg.guideline import GL, Guideline
from kg.index import Index

_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
_LABEL = "http://www.w3.org/2000/01/rdf-schema#label"
_PART_OF = "http://purl.org/dc/terms/isPartOf"


@dataclass(frozen=True)
class Finding:
    """One place where text and graph part.

    `line` counts from 1: in the graph where `kind` is `gone` or `unused`, else in the text."""

    kind: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.message}"


@dataclass(frozen=True)
class SourceLine:
    """One line of the text beside what the graph makes of it.

    `state`: captured, excluded or unaccounted; `said`: the project's own wording of each statement taken from it, with
    its id in front, or the reason why none is."""

    line: int
    text: str
    state: str
    said: tuple[str, ...]


def source_table(guideline: Guideline, path: Path) -> list[SourceLine]:
    """Every line of the text at `path` that is not empty, found in the graph by its hash, and what accounts for it.

    Raises InputError as `source_coverage`."""
    index = guideline.index
    known = {index.text(node, GL + "sha256"): (number, node) for number, node in sorted(_known(index, guideline.iri).items())}
    statements: dict[int, list[str]] = {}
    for node in index.subjects(_TYPE, ox.NamedNode(GL + "Statement")):
        for number in index.objects(node, GL + "line"):
            statements.setdefault(int(number.value), []).append(f"{index.text(node, GL + 'id')} {index.text(node, _LABEL)}")
    rows = []
    for place, line in enumerate(_lines(path), 1):
        number, node = known.get(sha256(line).hexdigest(), (None, None))
        said, reason = sorted(statements.get(number, ())), node and index.text(node, GL + "noStatement")
        state = "captured" if said else "excluded" if reason else "unaccounted"
        if line.strip() or node:
            rows.append(SourceLine(place, line.decode(), state, tuple(said) or ((reason,) if reason else ())))
    return rows


def source_coverage(guideline: Guideline, path: Path) -> list[Finding]:
    """Compare the text at `path` with the guideline's source lines; empty when each is the same and accounted for.

    Kinds of finding: `unaccounted` (in the text, not in the graph), `changed` (other words), `gone` (in the graph, not
    in the text), `unused` (no statement was taken from it and no reason says why). An inserted line does not make those
    after it changed ones. Empty lines of the text count for nothing unless the graph holds them.
    Raises InputError when the text cannot be read or the guideline keeps no source lines."""
    index = guideline.index
    known = _known(index, guideline.iri)
    if not known:
        raise InputError(
            guideline.slug, "gl:derivedFrom", "the guideline keeps no source lines", "add a gl:SourceLine for each line"
        )
    lines = _lines(path)
    hashes = [sha256(line).hexdigest() for line in lines]
    numbers = sorted(known)
    wanted = [index.text(known[number], GL + "sha256") or "" for number in numbers]
    found: list[Finding] = []
    for what, a, b, c, d in SequenceMatcher(None, wanted, hashes, autojunk=False).get_opcodes():
        if what == "equal":
            continue
        both = min(b - a, d - c)
        found += [
            Finding("changed", c + i + 1, f"its words are not those of line {numbers[a + i]} in the graph: {_changed}")
            for i in range(both)
        ]
        found += [Finding("gone", numbers[i], f"in the graph and not in the text: {_gone}") for i in range(a + both, b)]
        found += [
            Finding("unaccounted", i + 1, f"in the text and not in the graph: {_unaccounted}")
            for i in range(c + both, d)
            if lines[i].strip()
        ]
    return sorted(found + _unused(index, known), key=lambda one: (one.line, one.kind))


_changed = "read it again, correct its statements and its gl:sha256"
_gone = "remove the gl:SourceLine with its statements, or give the complete text"
_unaccounted = "add a gl:SourceLine with its statements, or with gl:noStatement and the reason"
_without = "no statement is taken from it: add one, or say why there is none (gl:noStatement)"


def _known(index: Index, guideline: ox.NamedNode) -> dict[int, ox.NamedNode]:
    """The source-line nodes of the guideline's source documents, by line number."""
    kind = ox.NamedNode(GL + "SourceLine")
    parts = [
        line for source in index.objects(guideline, GL + "derivedFrom") for line in index.subjects(_PART_OF, source)
    ]
    return {
        int(number.value): line
        for line in parts
        if kind in index.objects(line, _TYPE)
        for number in index.objects(line, GL + "line")
    }


def _lines(path: Path) -> list[bytes]:
    try:
        text = path.read_bytes()
        text.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(
            str(path), f"byte {error.start}", "not UTF-8", "give the source as plain text in UTF-8"
        ) from None
    except OSError as error:
        raise InputError(
            str(path), "--source", error.strerror or "cannot be read", "give the path of the source text"
        ) from None
    return [line.removesuffix(b"\r") for line in text.removeprefix(b"\xef\xbb\xbf").removesuffix(b"\n").split(b"\n")]


def _unused(index: Index, known: dict[int, ox.NamedNode]) -> list[Finding]:
    statement = ox.NamedNode(GL + "Statement")
    used = {
        int(number.value) for node in index.subjects(_TYPE, statement) for number in index.objects(node, GL + "line")
    }
    return [
        Finding("unused", number, _without)
        for number, line in known.items()
        if number not in used and index.value(line, GL + "noStatement") is None
    ]

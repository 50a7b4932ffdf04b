"""A bulk export sorted into partitions: every line to the file of its patient's partition, so that a partition stands alone.

Exports hold a file a resource type, in any order. The lines are read once, in the order of the files' names; memory
holds some lines a partition, whatever their number. What belongs to no patient, such as a Medication, goes into a
database that every partition can look into."""

from __future__ import annotations

import gzip
import json
import re
import sqlite3
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from kg.errors import InputError
from kg.fhir import READ

SHARED = "shared.sqlite"
#: Patients that a partition should hold.
PATIENTS = 500
_HELD = 32_000_000  # bytes of lines in memory before they are written
_OWNER = re.compile(rb'"(?:subject|patient)"\s*:\s*\{[^{}]{0,400}?"reference"\s*:\s*"(?:[^"]*/)?Patient/([^"/]+)')
_PATIENT = re.compile(rb'"resourceType"\s*:\s*"Patient"')
_ID = re.compile(rb'"id"\s*:\s*"([^"]{1,64})"')


@dataclass(frozen=True)
class Line:
    """One line of an export: whose it is ("" where that cannot be told), `file:line`, and its bytes as they stand there."""

    owner: str
    place: str
    raw: bytes


def is_export(path: Path) -> bool:
    """Whether a file is one of a bulk export: NDJSON, also compressed."""
    return path.name.endswith((".ndjson", ".ndjson.gz"))


def shuffle(files: list[tuple[str, Path]], folder: Path, step: Callable[[str, int], None] = lambda name, lines: None) -> int:
    """Sort the lines of an export's files (each with the name to call it by) into `folder/<number>.lines`: how many partitions there are.

    Raises InputError when a file cannot be read to its end: patients would lack what stands there."""
    count = max(1, -(-_patients(files) // PATIENTS))
    held: dict[int, list[bytes]] = defaultdict(list)
    size = 0
    shared = sqlite3.connect(folder / SHARED)
    shared.execute("CREATE TABLE resource (reference TEXT PRIMARY KEY, place TEXT, raw BLOB)")
    for name, path in files:
        for number, raw in enumerate(_lines(name, path), 1):
            if not (raw := raw.rstrip(b"\r\n")).strip():
                continue
            place = f"{name}:{number}"
            owner, common = _owner(raw)
            if common:
                shared.execute("INSERT OR IGNORE INTO resource VALUES (?, ?, ?)", (common, place, raw))
                continue
            bucket = int.from_bytes(blake2b((owner or place).encode("utf-8", "surrogatepass"), digest_size=8).digest()) % count
            held[bucket].append(json.dumps([owner, place]).encode() + b"\t" + raw + b"\n")
            size += len(raw)
            if size > _HELD:
                _write(held, folder)
                size = 0
            if number % 10_000 == 0:
                step(name, number)
    _write(held, folder)
    shared.commit()
    shared.close()
    return count


def lines(folder: Path, partition: int) -> Iterator[Line]:
    """The lines of a partition, in the order of the export."""
    path = folder / f"{partition:05}.lines"
    if path.exists():
        with path.open("rb") as file:
            for line in file:
                head, _, raw = line.rstrip(b"\n").partition(b"\t")
                yield Line(*json.loads(head), raw)


def shared(folder: Path, references: set[str]) -> list[Line]:
    """The resources of no patient that these references (Type/id) name."""
    base = sqlite3.connect(f"file:{folder / SHARED}?mode=ro", uri=True)
    try:
        found = (base.execute("SELECT place, raw FROM resource WHERE reference = ?", (reference,)).fetchone() for reference in sorted(references))
        return [Line("", *row) for row in found if row]
    finally:
        base.close()


def _lines(name: str, path: Path) -> Iterator[bytes]:
    number = 0
    try:
        with gzip.open(path, "rb") if path.name.endswith(".gz") else path.open("rb") as file:
            for number, line in enumerate(file, 1):
                yield line
    except (EOFError, OSError, zlib.error) as error:  # of gzip as well: cut short, damaged, none
        raise InputError(name, f"after line {number}", f"cannot be read to its end ({error})", "give the whole file") from None


def _patients(files: list[tuple[str, Path]]) -> int:
    """How many patients there are, from the files that hold them alone; where there is none, a guess from all lines."""
    own = [one for one in files if one[1].name.startswith("Patient")]
    return sum(1 for one in own or files for _ in _lines(*one)) // (1 if own else 20)


def _owner(raw: bytes) -> tuple[str, str]:
    """Whose a line is, and for a resource of no patient its reference; a line that cannot be read is asked for a patient by its text."""
    try:
        resource = json.loads(raw)
        kind, name = resource["resourceType"], resource.get("id")
        if kind == "Patient":
            return str(name or ""), ""
        named = resource.get("subject") or resource.get("patient")
        reference = named.get("reference") if isinstance(named, dict) else None
        if isinstance(reference, str):
            return reference.split("/_history/")[0].rsplit("Patient/", 1)[-1], ""
        return "", f"{kind}/{name}" if name and kind not in READ and named is None else ""
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        found = _ID.search(raw) if _PATIENT.search(raw) else _OWNER.search(raw)
        return (found[1].decode("utf-8", "replace") if found else ""), ""


def _write(held: dict[int, list[bytes]], folder: Path) -> None:
    for bucket, waiting in held.items():
        with (folder / f"{bucket:05}.lines").open("ab") as file:
            file.writelines(waiting)
    held.clear()

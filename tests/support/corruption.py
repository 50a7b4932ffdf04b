"""Damage to a bulk export, as disks, networks and other people's programs do it: ten kinds, each of which spoils a patient."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_OWNER = re.compile(rb'"(?:subject|patient)":\{"reference":"Patient/([^"]+)"')
_DEPTH = 100_000


@dataclass(frozen=True)
class Damage:
    """What was done to which patient, and where: the first spoilt line (from 1) of a file, as it stands afterwards."""

    patient: str
    kind: str
    file: str
    line: int


def _edit(change: Callable[[dict], object]) -> Callable[[bytes], bytes]:
    """A change of the resource on a line."""

    def changed(line: bytes) -> bytes:
        resource = json.loads(line)
        change(resource)
        return json.dumps(resource, separators=(",", ":")).encode()

    return changed


def _other_birth(resource: dict) -> None:
    resource["birthDate"] = "1901-01-01"


#: Each kind: the resource type whose first line of the patient is spoilt (else the Patient's), and how; the line without its end.
KINDS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "truncated": ("Observation", lambda line: line[: len(line) // 2]),
    "not-json": ("Condition", lambda line: b"Proxy Error: the upstream server timed out"),
    "no-subject": ("Observation", _edit(lambda one: one.pop("subject" if "subject" in one else "id"))),
    "wrong-type": ("Patient", lambda line: line.replace(b'"resourceType":"Patient"', b'"resourceType":"Pateint"', 1)),
    "invalid-utf8": ("MedicationStatement", lambda line: line[:-1] + b',"note":"\xff\xfe\xfa"}'),
    "absent-subject": ("Condition", lambda line: re.sub(rb'"Patient/[^"]+"', b'"Patient/nobody"', line)),
    "not-an-object": ("Patient", lambda line: b"[" + line + b"]"),
    "no-id": ("Patient", _edit(lambda one: one.pop("id"))),
    "patient-twice": ("Patient", lambda line: line + b"\n" + _edit(_other_birth)(line)),
    "nesting-bomb": ("Observation", lambda line: line[:-1] + b',"extension":' + b"[" * _DEPTH + b"]" * _DEPTH + b"}"),
}


def corrupt(folder: Path, every: int = 1000, seed: int = 0) -> list[Damage]:
    """Spoil one patient in so many of an uncompressed export, the kinds in turn; what was done, in the order of patients.

    The same export, `every` and seed give the same damage. At least one patient is spoilt."""
    patients = [_id(line) for path in _files(folder, "Patient") for line in path.open("rb")]
    chosen = sorted(random.Random(seed).sample(patients, max(1, len(patients) // every)))
    kinds = list(KINDS)
    pending = {patient: kinds[place % len(kinds)] for place, patient in enumerate(chosen)}
    done: list[Damage] = []
    others = sorted({kind for kind, _ in KINDS.values()} - {"Patient"})
    for resource_type in (*others, "Patient"):
        wanted = {patient: kind for patient, kind in pending.items() if resource_type in ("Patient", KINDS[kind][0])}
        for path in _files(folder, resource_type) if wanted else ():
            done += _spoil(path, wanted)
        for damage in done:
            pending.pop(damage.patient, None)
    return sorted(done, key=lambda damage: damage.patient)


def _files(folder: Path, resource_type: str) -> list[Path]:
    return sorted(folder.glob(f"{resource_type}.*ndjson"))


def _id(line: bytes) -> str:
    return json.loads(line)["id"]


def _spoil(path: Path, wanted: dict[str, str]) -> list[Damage]:
    """Spoil the first line of each wanted patient in a file."""
    done: list[Damage] = []
    copy, number = path.with_suffix(".part"), 0
    with path.open("rb") as lines, copy.open("wb") as out:
        for line in lines:
            number += 1
            owner = _OWNER.search(line)
            patient = owner[1].decode() if owner else _id(line)
            if patient in wanted:
                kind = wanted.pop(patient)
                done.append(Damage(patient, kind, path.name, number))
                line = KINDS[kind][1](line.rstrip(b"\n")) + b"\n"
                number += line.count(b"\n") - 1
            out.write(line)
    copy.replace(path)
    return done

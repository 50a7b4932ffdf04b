"""Writing simulated patients as a FHIR bulk export: one file a resource type, one resource a line, patient after patient.

A patient is written before the next is made: memory does not grow with their number. Every file has the patients in
order, so several files can be read side by side, a patient at a time."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import BinaryIO

from kg.errors import InputError
from kg.simulation.person import Calendar
from kg.simulation.population import Population

_encode = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode


@dataclass(frozen=True)
class Wanted:
    """What to write: how many patients, from which seed, as of which day, how likely with a mistake, in how many files a type."""

    count: int
    seed: int = 0
    as_of: date | None = None
    mistakes: float | None = None
    zipped: bool = False
    files: int = 1


def export(
    population: Population, wanted: Wanted, folder: Path, step: Callable[[int], None] = lambda done: None
) -> dict[str, int]:
    """Write the patients into an empty or new folder; the number of resources by type. `step` is told how many are done.

    Raises InputError when something wanted is impossible or the folder holds anything."""
    _check(wanted)
    _empty(folder)
    calendar = Calendar(wanted.as_of or population.as_of)
    mistaken = population.mistakes.rate if wanted.mistakes is None else wanted.mistakes
    counts: dict[str, int] = {}
    for part in range(wanted.files):
        first, last = (wanted.count * bound // wanted.files for bound in (part, part + 1))
        with ExitStack() as stack:
            opened: dict[str, BinaryIO] = {}
            for number in range(first + 1, last + 1):
                for resource in population.patient(number, wanted.seed, calendar, mistaken).resources:
                    kind = resource["resourceType"]
                    if kind not in opened:
                        opened[kind] = _open(stack, folder / _name(kind, part, wanted), wanted.zipped)
                    opened[kind].write(_encode(resource).encode() + b"\n")
                    counts[kind] = counts.get(kind, 0) + 1
                step(number)
    return dict(sorted(counts.items()))


def _check(wanted: Wanted) -> None:
    if wanted.count < 1:
        raise InputError(str(wanted.count), "N", "is no number of patients", "give 1 or more")
    if not 1 <= wanted.files <= wanted.count:
        remedy = "give 1 or more, and no more than patients"
        raise InputError(str(wanted.files), "--files", "is no number of files for so many patients", remedy)
    if wanted.seed < 0:
        raise InputError(str(wanted.seed), "--seed", "is negative", "give 0 or more")
    if wanted.as_of and not 1900 <= wanted.as_of.year <= 2200:
        raise InputError(str(wanted.as_of), "--as-of", "is too far away", "give a day from 1900 to 2200")
    if wanted.mistakes is not None and not 0 <= wanted.mistakes <= 1:
        raise InputError(str(wanted.mistakes), "--mistakes", "is no share", "give a number from 0 to 1")


def _empty(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        held = next(folder.iterdir(), None)
    except OSError as error:
        raise InputError(str(folder), "-o", error.strerror or "cannot be used", "give a folder that can be written") from error
    if held:
        raise InputError(str(folder), "-o", f"is not empty, it holds {held.name}", "give a new or an empty folder")


def _name(kind: str, part: int, wanted: Wanted) -> str:
    """The file of a type: `Patient.ndjson`, or `Patient.000.ndjson` and so on, in the order of patients."""
    width = max(3, len(str(wanted.files - 1)))
    return kind + (f".{part:0{width}d}" if wanted.files > 1 else "") + (".ndjson.gz" if wanted.zipped else ".ndjson")


def _open(stack: ExitStack, path: Path, zipped: bool) -> BinaryIO:
    file = stack.enter_context(path.open("wb", buffering=2**18))
    # neither name nor time goes into the header: the same patients give the same bytes
    if not zipped:
        return file
    return stack.enter_context(gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=file, mtime=0))

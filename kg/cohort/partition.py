"""One partition from its lines to its files, wherever it runs: read, judge, write.

Everything that it needs is in its task, and what it leaves are files that appear whole or not at all; the count, which
is written last, says that the partition is done."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from kg import inputs
from kg.cohort import reading, tables
from kg.cohort.judging import BATCH, Judge, Judged
from kg.cohort.reading import Batch, Rejection
from kg.cohort.tally import Names, Tally
from kg.codes import CodeIndex
from kg.engine import Triple
from kg.evaluate import by_patient
from kg.fhir import Finding
from kg.guideline import load

if TYPE_CHECKING:
    from kg.cohort.validating import Validation

_FINDING = ("place", "severity", "resource", "element", "message")


@dataclass(frozen=True)
class Settings:
    """What is the same for every partition of a run; paths as text, so that it travels."""

    out: str
    as_of: str
    form: str
    guideline: str
    guideline_files: tuple[str, ...] = ()
    codes: str | None = None
    proofs: bool = False
    validate: bool = False


@dataclass(frozen=True)
class Task:
    """A partition: its number, and the files that it holds (name to call it by, path); none when it is a part of a shuffled export."""

    settings: Settings
    number: int
    files: tuple[tuple[str, str], ...] = ()


def run(task: Task) -> int:
    """Do a partition, unless it is done: how many patients it has."""
    work = Path(task.settings.out) / "work"
    done = work / f"{task.number:05}.json"
    if done.exists():
        return json.loads(done.read_text("utf-8"))["patients"]["in"]
    judge, names, codes = _ready(task.settings)
    validation, safe = _checks(task.settings)
    batches = reading.given([(name, Path(path)) for name, path in task.files], codes, BATCH, safe) if task.files else reading.exported(work, task.number, codes, BATCH)
    tally, rejected, findings, rows, counts = Tally(), [], [], [], {"in": 0, "out": 0, "entries": 0, "ignored": 0}
    proofs: list[bytes] = []
    for batch in batches:
        if validation and not task.files:  # files are validated one by one, as they are read
            validation.check(batch.triples)
        patients = _judged(judge, batch, proofs if task.settings.proofs else None)
        for patient in patients:
            tally.add(patient, names)
        tally.find(batch.findings)
        rows += tables.table(patients, names)
        rejected += batch.rejected
        findings += batch.findings
        counts["in"] += len(patients)
        counts["out"] += len(patients)
        counts["entries"] += batch.entries
        counts["ignored"] += batch.ignored
    counts["in"] += len({one.patient for one in rejected if one.patient})
    out = Path(task.settings.out)
    name = f"part-{task.number:05}"
    write(out / "verdicts" / f"{name}.{task.settings.form}", tables.FORMATS[task.settings.form](rows), work)
    write(out / "findings" / f"{name}.csv", _findings(findings), work)
    if validation:
        tally.counts["violations"].update(validation.counted())
        write(out / "violations" / f"{name}.csv", validation.table(), work)
    if task.settings.proofs:
        write(out / "proofs" / f"{name}.nq", b"".join(proofs), work)
    record = {"patients": counts, "rejected": [[one.patient, one.place, one.reason] for one in sorted(set(rejected))], "counts": tally.rows()}
    write(done, json.dumps(record, ensure_ascii=False).encode(), work)
    return counts["in"]


def write(path: Path, content: bytes, scratch: Path | None = None) -> None:
    """Write a file so that it is there whole or not at all, also after a power cut.

    `scratch`: a folder of the same file system for the unfinished file, where several processes may write one file at a time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = scratch / f"{path.name}.{os.getpid()}" if scratch else path.with_name(f".{path.name}")
    with half.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    half.replace(path)


@lru_cache(maxsize=1)
def _ready(settings: Settings) -> tuple[Judge, Names, CodeIndex]:
    """Guideline and codes, loaded once a process."""
    guideline = load(settings.guideline, tuple(Path(file) for file in settings.guideline_files))
    index, _ = inputs.codes(Path(settings.codes) if settings.codes else None)
    return Judge(guideline, date.fromisoformat(settings.as_of)), Names(guideline), index


def _checks(settings: Settings) -> tuple[Validation | None, Callable[[inputs.Inputs], list[Triple]]]:
    """What validates a partition, if that is asked for, and what is left of a file once it is checked."""
    if not settings.validate:
        return None, partial(inputs.safe, further=tuple(map(Path, settings.guideline_files)))
    from kg.cohort.validating import Validation

    validation = Validation(settings.guideline_files)
    return validation, validation.safe


def _judged(judge: Judge, batch: Batch, proofs: list[bytes] | None) -> list[Judged]:
    """The verdicts of a batch; with `proofs`, what proves them is added there, a graph a patient.

    Where something stops the derivation, each patient is judged alone, and who stops it is rejected."""
    if not batch.triples:
        return []
    try:
        return _with_proofs(judge, batch.triples, proofs)
    except Exception as error:  # whatever it is, it must not stop the others
        patients = by_patient(batch.triples)
        if len(patients) == 1:
            batch.rejected.append(Rejection(*patients, "", f"could not be judged ({type(error).__name__}); please report it"))
            return []
        found: list[Judged] = []
        for own in patients.values():
            alone = Batch(triples=own)
            found += _judged(judge, alone, proofs)
            batch.rejected += alone.rejected
        return found


def _with_proofs(judge: Judge, facts: list[Triple], proofs: list[bytes] | None) -> list[Judged]:
    if proofs is None:
        return judge.judge(facts)
    from kg.cohort.proving import proved

    patients, quads = proved(judge, facts)
    proofs.append(quads)
    return patients


def _findings(found: list[Finding]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_FINDING)
    writer.writerows([getattr(one, name) for name in _FINDING] for one in found)
    return text.getvalue().encode()


def rejections(rows: Iterator[Rejection]) -> bytes:
    """The list of what could not be read, as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("patient", "place", "reason"))
    writer.writerows((one.patient, one.place, one.reason) for one in rows)
    return text.getvalue().encode()

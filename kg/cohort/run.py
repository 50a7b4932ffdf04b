"""A whole run: inputs to partitions, partitions to files, files to a summary. What is done stays done when it is called again."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

from kg import __version__
from kg.cohort import shuffle
from kg.cohort.partition import Settings, Task, rejections, write
from kg.cohort.reading import Rejection
from kg.cohort.runners import Runner
from kg.cohort.tally import KEYS, Tally
from kg.errors import InputError
from kg.paths import data
from kg.queries import folder

#: Files that stand for themselves in a partition, when there is no export to shuffle.
_FILES = 200
_RECORDS = (".json", ".ttl", ".nt", ".nq", ".trig", ".rdf", ".jsonld", ".xml", ".owl")

Progress = Callable[[str, int, int], None]
#: A file and the name to call it by.
Named = tuple[str, Path]


def cohort(places: list[Path], settings: Settings, runner: Runner, jobs: int, step: Progress = lambda what, done, whole: None) -> dict:
    """Run or go on with a run: its summary, which is also written to `summary.json`.

    `step` is told what happens: what it is, how many patients or lines are done, how many partitions there are in all.
    Raises InputError when there is nothing to read, or `settings.out` holds another run."""
    out = Path(settings.out)
    work, finished = out / "work", out / "summary.json"
    exports, files = _inputs(places)
    _same(out, _identity([*exports, *files], settings))
    if finished.exists():
        shutil.rmtree(work, ignore_errors=True)
        return json.loads(finished.read_text("utf-8"))
    tasks = _plan(work, exports, files, settings, step)
    done = 0
    for number, patients in enumerate(runner(tasks, jobs), 1):
        done += patients
        step(f"{number} of {len(tasks)} partitions", done, len(tasks))
    return _finish(out, work, tasks, settings)


def _inputs(places: list[Path]) -> tuple[list[Named], list[Named]]:
    """The files of bulk exports, and those that stand for themselves, in order of their names; called by their paths from where all of them lie."""
    found: list[Path] = []
    for place in places:
        if place.is_dir():
            found += sorted(path for path in place.rglob("*") if path.is_file() and (shuffle.is_export(path) or path.suffix in _RECORDS))
        elif place.is_file():
            found.append(place)
        else:
            raise InputError(str(place), "input", "no such file or folder", "give a bulk export, a folder of bundles, or patient RDF")
    if not found:
        raise InputError(", ".join(map(str, places)), "input", "nothing to read in it", "give NDJSON files (.ndjson, .ndjson.gz), bundles (.json) or patient RDF")
    root = Path(os.path.commonpath([path.parent for path in found]))
    named = [(path.relative_to(root).as_posix(), path) for path in dict.fromkeys(found)]
    exports = [one for one in named if shuffle.is_export(one[1])]
    files = [one for one in named if not shuffle.is_export(one[1])]
    if exports and files:
        raise InputError(files[0][0], "input", "a bulk export and single records together", "run them one after the other, into a folder each")
    return exports, files


def _identity(files: list[Named], settings: Settings) -> dict:
    """What makes a run this one: another version, guideline, option or input gives other files."""
    digest = hashlib.sha256()
    for query in (*folder("derive"), *folder("cohort")):
        digest.update(query.text.encode())
    for path in (*sorted(data("ontology").rglob("*.ttl")), *map(Path, settings.guideline_files), *((Path(settings.codes),) if settings.codes else ())):
        digest.update(path.read_bytes())
    own = {key: value for key, value in asdict(settings).items() if key != "out"}
    return {"version": __version__, "rules": digest.hexdigest(), "settings": json.loads(json.dumps(own)),
            "inputs": [[name, path.stat().st_size, path.stat().st_mtime_ns] for name, path in files]}


def _same(out: Path, identity: dict) -> None:
    path = out / "run.json"
    if path.exists():
        known = json.loads(path.read_text("utf-8"))
        other = [key for key in identity if known.get(key) != identity[key]]
        if other:
            raise InputError(str(out), "run.json", f"holds a run with other {' and '.join(other)}", "give a new folder")
    elif out.exists() and any(one.name != f".{path.name}" for one in out.iterdir()):  # that one is of a run killed at once
        raise InputError(str(out), "-o", "is not empty", "give a new folder")
    else:
        write(path, (json.dumps(identity, indent=1) + "\n").encode())


def _plan(work: Path, exports: list[Named], files: list[Named], settings: Settings, step: Progress) -> list[Task]:
    if not exports:
        work.mkdir(exist_ok=True)
        cut = [files[start : start + _FILES] for start in range(0, len(files), _FILES)]
        return [Task(settings, number, tuple((name, str(path)) for name, path in part)) for number, part in enumerate(cut)]
    ready = work / "partitions"
    if not ready.exists():
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        count = shuffle.shuffle(exports, work, lambda name, lines: step(f"sorting {name}", lines, 0))
        write(ready, str(count).encode())
    return [Task(settings, number) for number in range(int(ready.read_text()))]


def _finish(out: Path, work: Path, tasks: list[Task], settings: Settings) -> dict:
    tally, counts, bad = Tally(), {"in": 0, "out": 0, "entries": 0, "ignored": 0}, 0
    for record in _records(work, tasks):
        tally.merge(record["counts"])
        bad += sum(not patient for patient, _, _ in record["rejected"])
        for key in counts:
            counts[key] += record["patients"][key]
    write(out / "rejected.csv", rejections(Rejection(*row) for record in _records(work, tasks) for row in record["rejected"]))
    summary = {
        "asOf": settings.as_of, "guideline": settings.guideline,
        "patients": {"in": counts["in"], "out": counts["out"], "rejected": counts["in"] - counts["out"]},
        "entries": {"read": counts["entries"], "ignored": counts["ignored"], "ofNobody": bad},
        "counts": {key: [dict(zip((*KEYS[key], "number"), row, strict=True)) for row in rows] for key, rows in _by_key(tally).items() if key != "violations" or settings.validate},
    }
    write(out / "summary.json", (json.dumps(summary, ensure_ascii=False, indent=1) + "\n").encode())
    shutil.rmtree(work)
    return summary


def _by_key(tally: Tally) -> dict[str, list[list]]:
    return {key: [row[1:] for row in tally.rows() if row[0] == key] for key in KEYS}


def _records(work: Path, tasks: list[Task]) -> Iterator[dict]:
    for task in tasks:
        yield json.loads((work / f"{task.number:05}.json").read_text("utf-8"))

"""What a partition holds, patient by patient: the facts of those that can be read, and why the others cannot."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from kg import fhir, inputs
from kg.codes import CodeIndex
from kg.cohort import shuffle
from kg.engine import Triple
from kg.errors import InputError
from kg.evaluate import by_patient
from kg.fhir import Finding, Unread
from kg.fhir.findings import VIOLATION


@dataclass(frozen=True, order=True)
class Rejection:
    """Why a patient has no verdicts, or a line belongs to nobody (`patient` is empty then); `place` is `file:line`, or a file."""

    patient: str
    place: str
    reason: str


@dataclass
class Batch:
    """Some patients' facts, and what the importer found."""

    triples: list[Triple] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)
    patients: int = 0
    entries: int = 0
    ignored: int = 0


def exported(folder: Path, partition: int, codes: CodeIndex, size: int) -> Iterator[Batch]:
    """The patients of a shuffled export, so many at a time."""
    mine: dict[str, list[tuple[str, object]]] = defaultdict(list)
    rejected: list[Rejection] = []
    for line in shuffle.lines(folder, partition):
        mine[line.owner].append((line.place, fhir.read_line(line.raw)))
    rejected += [Rejection("", place, _of_nobody(resource)) for place, resource in mine.pop("", ())]
    good: list[str] = []
    for owner in sorted(mine):
        why = list(_unreadable(owner, mine[owner]))
        rejected += why
        if not why:
            good.append(owner)
    yield Batch(rejected=rejected, entries=sum(map(len, mine.values())))
    for start in range(0, len(good), size):
        owners = good[start : start + size]
        documents = [document for owner in owners for document in mine[owner]]
        common = [(line.place, fhir.read_line(line.raw)) for line in shuffle.shared(folder, _referred(documents))]
        yield _lifted(owners, documents, common, mine, codes)


def given(files: list[tuple[str, Path]], codes: CodeIndex, size: int, safe: Callable[[inputs.Inputs], list[Triple]]) -> Iterator[Batch]:
    """The patients of files that stand for themselves (a Bundle, patient RDF; each with the name to call it by), so many at a time;
    `safe` gives the facts of a file that can be read safely."""
    batch, seen = Batch(), set()
    for name, path in files:
        found = inputs.read([name], codes, partial(_content, path))
        batch.rejected += [Rejection(name, name, _why(error)) for error in found.errors]
        if not found.patients and not found.errors:
            batch.rejected.append(Rejection(name, name, "no patient in it"))
        people = {node.value for node in found.patients}
        facts = by_patient(safe(found))
        unsafe = found.report.results if found.report else ()  # what they name is left out
        batch.findings += [*found.findings, *(Finding(VIOLATION, one.focus, one.path or "", one.message, name) for one in unsafe if one.severity == "Violation")]
        batch.entries += found.entries
        batch.ignored += found.ignored
        for patient, own in facts.items():
            if patient not in people:
                batch.rejected.append(Rejection(patient, name, "facts name it and no pt:Patient is there; add the patient"))
            elif patient in seen:
                batch.rejected.append(Rejection(patient, name, "stands in another file as well; give each patient once"))
            else:
                seen.add(patient)
                batch.triples += own
                batch.patients += 1
            if batch.patients >= size:
                yield batch
                batch = Batch()
    yield batch


def _content(path: Path, name: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(name, "file", error.strerror or "cannot be read", "give the path of a readable file") from None


def _why(error: InputError) -> str:
    return " ".join(filter(None, (f"{error.place}:", error.message + ";", error.remedy)))


def _of_nobody(resource: object) -> str:
    if isinstance(resource, Unread):
        return resource.message
    return "a Patient without an id; give it one" if resource.get("resourceType") == "Patient" else "names no patient; add the reference"


def _unreadable(owner: str, documents: list[tuple[str, object]]) -> Iterator[Rejection]:
    """What keeps a patient from being judged: a line that cannot be read may hold what bars a treatment."""
    for place, resource in documents:
        if isinstance(resource, Unread):
            yield Rejection(owner, place, resource.message)
    people = [(place, one) for place, one in documents if isinstance(one, dict) and one.get("resourceType") == "Patient"]
    if not people and not any(isinstance(one, Unread) for _, one in documents):
        yield Rejection(owner, documents[0][0], "names a Patient that is not there; add the Patient or correct the reference")
    for place, one in people[1:]:
        if one != people[0][1]:
            yield Rejection(owner, place, "a second Patient with this id that says something else; keep one")


def _referred(documents: list[tuple[str, object]]) -> set[str]:
    """What resources name that may belong to no patient (Type/id)."""
    found, todo = set(), [resource for _, resource in documents]
    while todo:
        node = todo.pop()
        if isinstance(node, dict):
            todo.extend(node.values())
            reference = node.get("reference")
            if isinstance(reference, str) and not reference.startswith("#"):
                found.add("/".join(reference.split("/_history/")[0].rsplit("/", 2)[-2:]))
        elif isinstance(node, list):
            todo.extend(node)
    return found


def _lifted(owners: list[str], documents: list, common: list, mine: dict, codes: CodeIndex) -> Batch:
    """A batch read; where something in it stops the importer, each patient by itself."""
    try:
        lifted = fhir.lift([*documents, *common], codes)
        triples, more = inputs.answered(lifted.triples, lifted, codes)
    except Exception as error:  # whatever it is, it must not stop the others
        if len(owners) == 1:
            return Batch(rejected=[Rejection(owners[0], mine[owners[0]][0][0], f"could not be read ({type(error).__name__}); please report it")])
        whole = Batch()
        for owner in owners:
            one = _lifted([owner], mine[owner], common, mine, codes)
            whole.triples += one.triples
            whole.findings += one.findings
            whole.rejected += one.rejected
            whole.patients += one.patients
            whole.ignored += one.ignored
        return whole
    findings = [*lifted.findings, *(finding for finding in more if finding not in lifted.findings)]
    return Batch(triples, findings, [], len(owners), 0, lifted.ignored)

"""The verdict table of a partition as CSV, NDJSON or Parquet: one row a patient and treatment, the same bytes every time."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from importlib.util import find_spec

from kg.cohort.judging import Judged
from kg.cohort.tally import Names, hyphenated
from kg.errors import InputError
from kg.terms import GL, local

COLUMNS = ("patient", "iri", "treatment", "verdict", "strength", "current", "reason", "recommendations", "missing", "flags")
#: Columns that hold several words; in CSV they are joined by semicolons.
LISTS = ("recommendations", "missing", "flags")


def table(patients: Iterable[Judged], names: Names) -> Iterator[dict]:
    """The rows of patients. `recommendations`: the rules that apply to the treatment, of an undetermined one those that may as well."""
    for patient in patients:
        flags = [names.short(flag) for flag, _ in patient.about(GL.RaisedFlag)]
        for treatment in names.treatments:
            verdict, strength, current, reason = patient.verdicts[treatment]
            said = hyphenated(verdict)
            least = 1 if said == "undetermined" else 2
            rules = dict.fromkeys(names.short(rule) for rule in names.rules if patient.rules.get((rule, treatment), 0) >= least)
            yield {"patient": patient.identifier, "iri": patient.iri, "treatment": names.short(treatment), "verdict": said, "strength": hyphenated(strength) if strength else None,
                   "current": current, "reason": hyphenated(reason) if reason else None, "recommendations": [] if said == "not-applicable" else list(rules),
                   "missing": sorted(map(local, patient.missing.get(treatment, ()))), "flags": flags}


def _csv(rows: Iterable[dict]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        cells = (";".join(row[name]) if name in LISTS else row[name] for name in COLUMNS)
        writer.writerow("true" if cell is True else "false" if cell is False else cell for cell in cells)
    return text.getvalue().encode()


def _ndjson(rows: Iterable[dict]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in rows).encode()


def _parquet(rows: Iterable[dict]) -> bytes:
    import pyarrow as pa
    from pyarrow import parquet

    kinds = {name: pa.list_(pa.string()) if name in LISTS else pa.bool_() if name == "current" else pa.string() for name in COLUMNS}
    sink = io.BytesIO()
    parquet.write_table(pa.Table.from_pylist(list(rows), schema=pa.schema(kinds.items())), sink, compression="zstd")
    return sink.getvalue()


#: How a table becomes bytes, by the ending of its file.
FORMATS: dict[str, Callable[[Iterable[dict]], bytes]] = {"csv": _csv, "ndjson": _ndjson, "parquet": _parquet}


def need(form: str) -> None:
    """Raises InputError when what writes this form is not installed."""
    if form == "parquet" and find_spec("pyarrow") is None:
        raise InputError("--format parquet", "set-up", "the module pyarrow is missing", "install the package with its extra `parquet`")

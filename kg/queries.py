"""The query files: one file, one question, described by its `#+` header."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from kg.paths import data

_HEADER = re.compile(r"^#\+ ([a-z]+): (.*)$", re.MULTILINE)
_PREFIX = re.compile(r"^PREFIX (\w*): <([^>]*)>", re.MULTILINE)
_NAME = re.compile(r"\b(\w*):(\w+)")


@dataclass(frozen=True)
class Query:
    """A query file: its name (the file's stem), its text and what its header says."""

    name: str
    text: str
    header: dict[str, str]

    @property
    def summary(self) -> str:
        return self.header["summary"]

    @property
    def names(self) -> set[str]:
        """The IRIs that it names by prefix."""
        prefixes = dict(_PREFIX.findall(self.text))
        return {prefixes[prefix] + name for prefix, name in _NAME.findall(self.text) if prefix in prefixes}


def read(path: Path) -> Query:
    """Read one query file.

    Raises ValueError naming the file when the header lacks a summary."""
    text = path.read_text(encoding="utf-8")
    header = dict(_HEADER.findall(text))
    if "summary" not in header:
        raise ValueError(f"{path}: the header has no '#+ summary:' line; add one that says what the query answers")
    return Query(path.stem, text, header)


@cache
def folder(name: str) -> tuple[Query, ...]:
    """The queries of one folder of `queries/`, in the order of their file names."""
    return tuple(read(path) for path in sorted(data("queries", name).glob("*.rq")))

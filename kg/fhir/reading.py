"""From bytes to FHIR resources: a Bundle, a single resource, or one resource a line (bulk export)."""

from __future__ import annotations

import codecs
import json
import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from kg.errors import InputError
from kg.fhir.types import DEFINITIONS, RESOURCES

# an escaped backslash, a whole pair, or (captured) half of a character outside the basic plane
_HALF = re.compile(r"\\\\|\\u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|(\\u[dD][89a-fA-F][\da-fA-F]{2})")
_LONGEST_INTEGER = 30

EXPECTED = "give a FHIR R4 Bundle, a clinical resource such as a Condition, or one resource a line"


@dataclass(frozen=True)
class Unread:
    """A line of a bulk export that could not be read; stands where its resource would."""

    message: str


@dataclass(frozen=True)
class Twice:
    """Stands where one JSON object gives one key twice with different content: neither is the record's word."""

    def __str__(self) -> str:
        return "given twice"


def parse(data: bytes, place: str) -> list[tuple[str, object]]:
    """The resources of one input, each with its place (file, or file and line);
    a line that cannot be read is an `Unread`.

    Raises InputError when nothing can be read: empty, not text, not JSON or cut short (with line and column), not FHIR,
    or a resource that says nothing of a patient."""
    text = _decode(data, place)
    if not text.strip():
        raise InputError(place, "file", "is empty", EXPECTED)
    try:
        value = _loads(text)
    except json.JSONDecodeError as error:
        lines = _lines(text, place)
        if lines is not None:
            return lines
        raise _not_json(text, place, error) from error
    except RecursionError as error:
        raise InputError(place, "file", "is nested too deeply to be FHIR", EXPECTED) from error
    problem = _problem(value)
    if problem:
        raise InputError(place, *problem)
    return [(place, value)]


def _decode(data: bytes, place: str) -> str:
    marks = (
        (codecs.BOM_UTF32_LE, "utf-32"),
        (codecs.BOM_UTF32_BE, "utf-32"),
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    )
    encoding = next((name for mark, name in marks if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise InputError(place, f"byte {error.start}", "is not text", "give JSON in UTF-8, not compressed") from error
    if "\0" in text:
        raise InputError(place, "file", "is not text", "give JSON in UTF-8, not compressed")
    return text


def _loads(text: str) -> object:
    """JSON with exact numbers; half a character becomes U+FFFD, as no text can hold it."""
    if "\\u" in text:
        text = _HALF.sub(lambda found: r"\ufffd" if found[1] else found[0], text)
    return json.loads(text, parse_float=_decimal, parse_int=_integer, object_pairs_hook=_object)


def _decimal(digits: str) -> Decimal:
    try:
        return Decimal(digits)
    except InvalidOperation:  # an exponent beyond all bounds
        return Decimal("Infinity")


def _integer(digits: str) -> int | Decimal:
    return int(digits) if len(digits) <= _LONGEST_INTEGER else Decimal(digits)


def _object(pairs: list[tuple[str, object]]) -> dict:
    found = dict(pairs)
    if len(found) < len(pairs):
        doubled = {key for key, value in pairs if value != found[key]}
        found.update(dict.fromkeys(doubled, Twice()))
    return found


def _lines(text: str, place: str) -> list[tuple[str, object]] | None:
    """The resources of a file with one a line; None when it is not such a file."""
    numbered = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    if len(numbered) < 2:
        return None
    read = [(f"{place}:{number}", _line(line)) for number, line in numbered]
    good = sum(not isinstance(resource, Unread) for _, resource in read)
    return read if good and (good * 2 >= len(read) or not isinstance(read[0][1], Unread)) else None


def read_line(raw: bytes) -> object:
    """The resource of one line of a bulk export, or an `Unread`."""
    try:
        return _line(raw.removeprefix(codecs.BOM_UTF8).decode())
    except UnicodeDecodeError as error:
        return Unread(f"is not UTF-8 (byte {error.start + 1}); correct the line")


def _line(line: str) -> object:
    try:
        value = _loads(line)
    except (ValueError, RecursionError) as error:
        return Unread(f"is not JSON ({getattr(error, 'msg', 'cannot be read')}); correct the line")
    problem = _problem(value)
    return Unread(f"{problem[1]}; {problem[2]}") if problem else value


def _problem(value: object) -> tuple[str, str, str] | None:
    """Place, fault and remedy when a top-level value is not a resource that this reader takes."""
    if not isinstance(value, dict) or "resourceType" not in value:
        return ("resourceType", "is not FHIR: no resourceType", EXPECTED)
    kind = value["resourceType"]
    if not isinstance(kind, str) or kind not in RESOURCES:
        return ("resourceType", f"'{str(kind)[:40]}' is not a FHIR R4 resource type", EXPECTED)
    if kind in DEFINITIONS:
        return ("resourceType", f"{kind} says nothing of a patient", EXPECTED)
    return None


def _not_json(text: str, place: str, error: json.JSONDecodeError) -> InputError:
    if text.lstrip().startswith("<"):
        return InputError(place, "line 1", "is XML, not JSON", "give the JSON form")
    cut = error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated")
    what = "ends in the middle: it is cut short" if cut else f"is not JSON ({error.msg})"
    return InputError(
        place, f"line {error.lineno}, column {error.colno}", what, "give the whole file" if cut else "correct the file"
    )

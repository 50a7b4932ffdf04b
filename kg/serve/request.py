"""What a client asks of the SPARQL endpoint: SPARQL 1.1 Protocol, section 2.1, as one value or one `Problem`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl

from kg.serve.problem import Problem
from kg.serve.words import words

FORM, QUERY, UPDATE = "application/x-www-form-urlencoded", "application/sparql-query", "application/sparql-update"
_READ_ONLY = Problem(403, "read-only", "This endpoint answers queries; it takes no update.")


@dataclass(frozen=True)
class Asked:
    """A query, the dataset that the protocol gives it (None: the store's own), and the formats the client takes."""

    query: str
    default_graphs: tuple[str, ...] | None
    named_graphs: tuple[str, ...] | None
    accept: str | None


def read(method: str, query_string: str, content_type: str | None, body: bytes, accept: str | None) -> Asked | None:
    """What is asked; None for a GET without any query, which asks for the service description.

    Raises Problem: 400 malformed, 403 an update, 415 a body of another type."""
    found = pairs(query_string.encode("latin-1"), "the query string")
    if method == "POST":
        media, charset = _media(content_type)
        if charset not in ("utf-8", "utf8", "us-ascii"):
            raise Problem(415, "not UTF-8", "Send the body in UTF-8.")
        if media == UPDATE:
            raise _READ_ONLY
        if media == FORM:
            found += pairs(body, "the form")
        elif media == QUERY:
            found.append(("query", _text(body, "the body")))
        else:
            raise Problem(415, "unsupported media type", f"Send the query as {FORM} or as {QUERY}.",
                          headers={"Accept-Post": f"{FORM}, {QUERY}"})
    named = [name for name, _ in found]
    if "update" in named or "using-graph-uri" in named or "using-named-graph-uri" in named:
        raise _READ_ONLY if method == "POST" else Problem(400, "an update by GET", "Updates are not taken, by GET least of all.")
    queries = [value for name, value in found if name == "query"]
    if not queries and method == "GET" and not found:
        return None
    if len(queries) != 1:
        raise Problem(400, "one query expected", f"The request has {len(queries)} queries: give exactly one.")
    _harmless(queries[0])
    default, graphs = _values(found, "default-graph-uri"), _values(found, "named-graph-uri")
    if default or graphs:
        return Asked(queries[0], default, graphs, accept)
    return Asked(queries[0], None, None, accept)


def _harmless(query: str) -> None:
    if "SERVICE" in words(query):
        raise Problem(403, "no SERVICE", "Queries are not passed on to other endpoints: ask them yourself.")
    if "\x00" in query:
        raise Problem(400, "not text", "The query holds a NUL character: remove it.")


def _values(pairs: Sequence[tuple[str, str]], name: str) -> tuple[str, ...]:
    return tuple(value for key, value in pairs if key == name)


def pairs(text: bytes, place: str) -> list[tuple[str, str]]:
    """The fields of a form. Raises Problem 400."""
    try:
        return parse_qsl(_text(text, place), keep_blank_values=True, errors="strict", max_num_fields=100)
    except UnicodeDecodeError:
        raise Problem(400, "not UTF-8", f"{place.capitalize()} is not UTF-8: encode it so.") from None
    except ValueError:
        raise Problem(400, "too many fields", f"{place.capitalize()} has more than 100 fields.") from None


def _text(body: bytes, place: str) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        raise Problem(400, "not UTF-8", f"{place.capitalize()} is not UTF-8: encode it so.") from None


def _media(content_type: str | None) -> tuple[str, str]:
    media, *parameters = (part.strip() for part in (content_type or "").split(";"))
    charset = next((value.strip(' "').lower() for name, _, value in (p.partition("=") for p in parameters)
                    if name.strip().lower() == "charset"), "utf-8")
    return media.lower(), charset

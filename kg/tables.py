"""Query results as a table, JSON, CSV, XML or Turtle."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pyoxigraph as ox

from kg.engine import Engine
from kg.errors import InputError
from kg.paths import data
from kg.queries import folder

_CODES = "https://w3id.org/sacroiliitis-kg/codes"


def find(name: str) -> str:
    """The text of a query: by its name in `queries/`, or of a file.

    Raises InputError when there is none."""
    for place in ("ask", "check", "derive"):
        for one in folder(place):
            if one.name == name:
                return one.text
    try:
        return Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise InputError(name, "query", "no query of that name and no such file", "`kg queries` lists the names") from None


def add_codes(store: Engine, text: str) -> None:
    """Load the code mappings when the query's header says that it needs them."""
    if _CODES in text:
        for path in sorted(data("ontology").glob("codes*.ttl")):
            store.add(quad.triple for quad in ox.parse(path=str(path), format=ox.RdfFormat.TURTLE))


def run(store: Engine, text: str, name: str, form: str) -> str:
    """Run a query and give its result in a form: table, json, csv, xml or turtle.

    Raises InputError when the query is faulty, or its kind does not go with the form."""
    kind = _kind(text)
    try:
        if kind == "construct":
            return ox.serialize(store.construct(text), format=ox.RdfFormat.TURTLE).decode()
        if kind == "ask":
            return json.dumps({"head": {}, "boolean": store.ask(text)}) + "\n"
        names, rows = store.select(text)
    except Exception as error:  # each engine has its own family of errors for a faulty query
        raise InputError(name, "query", str(error).splitlines()[0], "correct the query") from None
    if form == "turtle":
        raise InputError(name, "--format turtle", "a SELECT gives rows", "choose table, json, csv or xml")
    return write(names, rows, form)


def write(names: list[str], rows: list[tuple], form: str) -> str:
    """Rows of terms (None: unbound) as a table for people, or in the W3C's result formats: json, csv, tsv or xml."""
    return {"table": _table, "json": _json, "csv": _csv, "tsv": _tsv, "xml": _xml}[form](names, rows)


def _kind(text: str) -> str:
    import re

    words = re.findall(r"\b(SELECT|CONSTRUCT|DESCRIBE|ASK)\b", re.sub(r"(?m)#.*$|<[^>]*>", " ", text), re.IGNORECASE)
    first = words[0].lower() if words else "select"
    return "construct" if first == "describe" else first


def _short(term) -> str:
    return "" if term is None else term.value.rsplit("#", 1)[-1] if isinstance(term, ox.NamedNode) else term.value


def _table(names: list[str], rows: list[tuple]) -> str:
    from rich.console import Console
    from rich.table import Table

    table = Table(*names)
    for row in rows:
        table.add_row(*map(_short, row))
    buffer = io.StringIO()
    Console(file=buffer, width=200, highlight=False).print(table)
    return buffer.getvalue()


def _binding(term) -> dict:
    if isinstance(term, ox.NamedNode):
        return {"type": "uri", "value": term.value}
    if isinstance(term, ox.BlankNode):
        return {"type": "bnode", "value": term.value}
    extra = {"xml:lang": term.language} if term.language else {"datatype": term.datatype.value}
    return {"type": "literal", "value": term.value, **extra}


def _json(names: list[str], rows: list[tuple]) -> str:
    bindings = [{name: _binding(term) for name, term in zip(names, row, strict=True) if term is not None} for row in rows]
    return json.dumps({"head": {"vars": names}, "results": {"bindings": bindings}}, ensure_ascii=False) + "\n"


def _csv(names: list[str], rows: list[tuple]) -> str:
    import csv

    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(names)
    writer.writerows([["" if term is None else term.value for term in row] for row in rows])
    return buffer.getvalue()


def _tsv(names: list[str], rows: list[tuple]) -> str:
    lines = ["\t".join(f"?{name}" for name in names)]
    lines += ["\t".join("" if term is None else str(term) for term in row) for row in rows]
    return "\n".join(lines) + "\n"


def _xml(names: list[str], rows: list[tuple]) -> str:
    from xml.sax.saxutils import escape, quoteattr

    def cell(name: str, term) -> str:
        one = _binding(term)
        lang = f" xml:lang={quoteattr(one['xml:lang'])}" if "xml:lang" in one else f" datatype={quoteattr(one['datatype'])}" if "datatype" in one else ""
        tag = one["type"]
        return f"<binding name={quoteattr(name)}><{tag}{lang}>{escape(one['value'])}</{tag}></binding>"

    head = "".join(f"<variable name={quoteattr(name)}/>" for name in names)
    body = "".join("<result>" + "".join(cell(name, term) for name, term in zip(names, row, strict=True) if term is not None) + "</result>" for row in rows)
    return f'<?xml version="1.0"?>\n<sparql xmlns="http://www.w3.org/2005/sparql-results#"><head>{head}</head><results>{body}</results></sparql>\n'

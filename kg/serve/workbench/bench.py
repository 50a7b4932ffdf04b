"""The frame of the workbench's own pages, and the questions that they offer."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment
from markupsafe import Markup

from kg.docs.render import HERE as DOCS
from kg.docs.render import environment
from kg.guideline import Guideline
from kg.queries import Query, folder
from kg.serve.problem import Problem
from kg.terms import RDFS
from kg.validate import Result

HERE = Path(__file__).parent
#: The places of the workbench: path from its root, name.
PLACES = (("./", "Overview"), ("patient", "Patient"), ("query", "Query"), ("docs/index.html", "Documentation"))
_OF_PATIENTS = re.compile(r"SELECT[^{]*\?patient\b")


@dataclass(frozen=True)
class Form:
    """What was sent from the form of the patient page: the record as pasted, the day and the question."""

    record: str = ""
    as_of: str = ""
    question: str = ""


@dataclass(frozen=True)
class Checked:
    """What importer and shapes say of a record: rows of severity, where, property or element, what is wrong."""

    rows: tuple[tuple[str, str, str, str], ...]
    entries: int
    ignored: int

    @property
    def violations(self) -> int:
        return sum(row[0] == "violation" for row in self.rows)


@dataclass(frozen=True)
class Bench:
    """What all pages share: title and version of the guideline, further files that it was loaded from, its reasoned release,
    how many patients are in the endpoint."""

    title: str
    version: str
    files: tuple[Path, ...] = ()
    release: Path | None = None
    served: int = 0
    bench: tuple[tuple[str, str], ...] = PLACES

    def page(self, template: str, title: str, here: str, style: str = "docs/style.css", scripts: Iterable[str] = (), **context) -> str:
        """One page of the workbench."""
        return _environment().get_template(template).render(
            site=self, title=title, summary=title, here=here, home="./", current="page", styles=(style, *context.pop("styles", ())), scripts=tuple(scripts),
            spread=False, file=lambda to: to, **context,
        )  # fmt: skip

    def part(self, template: str, **context) -> Markup:
        """A part of a page."""
        return Markup(_environment().get_template(template).render(**context))

    def patient(self, form: Form = Form(), problem: Problem | None = None, faults: Iterable[str] = (), checked: Checked | None = None,
                body: Markup = Markup(), heading: str = "", shown: str = "") -> str:
        """The page for a patient: the form; with `problem` why there is no answer, with `body` the answer, under a heading
        unless it has its own."""
        return self.page(
            "patient.html", "Patient", "patient", "assets/patient.css", ("assets/patient.js",), form=form, problem=problem, faults=tuple(faults),
            checked=checked, body=body, heading=heading, shown=shown, questions=[one for one in questions() if about_patients(one)],
        )  # fmt: skip


def bench(guideline: Guideline, files: Iterable[Path] = (), release: Path | None = None, served: int = 0) -> Bench:
    """The frame of the pages about a guideline; the rest as in `Bench`."""
    return Bench(guideline.index.text(guideline.iri, RDFS.label) or guideline.slug, guideline.version, tuple(files), release, served)


def questions() -> tuple[Query, ...]:
    """The saved questions for people, by name."""
    return folder("ask")


def about_patients(query: Query) -> bool:
    """Does its answer have a column for the patient?"""
    return bool(_OF_PATIENTS.search(query.text))


def finding(one: Result) -> tuple[str, str, str, str]:
    """What the shapes say of a fact, as a row of `Checked`."""
    about, name, value, message = one.said
    return one.severity.lower(), about, ": ".join(filter(None, (name, value))), message


@cache
def _environment() -> Environment:
    return environment(HERE / "templates", DOCS / "templates")

"""The report of a population as one HTML page, from the counts of a summary alone.

It loads nothing and needs no script; a million patients make no longer page than ten."""

from __future__ import annotations

import json
from pathlib import Path

from markupsafe import Markup

from kg import report as of_patients
from kg.cohort.report.figures import Figures
from kg.cohort.report.view import View
from kg.docs.book import read
from kg.docs.render import environment, shared_style, shown
from kg.errors import InputError
from kg.guideline import Guideline

_HERE = Path(__file__).parent
_SHEETS = Path(of_patients.__file__).parent


def check(path: Path, out: Path) -> None:
    """Look at the path of a report before a run into `out`. Raises InputError when none can be written there."""
    if path.suffix not in (".html", ".htm"):
        raise InputError(str(path), "--report", "no name for a page", "let it end with .html")
    if not path.parent.is_dir() and path.absolute().parent != out.absolute():
        raise InputError(str(path), "--report", "no such folder", "make the folder first")


def save(path: Path, summary: dict, guideline: Guideline, least: int = 0) -> list[Path]:
    """Write the report; with `least`, also the counts as it shows them, beside it as JSON. The files written."""
    figures = Figures(summary, guideline, least)
    texts = {path: page(figures)}
    if least:
        texts[path.with_suffix(".counts.json")] = json.dumps(figures.published(), ensure_ascii=False, indent=1) + "\n"
    for file, text in texts.items():
        try:
            file.write_text(text, encoding="utf-8")
        except OSError as error:
            raise InputError(str(file), "--report", error.strerror or "cannot be written", "give a path that can be written") from None
    return list(texts)


def page(figures: Figures) -> str:
    """The report as HTML. The same summary and guideline give the same bytes."""
    guideline = figures.guideline
    book = read(guideline)
    sheets = (_SHEETS / "assets" / "sheet.css").read_text(encoding="utf-8")
    style = shared_style() + sheets + (_HERE / "assets" / "cohort.css").read_text(encoding="utf-8")
    return environment(_HERE / "templates", _SHEETS / "templates").get_template("cohort.html").render(
        **shown(book), url=lambda iri: "", mark_findings=False, style=Markup(style), title="Population report", guideline=guideline,
        label=book.label(guideline.iri.value), as_of=figures.summary["asOf"], disclaimer=of_patients.disclaimer(book), view=View(figures, book), figures=figures,
    )  # fmt: skip

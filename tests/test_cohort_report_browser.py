"""The report of a population in a real browser: nothing is asked for, nothing complains, nothing is cut, on a phone and on paper."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kg.cli import app
from kg.cohort import report
from kg.cohort.report.figures import Figures
from tests.support import chromium, devtools, vignettes
from tests.support.pages import parse
from tests.test_report import having, words

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("cohort-browser"), pytest.mark.skipif(chromium.PROGRAM is None, reason="no Chromium on this machine")]
AXE = (Path(__file__).parent / "assets" / "axe" / "axe.min.js").read_text(encoding="utf-8")
WORD = re.compile(r'<word xMin="([\d.]+)" yMin="([\d.]+)" xMax="([\d.]+)" yMax="([\d.]+)">([^<]*)</word>')
PAPER = re.compile(r'<page width="([\d.]+)" height="([\d.]+)">(.*?)</page>', re.DOTALL)
printing = pytest.mark.skipif(shutil.which("pdftotext") is None, reason="no pdftotext on this machine")


@pytest.fixture(scope="module", params=[0, 5], ids=["all", "small cells hidden"])
def page(request, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    for line in (["simulate", "120", "-o", folder / "export"], ["cohort", folder / "export", "-o", folder / "out", "--as-of", "2026-03-02", "--jobs", "1"]):
        assert CliRunner().invoke(app, list(map(str, line))).exit_code == 0
    summary = json.loads((folder / "out" / "summary.json").read_text("utf-8"))
    path = folder / "page.html"
    path.write_text(report.page(Figures(summary, vignettes.guideline(), request.param)), encoding="utf-8")
    return path


def test_the_page_asks_for_nothing_and_complains_of_nothing(page, tmp_path):
    assert chromium.complaints(page, tmp_path) == []
    assert chromium.requests(page, tmp_path) == []


@pytest.mark.parametrize("width", [390, 1280])
def test_on_a_screen_nothing_is_cut_and_axe_finds_no_barrier(page, tmp_path, width):
    with devtools.page(tmp_path) as shown:
        shown.resize(width, 900)
        shown.open(page.as_uri())
        assert shown.evaluate("document.documentElement.scrollWidth") <= width
        wide = "[...document.querySelectorAll('td, th, p, dd, li, h2, h3')].filter(e => e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== 'inline').map(e => e.textContent.slice(0, 60))"
        assert shown.evaluate(wide) == []
        shown.evaluate(AXE + ";0")
        assert shown.evaluate("axe.run(document).then(all => all.violations.map(one => [one.impact, one.id, one.nodes.map(node => node.html.slice(0, 120))]))") == []


def printed(page: Path, folder: Path) -> list[tuple[float, float, list[tuple]]]:
    """The sheets of the page in print: width, height, and each word with its box."""
    assert chromium.sheets(page, folder) > 3
    found = subprocess.run(["pdftotext", "-bbox", folder / "page.pdf", "-"], capture_output=True, text=True, check=True).stdout
    return [(float(width), float(height), [(*map(float, box[:4]), box[4]) for box in WORD.findall(inner)]) for width, height, inner in PAPER.findall(found)]


@printing
def test_in_print_nothing_is_cut_and_every_row_is_there(page, tmp_path):
    sheets = printed(page, tmp_path)
    for width, height, boxes in sheets:
        assert boxes and all(30 < left and right < width - 30 and 20 < top and bottom < height - 10 for left, top, right, bottom, _ in boxes)
    said = "".join(word for _, _, boxes in sheets for *_, word in boxes)
    for row in having(parse(page.read_text("utf-8")), "data-row"):
        assert "".join(words(row.find("{*}th")).split())[:12].replace("&", "&amp;") in said


@printing
def test_in_print_no_heading_ends_a_sheet(page, tmp_path):
    headings = {words(one) for one in parse(page.read_text("utf-8")).iter() if one.tag.rpartition("}")[2] == "h2"}
    for _, height, boxes in printed(page, tmp_path):
        lowest = max(bottom for *_, bottom, word in boxes if bottom < height - 50)
        last = " ".join(word for _, _, _, bottom, word in boxes if bottom > lowest - 3 and bottom < height - 50)
        assert last not in headings

"""Reports in a real browser: nothing is asked for, nothing complains, the packet is one sheet."""

from __future__ import annotations

import pytest

from kg import fhir, report
from kg.evaluate import evaluate
from kg.results import results
from tests.support import chromium, vignettes
from tests.test_report import CASES, MAKERS, made

pytestmark = [pytest.mark.slow, pytest.mark.skipif(chromium.PROGRAM is None, reason="no Chromium on this machine")]
LOADING = '<!doctype html><title>x</title><img src="https://x.example/a.png"><script>console.error("no")</script>'


@pytest.mark.parametrize("maker", MAKERS)
@pytest.mark.parametrize("case", CASES)
def test_the_page_asks_for_nothing_and_complains_of_nothing(case, maker, tmp_path):
    page = tmp_path / "page.html"
    page.write_text(made(case, maker), encoding="utf-8")
    assert chromium.complaints(page, tmp_path) == []
    assert chromium.requests(page, tmp_path) == []


def test_what_asks_and_complains_is_found(tmp_path):
    page = tmp_path / "page.html"
    page.write_text(LOADING, encoding="utf-8")
    assert any("no" in one for one in chromium.complaints(page, tmp_path))
    assert any(one.startswith("https://x.example") for one in chromium.requests(page, tmp_path))


def test_the_packet_of_every_vignette_takes_one_sheet(tmp_path):
    counted = 0
    for vignette in vignettes.read_all(vignettes.OWN):
        facts = fhir.lift([(vignette.name, vignette.bundle)], vignettes.codes()).triples
        evaluation = evaluate(facts, vignettes.guideline(), vignette.as_of)
        rows = [row for row in results(evaluation) if row["documentation"]]
        if rows:
            page = tmp_path / "page.html"
            page.write_text(report.packet(evaluation, rows), encoding="utf-8")
            assert chromium.sheets(page, tmp_path) == len(rows), vignette.name
            counted += 1
    assert counted > 5

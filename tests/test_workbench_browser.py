"""The workbench in a real browser, as a person uses it: paste, open, click, type, download; on a wide screen and on a phone."""

from __future__ import annotations

import csv
import json
from datetime import date
from io import StringIO
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from kg import fhir
from kg.evaluate import evaluate
from kg.guidance.rules import Rules
from kg.serve.dataset import dataset
from kg.serve.workbench.bench import bench
from tests.support import chromium, devtools, vignettes
from tests.support.service import running

pytestmark = [
    pytest.mark.slow, pytest.mark.xdist_group("workbench-browser"),
    pytest.mark.skipif(chromium.PROGRAM is None, reason="no Chromium on this machine"),
]  # fmt: skip
ROOT = Path(__file__).parent.parent
DAY = date(2026, 3, 2)
EXAMPLE = ROOT / "examples" / "loss-of-response.json"
AXE = (ROOT / "tests" / "assets" / "axe" / "axe.min.js").read_text(encoding="utf-8")
WIDE, PHONE = (1280, 900), (390, 844)
PAGES = ("", "patient", "query", "docs/index.html", "docs/pathway.html", "docs/rules/R01.html", "docs/statements/S001.html", "docs/terms.html",
         "docs/criteria.html", "docs/terms/core/Verdict.html", "docs/queries/ask/thresholds.html")


@pytest.fixture(scope="module")
def service():
    guideline = vignettes.guideline()
    facts = fhir.lift([("example", json.loads(EXAMPLE.read_text(encoding="utf-8")))], vignettes.codes()).triples
    served = dataset(guideline, evaluate(facts, guideline, DAY))
    with running(served, Rules(guideline, vignettes.codes()), DAY, bench(guideline, served=1), workers=1, seconds=60.0) as found:
        yield f"http://127.0.0.1:{found.port}/"


@pytest.fixture
def page(service, tmp_path):
    """A page of a new browser; after each test it has asked nobody else, complained of nothing and kept nothing."""
    with devtools.page(tmp_path) as found:
        yield found
        outside = [one["url"] for one in found.requests if urlsplit(one["url"]).scheme in ("http", "https") and not one["url"].startswith(service)]
        assert outside == []
        assert found.complaints == []
        assert not any("?" in one["url"] or "#" in one["url"] for one in found.requests if one["url"].startswith(service))
        assert found.evaluate("localStorage.length + document.cookie.length") == 0
        kept = found.evaluate("Object.values(sessionStorage)")
        assert not any(set(one) - set("0123456789.;/") for one in kept)          # widths of columns


def serious(page: devtools.Page) -> list[str]:
    """What axe-core finds serious or critical on the page as it is."""
    page.evaluate(AXE + ";0")
    found = page.evaluate("axe.run(document).then(all => all.violations.map(one => [one.impact, one.id, one.nodes.map(node => node.html.slice(0, 120))]))")
    return [f"{name}: {nodes}" for impact, name, nodes in found if impact in ("serious", "critical")]


def judge(page: devtools.Page, service: str) -> None:
    """Paste the example and ask for the verdicts."""
    page.open(service + "patient")
    page.click("#record")
    page.paste(EXAMPLE.read_text(encoding="utf-8"))
    with page.loading():
        page.click("button.main")


def editor(page: devtools.Page, service: str) -> None:
    page.open(service + "query")
    page.wait("document.querySelector('.CodeMirror')")


def test_a_patient_is_pasted_and_a_proof_is_opened(page, service):
    judge(page, service)
    assert page.text("h1") == "pv-061" and page.evaluate("location.href") == service + "patient"
    assert [one["method"] for one in page.requests if one["url"].endswith("/patient")] == ["GET", "POST"]
    assert not page.evaluate("document.querySelector('.proof').open")
    page.click(".proof > summary")
    page.wait("document.querySelector('.proof').open")
    assert page.evaluate("document.querySelector('.proof .kg-sides').getBoundingClientRect().height > 50")
    with page.loading():
        page.click(".undrawn button")
    assert page.evaluate("getComputedStyle(document.querySelector('.kg-tl .grid')).stroke") != "none"        # its style is let in


def test_a_saved_question_is_asked_of_the_patient_and_downloaded(page, service):
    judge(page, service)
    page.evaluate("document.getElementById('question').value = 'eligible-treatments'")
    page.click("button[value=csv]")
    rows = list(csv.DictReader(StringIO(page.download("eligible-treatments.csv"))))
    assert "secukinumab" in {row["treatment"] for row in rows}
    with page.loading():
        page.click("button[value=table]")
    assert page.evaluate("document.querySelectorAll('.answer tbody tr').length") == len(rows)


def test_a_file_is_chosen(page, service):
    page.open(service + "patient")
    page.choose("#file", EXAMPLE)
    page.wait("document.getElementById('record').value")
    assert page.evaluate("document.getElementById('record').value") == EXAMPLE.read_text(encoding="utf-8")
    assert "loss-of-response.json" in page.text(".file [role=status]")
    page.evaluate("""(() => {
      const held = new DataTransfer();
      held.items.add(new File(["dropped"], "dropped.ttl"));
      document.getElementById("record").dispatchEvent(new DragEvent("drop", { dataTransfer: held, cancelable: true }));
    })()""")
    page.wait("document.getElementById('record').value === 'dropped'")


def test_without_a_script_a_patient_is_judged_and_a_query_is_sent(page, service):
    page.call("Emulation.setScriptExecutionDisabled", value=True)
    judge(page, service)
    assert page.text("h1") == "pv-061"
    page.open(service + "query")
    assert page.evaluate("document.querySelector('.CodeMirror') === null && document.getElementById('text').value.includes('SELECT')")
    with page.loading():
        page.click("#run")
    assert page.evaluate("location.pathname") == "/sparql"
    page.complaints.clear()             # the browser's own view of JSON wants a style that the answer's policy does not let in


def test_a_saved_query_is_run_with_labels_and_downloaded(page, service):
    editor(page, service)
    page.click("a[data-query$='/eligible-treatments.rq']")
    page.wait("document.querySelector('.yasr tbody td')")
    shown = page.text("#said")
    assert page.evaluate("document.querySelectorAll('.yasr a.iri').length") and not page.evaluate("document.querySelectorAll('.yasr a.iri[href^=http]').length")
    page.click("button[data-file='answer.csv']")
    rows = list(csv.DictReader(StringIO(page.download("answer.csv"))))
    assert shown.startswith(f"{len(rows)} rows") and "secukinumab" in {row["treatment"] for row in rows}
    page.click("button[data-file='answer.json']")
    assert len(json.loads(page.download("answer.json"))["results"]["bindings"]) == len(rows)
    page.click("a[data-query$='/thresholds.rq']")
    page.wait("document.querySelector('.yasr .named')")
    assert page.evaluate("[...document.querySelectorAll('.yasr a.iri')].some(one => one.getAttribute('href').startsWith('docs/'))")


def test_a_query_is_typed_and_a_term_completed_from_the_ontology(page, service):
    editor(page, service)
    page.click(".CodeMirror-lines")
    page.press("a", 65, 2)
    page.paste("PREFIX gl: <https://w3id.org/sacroiliitis-kg/core#>\nSELECT * { ?what a gl:MonitoringR")
    page.press(" ", 32, 2)
    page.wait("document.querySelector('.CodeMirror-hint')")
    assert page.text(".CodeMirror-hint") == "gl:MonitoringRule"
    page.press("Enter", 13)
    page.paste(" }")
    page.press("Enter", 13, 2)
    page.wait("document.querySelector('.yasr tbody td')")
    assert "row" in page.text("#said")


def test_what_is_wrong_with_a_query_is_said(page, service):
    editor(page, service)
    page.click(".CodeMirror-lines")
    page.press("a", 65, 2)
    page.paste("SELECT nonsense")
    page.click("#run")
    page.wait("document.getElementById('said').textContent.startsWith('malformed query')")
    assert page.evaluate("document.getElementById('result').hidden")
    page.complaints[:] = [one for one in page.complaints if "400" not in one]       # the browser's own note of the status


def test_the_keyboard_reaches_and_leaves_everything(page, service):
    editor(page, service)
    page.evaluate("document.querySelector('.CodeMirror').scrollIntoView(); document.querySelector('.CodeMirror textarea').focus()")
    for _ in range(4):
        page.press("Tab", 9)
        if page.evaluate("document.activeElement.id") == "run":
            break
    assert page.evaluate("document.activeElement.id") == "run"
    page.open(service + "patient")
    page.press("Tab", 9)
    assert page.evaluate("document.activeElement.className") == "skip"


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_nothing_serious_for_those_who_read_otherwise_and_nothing_cut(page, service, size):
    page.resize(*size)
    found: dict[str, list[str]] = {}

    def look(name: str) -> None:
        found[name] = serious(page)
        if page.evaluate("document.documentElement.scrollWidth") > size[0]:
            found[name].append("wider than the screen")

    for path in PAGES:
        page.open(service + path)
        look(path)
    judge(page, service)
    page.evaluate("for (const one of document.querySelectorAll('.proof')) one.open = true")
    look("verdicts")
    for show in ("timeline", "table"):
        with page.loading():
            page.click(f"button[value={show}]")
        look(show)
    editor(page, service)
    page.evaluate("for (const one of document.querySelectorAll('.saved details')) one.open = true")
    page.click("a[data-query$='/thresholds.rq']")
    page.wait("document.querySelector('.yasr .named')")
    look("answer")
    assert {name: faults for name, faults in found.items() if faults} == {}


def test_what_is_serious_or_cut_or_goes_outside_would_be_found(service, tmp_path):
    """The checks above can fail."""
    with devtools.page(tmp_path) as page:
        page.open(service + "patient")
        page.evaluate("document.querySelector('main').innerHTML = '<input><img src=\"http://127.0.0.1:9/a.png\">'; 0")
        assert any("label" in one for one in serious(page)) and page.complaints
        page.open("data:text/html,<img src='http://127.0.0.1:9/a.png'>")
        assert any(one["url"] == "http://127.0.0.1:9/a.png" for one in page.requests)

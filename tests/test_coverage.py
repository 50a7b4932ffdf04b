"""The source, line by line: a made-up text whose hashes are made here, and the real one where it is at hand."""

from __future__ import annotations

import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from kg.coverage import source_coverage, source_table
from kg.errors import InputError
from kg.guideline import load
from tests.support import vignettes

ROOT = Path(__file__).parent.parent
TEXT = ("A made-up heading", "Amberine warms.", "Bluemint cools.", "See the map.")
HEAD = """@prefix dcterms: <http://purl.org/dc/terms/> .
@prefix ex: <http://example.org/made-up#> .
@prefix gl: <https://w3id.org/sacroiliitis-kg/core#> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
<http://example.org/made-up> a owl:Ontology .
ex:guideline a gl:Guideline ; gl:slug "made-up" ; gl:derivedFrom ex:text .
ex:text a gl:SourceDocument .
ex:line-1 gl:noStatement "a heading" .
ex:line-4 gl:noStatement "not about care" .
"""
SOURCE = vignettes.SHARED / "source" / "refractory-sacroiliitis.txt"


@pytest.fixture
def guideline(tmp_path):
    """A guideline with four source lines: lines 2 and 3 have a statement, the others a reason why they have none."""
    return loaded(tmp_path, HEAD, statements=(2, 3))


def loaded(folder: Path, head: str, statements: tuple[int, ...]):
    file = folder / "made-up.ttl"
    nodes = [
        f'ex:line-{n} a gl:SourceLine ; gl:line {n} ; dcterms:isPartOf ex:text ; gl:sha256 "{digest(line)}" .'
        for n, line in enumerate(TEXT, 1)
    ]
    nodes += [f'ex:S{n} a gl:Statement ; gl:id "S{n}" ; gl:line {n} .' for n in statements]
    file.write_text(head + "\n".join(nodes), encoding="utf-8")
    return load("made-up", (file,))


def digest(line: str) -> str:
    return sha256(line.encode()).hexdigest()


def found(guideline, folder: Path, text: str) -> list[tuple[str, int]]:
    path = folder / "text.txt"
    path.write_bytes(text.encode())
    return [(one.kind, one.line) for one in source_coverage(guideline, path)]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("last", [True, False])
def test_the_same_text_has_no_finding_whatever_its_line_breaks(guideline, tmp_path, end, last):
    assert found(guideline, tmp_path, end.join(TEXT) + (end if last else "")) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (("A made-up heading", "Amberine warms a lot.", *TEXT[2:]), [("changed", 2)]),
        (("A made-up heading", "Amberine warms. ", *TEXT[2:]), [("changed", 2)]),
        ((*TEXT[:2], "Copper rings.", *TEXT[2:]), [("unaccounted", 3)]),
        ((*TEXT, "Copper rings."), [("unaccounted", 5)]),
        ((*TEXT[:2], "", *TEXT[2:]), []),
        ((TEXT[0], *TEXT[2:]), [("gone", 2)]),
        (TEXT[:2], [("gone", 3), ("gone", 4)]),
        ((TEXT[0], TEXT[2], TEXT[1], TEXT[3]), [("unaccounted", 2), ("gone", 3)]),
        ((), [("changed", 1), ("gone", 2), ("gone", 3), ("gone", 4)]),
    ],
)
def test_a_line_added_changed_or_lost_is_found_and_no_other(guideline, tmp_path, text, expected):
    assert sorted(found(guideline, tmp_path, "\n".join(text))) == sorted(expected)


def test_a_line_without_a_statement_needs_a_reason(tmp_path):
    bare = loaded(tmp_path, HEAD.replace('ex:line-4 gl:noStatement "not about care" .', ""), statements=(2,))
    assert found(bare, tmp_path, "\n".join(TEXT)) == [("unused", 3), ("unused", 4)]


def test_every_line_stands_beside_what_was_made_of_it(guideline, tmp_path):
    text = tmp_path / "text.txt"
    text.write_text("\n".join([*TEXT, "", "Added by hand."]), encoding="utf-8")
    rows = source_table(guideline, text)
    assert [(row.line, row.text) for row in rows] == [*enumerate(TEXT, 1), (6, "Added by hand.")]
    assert [row.state for row in rows] == ["excluded", "captured", "captured", "excluded", "unaccounted"]
    assert rows[0].said == ("a heading",) and rows[4].said == () and len(rows[1].said) == 1


def test_a_finding_is_one_line_that_says_what_to_do(guideline, tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("\n".join((*TEXT[:2], "Copper rings.", "See no map.")), encoding="utf-8")
    lines = [str(one) for one in source_coverage(guideline, path)]
    assert len(lines) == 2 and all("\n" not in line and line.startswith("line ") for line in lines)


def test_a_text_that_cannot_be_read_is_an_input_error(guideline, tmp_path):
    (tmp_path / "bytes.txt").write_bytes(b"\xff\xfe")
    for place in (tmp_path / "nothing.txt", tmp_path, tmp_path / "bytes.txt"):
        with pytest.raises(InputError):
            source_coverage(guideline, place)


def test_a_guideline_without_source_lines_is_an_input_error(tmp_path):
    toy = load("toy", (ROOT / "tests" / "guidelines" / "toy.ttl",))
    with pytest.raises(InputError, match="source lines"):
        source_coverage(toy, tmp_path / "text.txt")


def test_every_line_of_the_real_source_has_a_statement_or_a_reason():
    index = load().index
    gl = "https://w3id.org/sacroiliitis-kg/core#"
    source = index.value(load().iri, gl + "derivedFrom")
    assert (
        len(index.subjects("http://purl.org/dc/terms/isPartOf", source))
        == int(index.text(source, gl + "lineCount"))
        == 51
    )


@pytest.mark.skipif(not SOURCE.exists(), reason="the source text is not beside this checkout (KG_SHARED)")
def test_the_real_source_is_covered_and_a_change_in_it_is_found(tmp_path):
    assert source_coverage(load(), SOURCE) == []
    lines = SOURCE.read_text(encoding="utf-8").split("\n")
    lines[4] = lines[4] + " and more"
    assert found(load(), tmp_path, "\n".join(lines)) == [("changed", 5)]


def check(*arguments: object) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "kg", "check", *map(str, arguments)]
    return subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT, timeout=300)


def test_the_command_names_lines_that_differ_and_ends_with_1(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("Only one line.\n", encoding="utf-8")
    done = check("--source", path)
    assert done.returncode == 1 and "line 1: its words are not those of line 1" in done.stdout
    missing = check("--source", tmp_path / "nothing.txt")
    assert missing.returncode == 2 and "nothing.txt: --source" in missing.stderr and "Traceback" not in missing.stderr

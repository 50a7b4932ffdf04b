"""The canonical Turtle of the sources."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from kg.cli import app
from kg.formatter import changed, formatted, sources

MESSY = '@prefix ex: <http://example.org/> .\nex:b ex:q 1.0 . # a remark\nex:a ex:p "x" ,\n "w" ; ex:r [ ex:s ex:b ] .\n'


def test_every_source_is_canonical():
    assert changed(sources()) == {}


def test_the_same_graph_comes_out_and_a_second_run_changes_nothing(tmp_path: Path):
    import rdflib
    from rdflib.compare import isomorphic

    path = tmp_path / "messy.ttl"
    path.write_text(MESSY, encoding="utf-8")
    text = formatted(path)
    assert text != MESSY
    assert isomorphic(rdflib.Graph().parse(data=MESSY), rdflib.Graph().parse(data=text))
    path.write_text(text, encoding="utf-8")
    assert formatted(path) == text


def test_one_triple_more_is_one_line_more(tmp_path: Path):
    path = tmp_path / "one.ttl"
    path.write_text(MESSY, encoding="utf-8")
    before = formatted(path).splitlines()
    path.write_text(MESSY + "ex:b ex:z ex:a .\n", encoding="utf-8")
    after = formatted(path).splitlines()
    assert len(set(after) - set(before)) <= 2 and len(after) == len(before) + 1


def test_check_says_so_and_changes_nothing(tmp_path: Path):
    path = tmp_path / "messy.ttl"
    path.write_text(MESSY, encoding="utf-8")
    run = CliRunner().invoke(app, ["format", "--check", str(path)])
    assert run.exit_code == 1 and "not canonical" in run.output
    assert path.read_text(encoding="utf-8") == MESSY
    assert CliRunner().invoke(app, ["format", str(path)]).exit_code == 0
    assert CliRunner().invoke(app, ["format", "--check", str(path)]).exit_code == 0


@pytest.mark.parametrize("text", ["this is no Turtle", None])
def test_a_bad_file_is_one_line(tmp_path: Path, text: str | None):
    from kg.errors import InputError

    path = tmp_path / "bad.ttl"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError):
        formatted(path)

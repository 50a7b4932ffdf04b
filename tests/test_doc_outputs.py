"""The outputs of commands that the documentation shows are what the commands print."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import doc_outputs

PAGES = sorted((doc_outputs.ROOT / "docs").glob("*.md"))
BLOCKS = [block for page in PAGES for block in doc_outputs.blocks(page)]


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: f"{block.page.stem}: {block.command}")
def test_shown_output_is_current(block: doc_outputs.Block):
    assert block.shown == doc_outputs.output(block.command), "run `make docs-outputs` and look at what changed"


def page(folder: Path, shown: str) -> Path:
    path = folder / "page.md"
    path.write_text(f"Text.\n\n<!-- output: kg queries -->\n```text\n{shown}```\n\nMore.\n", encoding="utf-8")
    return path


def test_a_stale_block_is_seen_and_rewritten(tmp_path: Path):
    stale = page(tmp_path, "something else\n")
    [block] = doc_outputs.blocks(stale)
    assert block.shown != doc_outputs.output(block.command)
    assert doc_outputs.rewrite(stale)
    [block] = doc_outputs.blocks(stale)
    assert block.shown == doc_outputs.output(block.command) and stale.read_text().endswith("\n\nMore.\n")
    assert not doc_outputs.rewrite(stale)


def test_a_marker_without_a_block_is_an_error(tmp_path: Path):
    path = tmp_path / "page.md"
    path.write_text("\n<!-- output: kg queries -->\n\nno block\n", encoding="utf-8")
    with pytest.raises(ValueError, match="1 markers, 0"):
        doc_outputs.blocks(path)


def test_a_command_that_fails_is_an_error():
    with pytest.raises(RuntimeError, match="exit code 2"):
        doc_outputs.output("no-such-command")

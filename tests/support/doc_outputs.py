"""Outputs of commands in `docs/*.md`: the fenced block after a line `<!-- output: kg ... -->` is what that command prints.

`python -m tests.support.doc_outputs` (`make docs-outputs`) rewrites the blocks; a test compares them."""

from __future__ import annotations

import contextlib
import re
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
_BLOCK = re.compile(r"(?<=\n)<!-- output: kg (?P<command>[^\n]+) -->\n(?P<fence>`{3,})(?P<kind>[a-z]*)\n(?P<text>.*?)(?P=fence)(?=\n)", re.DOTALL)


@dataclass(frozen=True)
class Block:
    """One marked block: the page, the arguments after `kg`, what the page shows."""

    page: Path
    command: str
    shown: str


def blocks(page: Path) -> list[Block]:
    """The marked blocks of a page.

    Raises ValueError when a marker is not followed by a fenced block: its output would never be checked."""
    text = page.read_text(encoding="utf-8")
    found = [Block(page, match["command"], match["text"]) for match in _BLOCK.finditer(text)]
    if len(found) != text.count("<!-- output:"):
        raise ValueError(f"{page.name}: {text.count('<!-- output:')} markers, {len(found)} followed by a fenced block")
    return found


def output(command: str) -> str:
    """What `kg COMMAND` prints on standard output, run in this process from the project's root, to a pipe.

    Raises RuntimeError when it does not succeed."""
    from typer.testing import CliRunner

    from kg.cli import app

    with contextlib.chdir(ROOT):
        done = CliRunner(env={"NO_COLOR": "1", "COLUMNS": "150"}).invoke(app, shlex.split(command))
    if done.exit_code:
        raise RuntimeError(f"kg {command}: exit code {done.exit_code}: {done.exception}")
    return done.stdout


def rewrite(page: Path) -> bool:
    """Bring the marked blocks of a page up to date; True when it changed."""
    text = page.read_text(encoding="utf-8")

    def block(match: re.Match) -> str:
        fence = match["fence"]
        return f"<!-- output: kg {match['command']} -->\n{fence}{match['kind']}\n{output(match['command'])}{fence}"

    fresh = _BLOCK.sub(block, text)
    page.write_text(fresh, encoding="utf-8")
    return fresh != text


if __name__ == "__main__":
    for path in sorted((ROOT / "docs").glob("*.md")):
        if blocks(path) and rewrite(path):
            print(f"rewritten: {path.name}", file=sys.stderr)

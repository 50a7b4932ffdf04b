"""Every `kg` command that the README shows runs."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LINES = [line.split("#")[0].strip() for line in (ROOT / "README.md").read_text(encoding="utf-8").splitlines() if line.startswith("    kg ")]


def test_there_are_commands():
    assert len(LINES) > 8


@pytest.mark.parametrize("line", LINES)
def test_command(line: str, tmp_path: Path):
    for name in ("examples", "ontology"):
        (tmp_path / name).symlink_to(ROOT / name)
    run = subprocess.run([sys.executable, "-m", "kg", *shlex.split(line)[1:]], cwd=tmp_path, env={"PYTHONPATH": str(ROOT), "PATH": ""},
                         capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr

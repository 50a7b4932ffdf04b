"""Every `kg` command that the README shows runs."""

from __future__ import annotations

import shlex
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ENDLESS = ("kg serve",)
LINES = [line.split("#")[0].strip() for line in (ROOT / "README.md").read_text(encoding="utf-8").splitlines() if line.startswith("    kg ")]


def test_there_are_commands():
    assert len(LINES) > 8


@pytest.mark.parametrize("line", LINES)
def test_command(line: str, tmp_path: Path):
    for name in ("examples", "ontology"):
        (tmp_path / name).symlink_to(ROOT / name)
    command = [sys.executable, "-m", "kg", *shlex.split(line)[1:]]
    environment = {"PYTHONPATH": str(ROOT), "PATH": ""}
    if line.startswith("kg cohort population"):  # the line before it on the page
        subprocess.run([*command[:3], "simulate", "5", "-o", "population"], cwd=tmp_path, env=environment, check=True, capture_output=True)
    if line.startswith(ENDLESS):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            environment["KG_PORT"] = str(probe.getsockname()[1])
        with subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True) as server:
            assert any(said.startswith("serving ") for said in server.stderr)
            server.terminate()
        return
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr

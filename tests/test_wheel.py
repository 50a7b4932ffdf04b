"""The wheel: installed elsewhere, it finds its ontology, shapes and queries from any directory."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
EXAMPLE = ROOT / "examples" / "loss-of-response.json"


@pytest.mark.slow
def test_the_wheel_carries_its_data(tmp_path: Path):
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", tmp_path / "wheel", ROOT], check=True)
    (wheel,) = (tmp_path / "wheel").glob("*.whl")
    subprocess.run([*pip, "install", "--no-deps", "--target", tmp_path / "site", wheel], check=True)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    # the folder given by PYTHONPATH comes before an editable install of the checkout
    run = subprocess.run([sys.executable, "-c", "import kg, sys; print(kg.__file__); from kg.cli import main; main()", "recommend", EXAMPLE, "--as-of", "2026-03-02"],
                         cwd=elsewhere, env=os.environ | {"PYTHONPATH": str(tmp_path / "site")}, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith(str(tmp_path / "site"))
    assert "ELIGIBLE" in run.stdout

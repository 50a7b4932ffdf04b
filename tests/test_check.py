"""`kg check` on a guideline with faults: each part says what is wrong, in words, and the exit code is 1."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from kg.grammar import grammar
from kg.guideline import load

ROOT = Path(__file__).parent.parent
TOY = ROOT / "tests" / "guidelines" / "toy.ttl"


def check(*arguments: object) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "kg", "check", *map(str, arguments)]
    return subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT, timeout=300)


def in_table(done: subprocess.CompletedProcess, level: str) -> list[str]:
    """The checks that the table shows with this level, "ok" for those that found nothing."""
    return re.findall(rf"(?m)^{level} +(\S+) +\d+ *$", done.stdout)


def test_both_guidelines_pass():
    ours, toy = check(), check("--guideline", "toy", "--guideline-file", TOY)
    for done in (ours, toy):
        assert done.returncode == 0, done.stdout + done.stderr
        assert {"grammar", "claims"} <= set(in_table(done, "ok"))
        assert in_table(done, "ERROR") == in_table(done, "WARN") == []


@pytest.mark.parametrize(
    ("old", "new", "part", "words"),
    [
        (
            " ; gl:whenSilent gl:Unknown",
            "",
            "grammar",
            "Say what the constraint is for a fact without the value asked for",
        ),
        ("strongly recommended", "recommended", "claims", "S1: strength: its field says Strong, its wording nothing"),
        ("at least 38.5 degrees", "at least 39.5 degrees", "claims", "S1: number: "),
        (
            " ; gl:strength gl:Unstated ; gl:basis",
            " ; gl:strength gl:Strong ; gl:basis",
            "recommendation-beyond-its-statements",
            "toy#T3",
        ),
    ],
)
def test_a_faulty_guideline_is_told_what_to_do(tmp_path, old, new, part, words):
    text = TOY.read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "faulty.ttl"
    path.write_text(text.replace(old, new), encoding="utf-8")
    done = check("--guideline", "toy", "--guideline-file", path)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert in_table(done, "ERROR") == [part]
    assert words in done.stdout


def test_the_grammar_reads_the_guideline_with_what_it_imports():
    assert grammar(load()).results == () and grammar(load("toy", (TOY,))).results == ()

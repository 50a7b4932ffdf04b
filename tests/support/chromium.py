"""A page in headless Chromium: what it asks for, what it complains of, how many sheets of paper it takes."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

PROGRAM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
_BROWSER = "not an origin"
QUIET = ("--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run", "--disable-default-apps")


def _run(page: Path, folder: Path, *options: str) -> str:
    line = [PROGRAM, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}", *QUIET, *options, page.as_uri()]
    return subprocess.run(line, capture_output=True, text=True, check=True, timeout=120).stderr


def complaints(page: Path, folder: Path) -> list[str]:
    """What the console said while the page was opened."""
    said = _run(page, folder, "--enable-logging=stderr", "--v=0", f"--screenshot={folder / 'page.png'}")
    return re.findall(r"CONSOLE.*", said)


def requests(page: Path, folder: Path) -> list[str]:
    """The URLs that the page asked for when it was opened."""
    log = folder / "net.json"
    _run(page, folder, f"--log-net-log={log}", f"--screenshot={folder / 'page.png'}")
    text = log.read_text(encoding="utf-8")
    events = json.loads(text if text.rstrip().endswith("}") else text.rstrip().rstrip(",") + "]}")["events"]
    asked = (event.get("params", {}) for event in events)
    own = (one for one in asked if one.get("initiator", _BROWSER) != _BROWSER)  # what the browser asks for itself has no origin
    return sorted({one["url"] for one in own if not one["url"].startswith("data:")})


def sheets(page: Path, folder: Path) -> int:
    """How many sheets the page takes in print."""
    _run(page, folder, "--no-pdf-header-footer", f"--print-to-pdf={folder / 'page.pdf'}")
    return len(re.findall(rb"/Type\s*/Page\b", (folder / "page.pdf").read_bytes()))

"""A running service for tests: the real application on uvicorn, on a free port of the loopback."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import httpx
import uvicorn

from kg.guidance.rules import Rules
from kg.serve.app import create_app
from kg.serve.dataset import Dataset
from kg.serve.settings import Settings


def children(pid: int) -> list[int]:
    """The processes that a process started, whichever of its threads did."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(status.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if parent == pid:
            found.append(int(status.parent.name))
    return found


@dataclass(frozen=True)
class Service:
    port: int

    def client(self, **options) -> httpx.Client:
        return httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=30, **options)


@contextmanager
def running(served: Dataset, rules: Rules | None = None, today: date | None = None, bench=None, **choices) -> Iterator[Service]:
    """The service over a dataset, with guidance of a guideline on one day and a workbench (kg.serve.workbench.bench) if given,
    until the block ends."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    app = create_app(served, Settings(port=port, **choices), "test", rules, lambda: today, bench)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, access_log=False, log_level="error", timeout_graceful_shutdown=2))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    for _ in range(1200):
        if server.started:
            break
        time.sleep(0.05)
    try:
        yield Service(port)
    finally:
        server.should_exit = True
        thread.join(15)

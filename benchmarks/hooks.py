"""Milliseconds of CDS Hooks calls as a client sees them: patient-view over every vignette, one client and then two at a time.

The service runs in a process of its own, guideline loaded, and has answered a few calls before. What else the machine does counts
in: the load average is printed beside the figures."""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from kg.serve import hooks
from tests.support.hooks import faults, prefetched, request
from tests.support.vignettes import OWN, read_all

ROOT = Path(__file__).parent.parent
PATH = f"/cds-services/{hooks.service('refractory-sacroiliitis', 'patient-view')}"


def bodies() -> list[dict]:
    """A patient-view request for every vignette, filled as an EHR does."""
    found = []
    for vignette in read_all(OWN):
        patient = next(one["resource"]["id"] for one in vignette.bundle["entry"] if one["resource"]["resourceType"] == "Patient")
        found.append(request("patient-view", patient, prefetched(hooks.PREFETCH, vignette.bundle, patient)))
    return found


def call(client: httpx.Client, body: dict) -> float:
    """Milliseconds of one call. Raises RuntimeError when the answer is no answer."""
    began = time.perf_counter()
    reply = client.post(PATH, json=body)
    taken = (time.perf_counter() - began) * 1000
    if reply.status_code != 200 or faults(reply.json()):
        raise RuntimeError(f"{reply.status_code}: {reply.text[:200]}")
    return taken


def row(name: str, times: list[float], seconds: float) -> str:
    """One line of the table."""
    ranked = sorted(times)
    at = lambda share: ranked[min(len(ranked) - 1, int(len(ranked) * share))]  # noqa: E731
    under = sum(one < 100 for one in ranked) / len(ranked)
    return f"{name:14} {len(ranked):6} {at(0.5):7.0f} {at(0.95):7.0f} {at(0.99):7.0f} {ranked[-1]:7.0f} {under:12.0%} {len(ranked) / seconds:8.1f}   {os.getloadavg()[0]:.1f}"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--calls", type=int, default=300)
    chosen = options.parse_args()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen([sys.executable, "-m", "kg", "serve", "--port", str(port)], cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            for _ in range(600):
                try:
                    client.get("/ready")
                    break
                except httpx.TransportError:
                    time.sleep(0.2)
            asked = bodies()
            for body in asked[:8]:
                call(client, body)
            many = [asked[number % len(asked)] for number in range(chosen.calls)]
            print("                calls     p50     p95     p99     max under 100 ms  calls/s   load")
            began = time.perf_counter()
            times = [call(client, body) for body in many]
            print(row("one client", times, time.perf_counter() - began))
            began = time.perf_counter()
            with ThreadPoolExecutor(2) as both:
                times = list(both.map(lambda body: call(client, body), many))
            print(row("two clients", times, time.perf_counter() - began))
    finally:
        server.terminate()
        server.wait(30)


if __name__ == "__main__":
    main()

"""A hundred clients for a minute on the loopback: good, slow and hostile queries mixed. Any wrong answer or 5xx is a failure."""

from __future__ import annotations

import argparse
import asyncio
import random
import socket
import statistics
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import httpx

from tests.support.service import children

ROOT = Path(__file__).parent.parent
QUERY = {"content-type": "application/sparql-query"}
GOOD = [path.read_text("utf-8") for path in sorted((ROOT / "queries" / "ask").glob("*.rq"))]
SLOW = "SELECT (COUNT(*) AS ?n) { " + " ".join(f"?a{n} ?b{n} ?c{n} ." for n in range(5)) + " }"
LARGE = "SELECT * { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i } ORDER BY ?a"
HOSTILE = [dict(content=SLOW, headers=QUERY), dict(content=LARGE, headers=QUERY), dict(content="SELECT * {" + "{" * 5000, headers=QUERY),
           dict(content=b"\xff\xfe", headers=QUERY), dict(content="DROP ALL", headers={"content-type": "application/sparql-update"}),
           dict(content="ASK { SERVICE <http://127.0.0.1:9/> {} }", headers=QUERY), dict(content=b"x" * 2_000_000, headers=QUERY), dict(content="ASK {}")]


def resident(pid: int) -> int:
    """Mebibytes that a process and its children hold."""
    total = 0
    for one in (pid, *children(pid)):
        try:
            total += int(Path(f"/proc/{one}/statm").read_text().split()[1]) * 4096
        except OSError:
            continue
    return total // 2**20


async def client(number: int, base: str, until: float, right: dict[str, str], seen: dict) -> None:
    rng = random.Random(number)
    # idle connections are let go before the service closes them (5 s): a request that meets the closing fails on the client's side
    async with httpx.AsyncClient(base_url=base, timeout=120, limits=httpx.Limits(keepalive_expiry=4)) as http:
        while time.monotonic() < until:
            kind = "hostile" if rng.random() < 0.1 else "good"
            began = time.monotonic()
            if kind == "good":
                query = rng.choice(GOOD)
                reply = await http.post("/sparql", content=query, headers=QUERY)
                seen["times"].append(time.monotonic() - began)
                seen["wrong"] += reply.status_code != 200 or reply.text != right[query]
            else:
                reply = await http.post("/sparql", **rng.choice(HOSTILE))
            seen["statuses"][kind, reply.status_code] += 1
            await asyncio.sleep(rng.uniform(1, 5))


async def run(base: str, pid: int, clients: int, seconds: int) -> dict:
    seen: dict = {"times": [], "wrong": 0, "statuses": Counter(), "memory": [resident(pid)]}
    async with httpx.AsyncClient(base_url=base, timeout=120) as http:
        right = {query: (await http.post("/sparql", content=query, headers=QUERY)).text for query in GOOD}
    until = time.monotonic() + seconds

    async def watch() -> None:
        while time.monotonic() < until:
            seen["memory"].append(resident(pid))
            await asyncio.sleep(0.5)

    await asyncio.gather(watch(), *(client(number, base, until, right, seen) for number in range(clients)))
    return seen


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--clients", type=int, default=100)
    options.add_argument("--seconds", type=int, default=60)
    chosen = options.parse_args()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "kg", "serve", "examples/loss-of-response.json", "--as-of", "2026-03-02", "--port", str(port), "--seconds", "5", "--memory", "512"]
    server = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
    base = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            try:
                httpx.get(base + "/ready")
                break
            except httpx.HTTPError:
                time.sleep(0.2)
        seen = asyncio.run(run(base, server.pid, chosen.clients, chosen.seconds))
        alive = httpx.get(base + "/health").status_code == 200
    finally:
        server.terminate()
        server.wait()
    times = sorted(seen["times"])
    for (kind, status), count in sorted(seen["statuses"].items()):
        print(f"{kind:8} {status}  {count:6}")
    cuts = statistics.quantiles(times, n=100)
    print(f"good: {len(times)}, wrong answers {seen['wrong']}, p50 {cuts[49] * 1000:.0f} ms, p95 {cuts[94] * 1000:.0f} ms, p99 {cuts[98] * 1000:.0f} ms")
    print(f"memory of the service and its workers: {seen['memory'][0]} MiB at first, {max(seen['memory'])} MiB at most; alive at the end: {alive}")
    if seen["wrong"] or any(status >= 500 for _, status in seen["statuses"]) or not alive:
        raise SystemExit(1)


if __name__ == "__main__":
    main()

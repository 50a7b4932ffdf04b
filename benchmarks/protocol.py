"""The W3C's protocol tests as a table: this service beside Oxigraph's own server (PyPI `oxigraph`), in one run."""

from __future__ import annotations

import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pyoxigraph as ox

from kg.serve.dataset import Dataset
from tests.support import w3c
from tests.support.service import running
from tests.support.vignettes import SHARED


def quads(folder: Path) -> bytes:
    """The data of the tests, each file in the graph that the manifest calls it by."""
    store = ox.Store()
    for graph, name in w3c.DATA.items():
        store.load(path=str(folder / name), format=ox.RdfFormat.N_TRIPLES, to_graph=ox.NamedNode(graph))
    return store.dump(format=ox.RdfFormat.N_QUADS)


@contextmanager
def oxigraph(data: bytes) -> Iterator[httpx.Client | None]:
    """Oxigraph's server over the data; None where the package is not installed."""
    program = Path(sys.executable).parent / "oxigraph"
    if not program.exists():
        yield None
        return
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "data.nq").write_bytes(data)
        place = str(Path(folder) / "store")
        subprocess.run([program, "load", "--location", place, "--file", f"{folder}/data.nq"], check=True, capture_output=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        server = subprocess.Popen([program, "serve", "--location", place, "--bind", f"127.0.0.1:{port}"], stderr=subprocess.DEVNULL)
        try:
            time.sleep(2)
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
                yield client
        finally:
            server.terminate()
            server.wait()


def main() -> None:
    folder = SHARED / "w3c"
    cases = w3c.cases(folder)
    if not cases:
        print(f"{folder}: the W3C's protocol tests are not there", file=sys.stderr)
        raise SystemExit(2)
    data = quads(folder)
    with running(Dataset(data, 0, dict.fromkeys(w3c.DATA, 1))) as service, service.client() as own, oxigraph(data) as other:
        print(f"{'test':36} {'kg serve':24} oxigraph serve")
        passed = {"kg": [0, 0], "ox": [0, 0]}
        for case in cases:
            rows = {"kg": w3c.faults(case, own, {"query": "/sparql/", "update": "/sparql/"})}
            if other is not None:
                rows["ox"] = w3c.faults(case, other, {"query": "/query", "update": "/update"})
            for name, found in rows.items():
                passed[name][case.update] += not found
            shown = [", ".join(rows[name]) or "pass" if name in rows else "not installed" for name in ("kg", "ox")]
            print(f"{case.name:36} {shown[0]:24} {shown[1]}")
        asked = sum(not case.update for case in cases)
        for name, (queries, updates) in passed.items():
            print(f"{name}: queries {queries} of {asked}, updates {updates} of {len(cases) - asked}")


if __name__ == "__main__":
    main()

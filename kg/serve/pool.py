"""Workers side by side: a query goes to a free one; one that takes too long or too much is killed and replaced.

Short queries must not wait for long ones: a query that is not done after `PATIENCE` seconds gives its slot back and
runs on at low priority, as long as not too many do; beyond that it is refused, and may be tried again later."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from kg.serve.problem import Problem
from kg.serve.request import Asked
from kg.serve.settings import Settings
from kg.serve.worker import Answer, main

PATIENCE = 1.0
_START_SECONDS, _NICE = 60, 10


@dataclass(frozen=True, eq=False)
class _Worker:
    process: BaseProcess
    connection: Connection


class Pool:
    """Processes that hold the data (N-Quads) and answer queries: `settings.workers` short ones at a time, and as many
    long ones beside them. `open` before use, `close` at the end, all on one event loop."""

    def __init__(self, data: bytes, settings: Settings) -> None:
        self._data, self._settings = data, settings
        self._context = multiprocessing.get_context("spawn")        # no copy of this process's threads and sockets
        self._all: set[_Worker] = set()
        self._free: asyncio.Queue[_Worker] = asyncio.Queue()
        self._short, self._long = asyncio.Semaphore(settings.workers), settings.workers
        self._starting: set[asyncio.Task] = set()

    async def open(self) -> None:
        """Start the workers and wait until they have loaded the data."""
        await asyncio.gather(*(self._start() for _ in range(2 * self._settings.workers)))

    async def ask(self, asked: Asked) -> Answer:
        """Run a query in a worker.

        Raises Problem 422 when it exceeds the time or the memory that one may take, 429 when it takes long while too
        many others do."""
        await self._short.acquire()
        short = True
        worker = None
        try:
            worker = await self._free.get()
            worker.connection.send(asked)
            if not await _readable(worker.connection, min(PATIENCE, self._settings.seconds)):
                if not self._long:
                    raise Problem(429, "busy", "Too many long queries run already: try again later.", headers={"Retry-After": "5"})
                self._long -= 1
                self._short.release()
                short = False
                with suppress(OSError, AttributeError):
                    os.setpriority(os.PRIO_PROCESS, worker.process.pid or 0, _NICE)
                if not await _readable(worker.connection, self._settings.seconds - PATIENCE):
                    raise Problem(422, "too long", f"The query was stopped after {self._settings.seconds:g} s: ask for less at a time.")
            answer = worker.connection.recv()
            if short:                                   # one of low priority does not get its priority back
                self._free.put_nowait(worker)
                worker = None
            return answer
        except (EOFError, OSError):
            raise Problem(422, "too much", f"The query needs more than {self._settings.memory} MiB, or is nested too deeply: "
                                           "ask for less at a time.") from None
        finally:
            if worker is not None:
                self._replace(worker)
            if short:
                self._short.release()
            else:
                self._long += 1

    async def close(self) -> None:
        """End all workers, those at work too."""
        for task in self._starting:
            task.cancel()
        for worker in self._all:
            _end(worker)
        self._all.clear()

    def _replace(self, worker: _Worker) -> None:
        self._all.discard(worker)
        _end(worker)
        task = asyncio.create_task(self._start())
        self._starting.add(task)
        task.add_done_callback(self._starting.discard)

    async def _start(self) -> None:
        ours, theirs = self._context.Pipe()
        chosen = self._settings
        process = self._context.Process(target=main, args=(theirs, self._data, chosen.rows, chosen.memory, chosen.seconds), daemon=True)
        worker = _Worker(process, ours)
        self._all.add(worker)
        await asyncio.to_thread(process.start)
        theirs.close()
        if not await _readable(ours, _START_SECONDS):
            raise TimeoutError(f"a worker did not start within {_START_SECONDS} s")
        ours.recv()
        self._free.put_nowait(worker)


async def _readable(connection: Connection, seconds: float) -> bool:
    """Wait, at most so long, until something can be read (an answer, or the end of the other side)."""
    loop, ready = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(connection.fileno(), ready.set)
    try:
        async with asyncio.timeout(seconds):
            await ready.wait()
        return True
    except TimeoutError:
        return False
    finally:
        loop.remove_reader(connection.fileno())


def _end(worker: _Worker) -> None:
    if worker.process.pid:
        worker.process.kill()
        worker.process.join()
    worker.connection.close()

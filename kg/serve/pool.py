"""Workers side by side: a job goes to a free one; one that takes too long or too much is killed and replaced.

Short jobs must not wait for long ones: where the pool has workers to spare for those, a job that is not done after `PATIENCE`
seconds gives its slot back and runs on at low priority, as long as not too many do; beyond that it is refused, and may be
tried again later."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from kg.serve.problem import Problem
from kg.serve.settings import Settings
from kg.serve.worker import Answer

PATIENCE = 1.0
_START_SECONDS, _NICE = 60, 10


@dataclass(frozen=True, eq=False)
class _Worker:
    process: BaseProcess
    connection: Connection


class Pool:
    """Processes that run `main` with a connection, these arguments and the seconds that a job may take: it says that it is
    ready, then answers one job after the other. `settings.workers` jobs run at a time, and `spare` long ones beside them.
    `open` before use, `close` at the end, all on one event loop."""

    def __init__(self, main: Callable[..., None], arguments: tuple, settings: Settings, spare: int = 0) -> None:
        self._main, self._arguments, self._settings = main, arguments, settings
        self._context = multiprocessing.get_context("spawn")        # no copy of this process's threads and sockets
        self._all: set[_Worker] = set()
        self._free: asyncio.Queue[_Worker] = asyncio.Queue()
        self._short, self._spare, self._long = asyncio.Semaphore(settings.workers), spare, spare
        self._starting: set[asyncio.Task] = set()

    async def open(self) -> None:
        """Start the workers and wait until they are ready."""
        await asyncio.gather(*(self._start() for _ in range(self._settings.workers + self._spare)))

    async def ask(self, job: object) -> Answer:
        """Run a job in a worker.

        Raises Problem 422 when it exceeds the time or the memory that one may take, 429 when it takes long while too
        many others do."""
        await self._short.acquire()
        short = True
        worker = None
        try:
            worker = await self._free.get()
            worker.connection.send(job)
            patience = PATIENCE if self._spare else self._settings.seconds
            if not await _readable(worker.connection, min(patience, self._settings.seconds)):
                if not self._spare:
                    raise self._too_long()
                if not self._long:
                    raise Problem(429, "busy", "Too many long queries run already: try again later.", headers={"Retry-After": "5"})
                self._long -= 1
                self._short.release()
                short = False
                with suppress(OSError, AttributeError):
                    os.setpriority(os.PRIO_PROCESS, worker.process.pid or 0, _NICE)
                if not await _readable(worker.connection, self._settings.seconds - PATIENCE):
                    raise self._too_long()
            answer = worker.connection.recv()
            if short:                                   # one of low priority does not get its priority back
                self._free.put_nowait(worker)
                worker = None
            return answer
        except (EOFError, OSError):
            raise Problem(422, "too much", f"It needs more than {self._settings.memory} MiB, or is nested too deeply: "
                                           "ask for less at a time.") from None
        finally:
            if worker is not None:
                self._replace(worker)
            if short:
                self._short.release()
            else:
                self._long += 1

    def _too_long(self) -> Problem:
        return Problem(422, "too long", f"It was stopped after {self._settings.seconds:g} s: ask for less at a time.")

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
        process = self._context.Process(target=self._main, args=(theirs, *self._arguments, self._settings.seconds), daemon=True)
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

"""Workers side by side: a job goes to a free one; one that takes too long or too much is killed and replaced."""

from __future__ import annotations

import multiprocessing
import queue
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from kg.serve.problem import Problem
from kg.serve.settings import Settings
from kg.serve.worker import Answer

_START_SECONDS = 60


class Pool:
    """Processes that run `main` with a connection and these arguments: it says that it is ready, then answers one job after
    the other. `close` ends them."""

    def __init__(self, main: Callable[..., None], arguments: tuple, settings: Settings) -> None:
        self._main, self._arguments, self._settings = main, arguments, settings
        self._context = multiprocessing.get_context("spawn")        # no copy of this process's threads and sockets
        self._free: queue.SimpleQueue[tuple[BaseProcess, Connection]] = queue.SimpleQueue()
        started = [self._start() for _ in range(settings.workers)]
        for worker in started:
            self._ready(worker)

    def ask(self, job: object) -> Answer:
        """Run a job in a free worker; blocks, so call it from a thread.

        Raises Problem 422 when the job exceeds the time or the memory that one may take."""
        process, connection = self._free.get()
        fate = None
        try:
            connection.send(job)
            if connection.poll(self._settings.seconds):
                answer = connection.recv()
                self._free.put((process, connection))
                return answer
            fate = Problem(422, "too long", f"It was stopped after {self._settings.seconds:g} s: ask for less at a time.")
        except (EOFError, OSError):
            fate = Problem(422, "too much", f"It needs more than {self._settings.memory} MiB, or is nested too deeply: ask for less at a time.")
        process.kill()
        process.join()
        connection.close()
        self._ready(self._start())
        raise fate

    def close(self) -> None:
        """End the workers that are free; those at work end with the process that started them."""
        while not self._free.empty():
            process, connection = self._free.get()
            connection.close()
            process.join(5)

    def _start(self) -> tuple[BaseProcess, Connection]:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=self._main, args=(theirs, *self._arguments), daemon=True)
        process.start()
        theirs.close()
        return process, ours

    def _ready(self, worker: tuple[BaseProcess, Connection]) -> None:
        process, connection = worker
        if not connection.poll(_START_SECONDS):
            process.kill()
            raise TimeoutError(f"a worker did not start within {_START_SECONDS} s")
        connection.recv()
        self._free.put(worker)

"""Where partitions run: processes of this machine, or a Spark cluster. Both run the same function on the same tasks."""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from importlib.util import find_spec

from kg.cohort.partition import Task, run
from kg.errors import InputError

Runner = Callable[[list[Task], int], Iterator[int]]


def local(tasks: list[Task], jobs: int) -> Iterator[int]:
    """Run tasks in so many processes; yields how many patients each had, as they end."""
    if jobs == 1:
        yield from map(run, tasks)
        return
    # spawned, not forked: a fork of a process with threads can hang
    pool = ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn"), initializer=_end_with, initargs=(os.getpid(),))
    with pool:
        try:
            for done in as_completed([pool.submit(run, task) for task in tasks]):
                yield done.result()
        except BrokenProcessPool:
            raise InputError("--jobs", "a process", "ended, perhaps for want of memory", "call it again, it goes on where it stopped; with fewer --jobs it needs less") from None


def spark(tasks: list[Task], jobs: int) -> Iterator[int]:
    """Run tasks on the Spark that SPARK_MASTER or spark-submit names, else on so many threads of this machine.

    Raises InputError when PySpark is not installed or finds no Java that it can use."""
    if find_spec("pyspark") is None:
        raise InputError("--runner spark", "set-up", "the module pyspark is missing", "install the package with its extra `spark`")
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession

    if not tasks:
        return
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # workers of this machine run what this process runs
    builder = SparkSession.builder.appName("kg cohort").config("spark.ui.enabled", "false").config("spark.ui.showConsoleProgress", "false")
    if "SPARK_MASTER" in os.environ or "MASTER" not in os.environ:
        builder = builder.master(os.environ.get("SPARK_MASTER", f"local[{jobs}]"))
    try:
        session = builder.getOrCreate()
    except (PySparkException, OSError) as error:
        raise InputError("--runner spark", "set-up", f"Spark did not start ({type(error).__name__})", "give a Java that Spark can use, by JAVA_HOME") from None
    try:
        session.sparkContext.setLogLevel("ERROR")
        yield from session.sparkContext.parallelize(tasks, len(tasks)).mapPartitions(lambda part: [run(task) for task in part]).toLocalIterator()
    finally:
        session.stop()


RUNNERS: dict[str, Runner] = {"local": local, "spark": spark}


def _end_with(parent: int) -> None:
    """End this process when its parent is gone: a killed run leaves nothing behind."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()

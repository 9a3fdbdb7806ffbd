"""A worker process with the small engine, forked from one that has imported everything."""

import multiprocessing
import os
import resource
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from threading import Thread
from typing import NamedTuple

import sqlalchemy as sa

from pipelines.engine import Engine
from pipelines.errors import ReframeError
from server.callbacks.sender import Again
from server.errors import StorageFull
from server.images.store import ImageStore
from server.jobs.job import Job
from server.logs import configure_logs
from server.settings import Settings
from server.work.__main__ import exit_code
from server.work.fittings import Fittings, open_fittings
from server.work.worker import Equipment, Worker, leave
from tests.server.work.small_engine import append, make_engine

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload([__name__])


AGAIN = "again after "
"""Begins the reference of a job whose callback is not taken the first time; seconds follow."""


class Habits(NamedTuple):
    """How a worker of a test differs from one that is alone in the world."""

    device: str = "cpu"
    most_tries: int = 3
    log: str = "worker.log"
    batch: int = 1


class FullStore:
    """A store whose disk is full while the file ``full`` is in the folder."""

    def __init__(self, store: ImageStore, folder: Path) -> None:
        self._store, self._mark = store, folder / "full"
        self.read, self.delete, self.check = store.read, store.delete, store.check

    def put(self, name: str, data: bytes) -> None:
        if self._mark.exists():
            raise StorageFull
        self._store.put(name, data)


def jam(folder: Path) -> None:
    """While the file ``jammed`` is in the folder, let every write to a file fail."""
    while True:
        most = 1 if (folder / "jammed").exists() else resource.RLIM_INFINITY
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))
        time.sleep(0.02)


def start_worker(settings: Settings, habits: Habits) -> ForkServerProcess:
    """A process of its own; its log is in the data folder."""
    process = FORKS.Process(target=_run, args=(settings, habits))
    process.start()
    return process


def _run(settings: Settings, habits: Habits) -> None:
    folder = settings.data
    log = os.open(folder / habits.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.dup2(log, 1)
    os.dup2(log, 2)
    configure_logs("info", "worker")
    Thread(target=jam, args=(folder,), daemon=True).start()

    def deliver(job: Job, number: int, past: int) -> Again | None:
        append(folder / "deliveries.log", f"{job.id} {number} {job.status}")
        if past or not (job.client_ref or "").startswith(AGAIN):
            return None
        seconds = float((job.client_ref or "").removeprefix(AGAIN))
        return Again(1, datetime.now(UTC) + timedelta(seconds=seconds))

    def fit(settings: Settings, database: sa.Engine) -> Fittings:
        fittings = open_fittings(settings, database)
        return replace(fittings, deliver=deliver, store=FullStore(fittings.store, folder))

    def probe(engine: Engine) -> None:
        append(folder / "probes.log", engine.name)

    worker = Worker(settings, habits.device, most_tries=habits.most_tries)
    try:
        engine = replace(make_engine(folder), batch=habits.batch)
        worker.run(Equipment(lambda: engine, fit, probe))
    except ReframeError as error:
        os.write(2, f"{error}\n".encode())
        leave(exit_code(error))

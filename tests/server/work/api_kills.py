"""An API process that is killed while requests come in, and the count of what became of them."""

import http.client
import json
import multiprocessing
import os
import random
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.context import ForkServerProcess
from threading import Event, Thread

import uuid_utils

from pipelines.errors import ReframeError
from server.api.__main__ import main as serve
from server.jobs.job import Job
from server.jobs.selection import find_earlier
from server.settings import Settings
from server.work.environment import make_environment
from tests.server.work.workshop import PICTURE, Workshop

FORKS = multiprocessing.get_context("forkserver")
CALLERS = 4
PATH = "/v1/models/local/smart-resize/runs"
PART = b'--x\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n'
BODY = (
    PART % (b"image", b'; filename="a.png"', PICTURE)
    + PART % (b"target_sizes", b"", b'["24x32"]')
    + b"--x--\r\n"
)
OWNER = "local"
CREATED = 201


@dataclass(frozen=True, slots=True)
class ApiTally:
    """What was counted; ``cut`` requests had no answer, and were sent again with the same key."""

    kills: int
    requests: int
    accepted: int
    cut: int
    refused: int
    lost: int
    double: int
    incomplete: int
    seconds: float

    @property
    def is_clean(self) -> bool:
        """Every request is one whole job, and each that was answered is the job it was told."""
        return not (self.lost or self.double or self.incomplete or self.refused)


@dataclass
class Caller:
    """Sends one request after another; each again, with the same key, until it is answered."""

    port: int
    stop: Event
    accepted: dict[str, str] = field(default_factory=dict)
    cut: int = 0
    refused: int = 0

    def run(self) -> None:
        """Until told to stop, and the last request is answered."""
        while not self.stop.is_set():
            key = str(uuid_utils.uuid7())
            while key not in self.accepted:
                self._post(key)

    def _post(self, key: str) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        headers = {"Content-Type": "multipart/form-data; boundary=x", "Idempotency-Key": key}
        try:
            connection.connect()
        except OSError:
            time.sleep(0.02)  # nobody is there: nothing was sent
            return
        try:
            connection.request("POST", PATH, BODY, headers)
            answer = connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException):
            self.cut += 1
            return
        finally:
            connection.close()
        if answer.status == CREATED:
            self.accepted[key] = _read_id(body)
        else:
            self.refused += 1


def endure_at_the_door(
    workshop: Workshop, *, kills: int, seed: int = 1, longest: float = 0.3
) -> ApiTally:
    """Kill the API as often as asked.

    Each has up to ``longest`` seconds, every other one from its first answer, the others from when
    it listens: however slow the machine is, something is accepted between two kills.
    """
    chance = random.Random(seed)
    since = time.monotonic()
    port = find_port()
    settings = workshop.settings.model_copy(update={"port": port, "max_queue": 1_000_000})
    with _calling(port) as callers:
        for number in range(kills):
            before = _count_accepted(callers)
            api = start_api(settings)
            workshop.wait_for(partial(answers, port), 60)
            if number % 2:
                workshop.wait_for(partial(_has_accepted, callers, before), 60)
            time.sleep(chance.uniform(0, longest))
            os.kill(api.pid or 0, signal.SIGKILL)
            api.join(30)
        api = start_api(settings)
    os.kill(api.pid or 0, signal.SIGKILL)
    api.join(30)
    return _count(workshop, callers, kills, time.monotonic() - since)


def start_api(settings: Settings) -> ForkServerProcess:
    """A process of its own, forked from one that has imported everything."""
    FORKS.set_forkserver_preload([__name__])
    process = FORKS.Process(target=_run, args=(settings,), daemon=True)
    process.start()
    return process


def _run(settings: Settings) -> None:
    log = os.open(settings.data / "api.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.environ.update(make_environment(settings))  # noqa: TID251  as its own program finds them
    serve()


@contextmanager
def _calling(port: int) -> Iterator[list[Caller]]:
    stop = Event()
    callers = [Caller(port, stop) for _ in range(CALLERS)]
    threads = [Thread(target=caller.run, daemon=True) for caller in callers]
    for thread in threads:
        thread.start()
    try:
        yield callers
    finally:
        stop.set()
        for thread in threads:
            thread.join(60)


def _count(workshop: Workshop, callers: list[Caller], kills: int, seconds: float) -> ApiTally:
    told = {key: job for caller in callers for key, job in caller.accepted.items()}
    workflows = workshop.workflows()
    kept: dict[str, str] = {}
    incomplete = 0
    with workshop.engine.connect() as connection:
        for key in told:
            row = find_earlier(connection, "", OWNER, key)
            if row is not None:
                kept[key] = row.id
    for job_id in kept.values():
        job = workshop.queue.get(job_id)
        incomplete += not (workflows.get(job_id) == "ENQUEUED" and _has_sources(workshop, job))
    return ApiTally(
        kills=kills,
        requests=len(told) + sum(caller.cut for caller in callers),
        accepted=len(told),
        cut=sum(caller.cut for caller in callers),
        refused=sum(caller.refused for caller in callers),
        lost=sum(kept.get(key) != job for key, job in told.items()),
        double=len(workflows) - len(told),
        incomplete=incomplete,
        seconds=round(seconds, 1),
    )


def _has_sources(workshop: Workshop, job: Job) -> bool:
    with suppress(ReframeError):
        for source in job.order.sources:
            name = source.removeprefix("blob:").partition("?")[0]
            if workshop.store.read(name) != PICTURE:
                return False
        return True
    return False


def _has_accepted(callers: list[Caller], before: int) -> bool:
    return _count_accepted(callers) > before


def _count_accepted(callers: list[Caller]) -> int:
    return sum(len(caller.accepted) for caller in callers)


def answers(port: int) -> bool:
    """Whether somebody listens there."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def find_port() -> int:
    """A port that is free."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


def _read_id(body: bytes) -> str:
    return str(json.loads(body)["id"])

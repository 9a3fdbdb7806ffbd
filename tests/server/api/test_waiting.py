"""Whoever waits for a job takes no thread from those who ask."""

import asyncio
import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import cast

from server.api.waiting import LOOKERS, wait
from server.jobs.durable_queue import DurableQueue
from server.jobs.job import Job, Status
from server.jobs.queue import JobQueue
from tests.server.api.conftest import Api

CROWD = 60


class Slow:
    """A queue that takes a while to say that all is over."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._lock = threading.Lock()
        self._inside = self.most = 0
        self._never = threading.Event()

    def get(self, job_id: str) -> Job:
        with self._lock:
            self._inside += 1
            self.most = max(self.most, self._inside)
        self._never.wait(0.02)
        with self._lock:
            self._inside -= 1
        return replace(self._job, status=Status.SUCCEEDED)


def test_a_crowd_that_waits_takes_turns(api: Api) -> None:
    job = DurableQueue(api.engine).get(api.submit()["id"])
    queue = Slow(job)

    async def crowd() -> Sequence[Job]:
        waiting = [wait(cast("JobQueue", queue), job, 60) for _ in range(CROWD)]
        return await asyncio.gather(*waiting)

    ended = asyncio.run(crowd())
    assert {seen.status for seen in ended} == {Status.SUCCEEDED}
    assert queue.most <= LOOKERS.total_tokens < CROWD

"""Waiting for a job's end without holding a thread."""

import asyncio
import re
import time
from collections.abc import AsyncIterator

from anyio import CapacityLimiter, to_thread

from server.errors import DatabaseUnavailable
from server.jobs.job import Job
from server.jobs.queue import JobQueue

LONGEST_WAIT = 120
"""Seconds that a request may stay open for its job."""

FIRST, LONGEST = 0.05, 0.5
"""Seconds between two looks, growing."""

LOOKERS = CapacityLimiter(4)
"""Threads for all looks: thousands who wait take turns, and none from those who ask."""


def read_wait(prefer: str | None, otherwise: int = 0) -> int:
    """The seconds of ``Prefer: wait=N``, at most 120; ``otherwise`` where it does not say."""
    found = re.search(r"(?:^|[,;\s])wait=([0-9]{1,6})(?:$|[,;\s])", prefer or "")
    return min(int(found[1]), LONGEST_WAIT) if found else otherwise


async def watch(queue: JobQueue, job: Job, seconds: float) -> AsyncIterator[Job]:
    """The job as it stands, each time that it changed, until its end or for ``seconds``."""
    deadline, pause = time.monotonic() + seconds, FIRST
    while not job.status.is_final and (left := deadline - time.monotonic()) > 0:
        await asyncio.sleep(min(pause, left))
        try:
            seen = await to_thread.run_sync(queue.get, job.id, limiter=LOOKERS)
        except DatabaseUnavailable:
            continue  # the job was accepted; who waits is told so, at the latest when time is up
        pause = FIRST if seen != job else min(LONGEST, pause * 1.3)
        if seen != job:
            job = seen
            yield job


async def wait(queue: JobQueue, job: Job, seconds: float) -> Job:
    """The job at its end, or as it stands after ``seconds``."""
    async for seen in watch(queue, job, seconds):
        job = seen
    return job

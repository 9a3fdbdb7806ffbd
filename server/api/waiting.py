"""Waiting for a job's end without holding a thread."""

import asyncio
import time
from collections.abc import AsyncIterator

from starlette.concurrency import run_in_threadpool

from server.errors import DatabaseUnavailable
from server.jobs.job import Job
from server.jobs.queue import JobQueue

FIRST, LONGEST = 0.05, 0.5
"""Seconds between two looks, growing."""


async def watch(queue: JobQueue, job: Job, seconds: float) -> AsyncIterator[Job]:
    """The job as it stands, each time that it changed, until its end or for ``seconds``."""
    deadline, pause = time.monotonic() + seconds, FIRST
    while not job.status.is_final and (left := deadline - time.monotonic()) > 0:
        await asyncio.sleep(min(pause, left))
        try:
            seen = await run_in_threadpool(queue.get, job.id)
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

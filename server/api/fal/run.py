"""The run: one request that stays open until the pictures are there."""

import asyncio
from dataclasses import dataclass

from fastapi import Request
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from pipelines.errors import JobCancelled
from server.api.fal.answer import name_request
from server.api.fal.desk import Desk
from server.errors import JobExpired
from server.jobs.job import Job

LONGEST = 3600.0
"""Seconds that a run may take; what takes longer goes through the queue."""


@dataclass(frozen=True, slots=True)
class Run:
    """The endpoint."""

    desk: Desk

    async def run(self, request: Request) -> JSONResponse:
        """The result; a caller who leaves cancels it."""
        given = await self.desk.read(request)
        job = await run_in_threadpool(self.desk.take, request, given)
        name_request(request, job.id)
        job = await self._wait(request, job)
        if not job.status.is_final:
            await run_in_threadpool(self.desk.queue.cancel, job.id)
            msg = f"a run takes at most {LONGEST:.0f} seconds"
            raise JobExpired(msg)
        return await self.desk.render(job, request)

    async def _wait(self, request: Request, job: Job) -> Job:
        """The job at its end; raises JobCancelled when the caller has left."""
        ending = asyncio.create_task(self._end(job))
        leaving = asyncio.create_task(_leave(request))
        try:
            await asyncio.wait({ending, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if ending.done():
                return ending.result()
            await run_in_threadpool(self.desk.queue.cancel, job.id)
            raise JobCancelled
        finally:
            ending.cancel()
            leaving.cancel()

    async def _end(self, job: Job) -> Job:
        async for seen in self.desk.follow(job, LONGEST):
            job = seen
        return job


async def _leave(request: Request) -> None:
    """Return when the caller is gone; the body has been read before."""
    while (await request.receive())["type"] != "http.disconnect":
        pass

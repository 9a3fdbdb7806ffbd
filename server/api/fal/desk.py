"""What the run and the queue share: orders read and taken, jobs found, followed and shown."""

import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from fastapi import Request
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from pipelines.errors import ReframeError
from server.api.fal.answer import answer
from server.api.fal.place import Places
from server.api.fal.source import Sources
from server.api.links import inline
from server.api.reception import Asked, Reception
from server.api.waiting import watch
from server.doors.fal.refusal import find_refusal
from server.doors.fal.result import render_result
from server.doors.fal.wish import MODEL, Preferences, parse
from server.errors import BlobMissing, InvalidBody, JobExpired, JobNotFound, MalformedBody, NotFound
from server.jobs.job import Failure, Job, Status
from server.jobs.order import SizeTarget
from server.jobs.queue import JobQueue

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
"""The deadline of what must never begin."""

NOWHERE = "https://refused.invalid/"
"""A name that no machine will ever have."""

NOTHING = (SizeTarget(width=1024, height=1024),)


@dataclass(frozen=True, slots=True)
class Desk:
    """Between the routes and the house."""

    reception: Reception
    places: Places
    sources: Sources

    @property
    def queue(self) -> JobQueue:
        """Where the jobs are."""
        return self.reception.queue

    async def read(self, request: Request) -> Any:
        """The body; raises MalformedBody where it is not JSON."""
        body = await request.body()
        try:
            # tens of megabytes may be a picture: others are answered meanwhile
            return await run_in_threadpool(json.loads, body)
        except (ValueError, RecursionError) as error:
            msg = "the body is not JSON"
            raise MalformedBody(msg) from error

    def take(self, request: Request, body: Any, hook: str | None = None) -> Job:
        """Take the order; raises as ``Reception.take``, and InvalidBody."""
        given, wanted = parse(body), Preferences.parse(request.headers)
        found = self.sources.find(given.image_url, request.state.key.id)
        asked = Asked(
            model=MODEL,
            key=request.state.key,
            sources=found.sources,
            files=found.files,
            wishes={**given.wishes(), "volatile": wanted.volatile},
            callback_url=hook,
            metadata={**given.metadata, "lifetime": wanted.lifetime},
            priority=wanted.priority,
            deadline=wanted.deadline(datetime.now(UTC)),
            request_id=request.state.request_id,
        )
        return self.reception.take(asked).job

    def take_refused(self, request: Request, error: ReframeError, hook: str | None) -> Job:
        """A job that has failed already, for it is asked about as any other one.

        It never begins: its deadline has passed, and there is nothing at its source.
        """
        errors = error.errors if isinstance(error, InvalidBody) else []
        asked = Asked(
            model=MODEL,
            key=request.state.key,
            sources=(NOWHERE,),
            wishes={"targets": NOTHING},
            callback_url=hook,
            metadata={"refused": {"code": error.code, "message": error.detail, "errors": errors}},
            deadline=LONG_AGO,
            request_id=request.state.request_id,
        )
        job = self.reception.take(asked).job
        return self.queue.fail(job.id, Failure(error.code, error.detail, "plan"))

    def find(self, request: Request, job_id: str) -> Job:
        """The key's own request as it stands; raises JobNotFound for another one's."""
        job = self._look(job_id)
        if job.owner != request.state.key.id or job.model != MODEL:
            raise JobNotFound
        return job

    async def follow(self, job: Job, seconds: float) -> AsyncIterator[Job]:
        """The job each time that it changed, until its end or for ``seconds``."""
        until = time.monotonic() + seconds
        if job.deadline and job.status is Status.QUEUED:
            left = (job.deadline - datetime.now(UTC)).total_seconds()
            async for seen in watch(self.queue, job, min(seconds, left)):
                yield seen
            job = await run_in_threadpool(self._look, job.id)
            yield job
        async for seen in watch(self.queue, job, until - time.monotonic()):
            yield seen

    async def render(self, job: Job, request: Request) -> JSONResponse:
        """What a completed request made, or its error."""
        refusal = find_refusal(job)
        if refusal:
            return answer(refusal)
        return JSONResponse(await run_in_threadpool(self._render, job, request))

    def _render(self, job: Job, request: Request) -> dict[str, Any]:
        synchronous = (job.metadata or {}).get("sync_mode")
        store = self.reception.store
        try:
            link = inline(store) if synchronous else self.places.link_from(request)
            return render_result(job, link)
        except BlobMissing as error:
            msg = "the images of this request are gone"
            raise NotFound(msg) from error

    def _look(self, job_id: str) -> Job:
        """The job; one that is still in line after its deadline never begins, and has failed."""
        now = datetime.now(UTC)  # before the look: whatever it finds waiting is too late
        job = self.queue.get(job_id)
        if job.status is Status.QUEUED and job.deadline and job.deadline < now:
            late = JobExpired()
            return self.queue.fail(job_id, Failure(late.code, late.detail))
        return job

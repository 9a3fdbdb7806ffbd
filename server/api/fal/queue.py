"""The queue: submit, look, follow, fetch, cancel."""

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Query, Request
from fastapi.responses import JSONResponse
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.concurrency import run_in_threadpool

from pipelines.errors import RequestError
from server.api.fal.answer import name_request
from server.api.fal.desk import Desk
from server.doors.fal.status import is_completed, render_logs, render_status, render_submission
from server.errors import InvalidBody, QueueFull
from server.jobs.job import Job

LONGEST_STREAM = 3600.0
LONGEST_URL = 2000

Longest = Annotated[int | None, Query(ge=0)]
"""Jobs in line beyond which a request would rather be turned away."""


@dataclass(frozen=True, slots=True)
class Queue:
    """The endpoints; ``count_waiting`` says how many jobs of all keys are in line."""

    desk: Desk
    count_waiting: Callable[[], int]

    async def submit(
        self,
        request: Request,
        fal_webhook: str | None = None,
        fal_max_queue_length: Longest = None,
    ) -> JSONResponse:
        """Accept a request; what is wrong with its body shows in its status, as there."""
        given = await self.desk.read(request)
        _check_hook(fal_webhook)
        job = await run_in_threadpool(self._take, request, given, fal_webhook, fal_max_queue_length)
        name_request(request, job.id)
        return JSONResponse(render_submission(job, self.desk.places.queue(request)))

    async def get_status(
        self, request: Request, job_id: str, *, logs: bool = False
    ) -> JSONResponse:
        """How it stands: 202 until it is completed."""
        job = await self._look(request, job_id)
        lines = render_logs(job) if logs else []
        body = render_status(job, self.desk.places.queue(request), lines)
        return JSONResponse(body, 200 if is_completed(job) else 202)

    async def stream_status(
        self, request: Request, job_id: str, *, logs: bool = False
    ) -> EventSourceResponse:
        """How it stands, each time that this changed, until it is completed."""
        job = await self._look(request, job_id)
        return EventSourceResponse(self._tell(job, self.desk.places.queue(request), logs=logs))

    async def get_result(self, request: Request, job_id: str) -> JSONResponse:
        """What it made, or the error."""
        job = await self._look(request, job_id)
        if not is_completed(job):
            return JSONResponse({"detail": "Request is still in progress"}, 400)
        return await self.desk.render(job, request)

    async def cancel(self, request: Request, job_id: str) -> JSONResponse:
        """Ask for its end: at once while it is in line, else at its next step."""
        job = await self._look(request, job_id)
        if is_completed(job):
            return JSONResponse({"status": "ALREADY_COMPLETED"}, 400)
        await run_in_threadpool(self.desk.queue.cancel, job.id)
        return JSONResponse({"status": "CANCELLATION_REQUESTED"}, 202)

    def _take(self, request: Request, given: Any, hook: str | None, longest: int | None) -> Job:
        if longest is not None and self.count_waiting() > longest:
            msg = f"more than {longest} requests are in line"
            raise QueueFull(msg)
        try:
            return self.desk.take(request, given, hook)
        except (InvalidBody, RequestError) as error:
            return self.desk.take_refused(request, error, hook)

    async def _look(self, request: Request, job_id: str) -> Job:
        job = await run_in_threadpool(self.desk.find, request, job_id)
        name_request(request, job.id)
        return job

    async def _tell(self, job: Job, base: str, *, logs: bool) -> AsyncIterator[ServerSentEvent]:
        """Each line of the log once: who follows a stream keeps the lines."""
        told: list[str] = []
        yield _write(job, base, told if logs else None)
        if is_completed(job):
            return
        async for seen in self.desk.follow(job, LONGEST_STREAM):
            yield _write(seen, base, told if logs else None)


def _write(job: Job, base: str, told: list[str] | None) -> ServerSentEvent:
    lines = [] if told is None else render_logs(job, told)
    if told is not None:
        told += [line["message"] for line in lines]
    return ServerSentEvent(json.dumps(render_status(job, base, lines)))


def _check_hook(url: str | None) -> None:
    if url is None:
        return
    plain = url.isascii() and url.isprintable() and len(url) <= LONGEST_URL
    if plain and url.startswith(("https://", "http://")):
        return
    msg = f"fal_webhook is an http(s) URL of at most {LONGEST_URL} characters"
    error = {"loc": ["query", "fal_webhook"], "msg": msg, "type": "url_parsing"}
    raise InvalidBody(msg, [error])

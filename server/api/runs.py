"""The run API: create, look, list, follow, cancel."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Query, Request, Response
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.concurrency import run_in_threadpool

from pipelines.presets.catalogue import Catalogue
from server.api.body import Given, read_body
from server.api.intake import RunBody, read_run
from server.api.links import Linker
from server.api.reception import Reception
from server.api.record import CODES, STATUSES, render_logs, render_record
from server.api.schemas import FAILURES, FORM, RunPage, RunRecord
from server.api.waiting import read_wait, wait, watch
from server.errors import InvalidBody, JobNotFound
from server.jobs.job import Job, Status
from server.jobs.order import Task
from server.jobs.queue import JobQuery, JobQueue, Submission

LONGEST_STREAM = 3600
MOST_LISTED = 500

RUN_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": RunBody.model_json_schema(),
                "examples": {
                    "two sizes": {
                        "value": {
                            "input": {
                                "image_url": "https://example.com/photo.jpg",
                                "target_sizes": ["1080x1350", "1200x628"],
                            },
                            "metadata": {"campaign": "spring"},
                        }
                    }
                },
            },
            "multipart/form-data": FORM,
        },
    }
}


@dataclass(frozen=True, slots=True)
class Runs:
    """The endpoints, and what they need of the house."""

    queue: JobQueue
    reception: Reception
    linker: Linker
    catalogue: Catalogue
    price: float | None = None

    async def create(
        self,
        request: Request,
        response: Response,
        owner: str,
        model: str,
        idempotency_key: Annotated[str | None, Header(max_length=255)] = None,
        prefer: Annotated[str | None, Header()] = None,
    ) -> dict[str, Any]:
        """Accept a run; ``Prefer: wait=N`` answers when it has ended, or after N seconds."""
        given = await read_body(request)
        job, is_new = await run_in_threadpool(
            self._submit, f"{owner}/{model}", given, request, idempotency_key or None
        )
        response.headers["Location"] = f"/v1/runs/{job.id}"
        if not is_new:
            response.headers["Idempotent-Replayed"] = "true"
        if seconds := read_wait(prefer):
            response.headers["Preference-Applied"] = f"wait={seconds}"
            job = await wait(self.queue, job, seconds)
        return self._render(job, request)

    async def list(
        self,
        request: Request,
        limit: Annotated[int, Query(ge=1, le=MOST_LISTED)] = 50,
        pq: str | None = None,
        status: str | None = None,
        q: str | None = None,
        task: Literal["reframe", "plan", "all"] = "reframe",
    ) -> dict[str, Any]:
        """The key's runs, the newest first; ``next_pq`` goes on where this page ends.

        Those that only plan are listed for ``task=plan`` or ``task=all``.
        """
        kind = None if task == "all" else Task(task)
        query = JobQuery(request.state.key.id, limit, pq, _read_status(status), q, kind)
        page = await run_in_threadpool(self.queue.list, query)
        items = [self._render(job, request) for job in page.jobs]
        return {"items": items, "next_pq": page.cursor, "prev_pq": None}

    async def get(self, request: Request, job_id: str) -> dict[str, Any]:
        """One run as it stands."""
        return self._render(await self._find(request, job_id), request)

    async def get_logs(self, request: Request, job_id: str) -> dict[str, Any]:
        """What happened to the run, the oldest line first."""
        return {"items": render_logs(await self._find(request, job_id))}

    async def get_node_runs(self, request: Request, job_id: str) -> dict[str, Any]:
        """A run here is one piece: there are no nodes."""
        await self._find(request, job_id)
        return {"items": []}

    async def cancel(self, request: Request, job_id: str) -> dict[str, Any]:
        """Ask for the run's end; one that has ended stays as it is."""
        await self._find(request, job_id)
        return self._render(await run_in_threadpool(self.queue.cancel, job_id), request)

    async def cancel_as_hosted(
        self, request: Request, response: Response, job_id: str
    ) -> dict[str, Any]:
        """As ``cancel``; 201 where this ended it, 200 where it had ended before."""
        if (await self._find(request, job_id)).status.is_final:
            response.status_code = 200
        return self._render(await run_in_threadpool(self.queue.cancel, job_id), request)

    async def follow(self, request: Request, job_id: str) -> EventSourceResponse:
        """Server-sent events: queue position, step and share, and the record at the end."""
        return EventSourceResponse(self._tell(await self._find(request, job_id), request))

    def _submit(
        self, model: str, given: Given, request: Request, idempotency: str | None
    ) -> Submission:
        key, request_id = request.state.key, request.state.request_id
        return self.reception.take(
            read_run(
                model,
                given,
                key,
                self.catalogue,
                idempotency=idempotency,
                request_id=request_id,
            )
        )

    async def _find(self, request: Request, job_id: str) -> Job:
        """The key's own job; another one's is not there."""
        job = await run_in_threadpool(self.queue.get, job_id)
        if job.owner != request.state.key.id:
            raise JobNotFound
        return job

    def _render(self, job: Job, request: Request) -> dict[str, Any]:
        return render_record(job, self.linker.for_request(request), self.price)

    async def _tell(self, job: Job, request: Request) -> AsyncIterator[ServerSentEvent]:
        yield _progress(job)
        async for seen in watch(self.queue, job, LONGEST_STREAM):
            job = seen
            yield _progress(job)
        if job.status.is_final:
            yield ServerSentEvent(json.dumps(self._render(job, request)), event="end")


async def list_statuses() -> dict[str, Any]:
    """Every status that a run can have."""
    return {"items": list(STATUSES)}


def make_router(runs: Runs) -> APIRouter:
    """The routes of the run API."""
    router = APIRouter(prefix="/v1", tags=["runs"], responses=FAILURES)
    create = "/models/{owner}/{model}/runs"
    shows: dict[str, Any] = {"model": RunRecord}
    created = router.post(create, status_code=201, responses={201: shows}, openapi_extra=RUN_BODY)
    created(runs.create)
    router.get("/runs", responses={200: {"model": RunPage}})(runs.list)
    router.get("/runs/statuses")(list_statuses)
    router.get("/runs/{job_id}", responses={200: shows})(runs.get)
    router.get("/runs/{job_id}/logs")(runs.get_logs)
    router.get("/runs/{job_id}/node-runs")(runs.get_node_runs)
    router.get("/runs/{job_id}/events", response_class=EventSourceResponse)(runs.follow)
    router.post("/runs/{job_id}/cancel", responses={200: shows})(runs.cancel)
    ended: dict[int | str, Any] = {200: shows, 201: shows}
    hosted = router.post("/admin/runs/{job_id}/cancellation", status_code=201, responses=ended)
    hosted(runs.cancel_as_hosted)
    return router


def _progress(job: Job) -> ServerSentEvent:
    stage = job.stage
    done = 1.0 if job.status is Status.SUCCEEDED else stage.fraction if stage else 0.0
    told = {
        "id": job.id,
        "status_code": CODES[job.status],
        "queue_position": job.position,
        "step": stage.step if stage else None,
        "percent": round(100 * done, 1),
    }
    return ServerSentEvent(json.dumps(told), event="progress")


def _read_status(text: str | None) -> Any:
    if text is None:
        return None
    for status, code in CODES.items():
        if text in {code, status.value}:
            return status
    msg = f"status is one of {', '.join(CODES.values())}, not {text!r}"
    raise InvalidBody(msg, [{"loc": ["query", "status"], "msg": msg, "type": "enum"}])

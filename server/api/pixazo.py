"""The door of Pixazo's Smart Resize: submit, and look how it stands in three ways."""

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from pipelines.errors import ReframeError
from server.api.body import read_body
from server.api.door import Door
from server.api.intake import validate
from server.api.links import Linker, inline
from server.api.reception import Asked, Reception
from server.doors.pixazo import MODEL
from server.doors.pixazo.errors import ANSWERS, refuse
from server.doors.pixazo.inputs import ResizeBody, ResultBody
from server.doors.pixazo.status import (
    PREFIX,
    find_job_id,
    is_inline,
    render_accepted,
    render_status,
)
from server.errors import JobNotFound
from server.images.store import ImageStore
from server.jobs.queue import JobQueue

BELOW = "/smart-resize/v1"
"""Before the paths of the API; one of the page's examples leaves it out, and so may callers."""

SUBMIT, RESULT = "/smart-resize-request", "/smart-resize-request-result"
STATUS = "/v2/requests/status"

EXAMPLE = {
    "image_url": "https://example.com/photo.jpg",
    "target_sizes": ["1024x1024", "1920x1080"],
    "prompt": "keep face centered",
}


@dataclass(frozen=True, slots=True)
class Pixazo:
    """The endpoints, and what they need of the house."""

    queue: JobQueue
    reception: Reception
    linker: Linker
    store: ImageStore

    async def submit(self, request: Request) -> JSONResponse:
        """Accept a request."""
        given = await read_body(request)
        body = validate(ResizeBody, given.fields, "body")
        asked = Asked(
            model=MODEL,
            key=request.state.key,
            sources=[body.image_url],
            wishes=body.wishes(),
            metadata=body.metadata,
            request_id=request.state.request_id,
        )
        job, _ = await run_in_threadpool(self.reception.take, asked)
        return JSONResponse(render_accepted(job, self.linker.base_of(request)))

    async def get_status(self, request: Request, request_id: str) -> JSONResponse:
        """The request as it stands."""
        return await run_in_threadpool(self._render, request, request_id)

    async def get_result(self, request: Request) -> JSONResponse:
        """The same, of the request that the body names."""
        given = await read_body(request)
        body = validate(ResultBody, given.fields, "body")
        return await run_in_threadpool(self._render, request, body.request_id)

    def _render(self, request: Request, request_id: str) -> JSONResponse:
        job = self.queue.get(find_job_id(request_id))
        if job.owner != request.state.key.id or job.model != MODEL:
            raise JobNotFound
        link = inline(self.store) if is_inline(job) else self.linker.for_request(request)
        return JSONResponse(render_status(job, link))


def make_door(endpoints: Pixazo) -> Door:
    """The door, also for who takes this server for the hosted one."""
    failures: dict[int | str, dict[str, Any]] = {
        status: {"description": title} for _, status, title in ANSWERS
    }
    router = APIRouter(tags=["Pixazo"], responses=failures)
    asked = _describe_body(ResizeBody, EXAMPLE)
    named = _describe_body(
        ResultBody, {"request_id": PREFIX + "0199c0de-0000-7000-8000-000000000001"}
    )
    for below in (BELOW, ""):
        shown = bool(below)
        router.post(below + SUBMIT, include_in_schema=shown, openapi_extra=asked)(endpoints.submit)
        result = router.post(below + RESULT, include_in_schema=shown, openapi_extra=named)
        result(endpoints.get_result)
    router.get(STATUS + "/{request_id}")(endpoints.get_status)
    router.post(STATUS + "/{request_id}", include_in_schema=False)(endpoints.get_status)
    return Door(
        name="pixazo",
        router=router,
        render_error=_render_error,
        paths=("/smart-resize", SUBMIT, RESULT, "/v2/requests"),
        hosts={"gateway.pixazo.ai": ""},
    )


def _describe_body(kind: type[BaseModel], example: dict[str, Any]) -> dict[str, Any]:
    """For the documentation."""
    content = {"application/json": {"schema": kind.model_json_schema(), "example": example}}
    return {"requestBody": {"required": True, "content": content}}


def _render_error(error: ReframeError) -> JSONResponse:
    refusal = refuse(error)
    return JSONResponse(refusal.body, refusal.status, refusal.headers)

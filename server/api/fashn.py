"""The door of FASHN's reframe: run, status, credits."""

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from pipelines.errors import ReframeError
from server.api.body import read_body
from server.api.door import Door
from server.api.intake import validate
from server.api.links import Linker, inline
from server.api.reception import Asked, Reception
from server.doors.fashn import MODEL
from server.doors.fashn.errors import ANSWERS, TOO_MANY_JOBS, refuse
from server.doors.fashn.inputs import ReframeInputs, RunBody
from server.doors.fashn.prediction import find_job_id, prediction_id, render_prediction
from server.doors.refusal import Refusal
from server.errors import JobNotFound, RateLimited
from server.images.store import ImageStore
from server.jobs.job import Job
from server.jobs.queue import JobQueue

EXAMPLE = {
    "model_name": "reframe",
    "inputs": {"image": "https://example.com/portrait.jpg", "aspect_ratio": "16:9"},
}

CREDITS_USED = "x-fashn-credits-used"
GPU_SECONDS = "x-gpu-seconds"


@dataclass(frozen=True, slots=True)
class Fashn:
    """The endpoints, and what they need of the house.

    ``balance`` is the credits that every key has and ``credits`` those that a picture takes, as the
    operator has them told: nothing is charged, but callers may ask before they run.
    """

    queue: JobQueue
    reception: Reception
    linker: Linker
    store: ImageStore
    balance: int = 1_000_000
    credits: int = 0

    async def run(self, request: Request, webhook_url: str = "") -> JSONResponse:
        """Accept a prediction; ``webhook_url`` may stand in the body instead."""
        given = await read_body(request)
        named = {"webhook_url": webhook_url} if webhook_url else {}
        body = validate(RunBody, {**given.fields, **named}, "body")
        inputs = validate(ReframeInputs, body.inputs, "inputs")
        asked = Asked(
            model=MODEL,
            key=request.state.key,
            sources=[inputs.image],
            wishes=inputs.wishes(),
            callback_url=body.webhook_url or None,
            metadata=inputs.metadata,
            request_id=request.state.request_id,
        )
        try:
            job, _ = await run_in_threadpool(self.reception.take, asked)
        except RateLimited as error:  # the gate counts requests, the reception unfinished jobs
            return _answer(refuse(error, TOO_MANY_JOBS))
        return JSONResponse({"id": prediction_id(job), "error": None})

    async def get_status(self, request: Request, prediction: str) -> JSONResponse:
        """The prediction as it stands."""
        return await run_in_threadpool(self._render, request, prediction)

    async def get_credits(self) -> dict[str, Any]:
        """What is left, which is always the same."""
        parts = {"subscription": self.balance, "on_demand": 0}
        return {"credits": {"total": sum(parts.values()), **parts}}

    def _render(self, request: Request, prediction: str) -> JSONResponse:
        job = self._find(request, prediction)
        link = inline(self.store) if job.order.volatile else self.linker.for_request(request)
        headers = {}
        if job.status.is_final:
            used = self.credits * len(job.outputs)
            headers = {CREDITS_USED: str(used), GPU_SECONDS: f"{job.gpu_seconds:.3f}"}
        return JSONResponse(render_prediction(job, link), headers=headers)

    def _find(self, request: Request, prediction: str) -> Job:
        """The key's own prediction; another one's is not there."""
        job = self.queue.get(find_job_id(prediction))
        if job.owner != request.state.key.id or job.model != MODEL:
            raise JobNotFound
        return job


def make_door(endpoints: Fashn) -> Door:
    """The door, also for who takes this server for the hosted one."""
    failures: dict[int | str, dict[str, Any]] = {
        status: {"description": name} for _, status, name in ANSWERS
    }
    router = APIRouter(tags=["FASHN"], responses=failures)
    router.post("/v1/run", openapi_extra=_describe_body())(endpoints.run)
    router.get("/v1/status/{prediction}")(endpoints.get_status)
    router.get("/v1/credits")(endpoints.get_credits)
    return Door(
        name="fashn",
        router=router,
        render_error=_render_error,
        paths=("/v1/run", "/v1/status", "/v1/credits"),
        hosts={"api.fashn.ai": ""},
        exposed=(CREDITS_USED, GPU_SECONDS),
    )


def _describe_body() -> dict[str, Any]:
    """For the documentation: a run's body has the model's own input in it."""
    schema = RunBody.model_json_schema()
    schema["properties"]["inputs"] = ReframeInputs.model_json_schema()
    content = {"application/json": {"schema": schema, "example": EXAMPLE}}
    return {"requestBody": {"required": True, "content": content}}


def _render_error(error: ReframeError) -> JSONResponse:
    return _answer(refuse(error))


def _answer(refusal: Refusal) -> JSONResponse:
    return JSONResponse(refusal.body, refusal.status, refusal.headers)

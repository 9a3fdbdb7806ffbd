"""The plan API: what would be kept, cropped and painted, before anything is."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from pipelines.engine import Mode
from pipelines.errors import JobCancelled
from pipelines.plan import Plan
from pipelines.presets.catalogue import Catalogue
from server.answers import ANSWERS
from server.api.body import Given, read_body
from server.api.intake import RunBody, read_run, validate
from server.api.links import Linker
from server.api.reception import Asked, Reception
from server.api.record import CODES
from server.api.schemas import FAILURES, FORM, PlanAnswer, PlanPending
from server.api.sketch import Sketch, draw_sketch
from server.api.waiting import read_wait, wait
from server.callbacks.payload import Link
from server.errors import InternalError, InvalidBody, JobNotFound
from server.jobs.estimate import Spent, estimate
from server.jobs.job import Failure, Job, Output, Status
from server.jobs.order import AnyTarget, SizeTarget, Task
from server.jobs.queue import JobQueue, Submission

MODEL = "local/smart-resize"

PATIENCE = 60
"""Seconds that a request waits for its plan where it does not say."""

FIRST = 1
"""The priority of plans: a look is short, and somebody waits for it."""

PLAN_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": RunBody.model_json_schema(),
                "examples": {
                    "a picture": {
                        "value": {
                            "input": {
                                "image_url": "https://example.com/photo.jpg",
                                "presets": ["meta/story"],
                            }
                        }
                    },
                    "arithmetic alone": {
                        "value": {
                            "input": {
                                "source_size": [3000, 2000],
                                "composition": {
                                    "describer": "me",
                                    "subjects": [{"box": [0.4, 0.2, 0.7, 0.9], "label": "dancer"}],
                                },
                                "aspect_ratios": ["16:9", "9:16"],
                            }
                        }
                    },
                },
            },
            "multipart/form-data": FORM,
        },
    }
}


@dataclass(frozen=True, slots=True)
class Plans:
    """The endpoints, and what they need of the house.

    ``find_engine`` names the engine that works at the moment, ``read_history`` tells what an
    engine's latest jobs in a mode took.
    """

    queue: JobQueue
    reception: Reception
    linker: Linker
    catalogue: Catalogue
    find_engine: Callable[[], str]
    read_history: Callable[[str, Mode], Iterable[Spent]]

    async def create(
        self,
        request: Request,
        idempotency_key: Annotated[str | None, Header(max_length=255)] = None,
        prefer: Annotated[str | None, Header()] = None,
    ) -> Response:
        """Plan every target of a picture, and paint nothing.

        A ``source_size`` instead of a picture is answered at once. Else a worker looks at the
        picture; after 60 s, or ``Prefer: wait=N``, the answer is 202 and where to ask again.
        """
        given = await read_body(request)
        fields = validate(RunBody, given.fields, "body").input
        if "source_size" in fields or "composition" in fields:
            return JSONResponse(await run_in_threadpool(self._sketch, fields, given))
        job, is_new = await run_in_threadpool(self._submit, given, request, idempotency_key or None)
        seconds = read_wait(prefer, PATIENCE)
        answer = await self._answer(await wait(self.queue, job, seconds), request)
        if prefer:
            answer.headers["Preference-Applied"] = f"wait={seconds}"
        if not is_new:
            answer.headers["Idempotent-Replayed"] = "true"
        return answer

    async def get(self, request: Request, job_id: str) -> Response:
        """A plan that a worker was asked for: 200 once it is there, 202 until then."""
        job = await run_in_threadpool(self.queue.get, job_id)
        if job.owner != request.state.key.id or job.order.task is not Task.PLAN:
            raise JobNotFound
        return await self._answer(job, request)

    def _sketch(self, fields: dict[str, Any], given: Given) -> dict[str, Any]:
        if given.files:
            msg = "give a picture, or its source_size and composition"
            raise InvalidBody(msg)
        asked = validate(Sketch, fields, "input", {"presets": self.catalogue})
        engine = self.find_engine()
        sketched = draw_sketch(asked, engine)
        history = list(self.read_history(engine, sketched.mode))
        return {
            "id": None,
            "engine": engine,
            "source": {**sketched.source._asdict(), "sha256": None},
            "composition": sketched.composition.to_json(),
            "plans": [
                _render(number, target, plan, history)
                for number, (target, plan) in enumerate(
                    zip(sketched.targets, sketched.plans, strict=True)
                )
            ],
        }

    def _submit(self, given: Given, request: Request, idempotency: str | None) -> Submission:
        asked = read_run(
            MODEL,
            given,
            request.state.key,
            self.catalogue,
            idempotency=idempotency,
            request_id=request.state.request_id,
        )
        if len(asked.sources) + len(asked.files) > 1:
            msg = "a plan is made for one picture"
            raise InvalidBody(msg)
        return self.reception.take(_as_plan(asked))

    async def _answer(self, job: Job, request: Request) -> Response:
        if job.status is Status.SUCCEEDED:
            link = self.linker.for_request(request)
            return JSONResponse(await run_in_threadpool(self._render_job, job, link))
        if job.status.is_final:
            return _fail(job)
        place = f"/v1/plans/{job.id}"
        run = f"/v1/runs/{job.id}"
        links = {"self": place, "run": run, "events": f"{run}/events", "cancel": f"{run}/cancel"}
        pending = {"id": job.id, "status_code": CODES[job.status], "links": links}
        return JSONResponse(pending, 202, {"Location": place})

    def _render_job(self, job: Job, link: Link) -> dict[str, Any]:
        record = job.outputs[0].record
        width, height = record["source"]["size"]
        sha256 = record["source"]["sha256"]
        history = list(self.read_history(record["engine"], job.order.mode))
        return {
            "id": job.id,
            "engine": record["engine"],
            "source": {"width": width, "height": height, "sha256": sha256},
            "composition": record["composition"],
            "plans": [
                {
                    **_render(
                        output.target,
                        job.order.targets[output.target],
                        Plan.from_fields(output.record["plan"]),
                        history,
                    ),
                    "overlay": _render_overlay(output, link),
                }
                for output in job.outputs
            ],
        }


def make_router(plans: Plans) -> APIRouter:
    """The routes of the plan API."""
    router = APIRouter(prefix="/v1", tags=["plans"], responses=FAILURES)
    answers: dict[int | str, dict[str, Any]] = {
        **FAILURES,
        200: {"model": PlanAnswer, "description": "Every target has its plan."},
        202: {"model": PlanPending, "description": "A worker has yet to look at the picture."},
    }
    create = router.post(f"/models/{MODEL}/plans", responses=answers, openapi_extra=PLAN_BODY)
    create(plans.create)
    router.get("/plans/{job_id}", responses=answers)(plans.get)
    return router


def _as_plan(asked: Asked) -> Asked:
    """The same, to be looked at and not to be painted; nobody is called back."""
    return replace(
        asked,
        wishes={**asked.wishes, "task": Task.PLAN, "variants": 1},
        priority=FIRST,
        callback_url=None,
        fingerprint=asked.fingerprint and f"plan {asked.fingerprint}",
    )


def _render(number: int, target: AnyTarget, plan: Plan, history: Iterable[Spent]) -> dict[str, Any]:
    return {
        "target": number,
        "preset": target.preset if isinstance(target, SizeTarget) else None,
        "plan": plan.to_json(),
        "estimated_gpu_seconds": estimate(history, plan),
        "overlay": None,
    }


def _render_overlay(output: Output, link: Link) -> dict[str, Any]:
    return {"url": link(output), "width": output.width, "height": output.height}


def _fail(job: Job) -> Response:
    """What would have been the answer had the worker been here."""
    cancelled = Failure(JobCancelled.code, JobCancelled().detail)
    failure = cancelled if job.status is Status.CANCELLED else job.failure
    assert failure
    status, code = ANSWERS.get(failure.code, ANSWERS[InternalError.code])
    body = {"code": code, "message": failure.message, "errors": None, "id": job.id}
    return JSONResponse(body, status)

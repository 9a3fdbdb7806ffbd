"""Callbacks as their owner sees them: the history, another delivery, the signing secrets."""

from dataclasses import dataclass
from typing import Any, Protocol

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from server.api.schemas import FAILURES
from server.callbacks.history import Delivery, History
from server.callbacks.payload import render_time
from server.callbacks.secret_store import CallbackSecret, CallbackSecrets
from server.doors.texts import Text
from server.errors import Conflict, JobNotFound
from server.jobs.job import Job
from server.jobs.queue import JobQueue


class Redeliver(Protocol):
    """Puts one more delivery of a job's callback in line."""

    def __call__(self, job_id: str, number: int) -> int:
        """Its number, which tells it from those before: this one or, if it is taken, a later."""
        ...


class Label(BaseModel):
    """What a new secret is called."""

    label: Text = Field(default="", max_length=200)


@dataclass(frozen=True, slots=True)
class Callbacks:
    """The endpoints, and what they need of the house."""

    queue: JobQueue
    history: History
    secrets: CallbackSecrets
    redeliver: Redeliver

    async def get(self, request: Request, job_id: str) -> dict[str, Any]:
        """Every delivery about a run and every attempt of each."""
        job = await self._find(request, job_id)
        deliveries = await run_in_threadpool(self.history.list, job.id)
        return {"url": job.callback_url, "items": [_render(each) for each in deliveries]}

    async def send_again(self, request: Request, job_id: str) -> dict[str, Any]:
        """Deliver the callback of a run that has ended once more, whatever came of it before."""
        job = await self._find(request, job_id)
        if job.callback_url is None or not job.status.is_final:
            msg = "there is a callback once a run that has a callback_url has ended"
            raise Conflict(msg)
        number = len(await run_in_threadpool(self.history.list, job.id)) or 1
        number = await run_in_threadpool(self.redeliver, job.id, number)
        return {"run_id": job.id, "delivery_id": f"{job.id}-{number}", "status": "queued"}

    async def make_secret(self, request: Request, body: Label) -> dict[str, Any]:
        """A new signing secret; it is shown in this answer and never again."""
        owner = request.state.key.id
        secret = await run_in_threadpool(self.secrets.create, owner, body.label)
        return {**_show(secret, is_current=True), "plain_secret": secret.plain}

    async def list_secrets(self, request: Request) -> dict[str, Any]:
        """The key's secrets, the newest first; the newest that is not disabled signs."""
        found = await run_in_threadpool(self.secrets.list, request.state.key.id)
        current = next((secret.id for secret in found if secret.disabled_at is None), None)
        return {"items": [_show(each, is_current=each.id == current) for each in found]}

    async def disable_secret(self, request: Request, secret_id: str) -> dict[str, Any]:
        """End a secret."""
        owner = request.state.key.id
        secret = await run_in_threadpool(self.secrets.disable, owner, secret_id)
        return _show(secret, is_current=False)

    async def _find(self, request: Request, job_id: str) -> Job:
        job = await run_in_threadpool(self.queue.get, job_id)
        if job.owner != request.state.key.id:
            raise JobNotFound
        return job


def make_router(callbacks: Callbacks) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/v1", tags=["callbacks"], responses=FAILURES)
    router.get("/runs/{job_id}/callback")(callbacks.get)
    router.post("/runs/{job_id}/callback-redeliveries", status_code=201)(callbacks.send_again)
    router.post("/callback-secrets", status_code=201)(callbacks.make_secret)
    router.get("/callback-secrets")(callbacks.list_secrets)
    router.delete("/callback-secrets/{secret_id}")(callbacks.disable_secret)
    return router


def _show(secret: CallbackSecret, *, is_current: bool) -> dict[str, Any]:
    return {
        "id": secret.id,
        "label": secret.label,
        "key_prefix": secret.key_prefix,
        "is_current": is_current,
        "created_at": render_time(secret.created_at),
        "disabled_at": render_time(secret.disabled_at),
        "last_used_at": render_time(secret.last_used_at),
    }


def _render(delivery: Delivery) -> dict[str, Any]:
    return {
        "id": delivery.id,
        "url": delivery.url,
        "delivered": delivery.delivered,
        "created_at": render_time(delivery.created_at),
        "attempts": [
            {
                "number": attempt.number,
                "status_code": attempt.status,
                "error": attempt.error,
                "started_at": render_time(attempt.started_at),
                "finished_at": render_time(attempt.finished_at),
            }
            for attempt in delivery.attempts
        ],
    }

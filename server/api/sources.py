"""A run's sources as the server keeps them, to be seen beside what was made of them."""

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool

from server.api.links import Linker
from server.api.schemas import FAILURES, SourcePage
from server.errors import JobNotFound
from server.images.gather import label_of, shelf_of
from server.images.inventory import Kept, read_inventory
from server.images.label import base_name
from server.images.store import ImageStore
from server.jobs.job import Job
from server.jobs.queue import JobQueue


@dataclass(frozen=True, slots=True)
class Sources:
    """The endpoint, and what it needs of the house."""

    queue: JobQueue
    store: ImageStore
    linker: Linker

    async def get(self, request: Request, job_id: str) -> dict[str, Any]:
        """The pictures that a run was given, numbered as its outputs' ``source`` has them.

        Those of a zip are listed one by one once it is unpacked. ``url`` is null until the server
        has the picture, and again once it keeps it no longer.
        """
        job = await run_in_threadpool(self.queue.get, job_id)
        if job.owner != request.state.key.id:
            raise JobNotFound
        base = self.linker.base_of(request)
        return {"items": await run_in_threadpool(self._render, job, base)}

    def _render(self, job: Job, base: str) -> list[dict[str, Any]]:
        kept = read_inventory(self.store, shelf_of(job.order, job.id))
        if kept is None:
            labels = map(label_of, job.order.sources)
            return [_render_absent(number, label) for number, label in enumerate(labels)]
        return [self._render_one(number, each, base) for number, each in enumerate(kept)]

    def _render_one(self, number: int, kept: Kept, base: str) -> dict[str, Any]:
        name = base_name(kept.label)
        return {
            "source": number,
            "url": base + self.linker.links.path(kept.blob, name),
            "file_name": name,
            "content_type": kept.media_type,
            "file_size": kept.size,
            "sha256": kept.sha256,
        }


def make_router(sources: Sources) -> APIRouter:
    """The route below a run."""
    router = APIRouter(prefix="/v1", tags=["runs"], responses=FAILURES)
    router.get("/runs/{job_id}/sources", responses={200: {"model": SourcePage}})(sources.get)
    return router


def _render_absent(number: int, label: str) -> dict[str, Any]:
    unknown = dict.fromkeys(("content_type", "file_size", "sha256"))
    return {"source": number, "url": None, "file_name": base_name(label), **unknown}

"""The door, put together: four mounts, the bare paths, the proxy."""

from functools import partial
from http import HTTPStatus
from typing import Any

import sqlalchemy as sa
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from server.api import files
from server.api.door import Door
from server.api.fal.answer import REQUEST_ID, FalRoute, render_error
from server.api.fal.desk import Desk
from server.api.fal.place import CDN, HOSTS, QUEUE, REST, RUN, Places, is_for_queue
from server.api.fal.proxy import Inside, dispatch
from server.api.fal.queue import Longest, Queue
from server.api.fal.run import Run
from server.api.fal.shelf import Shelf
from server.api.fal.source import Sources
from server.api.fal.upload import Uploads
from server.api.links import Linker
from server.api.reception import Reception
from server.doors.fal.refusal import FAULTS, HEADERS
from server.doors.fal.signing_key import SigningKey
from server.doors.fal.wish import MODEL, SmartResizeInput
from server.jobs.selection import count_waiting

PROXY = "/api/fal/proxy"
KEYS = f"{REST}/.well-known/jwks.json"
BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": SmartResizeInput.model_json_schema(),
                "example": {
                    "image_url": "https://example.com/photo.jpg",
                    "target_sizes": ["1024x1024", "1920x1080"],
                },
            }
        },
    }
}
METHODS = ["GET", "POST", "PUT", "DELETE"]


def make_door(reception: Reception, linker: Linker, engine: sa.Engine, key: SigningKey) -> Door:
    """The door; ``key`` is the one that the workers sign webhooks with."""
    places = Places(linker)
    desk = Desk(reception, places, Sources(linker.links, reception.assets, reception.store))
    shelf = Shelf(reception.assets, reception.store, linker.links, reception.most_bytes)
    router = APIRouter(tags=["fal"], route_class=FalRoute, responses=_describe_failures())
    _add_requests(router, Run(desk), Queue(desk, partial(_count_waiting, engine)))
    _add_uploads(router, Uploads(shelf, places))
    router.include_router(files.make_router(linker.links, reception.store), prefix=CDN)

    @router.get(KEYS)
    async def get_keys() -> JSONResponse:
        """How signatures of webhooks are checked."""
        return JSONResponse(key.render_keys(), headers={"Cache-Control": "public, max-age=3600"})

    @router.api_route(PROXY, methods=METHODS, include_in_schema=False)
    async def proxy(request: Request) -> Inside:
        """What one of the hosted servers would answer."""
        return dispatch(request, router)

    return Door(
        name="fal",
        router=router,
        render_error=render_error,
        paths=("/fal", "/fal-ai", PROXY),
        hosts=dict(HOSTS),
        open_paths=(KEYS, f"{CDN}/files", f"{CDN}/uploads"),
        exposed=(REQUEST_ID, *HEADERS),
    )


def _describe_failures() -> dict[int | str, dict[str, Any]]:
    """For the documentation: every status, with the types that it comes with."""
    kinds: dict[int, set[str]] = {}
    for fault in FAULTS.values():
        kinds.setdefault(fault.status, set()).add(fault.kind or HTTPStatus(fault.status).phrase)
    return {status: {"description": ", ".join(sorted(kinds[status]))} for status in sorted(kinds)}


def _add_requests(router: APIRouter, run: Run, queue: Queue) -> None:
    async def run_or_submit(
        request: Request,
        fal_webhook: str | None = None,
        fal_max_queue_length: Longest = None,
    ) -> JSONResponse:
        """There is one path for both: the host says which is meant, and without one it is a run."""
        if is_for_queue(request):
            return await queue.submit(request, fal_webhook, fal_max_queue_length)
        return await run.run(request)

    for mount, take in (("", run_or_submit), (RUN, run.run), (QUEUE, queue.submit)):
        end = f"{mount}/{MODEL}"
        routes = APIRouter(route_class=FalRoute, include_in_schema=bool(mount))
        routes.post(end, openapi_extra=BODY)(take)
        own = f"{end}/requests/{{job_id}}"
        routes.get(own)(queue.get_result)
        routes.get(f"{own}/response", include_in_schema=False)(queue.get_result)
        routes.get(f"{own}/status")(queue.get_status)
        routes.get(f"{own}/status/stream")(queue.stream_status)
        routes.put(f"{own}/cancel")(queue.cancel)
        router.include_router(routes)


def _add_uploads(router: APIRouter, uploads: Uploads) -> None:
    storage, place = f"{REST}/storage", f"{CDN}/uploads/{{link}}/{{label}}"
    router.post(f"{storage}/auth/token")(uploads.give_token)
    router.post(f"{storage}/upload/initiate")(uploads.initiate)
    router.post(f"{storage}/upload/initiate-multipart")(uploads.initiate_parts)
    router.post(f"{CDN}/files/upload")(uploads.upload)
    router.post(f"{CDN}/files/upload/multipart")(uploads.begin_parts)
    router.put(f"{place}/whole/{{place}}")(uploads.put_whole)
    router.put(f"{place}/multipart/{{place}}/{{number}}")(uploads.put_part)
    router.post(f"{place}/multipart/{{place}}/complete")(uploads.complete)
    router.get(place)(uploads.get)
    router.head(place)(uploads.get)


def _count_waiting(engine: sa.Engine) -> int:
    with engine.connect() as connection:
        return count_waiting(connection)

"""Uploads in three steps: announce, PUT the bytes to a signed place, confirm."""

from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from server.api.links import Linker
from server.api.schemas import FAILURES
from server.doors.texts import Text
from server.images.assets import Asset, Assets
from server.images.links import Links

LARGEST = 50 * 2**20
"""Bytes, as the hosted service has it."""


class Announcement(BaseModel):
    """What is going to be uploaded."""

    filename: Text = Field(min_length=1, max_length=500)
    mime_type: Text = Field(min_length=1, max_length=255)
    size_bytes: int = Field(ge=1, le=LARGEST)


def make_router(assets: Assets, links: Links, linker: Linker) -> APIRouter:
    """The routes of uploads."""
    router = APIRouter(tags=["uploads"], responses=FAILURES)

    @router.post("/v1/asset-uploads", status_code=201)
    async def announce(request: Request, body: Announcement) -> dict[str, Any]:
        """Get a place to PUT the bytes to; it needs no key, and is valid for a while."""
        owner = request.state.key.id
        size = body.size_bytes
        asset = await run_in_threadpool(assets.announce, owner, body.filename, body.mime_type, size)
        place = f"{linker.base_of(request)}/uploads/{links.sign(asset.blob)}"
        return {"asset_id": asset.id, "upload_url": place}

    @router.put("/uploads/{token}", status_code=200)
    async def receive(request: Request, token: str) -> Response:
        """The bytes, as announced."""
        name, data = links.open(token), await request.body()
        asset = await run_in_threadpool(assets.find_blob, name)
        await run_in_threadpool(assets.receive, asset, data)
        return Response(status_code=200)

    @router.post("/v1/asset-uploads/{asset_id}/confirmations", status_code=201)
    async def confirm(request: Request, asset_id: str) -> dict[str, Any]:
        """Say that everything was sent; from now on a run may name it."""
        return _render(await run_in_threadpool(assets.confirm, request.state.key.id, asset_id))

    @router.get("/v1/assets/{asset_id}")
    async def get_asset(request: Request, asset_id: str) -> dict[str, Any]:
        """One upload."""
        return _render(await run_in_threadpool(assets.find, request.state.key.id, asset_id))

    return router


def _render(asset: Asset) -> dict[str, Any]:
    return {
        "id": asset.id,
        "name": asset.name,
        "url": f"runflow://assets/{asset.id}",
        "mime_type": asset.media_type,
        "size_bytes": asset.size,
        "thumbnail_url": None,
        "created_at": asset.created_at.isoformat(),
        "confirmed_at": asset.confirmed_at.isoformat() if asset.confirmed_at else None,
    }

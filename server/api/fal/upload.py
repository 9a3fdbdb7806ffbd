"""Uploads as both clients send them: whole or in parts, with a token or to a signed place."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Header, Path, Request, Response
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from server.api.fal.place import Places
from server.api.fal.shelf import BYTES, Shelf
from server.api.files import HEADERS, TYPES
from server.images.assets import Asset
from server.images.label import base_name

MOST_PARTS = 10_000
UNNAMED = "upload.bin"

MediaType = Annotated[str, Header(alias="content-type")]
FileName = Annotated[str, Header(alias="x-fal-file-name")]
Number = Annotated[int, Path(ge=1, le=MOST_PARTS)]


class Announcement(BaseModel):
    """What is going to be uploaded; how large it is, nobody says."""

    file_name: str = UNNAMED
    content_type: str = BYTES


class Part(BaseModel):
    """A part that has been sent, and the tag that it was answered with."""

    number: int = Field(alias="partNumber", ge=1, le=MOST_PARTS)
    etag: str


class Parts(BaseModel):
    """All of them."""

    parts: list[Part] = Field(min_length=1, max_length=MOST_PARTS)


@dataclass(frozen=True, slots=True)
class Uploads:
    """The endpoints."""

    shelf: Shelf
    places: Places

    async def give_token(self, request: Request) -> dict[str, Any]:
        """What uploads to the other host are sent with."""
        token = self.shelf.make_token(request.state.key.id)
        return {
            "token": token.text,
            "token_type": "Bearer",
            "base_url": self.places.cdn(request),
            # with +00:00: one client compares it with an aware time, and cannot read Z everywhere
            "expires_at": datetime.fromtimestamp(token.expires, UTC).isoformat(),
        }

    async def upload(
        self, request: Request, media_type: MediaType = BYTES, file_name: FileName = UNNAMED
    ) -> dict[str, Any]:
        """Everything in one request, with a token."""
        owner = self._read_token(request)
        data = await request.body()
        asset = await run_in_threadpool(self.shelf.announce, owner, file_name, media_type)
        await run_in_threadpool(self.shelf.keep, asset, data)
        return {"access_url": self._link(asset, request)}

    async def begin_parts(
        self, request: Request, media_type: MediaType = BYTES, file_name: FileName = UNNAMED
    ) -> dict[str, Any]:
        """The beginning of an upload in parts, with a token."""
        owner = self._read_token(request)
        asset = await run_in_threadpool(self.shelf.announce, owner, file_name, media_type)
        url = self._link(asset, request)
        return {"access_url": url, "uploadId": self.shelf.sign_place(asset)}

    async def initiate(self, request: Request, body: Announcement) -> dict[str, Any]:
        """A place to PUT everything to, which needs no key."""
        return await self._initiate(request, body, "whole")

    async def initiate_parts(self, request: Request, body: Announcement) -> dict[str, Any]:
        """A place to PUT the parts to, each under its number."""
        return await self._initiate(request, body, "multipart")

    async def put_whole(self, request: Request, place: str) -> dict[str, Any]:
        """Everything."""
        asset = await run_in_threadpool(self.shelf.find_place, place)
        await run_in_threadpool(self.shelf.keep, asset, await request.body())
        return {"file_url": self._announced(request)}

    async def put_part(
        self, request: Request, response: Response, place: str, number: Number
    ) -> dict[str, Any]:
        """A part; the same number again replaces it. One client reads the tag in the header."""
        asset = await run_in_threadpool(self.shelf.find_place, place)
        data = await request.body()
        tag = await run_in_threadpool(self.shelf.keep_part, asset, number, data)
        response.headers["ETag"] = tag
        return {"partNumber": number, "etag": tag}

    async def complete(self, request: Request, place: str, body: Parts) -> dict[str, Any]:
        """All parts are there: put them together."""
        asset = await run_in_threadpool(self.shelf.find_place, place)
        tags = {part.number: part.etag for part in body.parts}
        await run_in_threadpool(self.shelf.complete, asset, tags)
        url = self._announced(request)
        return {"access_url": url, "file_url": url}

    async def get(self, link: str) -> Response:
        """An upload's bytes, for whoever has the link; shown only if it says to be a picture."""
        asset, data = await run_in_threadpool(self.shelf.read, link)
        shown = asset.media_type in TYPES.values()
        headers = {**HEADERS, "Content-Disposition": "inline" if shown else "attachment"}
        return Response(data, media_type=asset.media_type if shown else BYTES, headers=headers)

    async def _initiate(self, request: Request, body: Announcement, way: str) -> dict[str, Any]:
        owner = request.state.key.id
        asset = await run_in_threadpool(
            self.shelf.announce, owner, body.file_name, body.content_type
        )
        url = self._link(asset, request)
        return {"upload_url": f"{url}/{way}/{self.shelf.sign_place(asset)}", "file_url": url}

    def _link(self, asset: Asset, request: Request) -> str:
        label = quote(base_name(asset.name), safe="")
        return f"{self.places.cdn(request)}/uploads/{self.shelf.sign_link(asset)}/{label}"

    def _announced(self, request: Request) -> str:
        """The link that was given at first, below which the place lies."""
        link, label = request.path_params["link"], request.path_params["label"]
        return f"{self.places.cdn(request)}/uploads/{link}/{quote(label, safe='')}"

    def _read_token(self, request: Request) -> str:
        """The id of the key that it was given to."""
        return self.shelf.read_token(request.headers.get("authorization", "").rpartition(" ")[2])

"""Downloads by signed link: whoever has one may fetch, nobody else."""

import re
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Response
from starlette.concurrency import run_in_threadpool

from pipelines.codec.encode import Format
from server.errors import LinkInvalid
from server.images.inventory import UNKNOWN, media_type_of
from server.images.links import Links
from server.images.store import VOLATILE, ImageStore

Responses = dict[int | str, dict[str, Any]]

SOURCES = ("sources/", f"{VOLATILE}sources/")
"""How the names of what was given begin: they have no extension, and only their bytes tell."""

TYPES = {".json": "application/json", **{form.extension: form.media_type for form in Format}}

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Access-Control-Allow-Origin": "*",
    "Cache-Control": "private, max-age=3600, immutable",
    "Referrer-Policy": "no-referrer",
}
"""A picture, or a record, is all that these answers can ever be to a browser."""


def make_router(links: Links, store: ImageStore, failures: Responses | None = None) -> APIRouter:
    """The route behind every signed URL; ``failures`` are what it answers beside the files."""
    router = APIRouter(tags=["files"], responses=failures)

    @router.head("/files/{token}/{label}", include_in_schema=False)
    @router.get("/files/{token}/{label}")
    async def get_file(token: str, label: str) -> Response:
        """The bytes of an output, of a file beside it, or of what a run was given.

        ``label`` is only the download's name.
        """
        name = links.open(token)
        named = TYPES.get("." + name.rpartition(".")[2])
        if named is None and not name.startswith(SOURCES):
            raise LinkInvalid
        data = await run_in_threadpool(store.read, name)
        media_type = named or media_type_of(data)
        headers = {**HEADERS, "Content-Disposition": _disposition(label, media_type)}
        if name.startswith(VOLATILE):
            headers["Cache-Control"] = "no-store"
        return Response(data, media_type=media_type, headers=headers)

    return router


def _disposition(label: str, media_type: str) -> str:
    """Shown in place, but for PSD, which is for programs that no browser is, and the unknown."""
    kind = "attachment" if media_type in {Format.PSD.media_type, UNKNOWN} else "inline"
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", label)[:150]
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(label[:150], safe='')}"

"""The page at ``/``: files read once, which ask this server and nobody else."""

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter, Request, Response

from server.errors import NotFound

FOLDER = Path(__file__).parents[1] / "page"
INDEX = "index.html"

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
}
TEXTS = frozenset({".html", ".js", ".css", ".svg"})
"""Kinds that compress."""

POLICY = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' blob: data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "form-action 'none'",
)

HEADERS = {
    "Content-Security-Policy": "; ".join(POLICY),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-cache",  # asked for again with the ETag: an update is seen at once
    "Vary": "Accept-Encoding",
}


@dataclass(frozen=True, slots=True)
class File:
    """One of the page's files as it is sent; ``packed`` is its gzip, None where that is no use."""

    media_type: str
    data: bytes
    packed: bytes | None
    tag: str


def make_router(folder: Path = FOLDER) -> APIRouter:
    """The routes of the page; what they answer with does not change while the server runs."""
    router = APIRouter(include_in_schema=False)
    files = {path.name: _read(path) for path in sorted(folder.iterdir()) if path.suffix in TYPES}

    @router.head("/")
    @router.get("/")
    async def get_page(request: Request) -> Response:
        """The page itself."""
        return _send(files[INDEX], request)

    @router.head("/page/{name}")
    @router.get("/page/{name}")
    async def get_part(request: Request, name: str) -> Response:
        """A part of it; raises NotFound."""
        if name not in files:
            raise NotFound
        return _send(files[name], request)

    return router


def _read(path: Path) -> File:
    data = path.read_bytes()
    packed = gzip.compress(data, 9, mtime=0) if path.suffix in TEXTS else None
    tag = f'W/"{hashlib.sha256(data).hexdigest()[:24]}"'
    return File(TYPES[path.suffix], data, packed, tag)


def _send(file: File, request: Request) -> Response:
    headers = {**HEADERS, "ETag": file.tag}
    known = request.headers.get("if-none-match", "")
    if file.tag in (tag.strip() for tag in known.split(",")):
        return Response(status_code=304, headers=headers)
    if file.packed is None or "gzip" not in request.headers.get("accept-encoding", ""):
        return Response(file.data, media_type=file.media_type, headers=headers)
    headers["Content-Encoding"] = "gzip"
    return Response(file.packed, media_type=file.media_type, headers=headers)

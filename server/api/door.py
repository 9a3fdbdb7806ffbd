"""A door: a hosted API that this server answers as, in its own words, errors included.

Which door a request came to is seen from the host that it asked for, where the operator lets that
name lead here, else from the path.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from fastapi import APIRouter
from fastapi.responses import Response
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from pipelines.errors import ReframeError

RenderError = Callable[[ReframeError], Response]


@dataclass(frozen=True, slots=True)
class Door:
    """One hosted API.

    ``hosts`` are the names of its own servers, each with the path here that its paths lie below.
    ``paths`` are the beginnings of its paths here, ``open_paths`` those that need no key.
    ``exposed`` are its own headers that a browser's scripts may read.
    """

    name: str
    router: APIRouter
    render_error: RenderError
    paths: tuple[str, ...]
    hosts: dict[str, str] = field(default_factory=dict)
    open_paths: tuple[str, ...] = ()
    exposed: tuple[str, ...] = ()


def begins(path: str, beginning: str) -> bool:
    """Whether ``path`` is ``beginning`` or lies below it."""
    return path == beginning or path.startswith(beginning.rstrip("/") + "/")


class Doors:
    """All doors; everything else is the run API."""

    def __init__(self, doors: Sequence[Door], otherwise: RenderError) -> None:
        """``otherwise`` words the errors of what came to no door."""
        self._doors = doors
        self._otherwise = otherwise
        self._hosts = {host: below for door in doors for host, below in door.hosts.items()}

    @property
    def hosts(self) -> frozenset[str]:
        """The names of all hosted servers."""
        return frozenset(self._hosts)

    @property
    def exposed(self) -> tuple[str, ...]:
        """The headers of all doors that a browser's scripts may read."""
        return tuple(name for door in self._doors for name in door.exposed)

    def render_error(self, error: ReframeError, scope: Scope) -> Response:
        """The error in the words of whoever was asked."""
        door = self._find(_host_of(scope), scope["path"])
        return door.render_error(error) if door else self._otherwise(error)

    def is_open(self, path: str) -> bool:
        """Whether a door lets everyone in there."""
        opened = [beginning for door in self._doors for beginning in door.open_paths]
        return any(begins(path, beginning) for beginning in opened)

    def find_path(self, host: str, path: str) -> str:
        """Where a request for a path of one of the hosted servers is answered here."""
        below = self._hosts.get(host)
        return path if below is None else below + path

    def _find(self, host: str, path: str) -> Door | None:
        """The door that a request came to."""
        for door in self._doors:
            if host in door.hosts:
                return door
        for door in self._doors:
            if any(begins(path, beginning) for beginning in door.paths):
                return door
        return None


class ByHost:
    """Wraps the application: what was asked of a hosted server's name goes to its door."""

    def __init__(self, app: ASGIApp, doors: Doors) -> None:
        """Pass everything on to ``app``."""
        self._app = app
        self._doors = doors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Change the path, never the headers: links are made for the name that was asked for."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = self._doors.find_path(_host_of(scope), scope["path"])
        inner = {**scope, "path": path, "raw_path": path.encode()}
        try:
            await self._app(inner, receive, send)
        finally:
            scope["route"] = inner.get("route")  # for those outside who count


def _host_of(scope: Scope) -> str:
    """The name that a request was sent to, without its port."""
    return Headers(scope=scope).get("host", "").partition(":")[0].lower()

"""Gives every request an id, and logs it once it is answered: path and time, no query, no body."""

import asyncio
import time
import uuid
from collections.abc import Callable

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipelines.errors import ReframeError
from server.errors import InternalError, Unavailable

HEADER = "X-Request-Id"
HOSTED = "Runflow-Request-Id"
LONGEST = 128

QUESTIONS = ("/healthz", "/readyz", "/metrics")
"""Asked by programs again and again; only who looks for trouble wants to read of it."""

HUNG_UP = 499
"""The status, in the log alone, of a request whose caller left before it had come."""

Observe = Callable[[str | None, int, float], None]
"""Hears of each answer: the route's template, the status, the seconds that it took."""

log = structlog.get_logger("server.api")


class RequestLog:
    """Wraps the whole application; ``scope["state"]["request_id"]`` is what the log calls it."""

    def __init__(
        self,
        app: ASGIApp,
        observe: Observe,
        render_error: Callable[[ReframeError, Scope], Response],
    ) -> None:
        """Log what ``app`` answers; ``observe`` counts it by the route that it took.

        ``render_error`` words the answer where the application failed to give one.
        """
        self._app = app
        self._observe = observe
        self._render_error = render_error

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass it on, and listen to the answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _find_id(Headers(scope=scope).get(HEADER, ""))
        scope.setdefault("state", {})["request_id"] = request_id
        since, heard = time.perf_counter(), _Heard(send, request_id)
        try:
            await self._pass_on(scope, receive, heard)
        finally:
            key, seconds = scope["state"].get("key"), time.perf_counter() - since
            self._observe(getattr(scope.get("route"), "path", None), heard.status, seconds)
            say = log.debug if scope["path"] in QUESTIONS else log.info
            say(
                "answered",
                method=scope["method"],
                path=scope["path"],
                status=heard.status,
                ms=round(seconds * 1000, 1),
                key=key.id if key else None,
                request_id=request_id,
            )

    async def _pass_on(self, scope: Scope, receive: Receive, heard: "_Heard") -> None:
        """Answer where the application does not."""
        try:
            await self._app(scope, receive, heard)
        except ClientDisconnect:
            heard.status = HUNG_UP
        except asyncio.CancelledError:  # by the server, which was told to stop
            if heard.answered:
                raise
            answer = self._render_error(Unavailable("the server is being stopped"), scope)
            await answer(scope, receive, heard)
        except Exception:
            log.exception("defect", request_id=heard.request_id)
            if not heard.answered:
                answer = self._render_error(InternalError(), scope)
                await answer(scope, receive, heard)


class _Heard:
    """What is sent: passed on with the request's id, and remembered."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self.request_id = request_id
        self.status = 500
        self.answered = False

    async def __call__(self, message: Message) -> None:
        self.answered = True
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers[HEADER] = headers[HOSTED] = self.request_id
        await self._send(message)


def _find_id(given: str) -> str:
    """The caller's own, if it can stand in a log, else a new one."""
    usable = given.isascii() and given.isprintable() and 0 < len(given) <= LONGEST
    return given if usable else str(uuid.uuid4())

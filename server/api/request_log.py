"""Gives every request an id, and logs it once it is answered: path and time, no query, no body."""

import time
import uuid
from collections.abc import Callable

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipelines.errors import ReframeError
from server.errors import InternalError

HEADER = "X-Request-Id"
HOSTED = "Runflow-Request-Id"
LONGEST = 128

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
        since, status, answered = time.perf_counter(), 500, False

        async def sending(message: Message) -> None:
            nonlocal status, answered
            answered = True
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers[HEADER] = headers[HOSTED] = request_id
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except ClientDisconnect:
            status = HUNG_UP
        except Exception:
            log.exception("defect", request_id=request_id)
            if not answered:
                answer = self._render_error(InternalError(), scope)
                await answer(scope, receive, sending)
        finally:
            key, seconds = scope["state"].get("key"), time.perf_counter() - since
            self._observe(getattr(scope.get("route"), "path", None), status, seconds)
            log.info(
                "answered",
                method=scope["method"],
                path=scope["path"],
                status=status,
                ms=round(seconds * 1000, 1),
                key=key.id if key else None,
                request_id=request_id,
            )


def _find_id(given: str) -> str:
    """The caller's own, if it can stand in a log, else a new one."""
    usable = given.isascii() and given.isprintable() and 0 < len(given) <= LONGEST
    return given if usable else str(uuid.uuid4())

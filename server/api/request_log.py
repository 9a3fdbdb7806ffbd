"""Gives every request an id, and logs it once it is answered: path and time, no query, no body."""

import time
import uuid

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADER = "X-Request-Id"
HOSTED = "Runflow-Request-Id"
LONGEST = 128

log = structlog.get_logger("server.api")


class RequestLog:
    """Wraps the whole application; ``scope["state"]["request_id"]`` is what the log calls it."""

    def __init__(self, app: ASGIApp) -> None:
        """Log what ``app`` answers."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass it on, and listen to the answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get(HEADER, "")
        usable = given.isascii() and given.isprintable() and 0 < len(given) <= LONGEST
        request_id = given if usable else str(uuid.uuid4())
        scope.setdefault("state", {})["request_id"] = request_id
        since, status = time.perf_counter(), 500

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers[HEADER] = headers[HOSTED] = request_id
            await send(message)

        try:
            await self._app(scope, receive, sending)
        finally:
            key = scope["state"].get("key")
            log.info(
                "answered",
                method=scope["method"],
                path=scope["path"],
                status=status,
                ms=round((time.perf_counter() - since) * 1000, 1),
                key=key.id if key else None,
                request_id=request_id,
            )

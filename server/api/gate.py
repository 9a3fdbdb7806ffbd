"""The gate: who comes in, how often and with how much, before any of the body is read.

Plain ASGI, for a framework would read the whole body first. Everything is closed but what ``OPEN``
names.
"""

import ipaddress
import time
from contextlib import suppress
from typing import Protocol
from urllib.parse import urlsplit

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipelines.errors import ReframeError
from server.access.key import ApiKey
from server.api.door import Doors, begins
from server.api.early import answer_early
from server.errors import (
    BodyTooLarge,
    InvalidBody,
    MalformedBody,
    NotFound,
    RateLimited,
    Unauthenticated,
)

OPEN = (
    "/healthz",
    "/readyz",
    "/files/",
    "/uploads/",
    "/openapi.json",
    "/docs",
    "/page",
    "/v1/health",
)
"""Beginnings of the paths that need no key: health, signed links, documentation, the page."""

CREDENTIALS = ("x-api-key", "ocp-apim-subscription-key")
"""Headers that hold a bare key; ``Authorization`` holds one after Bearer or Key."""


FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")
"""Headers of a request that came through a proxy."""


class Keys(Protocol):
    """Where keys are looked up."""

    def find(self, secret: str) -> ApiKey | None:
        """The key that this is the secret of, unless it was revoked."""
        ...

    def any(self) -> bool:
        """Whether there is a key at all."""
        ...


class Gate:
    """Wraps the application; puts the caller's key into ``scope["state"]["key"]``."""

    def __init__(
        self,
        app: ASGIApp,
        keys: Keys,
        doors: Doors,
        *,
        max_body: int,
        anonymous: ApiKey | None,
        open_to_all: bool = False,
    ) -> None:
        """``doors`` word refusals and may be open in places.

        ``anonymous`` is who callers without a key are, as long as there never was a key: those of
        this machine, or with ``open_to_all`` everybody.
        """
        self._app = app
        self._keys = keys
        self._doors = doors
        self._max_body = max_body
        self._open_to_all = open_to_all
        self._anonymous = anonymous
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or answer it at once."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        try:
            if not (is_open(scope["path"], scope["method"]) or self._doors.is_open(scope["path"])):
                key = await run_in_threadpool(self._identify, headers)
                self._limit(key)
                scope.setdefault("state", {})["key"] = key
            self._measure(headers)
            _refuse_nul(scope)
        except ReframeError as error:
            await self._refuse(error, scope, receive, send)
            return
        body = _CountedBody(receive, self._max_body)
        with suppress(BodyTooLarge):
            await self._app(scope, body, body.watch(send))
        if body.overflown and not body.answered:
            await self._refuse(_too_large(self._max_body), scope, receive, send)

    async def _refuse(
        self, error: ReframeError, scope: Scope, receive: Receive, send: Send
    ) -> None:
        response = self._doors.render_error(error, scope)
        response.headers["Connection"] = "close"  # whatever else is on its way is not kept
        if isinstance(error, Unauthenticated):
            response.headers["WWW-Authenticate"] = "Bearer"
        await answer_early(response, scope, receive, send)

    def _identify(self, headers: Headers) -> ApiKey:
        secret = _find_secret(headers)
        if secret:
            key = self._keys.find(secret)
            if key:
                return key
        elif self._anonymous and self._may_be_anonymous(headers) and not self._keys.any():
            return self._anonymous
        raise Unauthenticated

    def _may_be_anonymous(self, headers: Headers) -> bool:
        """From this very machine: not through a proxy, not from another site's page."""
        if self._open_to_all:
            return True
        origin = headers.get("origin")  # a page in a sandbox says null
        forwarded = any(name in headers for name in FORWARDED)
        asked = urlsplit("//" + headers.get("host", "")).hostname or ""
        return (
            not forwarded
            and is_loopback(asked)
            and (origin is None or is_loopback(urlsplit(origin).hostname or ""))
        )

    def _limit(self, key: ApiKey) -> None:
        if not key.rate:
            return
        item = RateLimitItemPerMinute(key.rate)
        if not self._limiter.hit(item, key.id):
            wait = self._limiter.get_window_stats(item, key.id).reset_time - time.time()
            msg = f"this key may ask {key.rate} times a minute"
            raise RateLimited(msg, max(1.0, wait))

    def _measure(self, headers: Headers) -> None:
        if "content-length" in headers and "transfer-encoding" in headers:
            msg = "a body has a length or comes in chunks, not both"
            raise MalformedBody(msg)  # a proxy may have seen another end of it
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > self._max_body:
            raise _too_large(self._max_body)


def _refuse_nul(scope: Scope) -> None:
    """Nothing of ours is called so, and Postgres knows no such text."""
    if "\0" in scope["path"]:
        raise NotFound
    if b"%00" in scope["query_string"]:
        msg = "the query holds a NUL"
        raise InvalidBody(msg)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address, or is called so."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_open(path: str, method: str) -> bool:
    """Whether a request needs no key: a browser asking what it may do, or an open path."""
    if method == "OPTIONS":
        return True
    return path == "/" or any(begins(path, beginning) for beginning in OPEN)


def _find_secret(headers: Headers) -> str | None:
    scheme, _, secret = headers.get("authorization", "").partition(" ")
    if scheme.lower() in {"bearer", "key"} and secret:
        return secret.strip()
    return next((headers[name] for name in CREDENTIALS if headers.get(name)), None)


def _too_large(limit: int) -> BodyTooLarge:
    return BodyTooLarge(f"a body has at most {limit} bytes; large pictures go through an upload")


class _CountedBody:
    """Counts what is read, for a body need not say how long it is.

    Once it is too long, what the application makes of that is not sent any more.
    """

    def __init__(self, receive: Receive, limit: int) -> None:
        self._receive = receive
        self._left = limit
        self._limit = limit
        self.overflown = False
        self.answered = False

    async def __call__(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._left -= len(message.get("body", b""))
            if self._left < 0:
                self.overflown = True
                raise _too_large(self._limit)
        return message

    def watch(self, send: Send) -> Send:
        async def sending(message: Message) -> None:
            if not self.overflown or self.answered:
                self.answered = True
                await send(message)

        return sending

"""An answer that comes before the whole request did, and is heard all the same.

Who closes a connection with something unread on it resets it, and the caller may lose the answer:
it would see a broken connection and try again.
"""

import asyncio
from contextlib import suppress

from fastapi import Response
from starlette.types import Message, Receive, Scope, Send

LONGEST = 5.0
"""Seconds that the rest of a request may take to come."""


async def answer_early(response: Response, scope: Scope, receive: Receive, send: Send) -> None:
    """Send all of the answer, drop the rest of the request for a while, then end it."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.body":
            await send({**message, "more_body": True})
            with suppress(TimeoutError):
                await asyncio.wait_for(_drop(receive), LONGEST)
            await send({"type": "http.response.body"})
        else:
            await send(message)

    await response(scope, receive, sending)


async def _drop(receive: Receive) -> None:
    """Read to the end, and keep nothing."""
    while (message := await receive())["type"] == "http.request" and message.get("more_body"):
        pass

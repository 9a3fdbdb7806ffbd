"""What a server that is told to stop has not answered is answered all the same."""

import asyncio
import json
from typing import Any

import pytest
from starlette.types import Message, Scope

from tests.server.api.conftest import RUNS, Api


async def stop_during(api: Api, path: str) -> list[Message]:
    """What is sent where the request is ended while its body has yet to come."""
    reading, sent = asyncio.Event(), []

    async def receive() -> Message:
        reading.set()
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        sent.append(message)

    scope: Scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [(b"host", b"here"), (b"authorization", f"Bearer {api.secret}".encode())],
        "server": ("here", 80),
        "client": ("127.0.0.1", 1),
    }
    asking = asyncio.create_task(api.app(scope, receive, send))
    await asyncio.wait_for(reading.wait(), 10)
    asking.cancel()
    await asking
    return sent


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        (RUNS, 503, {"code": "SERVICE_UNAVAILABLE"}),
        ("/fal/run/fal-ai/smart-resize", 503, {"detail": "the server is being stopped"}),
        ("/v1/run", 500, {"message": "the server is being stopped"}),
        ("/smart-resize/v1/smart-resize-request", 500, {"error": "Internal server error"}),
    ],
)
def test_who_was_not_answered_is_told_to_come_back(
    api: Api, path: str, status: int, words: dict[str, Any]
) -> None:
    start, body, *_ = asyncio.run(stop_during(api, path))
    assert start["status"] == status, "two of the hosted APIs have no better word for it"
    assert float(dict(start["headers"])[b"retry-after"]) > 0
    assert json.loads(body["body"]).items() >= words.items()

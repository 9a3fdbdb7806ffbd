"""Answers that come before the whole request did."""

import asyncio
from typing import Any

import pytest
from fastapi.responses import JSONResponse
from starlette.types import Message

from server.api import early
from server.api.early import answer_early


def answer(chunks: list[Message]) -> list[Any]:
    """What was sent and what was received, in turn; after the chunks, nothing comes any more."""
    seen: list[Any] = []

    async def receive() -> Message:
        if not chunks:
            await asyncio.Event().wait()
        seen.append("received")
        return chunks.pop(0)

    async def send(message: Message) -> None:
        seen.append(message.get("status", message.get("body", "the end")))

    asyncio.run(answer_early(JSONResponse({}, 413), {"type": "http"}, receive, send))
    return seen


def chunk(*, more: bool) -> Message:
    return {"type": "http.request", "body": b"x" * 100, "more_body": more}


@pytest.mark.parametrize("last", [chunk(more=False), {"type": "http.disconnect"}])
def test_the_answer_is_sent_first_and_ended_when_the_request_has_come(last: Message) -> None:
    received = ["received", "received"]
    assert answer([chunk(more=True), last]) == [413, b"{}", *received, "the end"]


def test_who_never_ends_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(early, "LONGEST", 0.01)
    assert answer([chunk(more=True)]) == [413, b"{}", "received", "the end"]

"""A connection that never says what it wants is hung up on; one that does is not."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from server.api import patience
from server.api.patience import PatientProtocol

SHORT = 0.2
ASK = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"


async def answer(scope: Scope, receive: Receive, send: Send) -> None:
    """Late, but in the end."""
    if scope["type"] == "http":
        await asyncio.sleep(3 * SHORT)
        start = {
            "type": "http.response.start",
            "status": 200,
            "headers": [(b"content-length", b"2")],
        }
        await send(start)
        await send({"type": "http.response.body", "body": b"ok"})


@asynccontextmanager
async def serving() -> AsyncIterator[int]:
    config = uvicorn.Config(answer, http=PatientProtocol, ws="none", log_config=None)
    config.load()

    def make() -> PatientProtocol:
        return PatientProtocol(config, ServerState(), {})

    server = await asyncio.get_running_loop().create_server(make, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "HEAD", SHORT)


@pytest.mark.parametrize("said", [b"", b"GET / HTTP/1.1\r\nHost: here\r\nX-Never: "])
def test_who_does_not_say_what_he_wants_is_hung_up_on(said: bytes) -> None:
    async def wait() -> bytes:
        async with serving() as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(said)
            seen = await asyncio.wait_for(reader.read(), 10)
            writer.close()
            return seen

    assert asyncio.run(wait()) == b""


def test_who_waits_for_his_answer_gets_it_and_may_ask_again() -> None:
    async def wait() -> list[bytes]:
        async with serving() as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            seen = []
            for _ in range(2):
                writer.write(ASK)
                seen.append(await asyncio.wait_for(reader.readuntil(b"\r\n\r\nok"), 10))
            writer.write(ASK[:10])  # the third never comes
            assert await asyncio.wait_for(reader.read(), 10) == b""
            writer.close()
            return seen

    assert all(answer.startswith(b"HTTP/1.1 200") for answer in asyncio.run(wait()))

"""The gate around an application that only says what reached it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from server.access.key import ApiKey
from server.api.door import Doors
from server.api.errors import answer
from server.api.gate import Gate

KEY = ApiKey("1", "studio", "", datetime(2026, 1, 1, tzinfo=UTC))
SLOW = ApiKey("2", "slow", "", datetime(2026, 1, 1, tzinfo=UTC), rate=3)
NOBODY = ApiKey("local", "", "", datetime(2026, 1, 1, tzinfo=UTC))
LIMIT = 1000


class Ring:
    """Two keys by their secrets."""

    def __init__(self, secrets: dict[str, ApiKey]) -> None:
        self.secrets = secrets

    def find(self, secret: str) -> ApiKey | None:
        return self.secrets.get(secret)

    def any(self) -> bool:
        return bool(self.secrets)


async def tell(request: Request) -> JSONResponse:
    body = await request.body()
    return JSONResponse({"key": request.state.key.id, "bytes": len(body)})


async def tell_everyone(_: Request) -> JSONResponse:
    return JSONResponse({"status": "ok"})


def make_client(
    anonymous: ApiKey | None = None, secrets: dict[str, ApiKey] | None = None
) -> httpx2.AsyncClient:
    app = Starlette(
        routes=[Route("/v1/runs", tell, methods=["GET", "POST"]), Route("/healthz", tell_everyone)]
    )
    ring = Ring({"sr_good": KEY, "sr_slow": SLOW} if secrets is None else secrets)
    gate = Gate(app, ring, Doors([], answer), max_body=LIMIT, anonymous=anonymous)
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=gate), base_url="http://localhost")


def ask(
    *,
    client: httpx2.AsyncClient | None = None,
    method: str = "POST",
    path: str = "/v1/runs",
    **rest: Any,
) -> httpx2.Response:
    async def asking() -> httpx2.Response:
        async with client or make_client() as opened:
            return await opened.request(method, path, **rest)

    return asyncio.run(asking())


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer sr_good"},
        {"Authorization": "Key sr_good"},
        {"authorization": "bearer sr_good"},
        {"X-API-Key": "sr_good"},
        {"Ocp-Apim-Subscription-Key": "sr_good"},
    ],
)
def test_one_key_opens_whichever_header_it_comes_in(headers: dict[str, str]) -> None:
    answer = ask(headers=headers, content=b"abc")
    assert answer.status_code == 200
    assert answer.json() == {"key": "1", "bytes": 3}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "sr_good"},
        {"Authorization": "Basic sr_good"},
        {"Authorization": "Bearer sr_bad"},
        {"Authorization": "Bearer "},
        {"X-API-Key": ""},
    ],
)
def test_who_has_no_key_gets_nothing(headers: dict[str, str]) -> None:
    answer = ask(headers=headers)
    assert answer.status_code == 401
    assert answer.json()["code"] == "UNAUTHORIZED"
    assert answer.headers["www-authenticate"] == "Bearer"


def test_without_any_key_an_open_server_lets_everyone_in_until_there_is_one() -> None:
    assert ask(client=make_client(NOBODY, {})).json()["key"] == "local"
    assert ask(client=make_client(NOBODY)).status_code == 401
    assert ask(client=make_client(None, {})).status_code == 401
    wrong = {"Authorization": "Bearer sr_bad"}
    assert ask(client=make_client(NOBODY, {}), headers=wrong).status_code == 401


def test_health_needs_no_key_and_what_only_looks_like_it_does() -> None:
    assert ask(method="GET", path="/healthz").status_code == 200
    assert ask(method="GET", path="/healthzz").status_code == 401
    assert ask(method="GET", path="http://localhost//healthz").status_code == 401


def test_a_body_that_says_it_is_too_large_is_believed() -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b"x" * 100

    headers = {"Authorization": "Bearer sr_good", "Content-Length": str(LIMIT + 1)}
    answer = ask(headers=headers, content=body())
    assert answer.status_code == 413
    assert answer.json()["code"] == "BODY_TOO_LARGE"


def test_a_body_that_does_not_say_is_counted() -> None:
    async def body() -> AsyncIterator[bytes]:
        for _ in range(50):
            yield b"x" * 100

    answer = ask(headers={"Authorization": "Bearer sr_good"}, content=body())
    assert answer.status_code == 413


@pytest.mark.parametrize("length", ["-1", "1e3", "abc", "99999999999999999999999"])
def test_a_length_that_is_none_is_refused(length: str) -> None:
    headers = {"Authorization": "Bearer sr_good", "Content-Length": length}
    assert ask(headers=headers).status_code == 413


def test_who_asks_too_often_is_told_when_to_come_back() -> None:
    client = make_client()

    async def asking() -> list[httpx2.Response]:
        async with client:
            slow = {"Authorization": "Bearer sr_slow"}
            answers = [await client.get("/v1/runs", headers=slow) for _ in range(5)]
            good = {"Authorization": "Bearer sr_good"}
            return [*answers, await client.get("/v1/runs", headers=good)]

    answers = asyncio.run(asking())
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429, 200]
    assert 1 <= int(answers[3].headers["retry-after"]) <= 60
    assert answers[3].json()["code"] == "RATE_LIMITED"


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "studio.example"},
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Origin": "file://"},
        {"X-Forwarded-For": "10.0.0.7"},
    ],
)
def test_without_keys_only_this_machine_itself_comes_in(headers: dict[str, str]) -> None:
    assert ask(client=make_client(NOBODY, {}), headers=headers).status_code == 401
    own = {"Host": "127.0.0.1:8000", "Origin": "http://localhost:8000"}
    assert ask(client=make_client(NOBODY, {}), headers=own).status_code == 200

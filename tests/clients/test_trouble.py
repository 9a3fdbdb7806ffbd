"""The hosted services' own clients in trouble: the right exception, and no pointless other try."""

import json
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import fal_client
import fashn
import httpx2
import pytest
from fal_client import client as fal_settings

from server.access.key_store import KeyStore
from server.database.engine import database_url, open_database
from server.settings import Settings
from tests.clients import npm
from tests.server.api.test_doors import ALL, Hosted
from tests.server.live import serve

pytestmark = [pytest.mark.clients, pytest.mark.slow]

HUGE = Settings().max_body + 1
MODEL = "fal-ai/smart-resize"
PICTURES = {"fal": "image_url", "fashn": "image"}
PATHS = {"fal": f"/fal/queue/{MODEL}", "fashn": "/v1/run"}
UNKNOWN = {"fal": f"{PATHS['fal']}/requests/nothing/status", "fashn": "/v1/status/nothing"}


class Trouble(NamedTuple):
    """What goes wrong, and how each client says so: the class of its exception and the status.

    ``wish`` are fields of the input; None asks for a request that nobody made.
    """

    name: str
    fal: tuple[str, int]
    fashn: tuple[str, int]
    key: str = "good"
    wish: dict[str, Any] | None = {}  # noqa: RUF012  a tuple's default is shared on purpose
    huge: int = 0
    patient: bool = True


ALL_TROUBLE = (
    Trouble("wrong key", ("ApiError", 401), ("AuthenticationError", 401), key="wrong"),
    Trouble("revoked key", ("ApiError", 401), ("AuthenticationError", 401), key="revoked"),
    Trouble("huge", ("ApiError", 413), ("BadRequestError", 400), huge=HUGE),
    Trouble("huge with a wrong key", ("ApiError", 401), ("AuthenticationError", 401), "wrong",
            huge=HUGE),
    Trouble("unknown", ("ApiError", 404), ("NotFoundError", 404), wish=None),
    Trouble("too often", ("ApiError", 429), ("RateLimitError", 429), key="slow", patient=False),
    Trouble("too much", ("ApiError", 429), ("RateLimitError", 429), key="crowded", patient=False),
)  # fmt: skip


class Live(NamedTuple):
    """A server that runs, keys to it by what is special about them, and its log.

    At ``silence`` is a picture that never comes.
    """

    base: str
    keys: dict[str, str]
    log: Path
    silence: str

    def count(self, path: str) -> int:
        """How many requests to a path were answered."""
        marker = f"/marker/{time.monotonic_ns()}"
        httpx2.get(self.base + marker)
        while marker not in (text := self.log.read_text()):
            time.sleep(0.02)
        answered = (json.loads(line) for line in text.splitlines() if '"answered"' in line)
        return sum(line["path"] == path for line in answered)

    def runs(self) -> set[str]:
        """The ids of the latest jobs of the key that nothing is special about."""
        headers = {"Authorization": f"Bearer {self.keys['good']}"}
        answer = httpx2.get(f"{self.base}/v1/runs?limit=100", headers=headers)
        return {run["id"] for run in answer.raise_for_status().json()["items"]}


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    data = tmp_path_factory.mktemp("data")
    with serve(data) as (base, secret), socket.create_server(("127.0.0.1", 0)) as silent:
        engine = open_database(database_url(data, None))
        keys = KeyStore(engine)
        revoked, old = keys.create("revoked")
        keys.revoke(revoked.id)
        known = {"good": secret, "wrong": "sr_wrong", "revoked": old}
        silence = f"http://127.0.0.1:{silent.getsockname()[1]}/a.png"
        yield Live(base, known, data / "log", silence)
        engine.dispose()


@pytest.fixture
def trouble(request: pytest.FixtureRequest, live: Live) -> Trouble:
    """With keys that have done all they may."""
    found: Trouble = request.param
    own: dict[str, dict[str, Any]] = {"slow": {"rate": 1}, "crowded": {"concurrency": 1}}
    limits = own.get(found.key)
    if limits:
        engine = open_database(database_url(live.log.parent, None))
        _, live.keys[found.key] = KeyStore(engine).create(found.key, **limits)
        engine.dispose()
        asked = {"image_url": live.silence, "aspect_ratio": "1:1"}
        headers = {"Authorization": f"Bearer {live.keys[found.key]}"}
        run = f"{live.base}/v1/models/local/smart-resize/runs"
        httpx2.post(run, json={"input": asked}, headers=headers).raise_for_status()
    return found


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("npm")
    npm.install(folder)
    (folder / "trouble.mjs").write_text((npm.HERE / "trouble.mjs").read_text())
    return folder


def ask_python(live: Live, client: str, trouble: Trouble, monkeypatch: Any) -> tuple[str, int]:
    wish = dict(trouble.wish or {})
    wish[PICTURES[client]] = "data:image/png;base64," + "A" * trouble.huge
    if client == "fashn":
        return _ask_fashn(live, trouble, wish)
    monkeypatch.setattr(fal_settings, "QUEUE_URL_FORMAT", f"{live.base}/fal/queue/")
    if not trouble.patient:
        monkeypatch.setattr(fal_settings, "MAX_ATTEMPTS", 1)
    fal = fal_client.SyncClient(key=live.keys[trouble.key])
    try:
        if trouble.wish is None:
            fal.result(MODEL, "nothing")
        else:
            fal.submit(MODEL, {"target_sizes": ["64x64"], **wish})
    except fal_client.FalClientHTTPError as error:
        return "ApiError", error.status_code  # it has one for all
    finally:
        fal._client.close()
    return "none", 200


def _ask_fashn(live: Live, trouble: Trouble, wish: dict[str, Any]) -> tuple[str, int]:
    key, retries = live.keys[trouble.key], 2 if trouble.patient else 0
    with fashn.Fashn(base_url=live.base, api_key=key, max_retries=retries) as client:
        try:
            if trouble.wish is None:
                client.predictions.status("nothing")
            else:
                run: Any = client.predictions.run
                run(model_name="reframe", inputs={"aspect_ratio": "1:1", **wish})
        except fashn.APIStatusError as error:
            return type(error).__name__, error.status_code
    return "none", 200


def ask_node(live: Live, client: str, trouble: Trouble, modules: Path) -> tuple[str, int]:
    asked = {
        "base": live.base,
        "secret": live.keys[trouble.key],
        "client": client,
        "huge": trouble.huge,
        "wish": None if trouble.wish is None else {PICTURES[client]: "https://192.0.2.1/a.png"},
        "patient": trouble.patient,
    }
    ended = subprocess.run(
        ["node", "trouble.mjs"],
        cwd=modules,
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    told = json.loads(ended.stdout)
    return told["error"], told["status"]


@pytest.mark.parametrize("language", ["python", "javascript"])
@pytest.mark.parametrize("client", ["fal", "fashn"])
@pytest.mark.parametrize("trouble", ALL_TROUBLE, ids=lambda each: each.name, indirect=True)
def test_each_client_raises_its_own_and_asks_once(
    live: Live,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    trouble: Trouble,
    client: str,
    language: str,
) -> None:
    path = PATHS[client] if trouble.wish is not None else UNKNOWN[client]
    if client == "fal" and language == "javascript":
        path = "/api/fal/proxy"
    before = live.count(path)
    if language == "python":
        seen = ask_python(live, client, trouble, monkeypatch)
    else:
        seen = ask_node(live, client, trouble, request.getfixturevalue("modules"))
    assert seen == (trouble.fal if client == "fal" else trouble.fashn)
    if trouble.patient:  # who is told to come back does
        assert live.count(path) == before + 1


def begin(live: Live, hosted: Hosted, share: float) -> socket.socket:
    """A connection on which so much of a request was sent, and nothing is read."""
    body = json.dumps(dict(hosted.body)).encode()
    fields = {
        "Host": "here",
        hosted.header: hosted.scheme + live.keys["good"],
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
    }
    lines = [f"POST {hosted.path} HTTP/1.1", *(f"{name}: {text}" for name, text in fields.items())]
    url = httpx2.URL(live.base)
    connection = socket.create_connection((url.host, url.port))
    connection.sendall("\r\n".join([*lines, "", ""]).encode() + body[: round(share * len(body))])
    return connection


@pytest.mark.parametrize("hosted", ALL, ids=lambda hosted: hosted.name)
def test_half_a_request_is_none(live: Live, hosted: Hosted) -> None:
    before, answered = live.runs(), live.count(hosted.path)
    begin(live, hosted, 0.5).close()
    while live.count(hosted.path) == answered:
        time.sleep(0.02)
    assert live.runs() == before


@pytest.mark.parametrize("hosted", ALL, ids=lambda hosted: hosted.name)
def test_a_job_stays_though_nobody_hears_of_it(live: Live, hosted: Hosted) -> None:
    before, deadline = live.runs(), time.monotonic() + 20
    with begin(live, hosted, 1):
        while not (made := live.runs() - before):
            assert time.monotonic() < deadline
            time.sleep(0.02)
    assert len(made) == 1
    assert live.runs() - before == made

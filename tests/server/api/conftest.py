"""The whole API over a real database and a real folder, without any worker."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx2
import pytest
import sqlalchemy as sa
from fastapi import FastAPI

from server.access.key_store import KeyStore
from server.api.app import create_app
from server.database.engine import FILE, database_url, open_database
from server.settings import Settings
from server.work.preparation import prepare_database

RUNS = "/v1/models/local/smart-resize/runs"


@dataclass
class Api:
    """Asks the application in this process, as the holder of a key."""

    app: FastAPI
    engine: sa.Engine
    keys: KeyStore
    data: Path
    secret: str

    def __call__(
        self, method: str, path: str, *, secret: str | None = None, **rest: Any
    ) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {secret or self.secret}", **rest.pop("headers", {})}

        async def asking() -> httpx2.Response:
            transport = httpx2.ASGITransport(app=self.app)
            async with httpx2.AsyncClient(transport=transport, base_url="http://here") as client:
                return await client.request(method, path, headers=headers, **rest)

        answer: httpx2.Response = asyncio.run(asking())
        return answer

    def submit(self, **wishes: Any) -> Any:
        """A run that was accepted."""
        given = {"image_url": "https://example.com/a.png", "aspect_ratio": "16:9", **wishes}
        answer = self("POST", RUNS, json={"input": given})
        assert answer.status_code == 201, answer.text
        return answer.json()


@cache
def _prepare() -> bytes:
    """A database file with all tables and no rows."""
    with TemporaryDirectory() as folder:
        prepare_database(database_url(Path(folder), None))
        return (Path(folder) / FILE).read_bytes()


def open_api(folder: Path, **settings: Any) -> Api:
    """A server of its own in ``folder``."""
    folder.mkdir(exist_ok=True)
    (folder / FILE).write_bytes(_prepare())
    engine = open_database(database_url(folder, None))
    keys = KeyStore(engine)
    _, secret = keys.create("studio")
    chosen = Settings(**{"data": folder, "min_free": 0, **settings})
    return Api(create_app(chosen), engine, keys, folder, secret)


@pytest.fixture
def api(tmp_path: Path) -> Api:
    """A server of its own whose line is soon full."""
    return open_api(tmp_path, max_queue=20)


@pytest.fixture
def fal(tmp_path: Path) -> Api:
    return open_api(tmp_path)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """For tests that do not mind what others leave behind: making one takes longer than most."""
    api = open_api(tmp_path_factory.mktemp("shared"))
    yield api
    api.engine.dispose()

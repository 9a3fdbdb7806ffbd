"""Databases with nothing in them: a SQLite file, and one on a real PostgreSQL server."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
import uuid_utils

from server.database.engine import database_url, open_database
from tests.server.jobs.house import require_postgres
from tests.server.jobs.postgres import Postgres


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def server(request: pytest.FixtureRequest) -> Iterator[Postgres | None]:
    if request.param == "sqlite":
        yield None
        return
    require_postgres()
    with Postgres() as server:
        yield server


@pytest.fixture
def url(server: Postgres | None, tmp_path: Path) -> str:
    return database_url(tmp_path, server.create(str(uuid_utils.uuid7())) if server else None)


@pytest.fixture
def engine(url: str) -> Iterator[sa.Engine]:
    engine = open_database(url)
    yield engine
    engine.dispose()

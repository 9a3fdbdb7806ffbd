"""A fresh database for each test: a SQLite file, and one on a real PostgreSQL server."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from server.database.engine import FILE, database_url, open_database
from server.jobs.durable_queue import DurableQueue
from server.work.preparation import prepare_database
from tests.server.jobs.house import Databases, prepared_postgres


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with all tables and no rows."""
    folder = tmp_path_factory.mktemp("template")
    prepare_database(database_url(folder, None))
    return folder / FILE


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def databases(request: pytest.FixtureRequest, template: Path) -> Iterator[Databases]:
    if request.param == "sqlite":
        yield Databases(template)
        return
    with prepared_postgres() as server:
        yield Databases(template, server)


@pytest.fixture
def engine(databases: Databases, tmp_path: Path) -> Iterator[sa.Engine]:
    engine = open_database(databases.make_quickly(tmp_path))
    yield engine
    engine.dispose()


@pytest.fixture
def queue(engine: sa.Engine) -> DurableQueue:
    return DurableQueue(engine)

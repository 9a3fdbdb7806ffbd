"""A workshop for each test, on a SQLite file, and one on a real PostgreSQL server."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from server.database.engine import FILE, database_url
from server.work.preparation import prepare_database
from tests.server.jobs.house import Databases, prepared_postgres
from tests.server.jobs.postgres import Postgres
from tests.server.work.workshop import Workshop


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Databases:
    """SQLite files with all tables and no rows."""
    folder = tmp_path_factory.mktemp("template")
    prepare_database(database_url(folder, None))
    return Databases(folder / FILE)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with prepared_postgres() as server:
        yield server


@pytest.fixture
def workshop(databases: Databases, tmp_path: Path) -> Iterator[Workshop]:
    workshop = Workshop(tmp_path, databases.make(tmp_path), drain=5)
    yield workshop
    workshop.close()


@pytest.fixture
def far_workshop(postgres: Postgres, tmp_path: Path) -> Iterator[Workshop]:
    """The same on PostgreSQL."""
    url = Databases(tmp_path, postgres).make(tmp_path)
    workshop = Workshop(tmp_path, url, drain=5)
    yield workshop
    workshop.close()

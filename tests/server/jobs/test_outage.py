"""A database that is away, and who waits for it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from server.database.engine import database_url, open_database, say_unavailable
from server.errors import DatabaseUnavailable
from server.jobs.durable_queue import DurableQueue
from server.jobs.outage import insist, reaching
from tests.server.jobs.house import make_draft, prepared_postgres
from tests.server.jobs.postgres import Postgres


@pytest.fixture(scope="session")
def server() -> Iterator[Postgres]:
    with prepared_postgres() as server:
        yield server


def test_a_database_that_cannot_be_opened_is_unavailable(tmp_path: Path) -> None:
    queue = DurableQueue(open_database(f"sqlite:///{tmp_path}/missing/file.sqlite"))
    with pytest.raises(DatabaseUnavailable):
        queue.get("any")
    with pytest.raises(DatabaseUnavailable):
        queue.submit(make_draft())


def test_a_server_that_nobody_runs_is_unavailable() -> None:
    queue = DurableQueue(open_database("postgresql+psycopg://nobody@127.0.0.1:9/none"))
    with pytest.raises(DatabaseUnavailable):
        queue.submit(make_draft())


def test_a_pool_that_is_exhausted_is_unavailable() -> None:
    engine = sa.create_engine(
        "sqlite://", poolclass=sa.QueuePool, pool_size=1, max_overflow=0, pool_timeout=0
    )
    with engine.connect(), pytest.raises(DatabaseUnavailable), reaching():
        engine.connect()
    engine.dispose()


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_who_asks_for_a_connection_too_many_is_told_so(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = database_url(tmp_path, None)
    if kind == "postgres":
        server: Postgres = request.getfixturevalue("server")
        url = database_url(tmp_path, server.url("prepared"))
    engine = open_database(url, pool=2)
    engine.pool._timeout = 0  # type: ignore[attr-defined]
    with engine.connect(), engine.connect():
        with pytest.raises(sa.exc.TimeoutError):
            engine.connect()
        say_unavailable(engine)
        with pytest.raises(DatabaseUnavailable):
            engine.connect()
    engine.dispose()


def test_a_wrong_statement_is_no_outage(engine: sa.Engine) -> None:
    with pytest.raises(sa.exc.IntegrityError), reaching(), engine.begin() as connection:
        connection.execute(sa.text("INSERT INTO jobs (id) VALUES ('x')"))


def test_who_insists_gets_an_answer_in_the_end_and_says_once_that_it_waited() -> None:
    tries = []

    def ask() -> int:
        tries.append(1)
        if len(tries) < 3:
            raise DatabaseUnavailable
        return 7

    with capture_logs() as lines:
        assert insist(ask) == 7
    assert len(tries) == 3
    assert [line["event"] for line in lines] == [
        "the database does not answer",
        "the database answers again",
    ]
    with capture_logs() as lines:
        assert insist(ask) == 7
    assert lines == [], "nothing is said where nobody waited"

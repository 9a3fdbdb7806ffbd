"""The database is made ready by whoever comes first."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from server.database.engine import database_url, open_database
from server.database.schema import METADATA
from server.errors import DatabaseUnavailable
from server.jobs import contract
from server.jobs.durable_queue import DurableQueue
from server.jobs.migration import allow_jobs
from server.jobs.workers import Beat, beat, forget_worker
from server.work.preparation import prepare_database
from tests.house.house import ROOT
from tests.server.jobs.house import make_draft
from tests.server.jobs.postgres import Postgres


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return database_url(tmp_path, None)
    server: Postgres = request.getfixturevalue("postgres")
    return database_url(tmp_path, server.create(tmp_path.name + tmp_path.parent.name))


def read_queues(engine: sa.Engine) -> dict[str, int]:
    """How many entries of each queue a worker takes up."""
    schema = "dbos." if engine.dialect.name == "postgresql" else ""
    with engine.connect() as connection:
        query = sa.text(f"SELECT name, worker_concurrency FROM {schema}queues")
        return {row.name: row.worker_concurrency for row in connection.execute(query)}


def test_a_worker_that_wants_less_takes_nothing_from_those_that_are_there(url: str) -> None:
    prepare_database(url)
    engine = open_database(url)
    allow_jobs(engine, 4)
    beat(engine, Beat("cuda-0-x", "cuda:0", "sdxl", 1))
    allow_jobs(engine, 2)
    assert read_queues(engine)[contract.JOBS] == 4
    forget_worker(engine, "cuda-0-x")
    allow_jobs(engine, 2)
    assert read_queues(engine)[contract.JOBS] == 2
    engine.dispose()


def test_several_may_prepare_at_once(url: str) -> None:
    with ThreadPoolExecutor(3) as crowd:
        list(crowd.map(prepare_database, [url] * 3))
    prepare_database(url)
    engine = open_database(url)
    job = DurableQueue(engine).submit(make_draft()).job
    assert DurableQueue(engine).get(job.id) == job
    tables = set(sa.inspect(engine).get_table_names())
    assert {"jobs", "usage", "workers", "remains", "api_keys", "assets", "deliveries"} <= tables
    queues = read_queues(engine)
    engine.dispose()
    assert queues == {
        "callbacks": contract.CALLBACKS_AT_ONCE,
        "fetches": contract.FETCHES_AT_ONCE,
    }


def test_a_folder_that_cannot_be_written_to_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnavailable, match="cannot be made ready: unable to open"):
        prepare_database(f"sqlite:///{tmp_path}/none/x.sqlite")


def test_a_server_that_is_not_there_is_said_so() -> None:
    with pytest.raises(DatabaseUnavailable) as refusal:
        prepare_database("postgresql+psycopg://me:secret@127.0.0.1:9/x")
    assert "secret" not in refusal.value.detail


def test_a_fresh_process_makes_every_table(tmp_path: Path) -> None:
    """Whatever a process has imported before."""
    url = database_url(tmp_path, None)
    script = (
        "import sys; from server.work.preparation import prepare_database; "
        "prepare_database(sys.argv[1])"
    )
    subprocess.run([sys.executable, "-c", script, url], check=True, cwd=ROOT)
    engine = open_database(url)
    made = set(sa.inspect(engine).get_table_names())
    engine.dispose()
    assert set(METADATA.tables) <= made
    assert {"remains", "tallies", "callback_secrets"} <= made

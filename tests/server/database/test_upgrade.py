"""A database of an earlier version is brought up to date with everything in it."""

import importlib
import pkgutil
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from structlog.testing import capture_logs

import server.images.assets
import server.jobs.workers
import server.work.retention  # noqa: F401  with the others, every room that has tables
from server.access.key import digest_of
from server.access.key_store import KeyStore
from server.callbacks.history import History
from server.callbacks.secret_store import CallbackSecrets
from server.database.migrations import versions
from server.database.schema import METADATA
from server.database.upgrade import upgrade_tables
from server.jobs.durable_queue import DurableQueue
from server.jobs.job import Failure, Status
from server.jobs.order import SizeTarget
from server.jobs.queue import JobQuery
from server.work.preparation import prepare_database
from tests.server.jobs.first_order import FIRST_ORDER
from tests.server.jobs.house import make_draft

FIRST = "0001"
NOON = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
OUTPUT = {
    "blob": "outputs/done/0.png",
    "file_name": "photo-64x64.png",
    "media_type": "image/png",
    "width": 64,
    "height": 64,
    "bytes": 1234,
    "sha256": "ab" * 32,
    "source": 0,
    "target": 0,
    "variant": 0,
    "record": {"engine": "preview"},
}
JOB = {
    "owner": "key-1",
    "model": "local/smart-resize",
    "order": FIRST_ORDER,
    "priority": 5,
    "created_at": NOON,
    "cancel_requested": False,
    "in_memory": False,
    "tries": 0,
    "outputs": [],
    "gpu_seconds": 0.0,
    "seconds": {},
}
ENDED = {"started_at": NOON, "finished_at": NOON, "worker": "cpu-1"}
ROWS: dict[str, list[dict[str, Any]]] = {
    "jobs": [
        {**JOB, "id": "waiting", "status": "queued"},
        {**JOB, "id": "at-work", "status": "running", "started_at": NOON, "worker": "cpu-1"},
        {**JOB, **ENDED, "id": "done", "status": "succeeded", "outputs": [OUTPUT]},
        {
            **JOB,
            **ENDED,
            "id": "broken",
            "status": "failed",
            "failure": {"code": "source_unavailable", "message": "404", "step": "gather"},
        },
    ],
    "api_keys": [
        {
            "id": "key-1",
            "name": "studio",
            "digest": digest_of("sr_secret"),
            "created_at": NOON,
            "rate": 60,
            "concurrency": 3,
        }
    ],
    "deliveries": [
        {"id": "done-0", "job": "done", "url": "https://x", "body": "{}", "created_at": NOON}
    ],
    "delivery_attempts": [{"delivery": "done-0", "number": 1, "started_at": NOON, "status": 200}],
    "callback_secrets": [
        {"id": "s", "owner": "key-1", "label": "first", "plain": "whsec_x", "created_at": NOON}
    ],
}


@pytest.fixture
def old(engine: sa.Engine) -> sa.Engine:
    """A database as the first version left it, with something of everything in it."""
    upgrade_tables(engine, FIRST)
    write_rows(engine)
    return engine


def write_rows(engine: sa.Engine) -> None:
    """As the first version did: with the columns of that time."""
    tables = sa.MetaData()
    with engine.begin() as connection:
        tables.reflect(connection)
        for name, rows in ROWS.items():
            for row in rows:
                connection.execute(tables.tables[name].insert().values(**row))


def read_columns(engine: sa.Engine, table: str) -> set[str]:
    return {column["name"] for column in sa.inspect(engine).get_columns(table)}


def check_everything(engine: sa.Engine) -> None:
    queue = DurableQueue(engine)
    jobs = {job.id: job for job in queue.list(JobQuery("key-1")).jobs}
    assert {name: job.status for name, job in jobs.items()} == {
        "waiting": Status.QUEUED,
        "at-work": Status.RUNNING,
        "done": Status.SUCCEEDED,
        "broken": Status.FAILED,
    }
    assert all(job == queue.get(job.id) and job.created_at == NOON for job in jobs.values())
    assert all(job.order.targets == (SizeTarget(width=64, height=64),) for job in jobs.values())
    assert [output.blob for output in jobs["done"].outputs] == ["outputs/done/0.png"]
    assert jobs["broken"].failure == Failure("source_unavailable", "404", "gather")
    assert queue.begin("waiting", "cpu-1").status is Status.RUNNING
    finished = queue.finish("at-work", jobs["done"].outputs, gpu_seconds=1.0, seconds={})
    assert finished.status is Status.SUCCEEDED
    key = KeyStore(engine).find("sr_secret")
    assert key is not None
    assert (key.rate, key.concurrency, key.retention, key.defaults) == (60, 3, None, None)
    [delivery] = History(engine).list("done")
    assert delivery.delivered
    assert [secret.plain for secret in CallbackSecrets(engine).sign_with("key-1")] == ["whsec_x"]


def test_everything_of_the_first_version_can_be_read_and_goes_on(old: sa.Engine, url: str) -> None:
    assert "defaults" not in read_columns(old, "api_keys")
    prepare_database(url)
    check_everything(old)


def test_a_database_from_before_changes_had_numbers_joins_in(old: sa.Engine, url: str) -> None:
    with old.begin() as connection:
        connection.execute(sa.text("DROP TABLE alembic_version"))
    prepare_database(url)
    check_everything(old)


def test_the_scripts_leave_what_the_rooms_declare(engine: sa.Engine) -> None:
    upgrade_tables(engine)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []


def test_what_a_key_gives_its_runs_is_kept(engine: sa.Engine) -> None:
    upgrade_tables(engine)
    keys = KeyStore(engine)
    given, secret = keys.create("studio", defaults={"format": "jpeg", "quality": 80})
    assert given.defaults == {"format": "jpeg", "quality": 80}
    assert keys.find(secret) == given


def test_a_program_goes_on_beside_a_newer_one(old: sa.Engine, url: str) -> None:
    upgrade_tables(old)
    with old.begin() as connection:
        connection.execute(sa.text("ALTER TABLE jobs ADD COLUMN mood TEXT"))
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with capture_logs() as lines:
        prepare_database(url)
    assert [line.get("revision") for line in lines] == ["9999"]
    check_everything(old)
    job = DurableQueue(old).submit(make_draft()).job
    assert DurableQueue(old).get(job.id) == job


def test_a_program_of_the_first_version_can_still_write_its_rows(engine: sa.Engine) -> None:
    upgrade_tables(engine)
    write_rows(engine)
    check_everything(engine)


def test_a_change_that_fails_leaves_nothing_behind(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE api_keys (defaults INTEGER)"))
    with pytest.raises(sa.exc.DBAPIError):
        upgrade_tables(engine)
    assert sa.inspect(engine).get_table_names() == ["api_keys"]


def test_no_script_offers_a_way_back() -> None:
    """It could only lose what was written since."""
    names = [module.name for module in pkgutil.iter_modules(versions.__path__)]
    scripts = [importlib.import_module(f"{versions.__name__}.{name}") for name in names]
    assert [script.revision for script in scripts] == [f"{n + 1:04}" for n in range(len(scripts))]
    assert not any(hasattr(script, "downgrade") for script in scripts)

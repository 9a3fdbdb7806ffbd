"""The tables of the workflow engine, made or brought up to date by whoever starts the house."""

from datetime import timedelta

import sqlalchemy as sa
from dbos import DBOSClient
from dbos._sys_db import SystemDatabase

from server.jobs import contract
from server.jobs.serializer import JsonSerializer
from server.jobs.workers import live_workers

SILENCE = timedelta(seconds=15)
"""Without a sign of life for so long, a worker is none of those that are there."""

SCHEMA = "dbos"
"""Where these tables are on Postgres; on SQLite they lie beside ours."""


def migrate_workflows(engine: sa.Engine) -> None:
    """Bring them up to date, with our queues in them; several processes may try at once."""
    kind = "sqlite" if engine.dialect.name == "sqlite" else "postgresql"
    SystemDatabase.create(
        system_database_url=f"{kind}:///",  # only its kind matters beside an engine
        engine_kwargs={},
        engine=engine,
        schema=SCHEMA,
        serializer=JsonSerializer(),
        executor_id=None,
        use_listen_notify=False,
    ).run_migrations()
    client = _open_client(engine)
    # a worker finds the queues when it starts, instead of a second later
    client.register_queue(
        contract.CALLBACKS,
        worker_concurrency=contract.CALLBACKS_AT_ONCE,
        polling_interval_sec=contract.POLL,
    )
    client.register_queue(
        contract.FETCHES,
        worker_concurrency=contract.FETCHES_AT_ONCE,
        partition_worker_concurrency=contract.FETCHES_OF_ONE,
        polling_interval_sec=contract.POLL,
    )


def allow_jobs(engine: sa.Engine, at_once: int) -> None:
    """Let each worker take up so many jobs; for a worker to call before it begins.

    The number is one for the whole house: beside live workers that want more, it stays theirs.
    """
    client = _open_client(engine)
    most = max(at_once, _read_at_once(client, engine))
    client.register_queue(
        contract.JOBS, worker_concurrency=most, polling_interval_sec=contract.POLL
    )


def _open_client(engine: sa.Engine) -> DBOSClient:
    return DBOSClient(
        system_database_engine=engine,
        dbos_system_schema=SCHEMA,
        serializer=JsonSerializer(),
        application_name=contract.APPLICATION,
        lazy=True,
    )


def _read_at_once(client: DBOSClient, engine: sa.Engine) -> int:
    """What the workers that are there take up; 0 without any."""
    queue = client.retrieve_queue(contract.JOBS)
    if queue is None or not live_workers(engine, SILENCE):
        return 0
    return queue.worker_concurrency or 0

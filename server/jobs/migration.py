"""The tables of the workflow engine, made or brought up to date by whoever starts the house."""

import sqlalchemy as sa
from dbos import DBOSClient
from dbos._sys_db import SystemDatabase

from server.jobs import contract
from server.jobs.serializer import JsonSerializer

SCHEMA = "dbos"
"""Where these tables are on Postgres; on SQLite they lie beside ours."""


def migrate_workflows(engine: sa.Engine, at_once: int | None) -> None:
    """Bring them up to date, with our queues in them; several processes may try at once.

    Each worker takes up ``at_once`` jobs; None leaves that to those who start workers.
    """
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
    client = DBOSClient(
        system_database_engine=engine,
        dbos_system_schema=SCHEMA,
        serializer=JsonSerializer(),
        application_name=contract.APPLICATION,
        lazy=True,
    )
    for name, most in (
        (contract.JOBS, at_once),
        (contract.CALLBACKS, contract.CALLBACKS_AT_ONCE),
    ):
        if most is None:
            continue
        # a worker finds them when it starts, instead of a second later
        client.register_queue(name, worker_concurrency=most, polling_interval_sec=contract.POLL)

"""DBOS in this process: it takes jobs up and runs their workflows in threads of its own.

``background_thread_stop_events`` and ``_active_workflows_set`` are not public; they, and what
``Ledger`` touches, are why its version is pinned.
"""

import sqlalchemy as sa
from dbos import DBOS, DBOSConfig
from dbos._dbos import _get_dbos_instance

from server.jobs import contract
from server.jobs.migration import SCHEMA
from server.jobs.serializer import JsonSerializer

RARELY = 3600.0
"""Seconds between two looks for what we do not use: notifications, schedules."""


def set_up(engine: sa.Engine, worker: str) -> None:
    """Make DBOS ready for the workflows to be registered; nothing is taken up yet."""
    config: DBOSConfig = {
        "name": contract.APPLICATION,
        "application_version": contract.CONTRACT,
        "executor_id": worker,
        "system_database_engine": engine,
        "dbos_system_schema": SCHEMA,
        "serializer": JsonSerializer(),
        "use_listen_notify": False,
        "notification_listener_polling_interval_sec": RARELY,
        "scheduler_polling_interval_sec": RARELY,
        "run_migrations": False,
        "log_level": "WARNING",
    }
    DBOS(config=config)


def start() -> None:
    """From now on jobs and callbacks are taken up, and first those that this worker had."""
    DBOS.launch()


def stop() -> None:
    """Take nothing up any more; what was taken up goes on."""
    for event in _get_dbos_instance().background_thread_stop_events:
        event.set()


def list_active() -> set[str]:
    """What this process is working on at this moment."""
    return set(_get_dbos_instance()._active_workflows_set.activeList())  # noqa: SLF001

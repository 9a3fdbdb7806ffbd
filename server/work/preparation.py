"""Making the database ready, once, by whoever starts the house; the API migrates nothing."""

import logging
import time

import sqlalchemy as sa

from server.database.engine import open_database, reason_of
from server.database.upgrade import upgrade_tables
from server.errors import DatabaseUnavailable
from server.jobs.migration import migrate_workflows

OLDEST_SQLITE = (3, 42)
"""What the workflow engine needs."""

OVERTAKEN = ("already exists", "is locked")
"""How SQLite says that another process is preparing the same new file at this moment."""

TRIES = 50
PAUSE = 0.1
"""Seconds between two tries."""


def prepare_database(url: str) -> None:
    """Bring the tables up to date, ours and the workflow engine's.

    Several processes may try at once.

    Raises:
        DatabaseUnavailable: it does not answer, or cannot be written to.
    """
    # every step of a migration would be a line
    logging.getLogger("dbos").setLevel(logging.WARNING)
    engine = open_database(url, pool=2)
    try:
        _refuse_old(engine)
        for _ in range(TRIES):
            if _prepare(engine):
                return
            time.sleep(PAUSE)
        msg = "the database is being made ready by somebody who does not come to an end"
        raise DatabaseUnavailable(msg)
    except sa.exc.DBAPIError as error:
        msg = f"the database cannot be made ready: {reason_of(error)}"
        raise DatabaseUnavailable(msg) from error
    finally:
        engine.dispose()


def _prepare(engine: sa.Engine) -> bool:
    """False where somebody else was just at it."""
    try:
        upgrade_tables(engine)
        migrate_workflows(engine)
    except sa.exc.OperationalError as error:
        if engine.dialect.name == "sqlite" and reason_of(error).endswith(OVERTAKEN):
            return False
        raise
    return True


def _refuse_old(engine: sa.Engine) -> None:
    version = getattr(engine.dialect.dbapi, "sqlite_version_info", OLDEST_SQLITE)
    if version < OLDEST_SQLITE:
        msg = f"SQLite {'.'.join(map(str, version))} is too old; 3.42 or newer is needed"
        raise DatabaseUnavailable(msg)

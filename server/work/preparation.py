"""Making the database ready, once, by whoever starts the house; the API migrates nothing."""

import logging
from contextlib import suppress

import sqlalchemy as sa

# every room that has tables: importing it declares them
import server.access.key_store
import server.callbacks.history
import server.callbacks.secret_store
import server.images.assets
import server.jobs.table
import server.jobs.workers  # noqa: F401
from server.database.engine import open_database
from server.database.schema import create_tables
from server.errors import DatabaseUnavailable
from server.jobs.migration import migrate_workflows

OLDEST_SQLITE = (3, 42)
"""What the workflow engine needs."""

OVERTAKEN = 20
"""Times that others may just have made a table, about one for each."""


def prepare_database(url: str) -> None:
    """Make what tables are missing, and bring the workflow engine's up to date.

    Several processes may try at once.

    Raises:
        DatabaseUnavailable: it does not answer, or cannot be written to.
    """
    # every step of a migration would be a line
    logging.getLogger("dbos").setLevel(logging.WARNING)
    engine = open_database(url, pool=2)
    try:
        _refuse_old(engine)
        migrate_workflows(engine)
        _create_tables(engine)
    except sa.exc.DBAPIError as error:
        msg = f"the database cannot be made ready: {_first_line(error)}"
        raise DatabaseUnavailable(msg) from error
    finally:
        engine.dispose()


def _create_tables(engine: sa.Engine) -> None:
    """SQLite makes tables without a lock: who was overtaken looks once more."""
    for _ in range(OVERTAKEN):
        with suppress(sa.exc.OperationalError):
            create_tables(engine)
            return
    create_tables(engine)


def _refuse_old(engine: sa.Engine) -> None:
    version = getattr(engine.dialect.dbapi, "sqlite_version_info", OLDEST_SQLITE)
    if version < OLDEST_SQLITE:
        msg = f"SQLite {'.'.join(map(str, version))} is too old; 3.42 or newer is needed"
        raise DatabaseUnavailable(msg)


def _first_line(error: sa.exc.DBAPIError) -> str:
    """What the driver says, without the statement."""
    return str(error.orig).partition("\n")[0]

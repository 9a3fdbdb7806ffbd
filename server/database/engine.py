"""Connections to the database, set up so that several processes may write at once.

SQLite comes from ``pysqlite3``, which carries its own: the queue needs 3.42 or newer, and what
Python was built with is often older. It runs in write-ahead mode, never on a network file system.
"""

import logging
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from server.errors import DatabaseUnavailable

FILE = "smart-resize.sqlite"
"""The database's name in the data folder."""

IDLE = "-c idle_in_transaction_session_timeout=60000"
"""Postgres ends who sits on a transaction for a minute, and gives back what it locked."""

PATIENCE = 30
"""Seconds that a writer waits for another one."""


def database_url(data: Path, url: str | None) -> str:
    """The operator's URL, or the file in the data folder."""
    if url is None:
        return f"sqlite:///{(data / FILE).resolve()}"
    # psycopg 3, whatever the operator's habit is called
    for scheme in ("postgres://", "postgresql://"):
        if url.startswith(scheme):
            return "postgresql+psycopg://" + url.removeprefix(scheme)
    return url


def open_database(url: str, *, pool: int = 8) -> sa.Engine:
    """An engine with at most ``pool`` connections; connects when first used.

    A thread that finds all of them taken waits as long as for another writer on SQLite, and no
    longer than a caller of the API should on Postgres.

    Raises:
        DatabaseUnavailable: not a URL that this server can use.
    """
    # a pool tells what it does in its class's name, and only SQLAlchemy's own are told not to
    logging.getLogger(__name__).setLevel(logging.WARNING)
    try:
        if url.startswith("sqlite:"):
            return _open_sqlite(url, pool)
        keepalives = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}
        return sa.create_engine(
            url,
            poolclass=Pool,
            pool_size=pool,
            max_overflow=0,
            pool_timeout=2,
            pool_pre_ping=True,
            hide_parameters=True,  # an error's text goes into the log, callers' words do not
            connect_args={"connect_timeout": 2, "options": IDLE, **keepalives},
        )
    except (sa.exc.ArgumentError, ImportError) as error:
        msg = "the database's address is not one of SQLite or PostgreSQL"
        raise DatabaseUnavailable(msg) from error


def _open_sqlite(url: str, pool: int) -> sa.Engine:
    import pysqlite3  # noqa: PLC0415  not needed where Postgres is used

    engine = sa.create_engine(
        url,
        module=pysqlite3,
        poolclass=Pool,
        pool_size=pool,
        max_overflow=0,
        pool_timeout=PATIENCE,
        hide_parameters=True,
        connect_args={"check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _: Any) -> None:
        connection.isolation_level = "IMMEDIATE"  # writers queue up instead of failing halfway
        connection.execute(f"PRAGMA busy_timeout={PATIENCE * 1000}")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")

    return engine


class Pool(sa.QueuePool):
    """A bounded number of connections; where ``is_frank``, it says DatabaseUnavailable.

    Else SQLAlchemy's own error tells the workflow engine to try again.
    """

    is_frank = False

    def connect(self) -> sa.PoolProxiedConnection:
        """One of them, once it is free; raises after the timeout."""
        try:
            return super().connect()
        except sa.exc.TimeoutError as error:
            if self.is_frank:
                raise DatabaseUnavailable from error
            raise


def reason_of(error: sa.exc.DBAPIError) -> str:
    """What the driver says, in a line and without the statement."""
    return str(error.orig).partition("\n")[0]


def say_unavailable(engine: sa.Engine) -> sa.Engine:
    """Let outages surface as DatabaseUnavailable; other mistakes stay what they are."""
    if isinstance(engine.pool, Pool):
        engine.pool.is_frank = True

    @event.listens_for(engine, "handle_error")
    def name(context: sa.engine.ExceptionContext) -> DatabaseUnavailable | None:
        outage = isinstance(
            context.sqlalchemy_exception, sa.exc.OperationalError | sa.exc.InterfaceError
        )
        if outage or context.is_disconnect:
            return DatabaseUnavailable()
        return None

    return engine

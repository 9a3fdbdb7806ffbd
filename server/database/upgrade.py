"""Our tables made, or brought up to date, by the numbered scripts in ``migrations``."""

import sqlalchemy as sa
import structlog
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

log = structlog.get_logger("server.database")

NEWEST = "head"

LOCK = 7327
"""The advisory lock of those who change tables."""


def upgrade_tables(engine: sa.Engine, revision: str = NEWEST) -> None:
    """Bring the tables to a revision, all or nothing; several processes may try at once.

    Tables that a newer version of this program has changed stay as they are: changes only add, so
    that this one finds in them what it knows.
    """
    config = Config()
    config.set_main_option("script_location", "server.database:migrations")
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(sa.text(f"SELECT pg_advisory_xact_lock({LOCK})"))
        else:
            connection.execute(sa.text("BEGIN IMMEDIATE"))
        if newer := _find_newer(connection, ScriptDirectory.from_config(config)):
            log.warning("a newer version of this program has changed the tables", revision=newer)
            return
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def _find_newer(connection: sa.Connection, scripts: ScriptDirectory) -> str | None:
    """The revision of the tables, where no script of ours leads to it."""
    known = {script.revision for script in scripts.walk_revisions()}
    found = MigrationContext.configure(connection).get_current_heads()
    return next((revision for revision in found if revision not in known), None)

"""The tables' common ground: every room declares its own tables on it."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

METADATA = sa.MetaData()

JSON = sa.JSON().with_variant(JSONB(), "postgresql")
"""Plain JSON values; nothing is ever pickled."""


def create_tables(engine: sa.Engine) -> None:
    """Make the tables that are not there yet; several processes may try at once."""
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(7327)"))
        else:
            connection.execute(sa.text("BEGIN IMMEDIATE"))
        METADATA.create_all(connection, checkfirst=True)

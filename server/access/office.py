"""The office of keys: where they are kept, and where it is noted what was done to them."""

from pathlib import Path
from typing import NamedTuple

import sqlalchemy as sa

from server.access.key_store import KeyStore
from server.database import engine
from server.database.upgrade import upgrade_tables
from server.errors import DatabaseUnavailable


class Office(NamedTuple):
    """Keys, and the data folder with the record of them."""

    keys: KeyStore
    data: Path


def open_office(data: Path, database_url: str | None) -> Office:
    """Made ready where it was not; without a URL the database is the data folder's own.

    Raises:
        DatabaseUnavailable: it does not answer, or cannot be written to.
    """
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    opened = engine.open_database(engine.database_url(data, database_url))
    try:
        upgrade_tables(opened)
    except sa.exc.DBAPIError as error:
        msg = f"the database cannot be used: {engine.reason_of(error)}"
        raise DatabaseUnavailable(msg) from error
    return Office(KeyStore(opened), data)

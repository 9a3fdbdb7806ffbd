"""Databases made ready once and copied for each test, and drafts of jobs."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
import uuid_utils

from server.database.engine import FILE, database_url
from server.jobs.job import Draft, Status
from server.jobs.order import Order, SizeTarget
from server.jobs.table import JOBS
from server.work.preparation import prepare_database
from tests.server.jobs.postgres import BINARIES, Postgres

EMPTY_ALL = """
    SELECT string_agg(format('DELETE FROM %I.%I', schemaname, tablename), ';') FROM pg_tables
    WHERE schemaname IN ('public', 'dbos')
    AND tablename NOT IN ('dbos_migrations', 'alembic_version')
"""


def require_postgres() -> None:
    """Leave a test out where there is no server to run; never in CI."""
    if not BINARIES and os.environ.get("CI") != "true":  # noqa: TID251  CI says so there
        pytest.skip("PostgreSQL is not installed")
    assert BINARIES, "PostgreSQL is not installed"


@contextmanager
def prepared_postgres() -> Iterator[Postgres]:
    """A server whose database ``prepared`` has all tables and no rows."""
    require_postgres()
    with Postgres() as server:
        server.create("prepared")
        prepare_database(database_url(Path(), server.url("prepared")))
        yield server


@dataclass(frozen=True, slots=True)
class Databases:
    """Hands out fresh databases with all tables."""

    template: Path
    server: Postgres | None = None

    def make_quickly(self, folder: Path) -> str:
        """As ``make``, for who leaves no connection behind: the server's is always the same."""
        if self.server is None:
            return self.make(folder)
        with psycopg.connect(self.server.url("prepared"), autocommit=True) as connection:
            found = connection.execute(EMPTY_ALL).fetchone()
            assert found
            connection.execute(found[0].encode())  # few rows: much faster than TRUNCATE
        return database_url(folder, self.server.url("prepared"))

    def make(self, folder: Path) -> str:
        """A new one, in ``folder`` where it is a file; its URL for ``open_database``."""
        if self.server:
            name = str(uuid_utils.uuid7())
            return database_url(folder, self.server.create(name, "prepared"))
        folder.mkdir(exist_ok=True)
        shutil.copy(self.template, folder / FILE)
        return database_url(folder, None)


def make_draft(**given: Any) -> Draft:
    """A small job of ``anna``."""
    order = Order(sources=("blob:uploads/x/0",), targets=(SizeTarget(width=64, height=64),), seed=7)
    values = {"id": str(uuid_utils.uuid7()), "owner": "anna", "model": "local/smart-resize"}
    return Draft(**{**values, "order": order, **given})


def count_jobs(connection: sa.Connection) -> dict[Status, int]:
    """How many jobs there are in each status."""
    query = sa.select(JOBS.c.status, sa.func.count()).group_by(JOBS.c.status)
    found = {Status(status): count for status, count in connection.execute(query)}
    return {status: found.get(status, 0) for status in Status}

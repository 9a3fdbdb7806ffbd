"""The tables as they were before changes had numbers.

What is there already stays as it is: so a database of that time joins in by the same way as a new
one begins.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None

JSON = sa.JSON().with_variant(JSONB(), "postgresql")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables and indexes that are not there."""
    _make_jobs()
    _make_counts()
    _make_workers()
    _make_keys()
    _make_assets()
    _make_deliveries()


def _make_jobs() -> None:
    _make_table(
        "jobs",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("model", sa.String(200), nullable=False),
        sa.Column("order", JSON, nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("started_at", TIME),
        sa.Column("finished_at", TIME),
        sa.Column("deadline", TIME),
        sa.Column("cancel_requested", sa.Boolean, nullable=False),
        sa.Column("worker", sa.Text),
        sa.Column("in_memory", sa.Boolean, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("step", sa.String(40)),
        sa.Column("fraction", sa.Float),
        sa.Column("outputs", JSON, nullable=False),
        sa.Column("failure", JSON),
        sa.Column("gpu_seconds", sa.Float, nullable=False),
        sa.Column("seconds", JSON, nullable=False),
        sa.Column("callback_url", sa.Text),
        sa.Column("client_ref", sa.Text),
        sa.Column("metadata", JSON),
        sa.Column("request_id", sa.Text),
        sa.Column("idempotency", sa.Text),
        sa.Column("fingerprint", sa.Text),
    )
    _make_index("ix_jobs_finished_at", "jobs", "finished_at")
    _make_index("jobs_of_owner", "jobs", "owner", "created_at", "id")
    _make_index("jobs_in_line", "jobs", "status", "priority", "created_at", "id")
    _make_index("jobs_by_idempotency", "jobs", "owner", "idempotency", unique=True)
    _make_table("remains", sa.Column("job", sa.String(64), primary_key=True))


def _make_counts() -> None:
    _make_table(
        "usage",
        sa.Column("owner", sa.String(64), primary_key=True),
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("jobs", sa.Integer, nullable=False),
        sa.Column("outputs", sa.Integer, nullable=False),
        sa.Column("gpu_seconds", sa.Float, nullable=False),
    )
    _make_table(
        "tallies",
        sa.Column("name", sa.String(40), primary_key=True),
        sa.Column("labels", sa.String(400), primary_key=True),
        sa.Column("value", sa.Double, nullable=False),
    )


def _make_workers() -> None:
    _make_table(
        "workers",
        sa.Column("worker", sa.String(200), primary_key=True),
        sa.Column("device", sa.Text, nullable=False),
        sa.Column("engine", sa.Text, nullable=False),
        sa.Column("pid", sa.Integer, nullable=False),
        sa.Column("checked_at", TIME),
        sa.Column("trouble", sa.Text),
        sa.Column("seen_at", TIME, nullable=False),
    )
    _make_index("ix_workers_seen_at", "workers", "seen_at")


def _make_keys() -> None:
    _make_table(
        "api_keys",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False, unique=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("revoked_at", TIME),
        sa.Column("rate", sa.Integer, nullable=False),
        sa.Column("concurrency", sa.Integer, nullable=False),
        sa.Column("retention", sa.Integer),
    )
    _make_table(
        "callback_secrets",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("owner", sa.String(36), nullable=False),
        sa.Column("label", sa.String(200), nullable=False),
        sa.Column("plain", sa.String(100), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("disabled_at", TIME),
        sa.Column("last_used_at", TIME),
    )
    _make_index("ix_callback_secrets_owner", "callback_secrets", "owner")


def _make_assets() -> None:
    _make_table(
        "assets",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("owner", sa.String(36), nullable=False),
        sa.Column("name", sa.String(500), nullable=False),
        sa.Column("media_type", sa.String(255), nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("confirmed_at", TIME),
    )
    _make_index("ix_assets_created_at", "assets", "created_at")


def _make_deliveries() -> None:
    _make_table(
        "deliveries",
        sa.Column("id", sa.String(80), primary_key=True),
        sa.Column("job", sa.String(36), nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
    )
    _make_index("ix_deliveries_job", "deliveries", "job")
    _make_table(
        "delivery_attempts",
        sa.Column("delivery", sa.String(80), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("finished_at", TIME),
        sa.Column("status", sa.Integer),
        sa.Column("error", sa.Text),
    )


def _make_table(name: str, *columns: sa.Column[object]) -> None:
    op.create_table(name, *columns, if_not_exists=True)


def _make_index(name: str, table: str, *columns: str, unique: bool = False) -> None:
    op.create_index(name, table, columns, unique=unique, if_not_exists=True)

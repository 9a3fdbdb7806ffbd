"""The jobs in the database, one row each, and what each API key has used, one row a day."""

from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from server.database.schema import JSON, METADATA
from server.database.times import Time
from server.jobs.job import Draft, Failure, Job, Output, Stage, Status
from server.jobs.order import Order

JOBS = sa.Table(
    "jobs",
    METADATA,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("owner", sa.String(64), nullable=False),
    sa.Column("model", sa.String(200), nullable=False),
    sa.Column("order", JSON, nullable=False),
    sa.Column("status", sa.String(10), nullable=False),
    sa.Column("priority", sa.Integer, nullable=False),
    sa.Column("created_at", Time, nullable=False),
    sa.Column("started_at", Time),
    sa.Column("finished_at", Time, index=True),
    sa.Column("deadline", Time),
    sa.Column("cancel_requested", sa.Boolean, nullable=False, default=False),
    sa.Column("worker", sa.Text),
    sa.Column("in_memory", sa.Boolean, nullable=False, default=False),
    sa.Column("tries", sa.Integer, nullable=False, default=0),
    sa.Column("step", sa.String(40)),
    sa.Column("fraction", sa.Float),
    sa.Column("outputs", JSON, nullable=False),
    sa.Column("failure", JSON),
    sa.Column("gpu_seconds", sa.Float, nullable=False, default=0.0),
    sa.Column("seconds", JSON, nullable=False),
    sa.Column("callback_url", sa.Text),
    sa.Column("client_ref", sa.Text),
    sa.Column("metadata", JSON),
    sa.Column("request_id", sa.Text),
    sa.Column("idempotency", sa.Text),
    sa.Column("fingerprint", sa.Text),
    sa.Index("jobs_of_owner", "owner", "created_at", "id"),
    sa.Index("jobs_in_line", "status", "priority", "created_at", "id"),
    sa.Index("jobs_by_idempotency", "owner", "idempotency", unique=True),
)

USAGE = sa.Table(
    "usage",
    METADATA,
    sa.Column("owner", sa.String(64), primary_key=True),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("jobs", sa.Integer, nullable=False),
    sa.Column("outputs", sa.Integer, nullable=False),
    sa.Column("gpu_seconds", sa.Float, nullable=False),
)

PLAIN = (
    "id",
    "owner",
    "model",
    "created_at",
    "started_at",
    "finished_at",
    "callback_url",
    "client_ref",
    "metadata",
    "request_id",
    "deadline",
    "gpu_seconds",
    "worker",
    "seconds",
)
"""Columns that are fields of a job as they are."""

Row = sa.Row[tuple[Any, ...]]


def to_row(draft: Draft, now: datetime) -> dict[str, Any]:
    """The columns of a job that was accepted at ``now``."""
    given = {field.name: getattr(draft, field.name) for field in fields(draft)}
    return {
        **given,
        "order": draft.order.model_dump(mode="json"),
        "status": Status.QUEUED.value,
        "created_at": now,
        "in_memory": draft.order.volatile,
        "outputs": [],
        "seconds": {},
    }


def to_job(row: Row, position: int | None = None) -> Job:
    """The job in a row of ``JOBS``, with ``position`` jobs ahead."""
    columns = row._mapping  # noqa: SLF001  the library's public name for it
    step, failure = columns["step"], columns["failure"]
    return Job(
        **{name: columns[name] for name in PLAIN},
        order=Order.model_validate(columns["order"]),
        status=Status(columns["status"]),
        stage=Stage(step, columns["fraction"]) if step else None,
        position=position,
        outputs=tuple(Output(**output) for output in columns["outputs"]),
        failure=Failure(**failure) if failure else None,
    )


def to_json(value: Output | Failure) -> dict[str, Any]:
    """Plain JSON values."""
    return asdict(value)

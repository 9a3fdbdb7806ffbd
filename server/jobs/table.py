"""The jobs in the database, one row each, and what each API key has used, one row a day."""

from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from server.database.schema import JSON, METADATA
from server.database.times import Time
from server.jobs.job import Draft, Failure, Job, Output, OutputExtra, Stage, Status
from server.jobs.stored_order import read_order, write_order

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

EXTRA_FIELDS = {field.name for field in fields(OutputExtra)}
OUTPUT_FIELDS = {field.name for field in fields(Output)}
FAILURE_FIELDS = {field.name for field in fields(Failure)}

Row = sa.Row[tuple[Any, ...]]


def to_row(draft: Draft, now: datetime) -> dict[str, Any]:
    """The columns of a job that was accepted at ``now``."""
    given = {field.name: getattr(draft, field.name) for field in fields(draft)}
    return {
        **given,
        "order": write_order(draft.order),
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
    order, is_whole = read_order(columns["order"])
    return Job(
        **{name: columns[name] for name in PLAIN},
        order=order,
        is_readable=is_whole,
        status=Status(columns["status"]),
        stage=Stage(step, columns["fraction"]) if step else None,
        position=position,
        outputs=tuple(read_output(output) for output in columns["outputs"]),
        failure=read_failure(failure) if failure else None,
    )


def read_output(found: dict[str, Any]) -> Output:
    """What ``to_json`` wrote, without what only a newer program knows."""
    known = {name: found[name] for name in found.keys() & OUTPUT_FIELDS}
    extras = tuple(
        OutputExtra(**{name: extra[name] for name in extra.keys() & EXTRA_FIELDS})
        for extra in found.get("extras", ())
    )
    return Output(**{**known, "extras": extras})


def read_failure(found: dict[str, Any]) -> Failure:
    """What ``to_json`` wrote, without what only a newer program knows."""
    return Failure(**{name: found[name] for name in found.keys() & FAILURE_FIELDS})


def to_json(value: Output | Failure) -> dict[str, Any]:
    """Plain JSON values; as older programs read them, where nothing newer was asked for."""
    values = asdict(value)
    if not values.get("extras", True):
        del values["extras"]
    return values

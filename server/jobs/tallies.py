"""What the house has done since it was set up, counted in the database; no count ever falls.

Rows of jobs go after some days and processes end, so neither could be counted later.
"""

import json
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from server.database.schema import METADATA
from server.jobs.job import Job, Status
from server.jobs.order import Task

TALLIES = sa.Table(
    "tallies",
    METADATA,
    sa.Column("name", sa.String(40), primary_key=True),
    sa.Column("labels", sa.String(400), primary_key=True),
    sa.Column("value", sa.Double, nullable=False),
)

JOBS = "jobs"
"""Jobs that ended, by ``model`` and ``outcome``, which is their final status."""

OUTPUTS = "outputs"
"""Pictures by ``model`` and ``outcome``: those made, and those that were asked for in vain."""

FAILURES = "failures"
"""Jobs that failed, by the error's ``code``."""

WAITS = "waits"
WAIT_SECONDS = "wait_seconds"
"""Jobs that were begun, and the seconds that they waited for it, by ``model``."""

STAGES = "stages"
STAGE_SECONDS = "stage_seconds"
"""How many jobs went through each ``step`` to success, and the seconds that it took them."""

GPU_SECONDS = "gpu_seconds"
"""Seconds that jobs had the engine, by the id of the API ``key``; failed jobs' too."""

CALLBACKS = "callbacks"
"""Callbacks by ``outcome``."""


class DeliveryOutcome(StrEnum):
    """What became of a callback after its last try."""

    DELIVERED = "delivered"
    REFUSED = "refused"
    """The receiver answered, but not with success."""
    UNANSWERED = "unanswered"
    """There was no answer, or the address may not be dialled."""


class Tally(NamedTuple):
    """A count, or a sum of seconds."""

    name: str
    labels: Mapping[str, str]
    value: float


def count(connection: sa.Connection, name: str, labels: Mapping[str, str], by: float = 1.0) -> None:
    """Add to one tally."""
    count_all(connection, [Tally(name, labels, by)])


def count_all(connection: sa.Connection, tallies: Iterable[Tally]) -> None:
    """Add to several, in one batch.

    The rows are in order, so that two transactions that share some never wait for each other in a
    circle. They stay locked until the transaction ends: count last.
    """
    sums: dict[tuple[str, str], float] = {}
    for name, labels, value in tallies:
        key = (name, json.dumps(labels, sort_keys=True, separators=(",", ":")))
        sums[key] = sums.get(key, 0.0) + value
    if not sums:
        return
    rows = [{"name": key[0], "labels": key[1], "value": sums[key]} for key in sorted(sums)]
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    query = insert(TALLIES)
    total = {"value": TALLIES.c.value + query.excluded.value}
    upsert = query.on_conflict_do_update(index_elements=["name", "labels"], set_=total)
    connection.execute(upsert, rows)


def count_end(connection: sa.Connection, job: Job) -> None:
    """Add all that there is to say of a job that has ended: once, in the commit of its end."""
    count_all(connection, _list_tallies(job))


def count_delivery(connection: sa.Connection, outcome: DeliveryOutcome) -> None:
    """Add a callback whose last try is over."""
    count(connection, CALLBACKS, {"outcome": outcome.value})


def read(connection: sa.Connection) -> list[Tally]:
    """All tallies, in order of their names."""
    query = TALLIES.select().order_by(TALLIES.c.name, TALLIES.c.labels)
    return [
        Tally(name, json.loads(labels), value) for name, labels, value in connection.execute(query)
    ]


def _list_tallies(job: Job) -> Iterable[Tally]:
    model = {"model": job.model}
    ended = {**model, "outcome": job.status.value}
    yield Tally(JOBS, ended, 1.0)
    yield Tally(OUTPUTS, ended, _count_outputs(job))
    if job.failure is not None:
        yield Tally(FAILURES, {"code": job.failure.code}, 1.0)
    if job.started_at is not None:
        # clocks of two machines may disagree
        waited = max(0.0, (job.started_at - job.created_at).total_seconds())
        yield Tally(WAITS, model, 1.0)
        yield Tally(WAIT_SECONDS, model, waited)
    for step, seconds in job.seconds.items():
        yield Tally(STAGES, {"step": step}, 1.0)
        yield Tally(STAGE_SECONDS, {"step": step}, seconds)
    if job.gpu_seconds > 0.0:
        yield Tally(GPU_SECONDS, {"key": job.owner}, job.gpu_seconds)


def _count_outputs(job: Job) -> int:
    """What was made, else what was asked for; a zip that nobody opened counts as one source."""
    if job.status is Status.SUCCEEDED or job.order.task is Task.PLAN:
        return job.made
    order = job.order
    return len(order.sources) * len(order.targets) * order.variants

"""Reading jobs: one, a page of them, how many there are."""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa

from pipelines.errors import InvalidOption
from server.errors import JobNotFound
from server.jobs.job import Job, Status
from server.jobs.order import Task
from server.jobs.queue import JobPage, JobQuery
from server.jobs.table import JOBS, USAGE, Row, to_job

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

IN_LINE = (JOBS.c.priority, JOBS.c.created_at, JOBS.c.id)
"""The order in which jobs begin, as far as it can be foretold."""

TASK = sa.func.coalesce(JOBS.c.order["task"].as_string(), Task.REFRAME.value)
"""What is done in a job; a row does not say what is the default."""


class Usage(NamedTuple):
    """What an owner has used on one day, in UTC."""

    day: date
    jobs: int
    outputs: int
    gpu_seconds: float


def read_job(connection: sa.Connection, job_id: str) -> Job:
    """One job; raises JobNotFound."""
    row = connection.execute(JOBS.select().where(JOBS.c.id == job_id)).first()
    if row is None:
        raise JobNotFound
    return to_job(row, _position(connection, row))


def find_earlier(
    connection: sa.Connection, job_id: str, owner: str, idempotency: str | None
) -> Row | None:
    """The row that another one of this id or idempotency key would contradict."""
    same = JOBS.c.id == job_id
    if idempotency is not None:
        same = sa.or_(same, sa.and_(JOBS.c.owner == owner, JOBS.c.idempotency == idempotency))
    return connection.execute(JOBS.select().where(same)).first()


def list_jobs(connection: sa.Connection, query: JobQuery) -> JobPage:
    """Some of the owner's jobs; raises InvalidOption where the cursor is none of ours."""
    chosen = JOBS.select().where(JOBS.c.owner == query.owner)
    if query.status is not None:
        chosen = chosen.where(JOBS.c.status == query.status.value)
    if query.task is not None:
        chosen = chosen.where(TASK == query.task.value)  # noqa: SIM300  a column, no constant
    if query.text:
        columns = (JOBS.c.id, JOBS.c.client_ref, JOBS.c.model)
        starts = [column.startswith(query.text, autoescape=True) for column in columns]
        chosen = chosen.where(sa.or_(*starts))
    if query.cursor is not None:
        created_at, job_id = _read_cursor(query.cursor)
        # as one comparison of pairs, which an index can be searched for
        here = sa.tuple_(sa.literal(created_at, JOBS.c.created_at.type), job_id)
        chosen = chosen.where(sa.tuple_(JOBS.c.created_at, JOBS.c.id) < here)
    newest_first = chosen.order_by(JOBS.c.created_at.desc(), JOBS.c.id.desc())
    rows = connection.execute(newest_first.limit(query.limit + 1)).all()
    page, more = rows[: query.limit], rows[query.limit :]
    positions = _positions(connection, page)
    jobs = tuple(to_job(row, positions.get(row.id)) for row in page)
    return JobPage(jobs, _make_cursor(page[-1]) if more else None)


def count_waiting(connection: sa.Connection) -> int:
    """How many jobs are in line."""
    query = sa.select(sa.func.count()).where(JOBS.c.status == Status.QUEUED.value)
    return connection.execute(query).scalar_one()


def count_unfinished(connection: sa.Connection, owner: str) -> int:
    """How many of the owner's jobs are in line or running."""
    open_ones = [status.value for status in Status if not status.is_final]
    query = sa.select(sa.func.count()).where(JOBS.c.owner == owner, JOBS.c.status.in_(open_ones))
    return connection.execute(query).scalar_one()


def read_usage(connection: sa.Connection, owner: str, since: date) -> list[Usage]:
    """What the owner has used on each day since then, the oldest first."""
    columns = (USAGE.c.day, USAGE.c.jobs, USAGE.c.outputs, USAGE.c.gpu_seconds)
    query = sa.select(*columns).where(USAGE.c.owner == owner, USAGE.c.day >= since)
    return [Usage(*row) for row in connection.execute(query.order_by(USAGE.c.day))]


def _position(connection: sa.Connection, row: Row) -> int | None:
    if row.status != Status.QUEUED:
        return None
    here = sa.tuple_(row.priority, sa.literal(row.created_at, JOBS.c.created_at.type), row.id)
    query = sa.select(sa.func.count()).where(
        JOBS.c.status == Status.QUEUED.value, sa.tuple_(*IN_LINE) < here
    )
    return connection.execute(query).scalar_one()


def _positions(connection: sa.Connection, rows: Iterable[Row]) -> dict[str, int]:
    """How many are ahead of each that waits.

    Of each priority the foremost is counted for, then only from one to the next: however many rows
    there are, every job in line is counted a few times at most.
    """
    waiting = {row.id: row for row in rows if row.status == Status.QUEUED}
    if not waiting:
        return {}
    positions: dict[str, int] = {}
    ahead = 0
    for job_id, before, between in connection.execute(_count_between(waiting)).all():
        if before is None:
            ahead = _position(connection, waiting[job_id]) or 0
        ahead += between
        positions[job_id] = ahead
    return positions


def _count_between(ids: Iterable[str]) -> sa.Select[Any]:
    """Each job's id, the one before it of its priority, and how many wait from there to itself.

    With the priority fixed, an index is read from the one to the other and no further.
    """
    age = (JOBS.c.created_at, JOBS.c.id)
    before = [
        sa.func.lag(column).over(partition_by=JOBS.c.priority, order_by=age).label(f"{name}_before")
        for name, column in (("created_at", age[0]), ("id", age[1]))
    ]
    page = sa.select(*IN_LINE, *before).where(JOBS.c.id.in_(ids)).cte("page")
    line = JOBS.alias("line")
    place = sa.tuple_(line.c.created_at, line.c.id)
    between = (
        sa.select(sa.func.count())
        .select_from(line)
        .where(line.c.status == Status.QUEUED.value, line.c.priority == page.c.priority)
        .where(place >= sa.tuple_(page.c.created_at_before, page.c.id_before))
        .where(place < sa.tuple_(page.c.created_at, page.c.id))
        .scalar_subquery()
    )
    in_line = (page.c.priority, page.c.created_at, page.c.id)
    return sa.select(page.c.id, page.c.id_before, between).order_by(*in_line)


def _make_cursor(row: Row) -> str:
    return f"{(row.created_at - EPOCH) // MICROSECOND}.{row.id}"


def _read_cursor(cursor: str) -> tuple[datetime, str]:
    found = re.fullmatch(r"([0-9]{1,17})\.(.+)", cursor)
    if not found:
        msg = "this is not where a page of jobs ended"
        raise InvalidOption(msg)
    return EPOCH + int(found[1]) * MICROSECOND, found[2]

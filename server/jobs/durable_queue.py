"""The queue in the database: our row of a job and its place in DBOS's line are one commit."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from pipelines.errors import JobCancelled
from server.errors import IdempotencyConflict, JobExpired, QueueFull
from server.jobs import contract
from server.jobs.job import Draft, Failure, Job, Output, Stage, Status
from server.jobs.line import Line
from server.jobs.outage import reaching
from server.jobs.queue import JobPage, JobQuery, Submission
from server.jobs.selection import count_waiting, find_earlier, list_jobs, read_job
from server.jobs.table import JOBS, USAGE, Row, to_job, to_json, to_row
from server.jobs.tallies import count_end

CROWD = 64
"""Jobs that may be on their way in at once; nearer to the bound than this, one comes at a time."""

GATE = 7328
"""The advisory lock of those who come one at a time."""

FULL = 10.0
"""Seconds after which another try may be worth it."""

OPEN = (Status.QUEUED, Status.RUNNING)


class DurableQueue:
    """``JobQueue`` over the house's database; may be used from several threads and processes.

    A final row is never written again, so whoever comes late (a worker that was believed dead, a
    second request) changes nothing.
    """

    def __init__(self, engine: sa.Engine, *, bound: int = 10_000) -> None:
        """``bound`` jobs may wait at most. Connects when first used, and migrates nothing."""
        self._engine = engine
        self._bound = bound
        self._line = Line(engine)

    def submit(self, draft: Draft) -> Submission:
        """Keep the job and put it in line, in one transaction."""
        with reaching():
            try:
                return Submission(self._insert(draft), is_new=True)
            except IntegrityError:
                earlier = self._find_earlier(draft)
            if earlier:
                return Submission(earlier, is_new=False)
            # it was swept away in between: now there is room
            return Submission(self._insert(draft), is_new=True)

    def get(self, job_id: str) -> Job:
        """The job as it stands; raises JobNotFound."""
        with reaching(), self._engine.connect() as connection:
            return read_job(connection, job_id)

    def list(self, query: JobQuery) -> JobPage:
        """Some of the owner's jobs; raises InvalidOption for a cursor that is none."""
        with reaching(), self._engine.connect() as connection:
            return list_jobs(connection, query)

    def cancel(self, job_id: str) -> Job:
        """End it at once while it is queued; while it is running, ``report`` says so."""
        with reaching():
            with self._engine.begin() as connection:
                waiting = self._end(connection, job_id, Status.CANCELLED, (Status.QUEUED,))
                if not waiting:
                    query = _change(job_id, Status.RUNNING).values(cancel_requested=True)
                    connection.execute(query)
            if waiting:
                self._line.leave(job_id)
            return self.get(job_id)

    def begin(self, job_id: str, worker: str) -> Job:
        """The worker has it now; raises JobCancelled, JobExpired or JobNotFound."""
        now = sa.literal(datetime.now(UTC), JOBS.c.created_at.type)
        in_time = sa.or_(
            JOBS.c.status == Status.RUNNING.value, JOBS.c.deadline.is_(None), JOBS.c.deadline >= now
        )
        query = _change(job_id, *OPEN).where(JOBS.c.cancel_requested.is_(False), in_time)
        begun = query.values(
            status=Status.RUNNING.value,
            started_at=sa.func.coalesce(JOBS.c.started_at, now),
            worker=worker,
        )
        with reaching(), self._engine.begin() as connection:
            row = connection.execute(begun.returning(*JOBS.columns)).first()
            if row is not None:
                return to_job(row)
            late = JobExpired()
            failure = Failure(late.code, late.detail)
            expired = self._end(connection, job_id, Status.FAILED, (Status.QUEUED,), failure)
            if not expired:
                read_job(connection, job_id)
        raise late if expired else JobCancelled

    def report(self, job_id: str, stage: Stage) -> None:
        """Write down how far it is; raises JobCancelled when it is to stop or is final."""
        told = _change(job_id, Status.RUNNING).values(step=stage.step, fraction=stage.fraction)
        with reaching(), self._engine.begin() as connection:
            stop = connection.execute(told.returning(JOBS.c.cancel_requested)).scalar()
            if stop is None:
                stop = read_job(connection, job_id).status is not Status.QUEUED
        if stop:
            raise JobCancelled

    def finish(
        self,
        job_id: str,
        outputs: Sequence[Output],
        *,
        gpu_seconds: float,
        seconds: dict[str, float],
    ) -> Job:
        """It succeeded; changes nothing unless it is running."""
        with reaching():
            with self._engine.begin() as connection:
                self._end(
                    connection,
                    job_id,
                    Status.SUCCEEDED,
                    (Status.RUNNING,),
                    outputs=[to_json(output) for output in outputs],
                    gpu_seconds=gpu_seconds,
                    seconds=seconds,
                )
            return self.get(job_id)

    def fail(self, job_id: str, failure: Failure, *, gpu_seconds: float = 0.0) -> Job:
        """It failed, or was cancelled (code ``job_cancelled``); a final job stays as it is."""
        cancelled = failure.code == JobCancelled.code
        status, reason = (Status.CANCELLED, None) if cancelled else (Status.FAILED, failure)
        with reaching():
            with self._engine.begin() as connection:
                self._end(connection, job_id, status, OPEN, reason, gpu_seconds=gpu_seconds)
            return self.get(job_id)

    def line_up(self, job_id: str) -> None:
        """Put a job whose sources have come in line for a device; again changes nothing."""
        query = sa.select(JOBS.c.priority).where(JOBS.c.id == job_id)
        with reaching(), self._engine.begin() as connection:
            priority = connection.execute(query).scalar()
            if priority is not None:  # else it was deleted
                self._line.add_job(connection, job_id, priority)

    def redeliver(self, job_id: str, number: int) -> int:
        """Put one more delivery of a job's callback in line; returns its number.

        That is ``number``, from 1, or the first after it that nobody was given.
        """
        with reaching(), self._engine.begin() as connection:
            # the row is locked: who asks at the same moment comes after this
            connection.execute(JOBS.update().where(JOBS.c.id == job_id).values(id=job_id))
            while self._line.has_callback(job_id, number):
                number += 1
            self._line.add_callback(connection, job_id, number)
        return number

    def try_again(self, job_id: str, number: int, past: int, at: datetime) -> None:
        """Put the next try of a callback in line, for when it is due; again changes nothing."""
        here = sa.select(JOBS.c.id).where(JOBS.c.id == job_id)
        with reaching(), self._engine.begin() as connection:
            if connection.execute(here).first() is not None:  # else it was deleted
                self._line.add_try(connection, job_id, number, past, at)

    def _insert(self, draft: Draft) -> Job:
        with self._engine.begin() as connection:
            # the row comes first: on SQLite this is what makes other writers wait
            values = to_row(draft, datetime.now(UTC))
            connection.execute(JOBS.insert().values(**values))
            self._refuse_beyond_bound(connection)
            if all(source.startswith(contract.BLOB) for source in draft.order.given):
                self._line.add_job(connection, draft.id, draft.priority)
            else:
                self._line.add_fetch(connection, draft.id, draft.priority, draft.owner)
            return read_job(connection, draft.id)

    def _refuse_beyond_bound(self, connection: sa.Connection) -> None:
        waiting = count_waiting(connection)
        if waiting > self._bound - CROWD and connection.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(GATE)))
            waiting = count_waiting(connection)
        if waiting > self._bound:
            raise QueueFull(retry_after=FULL)

    def _find_earlier(self, draft: Draft) -> Job | None:
        with self._engine.connect() as connection:
            row = find_earlier(connection, draft.id, draft.owner, draft.idempotency)
            if row is None:
                return None
            if row.fingerprint != draft.fingerprint:
                raise IdempotencyConflict
            return read_job(connection, row.id)

    def _end(
        self,
        connection: sa.Connection,
        job_id: str,
        status: Status,
        allowed: Sequence[Status],
        failure: Failure | None = None,
        **values: Any,
    ) -> bool:
        """Write the end down, unless there is one; the callback is part of the same commit."""
        now = datetime.now(UTC)
        reason = to_json(failure) if failure else None
        ended = _change(job_id, *allowed).values(
            status=status.value, finished_at=now, failure=reason, **values
        )
        row = connection.execute(ended.returning(*JOBS.columns)).first()
        if row is None:
            return False
        if row.callback_url is not None:
            self._line.add_callback(connection, job_id)
        job = to_job(row)
        _count_usage(connection, row, job.made)
        count_end(connection, job)
        return True


def _change(job_id: str, *allowed: Status) -> sa.Update:
    """A change that only jobs in these statuses undergo."""
    statuses = [status.value for status in allowed]
    return JOBS.update().where(JOBS.c.id == job_id, JOBS.c.status.in_(statuses))


def _count_usage(connection: sa.Connection, row: Row, made: int) -> None:
    new = {
        "owner": row.owner,
        "day": row.finished_at.date(),
        "jobs": 1,
        "outputs": made,
        "gpu_seconds": row.gpu_seconds,
    }
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    counted = {name: USAGE.c[name] + new[name] for name in ("jobs", "outputs", "gpu_seconds")}
    query = insert(USAGE).values(**new)
    connection.execute(query.on_conflict_do_update(index_elements=["owner", "day"], set_=counted))

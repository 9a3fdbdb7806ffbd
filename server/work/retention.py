"""Forgetting what has been kept long enough: rows first, then the pictures they told of.

A job's row goes together with a note that its pictures remain; the note goes when they are deleted.
Whatever is interrupted in between is found again by the notes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
import structlog

from pipelines.errors import ReframeError
from server.database.schema import METADATA
from server.images.store import VOLATILE, ImageStore
from server.jobs.table import JOBS
from server.jobs.workers import WORKERS
from server.work.ledger import Ledger

BATCH = 100
"""Jobs that are forgotten in one transaction."""

IN_MEMORY = timedelta(hours=1)
"""What must not touch a disk is kept no longer than this: memory is dear."""

GONE = timedelta(days=1)
"""After so long, nobody asks any more about a worker that is gone."""

REMAINS = sa.Table(
    "remains",
    METADATA,
    sa.Column("job", sa.String(64), primary_key=True),
)

FOLDERS = ("outputs/", "sources/", f"{VOLATILE}outputs/", f"{VOLATILE}sources/")

log = structlog.get_logger("server.work")


@dataclass(frozen=True, slots=True)
class Retention:
    """How long things are kept after a job's end.

    ``own`` gives the owners that have a time of their own; ``forget`` drops what other rooms keep
    about a job, and ``sweep`` what they keep that is older than a moment.
    """

    engine: sa.Engine
    ledger: Ledger
    store: ImageStore
    usual: timedelta
    own: Callable[[], Mapping[str, timedelta]] = dict
    forget: Callable[[str], None] = lambda _: None
    sweep: Callable[[datetime], object] = lambda _: None

    def go_round(self) -> int:
        """Forget what is old; returns how many jobs that were."""
        now, own = datetime.now(UTC), self.own()
        count = self._forget_jobs(now - self.usual, JOBS.c.owner.not_in(own))
        for owner, time in own.items():
            count += self._forget_jobs(now - time, JOBS.c.owner == owner)
        self._clear_memory(now - min([IN_MEMORY, self.usual, *own.values()]))
        self._delete_remains()
        self.sweep(now - self.usual)
        with self.engine.begin() as connection:
            connection.execute(WORKERS.delete().where(WORKERS.c.seen_at < now - GONE))
        if count:
            log.info("forgotten", jobs=count)
        return count

    def _forget_jobs(self, before: datetime, chosen: sa.ColumnElement[bool]) -> int:
        count = 0
        query = sa.select(JOBS.c.id).where(JOBS.c.finished_at < before, chosen).limit(BATCH)
        while True:
            with self.engine.connect() as connection:
                ids = list(connection.execute(query).scalars())
            if not ids:
                return count
            self.ledger.forget([*ids, *self.ledger.beside(ids)])
            for job_id in ids:
                self.forget(job_id)
            with self.engine.begin() as connection:
                note = sa.select(JOBS.c.id).where(JOBS.c.id.in_(ids))
                connection.execute(REMAINS.insert().from_select(["job"], note))
                connection.execute(JOBS.delete().where(JOBS.c.id.in_(ids)))
            count += len(ids)

    def _clear_memory(self, before: datetime) -> None:
        """The pictures of volatile jobs go early, while their rows stay."""
        held = sa.and_(JOBS.c.in_memory, JOBS.c.finished_at < before)
        with self.engine.connect() as connection:
            ids = list(connection.execute(sa.select(JOBS.c.id).where(held)).scalars())
        for job_id in ids:
            if self._delete(job_id):
                with self.engine.begin() as connection:
                    cleared = JOBS.update().where(JOBS.c.id == job_id)
                    connection.execute(cleared.values(in_memory=False))

    def _delete_remains(self) -> None:
        with self.engine.connect() as connection:
            ids: Sequence[str] = connection.execute(sa.select(REMAINS.c.job)).scalars().all()
        for job_id in ids:
            if self._delete(job_id):
                with self.engine.begin() as connection:
                    connection.execute(REMAINS.delete().where(REMAINS.c.job == job_id))

    def _delete(self, job_id: str) -> bool:
        """Whether none of the job's pictures is there any more."""
        try:
            for folder in FOLDERS:
                self.store.delete(f"{folder}{job_id}/")
        except ReframeError as error:
            log.warning("pictures not deleted yet", job=job_id, code=error.code)
            return False
        return True

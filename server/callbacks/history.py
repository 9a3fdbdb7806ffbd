"""What was sent to whom, and what came of it: the body frozen, every attempt noted."""

from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa

from server.database.schema import METADATA
from server.database.times import Time
from server.jobs.tallies import DeliveryOutcome, count_delivery

DELIVERIES = sa.Table(
    "deliveries",
    METADATA,
    sa.Column("id", sa.String(80), primary_key=True),
    sa.Column("job", sa.String(36), nullable=False, index=True),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("created_at", Time, nullable=False),
)

ATTEMPTS = sa.Table(
    "delivery_attempts",
    METADATA,
    sa.Column("delivery", sa.String(80), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("started_at", Time, nullable=False),
    sa.Column("finished_at", Time),
    sa.Column("status", sa.Integer),
    sa.Column("error", sa.Text),
    sa.Column("next_at", Time),
)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try: ``status`` is what the receiver answered, ``error`` why there was no answer.

    ``next_at`` is when another one is due; None where there will be none.
    """

    number: int
    started_at: datetime
    finished_at: datetime | None = None
    status: int | None = None
    error: str | None = None
    next_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One callback on its way; its body never changes, so that its signature holds."""

    id: str
    job: str
    url: str
    body: bytes
    created_at: datetime
    attempts: tuple[Attempt, ...] = ()

    @property
    def delivered(self) -> bool:
        """Whether the receiver has taken it."""
        return any(try_.status is not None and is_taken(try_.status) for try_ in self.attempts)


def is_taken(status: int) -> bool:
    """Whether an answer means that the callback arrived."""
    return 200 <= status < 300  # noqa: PLR2004  HTTP's success


class History:
    """Deliveries and their attempts in the database."""

    def __init__(self, engine: sa.Engine) -> None:
        """Nothing is read yet."""
        self._engine = engine

    def open(self, delivery_id: str, job: str, url: str, body: bytes) -> Delivery:
        """The delivery of this id as it was frozen first, with the attempts so far."""
        values = {"id": delivery_id, "job": job, "url": url, "body": body.decode()}
        try:
            with self._engine.begin() as connection:
                connection.execute(DELIVERIES.insert().values(**values, created_at=_now()))
        except sa.exc.IntegrityError:
            pass  # a worker that ended too early had begun it
        return next(each for each in self.list(job) if each.id == delivery_id)

    def begin(self, delivery: Delivery, number: int) -> None:
        """Note a try before it is made: one that is cut off counts."""
        values = {"delivery": delivery.id, "number": number, "started_at": _now()}
        with self._engine.begin() as connection:
            connection.execute(ATTEMPTS.insert().values(**values))

    def end(
        self, delivery: Delivery, attempt: Attempt, outcome: DeliveryOutcome | None = None
    ) -> None:
        """Note what came of it; ``outcome`` is counted where it was the last one."""
        chosen = sa.and_(ATTEMPTS.c.delivery == delivery.id, ATTEMPTS.c.number == attempt.number)
        names = ("finished_at", "status", "error", "next_at")
        values = {name: getattr(attempt, name) for name in names}
        with self._engine.begin() as connection:
            connection.execute(ATTEMPTS.update().where(chosen).values(**values))
            if outcome is not None:
                count_delivery(connection, outcome)

    def forget(self, job: str) -> None:
        """Drop everything about a job."""
        ids = sa.select(DELIVERIES.c.id).where(DELIVERIES.c.job == job)
        with self._engine.begin() as connection:
            connection.execute(ATTEMPTS.delete().where(ATTEMPTS.c.delivery.in_(ids)))
            connection.execute(DELIVERIES.delete().where(DELIVERIES.c.job == job))

    def list(self, job: str) -> list[Delivery]:
        """All deliveries about a job, the oldest first."""
        query = DELIVERIES.select().where(DELIVERIES.c.job == job)
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(DELIVERIES.c.created_at, DELIVERIES.c.id))
            found = rows.mappings().all()
            return [
                Delivery(
                    **{**row, "body": row["body"].encode()},
                    attempts=self._attempts(connection, row["id"]),
                )
                for row in found
            ]

    def _attempts(self, connection: sa.Connection, delivery: str) -> tuple[Attempt, ...]:
        query = ATTEMPTS.select().where(ATTEMPTS.c.delivery == delivery)
        rows = connection.execute(query.order_by(ATTEMPTS.c.number)).mappings()
        return tuple(
            Attempt(**{name: row[name] for name in row if name != "delivery"}) for row in rows
        )


def _now() -> datetime:
    return datetime.now(UTC)

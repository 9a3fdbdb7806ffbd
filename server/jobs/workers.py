"""The workers as the database knows them: who was alive when, and whether the device answers."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from server.database.schema import METADATA
from server.database.times import Time

WORKERS = sa.Table(
    "workers",
    METADATA,
    sa.Column("worker", sa.String(200), primary_key=True),
    sa.Column("device", sa.Text, nullable=False),
    sa.Column("engine", sa.Text, nullable=False),
    sa.Column("pid", sa.Integer, nullable=False),
    sa.Column("checked_at", Time),
    sa.Column("trouble", sa.Text),
    sa.Column("seen_at", Time, nullable=False, index=True),
)


@dataclass(frozen=True, slots=True)
class Beat:
    """A sign of life.

    ``checked_at`` is when the device last answered a real operation, ``trouble`` what came
    instead of an answer.
    """

    worker: str
    device: str
    engine: str
    pid: int
    checked_at: datetime | None = None
    trouble: str | None = None

    def answers(self, within: timedelta) -> bool:
        """Whether the device has answered, and not longer ago than that."""
        if self.checked_at is None or self.trouble is not None:
            return False
        return datetime.now(UTC) - self.checked_at <= within


def beat(engine: sa.Engine, sign: Beat) -> None:
    """Write a sign of life down."""
    row = {**asdict(sign), "seen_at": datetime.now(UTC)}
    insert = postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert
    query = insert(WORKERS).values(**row)
    with engine.begin() as connection:
        connection.execute(query.on_conflict_do_update(index_elements=["worker"], set_=row))


def live_workers(engine: sa.Engine, within: timedelta) -> list[Beat]:
    """The last sign of each worker that gave one in that time."""
    columns = [column for column in WORKERS.columns if column is not WORKERS.c.seen_at]
    query = sa.select(*columns).where(WORKERS.c.seen_at >= datetime.now(UTC) - within)
    with engine.connect() as connection:
        rows = connection.execute(query.order_by(WORKERS.c.worker)).all()
    return [Beat(**row._mapping) for row in rows]  # noqa: SLF001  the library's public name for it


def forget_worker(engine: sa.Engine, worker: str) -> None:
    """It has ended, and well."""
    with engine.begin() as connection:
        connection.execute(WORKERS.delete().where(WORKERS.c.worker == worker))

"""How long a plan's painting would take, judged by the latest jobs of this house."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import sqlalchemy as sa

from pipelines.engine import Mode
from pipelines.fill import Fill
from pipelines.plan import Plan
from server.jobs.job import Status
from server.jobs.order import Task
from server.jobs.selection import TASK
from server.jobs.table import JOBS

LATEST = 20
"""Jobs of each task that are looked at, whoever did them."""

PAINTING = ("outpaint", "refine")
"""Steps whose time grows with what is painted."""


class Spent(NamedTuple):
    """What one job took: ``describing`` seconds for ``looks`` sources, ``painting`` for ``work``.

    The work is in megapixels of canvas, once for every pass and attempt.
    """

    looks: int
    describing: float
    work: float = 0.0
    painting: float = 0.0


def estimate(history: Iterable[Spent], plan: Plan) -> float | None:
    """Seconds of the device for one output of ``plan``; None where nothing like it was made."""
    spent = list(history)
    looks, work = sum(each.looks for each in spent), sum(each.work for each in spent)
    planned = _work(plan.to_json())
    if not looks or (planned and not work):
        return None
    seconds = sum(each.describing for each in spent) / looks
    if planned:
        seconds += planned * sum(each.painting for each in spent) / work
    return round(seconds, 2)


def read_history(connection: sa.Connection, engine: str, mode: Mode) -> list[Spent]:
    """What the latest jobs of this engine and mode took; many looks do not hide who painted."""
    found = (
        _spent(outputs, seconds, engine, mode)
        for task in Task
        for outputs, seconds in connection.execute(_find_latest(task))
    )
    return [spent for spent in found if spent]


def _find_latest(task: Task) -> sa.Select[tuple[Any, Any]]:
    return (
        sa.select(JOBS.c.outputs, JOBS.c.seconds)
        .where(JOBS.c.status == Status.SUCCEEDED.value)
        .where(TASK == task.value)  # noqa: SIM300  a column
        .order_by(JOBS.c.finished_at.desc())
        .limit(LATEST)
    )


def _spent(
    outputs: list[dict[str, Any]], seconds: dict[str, float], engine: str, mode: Mode
) -> Spent | None:
    records = [output["record"] for output in outputs]
    if not records or any(_by(record) != (engine, mode.value) for record in records):
        return None
    work = sum(
        _work(record["plan"]) * max(1, len(record.get("attempts", ())))
        for record in records
        if record.get("fill") == Fill.GENERATE
    )
    return Spent(
        looks=len({output["source"] for output in outputs}),
        describing=seconds.get("describe", 0.0),
        work=work,
        painting=sum(seconds.get(step, 0.0) for step in PAINTING) if work else 0.0,
    )


def _by(record: dict[str, Any]) -> tuple[Any, Any]:
    return record.get("engine"), record.get("mode")


def _work(plan: dict[str, Any]) -> float:
    """Megapixels of canvas, once for every pass."""
    width, height = plan["canvas"]
    return float(width * height * len(plan["passes"]) / 1e6)

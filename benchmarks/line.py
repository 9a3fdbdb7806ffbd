"""How quick the queue answers with 10,000 jobs in line: ``python -m benchmarks.line``.

Submits, reads and lists beside that line, one at a time; ``--postgres`` on a real server, else on
SQLite. Prints medians and 99th percentiles.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from server.database.engine import database_url, open_database
from server.jobs.durable_queue import DurableQueue
from server.jobs.queue import JobQuery
from server.jobs.table import JOBS, to_row
from server.work.preparation import prepare_database
from tests.server.jobs.house import Databases, make_draft, prepared_postgres

TURNS = 300


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--postgres", action="store_true")
    wishes = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="line-") as name:
        folder = Path(name)
        if wishes.postgres:
            with prepared_postgres() as server:
                _measure(Databases(folder, server).make(folder), wishes.jobs)
        else:
            url = database_url(folder, None)
            prepare_database(url)
            _measure(url, wishes.jobs)


def _measure(url: str, jobs: int) -> None:
    engine = open_database(url)
    queue = DurableQueue(engine, bound=2 * jobs + TURNS)
    last = _fill(engine, jobs)
    pages = [queue.list(JobQuery("anna"))]
    while pages[-1].cursor:
        pages.append(queue.list(JobQuery("anna", cursor=pages[-1].cursor)))
    deep = JobQuery("anna", cursor=pages[-2].cursor)
    _time("submit", lambda: queue.submit(make_draft()))
    _time("get the last one", lambda: queue.get(last))
    _time("list 50, newest", lambda: queue.list(JobQuery("anna")))
    _time("list 50, oldest", lambda: queue.list(deep))
    engine.dispose()


def _fill(engine: sa.Engine, jobs: int) -> str:
    """Put so many rows in line at once, which no worker will see; returns the last one's id."""
    rows = [to_row(make_draft(), datetime.now(UTC)) for _ in range(jobs)]
    with engine.begin() as connection:
        connection.execute(JOBS.insert(), rows)
    with engine.begin() as connection:
        connection.execute(sa.text("ANALYZE"))  # as autovacuum does within a minute
    return str(rows[-1]["id"])


def _time(what: str, ask: Callable[[], object]) -> None:
    times = []
    for _ in range(TURNS):
        since = time.perf_counter()
        ask()
        times.append(1000 * (time.perf_counter() - since))
    p99 = statistics.quantiles(times, n=100)[-1]
    print(f"{what:>18}  p50 {statistics.median(times):6.1f} ms  p99 {p99:6.1f} ms")


if __name__ == "__main__":
    main()

"""How soon a job is taken up, and how long the device rests between two.

``python -m benchmarks.pickup``: a worker whose engine sleeps. First jobs come one by one into an
idle house, then many wait in line. ``--postgres`` on a real server, else on SQLite. Prints medians
and 99th percentiles.
"""

import argparse
import random
import statistics
import tempfile
import time
from contextlib import closing
from itertools import pairwise
from pathlib import Path

from server.database.engine import database_url
from server.work.preparation import prepare_database
from tests.server.jobs.house import Databases, prepared_postgres
from tests.server.work.workshop import Workshop

TURNS = 100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--postgres", action="store_true")
    with tempfile.TemporaryDirectory(prefix="pickup-") as name:
        folder = Path(name)
        if parser.parse_args().postgres:
            with prepared_postgres() as server:
                _measure(folder, Databases(folder, server).make(folder))
        else:
            url = database_url(folder, None)
            prepare_database(url)
            _measure(folder, url)


def _measure(folder: Path, url: str) -> None:
    with closing(Workshop(folder, url)) as workshop:
        workshop.start()
        workshop.wait([workshop.submit()])
        _tell("taken up when idle", [_take_up(workshop) for _ in range(TURNS)])
        before = len(workshop.lines("renders.log"))
        workshop.wait([workshop.submit("sleep 0.2") for _ in range(TURNS)], seconds=120)
        times = [line.split() for line in workshop.lines("renders.log")[before:]]
        _tell(
            "between two in line",
            [
                float(then[3]) - float(now[3])
                for now, then in pairwise(times)
                if (now[0], then[0]) == ("end", "begin")
            ],
        )


def _take_up(workshop: Workshop) -> float:
    time.sleep(random.uniform(0.1, 0.3))  # noqa: S311  at any moment between two looks
    (done,) = workshop.wait([workshop.submit()])
    assert done.started_at
    return (done.started_at - done.created_at).total_seconds()


def _tell(what: str, seconds: list[float]) -> None:
    last = statistics.quantiles(seconds, n=100)[98]
    median = statistics.median(seconds)
    print(f"{what:>20}  p50 {1000 * median:6.1f} ms  p99 {1000 * last:6.1f} ms  of {len(seconds)}")


if __name__ == "__main__":
    main()

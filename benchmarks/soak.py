"""Keep a worker busy for long and see whether it grows: ``python -m benchmarks.soak --runs 50000``.

Small pictures and an engine that paints at once, on SQLite. Prints the worker's memory and open
files and the size of the write-ahead log after each tenth of the runs, or of ``--minutes``, after
which it stops.
"""

import argparse
import os
import tempfile
import time
from collections import deque
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from server.database.engine import FILE, database_url
from server.jobs.job import Job
from server.jobs.selection import count_waiting
from server.work.preparation import prepare_database
from tests.server.work.kills import HOOK
from tests.server.work.workshop import Workshop

LINE = 20
"""Jobs that wait at any time."""

MIB = 2**20


@dataclass(frozen=True, slots=True)
class Sample:
    """A look at the worker: memory and the log in MiB, open files."""

    runs: int
    memory: float
    files: int
    log: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=50_000)
    parser.add_argument("--minutes", type=float, default=600)
    wishes = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="soak-") as name:
        folder = Path(name)
        url = database_url(folder, None)
        prepare_database(url)
        with closing(Workshop(folder, url)) as workshop:
            _soak(workshop, wishes.runs, wishes.minutes)


def _soak(workshop: Workshop, runs: int, minutes: float) -> None:
    pid = workshop.start().pid or 0
    since = time.monotonic()
    print("    runs  memory MiB  files  log MiB  runs/s")
    for step in range(1, 11):
        _carry_out(workshop, runs // 10, since + 6 * minutes * step)
        sample = _look(workshop, pid)
        pace = sample.runs / (time.monotonic() - since)
        print(
            f"{sample.runs:8}  {sample.memory:10.1f}  {sample.files:5}  {sample.log:7.1f}"
            f"  {pace:6.1f}",
            flush=True,
        )


def _carry_out(workshop: Workshop, runs: int, until: float) -> None:
    """Submit so many, never more than a few ahead, and wait for the last."""
    line: deque[Job] = deque()
    while runs and time.monotonic() < until:
        with workshop.engine.connect() as connection:
            room = min(runs, LINE - count_waiting(connection))
        line.extend(workshop.submit(callback_url=HOOK) for _ in range(room))
        runs -= room
        time.sleep(0.02)
    workshop.wait(list(line)[-1:], seconds=120)


def _look(workshop: Workshop, pid: int) -> Sample:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    log = Path(f"{workshop.folder / FILE}-wal")
    return Sample(
        runs=workshop.renders("end").total(),
        memory=pages * os.sysconf("SC_PAGE_SIZE") / MIB,
        files=len(list(Path(f"/proc/{pid}/fd").iterdir())),
        log=log.stat().st_size / MIB,
    )


if __name__ == "__main__":
    main()

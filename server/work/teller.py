"""How far each job is, told to the queue in a thread of its own: no device waits for a database."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from threading import Lock, Thread

import structlog

from pipelines.errors import ReframeError
from pipelines.progress import Step
from server.errors import DatabaseUnavailable
from server.jobs.job import Stage
from server.jobs.outage import insist
from server.jobs.queue import JobQueue

EVERY = 0.2
"""Seconds between two reports; a wish to stop is heard as often."""

AWAY = 2.0
"""Seconds without a report after one that the database did not take."""

SHARES: dict[str, tuple[float, float]] = {
    Step.DECODE: (0.0, 0.03),
    Step.DESCRIBE: (0.03, 0.12),
    Step.PLAN: (0.12, 0.13),
    Step.LAY_OUT: (0.13, 0.15),
    Step.OUTPAINT: (0.15, 0.75),
    Step.REFINE: (0.75, 0.9),
    Step.COMPOSE: (0.9, 0.93),
    Step.CHECK: (0.93, 0.95),
    Step.ENCODE: (0.95, 1.0),
}
"""From where to where each step goes in the work for one picture, roughly."""

log = structlog.get_logger("server.work")


class Teller:
    """``Progress`` for one job; raises JobCancelled when the job is to stop."""

    def __init__(self, queue: JobQueue, job_id: str, worker: str, pictures: int) -> None:
        """``pictures`` is how many outputs there will be."""
        self._queue, self._job_id, self._worker = queue, job_id, worker
        self._pictures, self._done = pictures, 0
        self._begun = False
        self._stage = Stage(Step.DECODE.value, 0.0)
        self._end: ReframeError | None = None

    def __call__(self, step: str, fraction: float) -> None:
        """Hear how far the current picture is."""
        since, until = SHARES.get(step, (0.0, 0.0))
        share = (self._done + since + fraction * (until - since)) / self._pictures
        self._stage = Stage(step, round(max(share, self._stage.fraction), 4))
        self.heed()

    def heed(self) -> None:
        """Raise JobCancelled when the job is to stop."""
        if self._end is not None:
            raise self._end

    def begin(self) -> None:
        """The job has its first turn on the device.

        Raises:
            JobCancelled, JobExpired: it is not to begin any more.
        """
        if not self._begun:
            insist(partial(self._queue.begin, self._job_id, self._worker))
            self._begun = True

    def skip(self, pictures: int) -> None:
        """So many outputs were done before."""
        self._done = pictures

    def finish_picture(self) -> None:
        """One output is done."""
        self._done += 1

    def tell(self) -> None:
        """Report, and hear whether it is to stop; raises DatabaseUnavailable."""
        if not self._begun or self._end is not None:
            return
        try:
            self._queue.report(self._job_id, self._stage)
        except DatabaseUnavailable:
            raise
        except ReframeError as end:
            self._end = end

    @property
    def step(self) -> str:
        """Where the job is, or was when it failed."""
        return self._stage.step


class Herald:
    """Lets every teller tell, again and again."""

    def __init__(self) -> None:
        """Start the thread."""
        self._lock = Lock()
        self._tellers: set[Teller] = set()
        Thread(target=self._run, name="herald", daemon=True).start()

    @contextmanager
    def follow(self, teller: Teller) -> Iterator[None]:
        """Let it tell during the block."""
        with self._lock:
            self._tellers.add(teller)
        try:
            yield
        finally:
            with self._lock:
                self._tellers.discard(teller)

    def _run(self) -> None:
        while True:
            time.sleep(EVERY)
            with self._lock:
                tellers = list(self._tellers)
            try:
                for teller in tellers:
                    teller.tell()
            except DatabaseUnavailable:
                time.sleep(AWAY)
            except Exception:
                log.exception("report failed")

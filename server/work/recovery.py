"""Nothing stays behind: jobs of workers that are gone, that nobody works on, that broke.

All of it is asked again and again, never only at the start: what a transient error prevented is
made up for in the next round.
"""

from collections.abc import Callable, Set as AbstractSet

import structlog

from pipelines.errors import JobCancelled, ReframeError
from server.errors import InternalError, JobNotFound, WorkerLost
from server.jobs import contract
from server.jobs.job import Failure
from server.jobs.queue import JobQueue
from server.jobs.tries import Tries
from server.work.ledger import Entry, Ledger
from server.work.seats import Seats

log = structlog.get_logger("server.work")

CALM = 3
"""Rounds after our own seat was lost in which nobody else is declared gone: when a database comes
back, every worker needs a moment to take its seat again."""

ENDS: dict[str, type[ReframeError]] = {
    "CANCELLED": JobCancelled,
    "MAX_RECOVERY_ATTEMPTS_EXCEEDED": WorkerLost,
}
"""What a broken workflow means for its job; anything else is a defect."""


class Recovery:
    """One worker's rounds; every worker makes them, and whoever comes first acts."""

    def __init__(
        self,
        worker: str,
        *,
        seats: Seats,
        queue: JobQueue,
        tries: Tries,
        ledger: Ledger,
        active: Callable[[], AbstractSet[str]],
    ) -> None:
        """Nothing was seen yet; ``active`` are the workflows that have a thread here."""
        self._worker, self._seats = worker, seats
        self._queue, self._tries = queue, tries
        self._ledger, self._active = ledger, active
        self._idle: set[str] = set()
        self._calm = 0

    def be_calm(self) -> None:
        """Our own seat was lost: others may have lost theirs."""
        self._calm = CALM

    def go_round(self) -> None:
        """Look once; raises DBAPIError where the database is away."""
        taken = self._ledger.taken()
        self._recover_own([entry for entry in taken if entry.worker == self._worker])
        if self._calm:
            self._calm -= 1
        else:
            self._recover_others([entry for entry in taken if entry.worker != self._worker])
        self._settle_broken()

    def _recover_own(self, entries: list[Entry]) -> None:
        """What is ours by the books though no thread of ours has it, twice in a row.

        A disk was full, or the database away, when it was to be written down. The job did not end
        its process, so that try does not count.
        """
        active = self._active()
        idle = {entry.id: entry for entry in entries if entry.id not in active}
        for name in self._idle & idle.keys():
            if self._ledger.hand_out_again(idle[name]):
                self._tries.take_back(name)
                log.warning("taken up again", workflow=name)
        self._idle = set(idle)

    def _recover_others(self, entries: list[Entry]) -> None:
        for worker in {entry.worker for entry in entries if entry.worker}:
            seat = self._seats.take(worker)
            if seat is None:
                continue
            try:
                for entry in entries:
                    if entry.worker == worker and self._ledger.hand_out_again(entry):
                        log.warning("its worker is gone", workflow=entry.id, worker=worker)
            finally:
                seat.leave()

    def _settle_broken(self) -> None:
        """Give the job of a broken workflow its end, and then forget the workflow."""
        broken = self._ledger.broken()
        for entry in broken:
            if entry.name in {contract.FETCH_SOURCES, contract.REFRAME_JOB}:
                self._fail(entry)
        if broken:
            self._ledger.forget([entry.id for entry in broken])

    def _fail(self, entry: Entry) -> None:
        error = ENDS.get(entry.status, InternalError)()
        try:
            job = self._queue.get(contract.job_of(entry.id))
        except JobNotFound:
            return
        if not job.status.is_final:
            log.error("workflow broke", workflow=entry.id)
            self._queue.fail(job.id, Failure(error.code, error.detail))

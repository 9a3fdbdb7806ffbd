"""The queue's eight verbs: four for those who ask, four for the worker that answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from server.jobs.job import Draft, Failure, Job, Output, Stage, Status
from server.jobs.order import Task


class Submission(NamedTuple):
    """What became of a draft; ``is_new`` is False where an earlier job answers it."""

    job: Job
    is_new: bool


@dataclass(frozen=True, slots=True)
class JobQuery:
    """Which jobs to list: of one owner, newest first, ``limit`` at a time after ``cursor``.

    ``text`` matches the id, the client's reference or the model, from their beginnings. Without a
    ``task`` there are those of every kind.
    """

    owner: str
    limit: int = 50
    cursor: str | None = None
    status: Status | None = None
    text: str | None = None
    task: Task | None = None


@dataclass(frozen=True, slots=True)
class JobPage:
    """Some jobs, and where the next ones begin; None at the end."""

    jobs: tuple[Job, ...]
    cursor: str | None


class JobQueue(Protocol):
    """Durable: what was accepted is finished, failed or cancelled, once.

    Every verb may raise DatabaseUnavailable; none waits for longer than a few seconds.
    """

    def submit(self, draft: Draft) -> Submission:
        """Keep the job and put it in line, in one transaction.

        Raises:
            QueueFull: too many are waiting; nothing was kept.
            IdempotencyConflict: the owner used this idempotency key for something else.
        """
        ...

    def get(self, job_id: str) -> Job:
        """The job as it stands; raises JobNotFound."""
        ...

    def list(self, query: JobQuery) -> JobPage:
        """Some of the owner's jobs."""
        ...

    def cancel(self, job_id: str) -> Job:
        """Ask for the end: at once while it is queued, at the next step while it is running.

        A final job stays what it is. Raises JobNotFound.
        """
        ...

    def begin(self, job_id: str, worker: str) -> Job:
        """The worker has it now; a job that is begun again keeps its first start.

        Raises:
            JobCancelled: it is to end.
            JobExpired: its deadline has passed; it has been failed.
        """
        ...

    def report(self, job_id: str, stage: Stage) -> None:
        """Say how far it is; raises JobCancelled when it is to stop, and when it is final."""
        ...

    def finish(
        self,
        job_id: str,
        outputs: Sequence[Output],
        *,
        gpu_seconds: float,
        seconds: dict[str, float],
    ) -> Job:
        """It succeeded. Doing so twice changes nothing, and so does a job that is final."""
        ...

    def fail(self, job_id: str, failure: Failure, *, gpu_seconds: float = 0.0) -> Job:
        """It failed, or was cancelled (code ``job_cancelled``). Idempotent like ``finish``."""
        ...

"""What a worker needs to do its jobs, and what became of one when it went wrong."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NoReturn, Protocol

import structlog

from pipelines.codec.limits import Limits
from pipelines.engine import Engine
from pipelines.errors import OutOfMemory, ReframeError
from pipelines.export.signing import Signer
from server.callbacks.sender import Again
from server.errors import InternalError
from server.images.gather import Gathered
from server.images.store import ImageStore
from server.jobs.durable_queue import DurableQueue
from server.jobs.job import Failure, Job
from server.jobs.order import Order
from server.jobs.tries import Tries
from server.work.device import Device
from server.work.gate import Gate
from server.work.teller import Herald

log = structlog.get_logger("server.work")


class Fetch(Protocol):
    """Brings what an order names by its address into the image store."""

    def __call__(self, order: Order, job_id: str, heed: Callable[[], None]) -> None:
        """``heed`` may raise to stop it; raises ReframeError."""
        ...


class Gather(Protocol):
    """Makes an order's sources pictures in the image store; the same again changes nothing."""

    def __call__(self, order: Order, job_id: str) -> Sequence[Gathered]:
        """Every picture's name there; raises ReframeError."""
        ...


class Deliver(Protocol):
    """Sends a final job's callback; a new delivery for each ``number``."""

    def __call__(self, job: Job, number: int, past: int) -> Again | None:
        """Make one try after so many; returns the next, None where it arrived or has no hope."""
        ...


@dataclass(frozen=True, slots=True)
class Bench:
    """One device, its engine and the house around it.

    ``abandon`` ends the process at once, because its device cannot be used any more.
    """

    worker: str
    queue: DurableQueue
    tries: Tries
    store: ImageStore
    fetch: Fetch
    gather: Gather
    engine: Engine
    limits: Limits
    deliver: Deliver
    abandon: Callable[[], NoReturn]
    most_tries: int
    device: Device
    signer: Signer | None = None
    gate: Gate = field(default_factory=Gate)
    herald: Herald = field(default_factory=Herald)


def explain(error: Exception, job_id: str, step: str) -> Failure:
    """An error as the caller may see it; what nobody foresaw is in the log alone."""
    match error:
        case ReframeError():
            return Failure(error.code, error.detail, step)
        case MemoryError():
            return Failure(OutOfMemory.code, OutOfMemory().detail, step)
        case _:
            log.error("defect", job=job_id, step=step, exc_info=error)
            return Failure(InternalError.code, InternalError().detail, step)

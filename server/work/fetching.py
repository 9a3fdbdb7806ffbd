"""What a job's sources are fetched by: a workflow of its own, before the job is in line."""

from datetime import UTC, datetime
from functools import partial

import structlog

from pipelines.errors import JobCancelled, ReframeError
from server.errors import JobExpired
from server.images.gather import shelf_of
from server.jobs.job import Job
from server.jobs.outage import insist
from server.work.bench import Bench, explain

log = structlog.get_logger("server.work")


def fetch(bench: Bench, job_id: str) -> None:
    """Bring the job's sources and put it in line for a device, or write down why not.

    Raises:
        JobNotFound: its row was deleted.
    """
    job = insist(partial(bench.queue.get, job_id))
    if job.status.is_final:
        return
    if not job.is_readable:  # whoever takes it up says so
        insist(partial(bench.queue.line_up, job_id))
        return
    try:
        bench.fetch(job.order, job_id, partial(_heed, bench, job))
    except Exception as error:  # noqa: BLE001  the job fails, the worker lives
        insist(partial(bench.queue.fail, job_id, explain(error, job_id, "gather")))
        _forget(bench, job)
    else:
        insist(partial(bench.queue.line_up, job_id))


def _heed(bench: Bench, job: Job) -> None:
    """Raise where nobody wants the job any more."""
    if job.deadline and job.deadline < datetime.now(UTC):
        raise JobExpired
    if insist(partial(bench.queue.get, job.id)).status.is_final:
        raise JobCancelled


def _forget(bench: Bench, job: Job) -> None:
    if job.order.volatile:
        try:
            bench.store.delete(shelf_of(job.order, job.id))
        except ReframeError:
            log.warning("sources not deleted yet")  # the sweep comes by later

"""A job as a request that was accepted, and as it stands."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from server.callbacks.payload import Link
from server.doors.pixazo.inputs import SYNC
from server.jobs.job import Failure, Job, Output, Status

NAME = "smart-resize"
"""What the service itself calls the model, and how every id begins."""

PREFIX = f"{NAME}_"

STATUSES = {
    Status.QUEUED: "QUEUED",
    Status.RUNNING: "PROCESSING",
    Status.SUCCEEDED: "COMPLETED",
    Status.FAILED: "FAILED",
    Status.CANCELLED: "FAILED",
}

CALLERS = frozenset(
    {
        "request_error",
        "invalid_option",
        "invalid_plan",
        "unreachable_target",
        "unreachable_plan",
        "unreachable_budget",
        "source_unsignable",
        "source_unavailable",
        "source_forbidden",
        "archive_invalid",
        "image_undecodable",
        "image_too_large",
        "content_rejected",
    }
)
"""Codes of what the caller got wrong: FAILED. Whatever else ends a job is an ERROR of ours."""

CANCELLED = Failure("job_cancelled", "The request was cancelled.")


def request_id(job: Job) -> str:
    """What callers know the job by."""
    return PREFIX + job.id


def find_job_id(request: str) -> str:
    """The id of the job behind a request's id."""
    return request.removeprefix(PREFIX)


def is_inline(job: Job) -> bool:
    """Whether its pictures are wanted themselves, and not their addresses."""
    return bool((job.metadata or {}).get(SYNC))


def render_accepted(job: Job, base: str) -> dict[str, Any]:
    """The answer to a new request; ``base`` is this server as the caller reaches it."""
    own = request_id(job)
    polling_url = f"{base}/v2/requests/status/{own}"
    return {"request_id": own, "status": STATUSES[Status.QUEUED], "polling_url": polling_url}


def render_status(job: Job, link: Link) -> dict[str, Any]:
    """The job as it stands; ``link`` gives an address, or the picture itself."""
    failure = CANCELLED if job.status is Status.CANCELLED else job.failure
    return {
        "request_id": request_id(job),
        "status": _status(job),
        "model_id": NAME,
        "error": failure.message if failure else None,
        "output": _render_output(job, link),
        "created_at": _render_time(job.created_at),
        "updated_at": _render_time(job.finished_at or job.started_at or job.created_at),
        "completed_at": _render_time(job.finished_at),
    }


def _status(job: Job) -> str:
    ours = job.failure is not None and job.failure.code not in CALLERS
    return "ERROR" if ours else STATUSES[job.status]


def _render_output(job: Job, link: Link) -> dict[str, Any] | None:
    if job.status is not Status.SUCCEEDED:
        return None
    urls = [link(_named(output)) for output in job.outputs]
    return {"media_url": urls, "media_type": job.order.format.media_type}


def _named(output: Output) -> Output:
    """With the name that the hosted service would give."""
    extension = output.blob.rpartition(".")[2]
    name = f"output_{output.width}x{output.height}_{output.variant}.{extension}"
    return replace(output, file_name=name)


def _render_time(when: datetime | None) -> str | None:
    """In milliseconds, with a Z."""
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z") if when else None

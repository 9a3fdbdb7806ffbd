"""A request in the queue: what became of it so far, and its log."""

from collections.abc import Collection
from typing import Any

from server.doors.fal.refusal import Refusal, find_refusal
from server.doors.fal.wish import MODEL
from server.jobs.job import Job, Status

IN_QUEUE, IN_PROGRESS, COMPLETED = "IN_QUEUE", "IN_PROGRESS", "COMPLETED"
"""All there are: one client takes any other word for a defect, the other waits for ever."""

WORDS = {Status.QUEUED: IN_QUEUE, Status.RUNNING: IN_PROGRESS}
USER = "USER"

Line = dict[str, str]
"""One line of a log."""


def is_completed(job: Job) -> bool:
    """Whether there is a result, or never will be one."""
    return job.status.is_final or find_refusal(job) is not None


def render_urls(job: Job, base: str) -> dict[str, str]:
    """Where the request is asked about; ``base`` is where their queue's paths begin here."""
    own = f"{base}/{MODEL}/requests/{job.id}"
    return {"response_url": own, "status_url": f"{own}/status", "cancel_url": f"{own}/cancel"}


def render_submission(job: Job, base: str) -> dict[str, Any]:
    """The answer to a submission: whatever is wrong with it shows later."""
    return {
        "status": IN_QUEUE,
        "request_id": job.id,
        "gateway_request_id": job.id,
        **render_urls(job, base),
        "queue_position": job.position or 0,
        "logs": [],
        "metrics": {},
    }


def render_status(job: Job, base: str, logs: list[Line]) -> dict[str, Any]:
    """How a request stands; ``logs`` are always a list, for callers walk along it."""
    refusal = find_refusal(job)
    status = COMPLETED if is_completed(job) else WORDS[job.status]
    body: dict[str, Any] = {"status": status, "request_id": job.id, **render_urls(job, base)}
    body["logs"] = logs
    if status == IN_QUEUE:
        body["queue_position"] = job.position or 0
    if status == COMPLETED:
        body["metrics"] = {"inference_time": _inference_time(job)}
    if refusal:
        body |= {"error": refusal.message, "error_type": refusal.kind}
    return body


def render_logs(job: Job, told: Collection[str] = ()) -> list[Line]:
    """The log so far, the oldest line first, without the messages that were ``told``."""
    return [line for line in _write_log(job, find_refusal(job)) if line["message"] not in told]


def _write_log(job: Job, refusal: Refusal | None) -> list[Line]:
    begun = (job.started_at or job.created_at).isoformat()
    ended = (job.finished_at or job.created_at).isoformat()
    lines = [("INFO", "started", begun)] if job.started_at else []
    if job.stage and job.status is Status.RUNNING:
        lines.append(("INFO", f"{job.stage.step}, {job.stage.fraction:.0%} done", begun))
    lines += [
        ("WARN", f"{output.file_name}: {words}", ended)
        for output in job.outputs
        for words in output.record.get("warnings", [])
    ]
    if refusal:
        lines.append(("ERROR", refusal.message, ended))
    elif job.status is Status.SUCCEEDED:
        lines.append(("INFO", "done", ended))
    return [
        {"message": message, "level": level, "source": USER, "timestamp": when}
        for level, message, when in lines
    ]


def _inference_time(job: Job) -> float:
    """Seconds from the first begin to the end."""
    if job.started_at is None or job.finished_at is None:
        return 0.0
    return round((job.finished_at - job.started_at).total_seconds(), 3)

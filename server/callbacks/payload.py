"""A job's outputs as callers see them, and the body of the callback."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from server.answers import wire_code
from server.jobs.job import Job, Output, OutputExtra, Status

Link = Callable[[Output | OutputExtra], str]
"""The absolute, signed address of an output, or of a file beside one."""

EVENTS = {
    Status.SUCCEEDED: "run.completed",
    Status.FAILED: "run.failed",
    Status.CANCELLED: "run.cancelled",
}


def render_output(job: Job, link: Link) -> dict[str, Any] | None:
    """What a succeeded job made; None for any other."""
    if job.status is not Status.SUCCEEDED:
        return None
    return {
        "outputs": [_render(output, link) for output in job.outputs],
        "seed": job.order.seed,
        "timing": job.seconds,
        "nsfw_detected": job.nsfw,
    }


def _render(output: Output, link: Link) -> dict[str, Any]:
    return {
        "type": "image",
        "url": link(output),
        "file_name": output.file_name,
        "content_type": output.media_type,
        "width": output.width,
        "height": output.height,
        "file_size": output.bytes,
        "sha256": output.sha256,
        "source": output.source,
        "target": output.target,
        "variant": output.variant,
        "seed": output.record.get("seed"),
        "engine": output.record.get("engine"),
        "needs_review": output.record.get("needs_review"),
        "warnings": output.record.get("warnings", []),
        "record": output.record,
        "extras": [_render_extra(extra, link) for extra in output.extras],
    }


def _render_extra(extra: OutputExtra, link: Link) -> dict[str, Any]:
    return {
        "kind": extra.kind,
        "url": link(extra),
        "file_name": extra.file_name,
        "content_type": extra.media_type,
        "file_size": extra.bytes,
        "sha256": extra.sha256,
    }


def render_callback(job: Job, link: Link) -> dict[str, Any]:
    """The body of the callback about a final job."""
    body = {
        "event": EVENTS[job.status],
        "run_id": job.id,
        "status": job.status.value,
        "output": render_output(job, link),
        "duration_ms": duration_ms(job),
        "created_at": render_time(job.created_at),
        "completed_at": render_time(job.finished_at),
        "metadata": job.metadata,
    }
    if job.failure:
        body["error"] = {"code": wire_code(job.failure.code), "message": job.failure.message}
    return body


def duration_ms(job: Job) -> int | None:
    """From the job's acceptance to its end."""
    if job.finished_at is None:
        return None
    return round((job.finished_at - job.created_at).total_seconds() * 1000)


def render_time(when: datetime | None) -> str | None:
    """ISO 8601 with ``+00:00``."""
    return when.isoformat() if when else None

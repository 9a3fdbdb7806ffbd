"""A job as the run record that the API answers with."""

from collections.abc import Iterator
from typing import Any

from server.answers import wire_code
from server.callbacks.payload import Link, duration_ms, render_output, render_time
from server.jobs.job import Job, Status

CODES = {
    Status.QUEUED: "queued",
    Status.RUNNING: "running",
    Status.SUCCEEDED: "succeeded",
    Status.FAILED: "failed",
    Status.CANCELLED: "canceled",  # one l: with two, a client would wait for ever
}
STATUSES = ("queued", "dispatching", "running", "succeeded", "failed", "canceled")


def render_record(job: Job, link: Link, price: float | None = None) -> dict[str, Any]:
    """Every field of the hosted record, null where it has no meaning here, and some of our own.

    ``price`` is what the operator says that a picture costs; nothing is charged here.
    """
    failed = _render_failure(job)
    return {
        "id": job.id,
        "flow_id": None,
        "model_id": job.model,
        "model": job.model,
        "target_type": "model",
        "target_version": None,
        "org_id": None,
        "status_code": CODES[job.status],
        "status": CODES[job.status],
        "source_code": "api",
        "input": job.order.model_dump(mode="json"),
        "output": render_output(job, link),
        "context": None,
        "duration_ms": duration_ms(job),
        "cost": None if price is None else round(price * len(job.outputs), 6),
        "cost_breakdown": None,
        "nodes_total": None,
        "nodes_completed": None,
        "batch_id": None,
        "client_ref": job.client_ref,
        "request_id": job.request_id,
        "created_by": job.owner,
        "created_at": render_time(job.created_at),
        "started_at": render_time(job.started_at),
        "completed_at": render_time(job.finished_at),
        "finished_at": render_time(job.finished_at),
        "callback_url": job.callback_url,
        "metadata": job.metadata,
        "has_logs": True,
        "has_node_runs": False,
        "links": _render_links(job),
        "node_runs": [],
        "logs": [],
        "queue_position": job.position,
        "progress": _render_stage(job),
        "gpu_seconds": round(job.gpu_seconds, 3),
        **failed,
    }


def _render_stage(job: Job) -> dict[str, Any] | None:
    if job.stage is None or job.status.is_final:
        return None
    return {"step": job.stage.step, "fraction": job.stage.fraction}


def _render_failure(job: Job) -> dict[str, Any]:
    failure = job.failure
    if failure is None:
        names = ("failure_code", "failure_message", "failure_stage_code", "failure_stage", "error")
        return dict.fromkeys(names)
    code = wire_code(failure.code)
    return {
        "failure_code": code,
        "failure_message": failure.message,
        "failure_stage_code": failure.step,
        "failure_stage": failure.step,
        "error": {"code": code, "message": failure.message},
    }


def _render_links(job: Job) -> dict[str, str]:
    base = f"/v1/runs/{job.id}"
    names = ("logs", "events", "callback", "cancel")
    return {"self": base, **{name: f"{base}/{name}" for name in names}}


def render_logs(job: Job) -> list[dict[str, Any]]:
    """What is known of a job's life, as lines of a log, the oldest first."""
    lines = [(job.created_at, "info", "queued")]
    if job.started_at:
        lines.append((job.started_at, "info", "started"))
    if job.stage and job.status is Status.RUNNING and job.started_at:
        words = f"{job.stage.step}, {job.stage.fraction:.0%} done"
        lines.append((job.started_at, "info", words))
    if job.finished_at:
        told = [
            (job.finished_at, level, f"{output.file_name}: {words}")
            for output in job.outputs
            for level, words in _tell_output(output.record)
        ]
        end = f"{job.failure.code}: {job.failure.message}" if job.failure else CODES[job.status]
        level = "error" if job.status is Status.FAILED else "info"
        lines += [*told, (job.finished_at, level, end)]
    return [
        {"timestamp": render_time(when), "level": level, "message": message}
        for when, level, message in lines
    ]


def _tell_output(record: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """How one output came to be: attempts, what did not go as wished, why a person should look."""
    attempts = record.get("attempts") or ()
    if len(attempts) > 1:
        for number, tried in enumerate(attempts, 1):
            yield "info", f"painting {number} of {len(attempts)}: {_tell_attempt(tried)}"
    for words in record.get("warnings", ()):  # a fallback is one of them
        yield "warning", words
    for words in record.get("review", ()):
        yield "warning", f"needs review: {words}"


def _tell_attempt(tried: dict[str, Any]) -> str:
    kept = ", kept" if tried["chosen"] else ""
    seam, added = tried["seam_worst"], tried["duplicates"]
    return f"seed {tried['seed']}, worst seam {seam:.2f}, subjects added {added}{kept}"

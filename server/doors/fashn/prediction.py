"""A job as a prediction, and the webhook that tells of it."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from pipelines.geometry import AspectRatio, Size
from server.callbacks.history import is_taken
from server.callbacks.payload import Link
from server.callbacks.sender import Style
from server.jobs.job import Job, Output, Status

SUFFIX = "-u1"
"""Ends the id of every prediction."""

STATUSES = {
    Status.QUEUED: "in_queue",
    Status.RUNNING: "processing",
    Status.SUCCEEDED: "completed",
    Status.FAILED: "failed",
    Status.CANCELLED: "canceled",
}

INVALID = "InputValidationError"
SAME_RATIO = "Image already matches target aspect ratio"
TOLERANCE = 0.02
"""How near to the ratio that is asked for a source has it already."""

NAMES: Mapping[str, str] = MappingProxyType(
    {
        "source_unavailable": "ImageLoadError",
        "source_forbidden": "ImageLoadError",
        "image_undecodable": "ImageLoadError",
        "image_too_large": "ImageLoadError",
        "archive_invalid": "ImageLoadError",
        "blob_missing": "ImageLoadError",
        "content_rejected": "ContentModerationError",
        "request_error": INVALID,
        "invalid_option": INVALID,
        "invalid_plan": INVALID,
        "unreachable_target": INVALID,
        "unreachable_plan": INVALID,
        "unreachable_budget": INVALID,
        "source_unsignable": INVALID,
        "model_error": "PipelineError",
        "engine_unavailable": "PipelineError",
        "out_of_memory": "PipelineError",
        "device_failed": "PipelineError",
        "worker_lost": "PipelineError",
    }
)
"""Why a prediction failed, by our code; everything else is an InternalServerError."""

PAUSES = (5.0, 15.0, 40.0, 90.0, 150.0)
"""Seconds before each further try of a webhook: five of them, in five minutes."""


def prediction_id(job: Job) -> str:
    """What callers know the job by."""
    return job.id + SUFFIX


def find_job_id(prediction: str) -> str:
    """The id of the job behind a prediction's id."""
    return prediction.removesuffix(SUFFIX)


def render_prediction(job: Job, link: Link) -> dict[str, Any]:
    """The job as ``/v1/status`` shows it; ``link`` gives an address, or the picture itself.

    A job that succeeded is a prediction that failed where its source had the ratio already: only
    whoever has decoded the source can know.
    """
    error = _find_error(job)
    pictures = None
    if job.status is Status.SUCCEEDED and not error:
        pictures = [link(_named(output, number)) for number, output in enumerate(job.outputs)]
    return {
        "id": prediction_id(job),
        "status": "failed" if error else STATUSES[job.status],
        "output": pictures,
        "error": error,
    }


def _find_error(job: Job) -> dict[str, str] | None:
    if job.failure:
        name = NAMES.get(job.failure.code, "InternalServerError")
        return {"name": name, "message": job.failure.message}
    if job.outputs and all(_had_ratio(job, output) for output in job.outputs):
        return {"name": INVALID, "message": SAME_RATIO}
    return None


def _had_ratio(job: Job, output: Output) -> bool:
    """Whether the upright source had the ratio that was asked for."""
    wanted = (job.metadata or {}).get("aspect_ratio")
    if wanted is None:
        return False
    source = Size(*output.record["plan"]["source"])
    return abs(source.aspect / AspectRatio.parse(wanted).value - 1) <= TOLERANCE


def _named(output: Output, number: int) -> Output:
    """With the name that the hosted service would give."""
    extension = output.blob.rpartition(".")[2]
    return replace(output, file_name=f"output_{number}.{extension}")


STYLE = Style(
    write=render_prediction,
    sign=lambda _job, _delivery: {},
    pauses=PAUSES,
    again=lambda status: not is_taken(status),
)
"""Its webhooks: the final prediction, unsigned, until somebody takes it.

The pictures of ``return_base64`` are given as addresses: what is sent is kept in the database, and
they are to be kept nowhere.
"""

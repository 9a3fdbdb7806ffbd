"""Errors in fal's two shapes: what the model says of an input, and what the service says.

The model's is a list, ``{"detail": [{"loc", "msg", "type", "url"}]}``; the service's is a sentence,
``{"detail": "...", "error_type": "..."}``. Its clients try again after 408, 409, 429, 502, 503 and
504, so that nothing that stays as it is may be one of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

from pipelines.errors import JobCancelled, ReframeError
from server.errors import InvalidBody, JobExpired, JobNotFound, Overloaded, Unavailable
from server.jobs.job import Job, Status

EXPLAINED = "https://docs.fal.ai/errors#"
IMAGE = ("body", "image_url")
SIZES = ("body", "target_sizes")
BODY = ("body",)

RETRYABLE = "X-Fal-Retryable"
NEEDS_RETRY = "X-Fal-Needs-Retry"
TIMEOUT_TYPE = "X-Fal-Request-Timeout-Type"
ERROR_TYPE = "X-Fal-Error-Type"
HEADERS = (RETRYABLE, NEEDS_RETRY, TIMEOUT_TYPE, ERROR_TYPE)
"""Of the answers that are errors."""


class OfModel(NamedTuple):
    """An error of the model: it is about a field."""

    status: int
    kind: str
    field: tuple[str, ...] = BODY


class OfService(NamedTuple):
    """An error of the service; ``again`` says whether another try may be worth it."""

    status: int
    kind: str | None
    again: bool = False


FAULTS: Mapping[str, OfModel | OfService] = MappingProxyType(
    {
        "invalid_body": OfModel(422, "value_error"),
        "request_error": OfModel(422, "value_error"),
        "invalid_option": OfModel(422, "value_error"),
        "invalid_plan": OfModel(422, "value_error"),
        "unreachable_target": OfModel(422, "value_error", SIZES),
        "unreachable_plan": OfModel(422, "value_error", SIZES),
        "unreachable_budget": OfModel(422, "value_error"),
        "source_unsignable": OfModel(422, "value_error", IMAGE),
        "source_unavailable": OfModel(422, "file_download_error", IMAGE),
        "source_forbidden": OfModel(422, "file_download_error", IMAGE),
        "blob_missing": OfModel(422, "file_download_error", IMAGE),
        "image_undecodable": OfModel(422, "image_load_error", IMAGE),
        "archive_invalid": OfModel(422, "image_load_error", IMAGE),
        "image_too_large": OfModel(422, "image_too_large", IMAGE),
        "content_rejected": OfModel(422, "content_policy_violation", IMAGE),
        "model_error": OfModel(500, "internal_server_error"),
        "out_of_memory": OfModel(500, "internal_server_error"),
        "device_failed": OfModel(500, "internal_server_error"),
        "output_unwritable": OfModel(500, "internal_server_error"),
        "job_error": OfModel(500, "internal_server_error"),
        "worker_lost": OfService(500, "runner_server_error"),
        "order_unreadable": OfService(500, "runner_server_error"),
        "job_expired": OfService(504, "request_timeout"),
        "job_cancelled": OfService(499, "client_cancelled"),
        "unauthenticated": OfService(401, None),
        "access_error": OfService(403, None),
        "forbidden": OfService(403, None),
        "not_found": OfService(404, None),
        "job_not_found": OfService(404, None),
        "asset_not_found": OfService(404, None),
        "model_not_found": OfService(404, None),
        "link_invalid": OfService(404, None),
        "method_not_allowed": OfService(405, None),
        "malformed_body": OfService(400, "bad_request"),
        "conflict": OfService(400, "bad_request"),
        "idempotency_conflict": OfService(400, "bad_request"),
        "body_too_large": OfService(413, "bad_request"),
        "overloaded": OfService(429, "concurrent_requests_limit", again=True),
        "queue_full": OfService(429, "concurrent_requests_limit", again=True),
        "rate_limited": OfService(429, "concurrent_requests_limit", again=True),
        "unavailable": OfService(503, "runner_scheduling_failure", again=True),
        "database_unavailable": OfService(503, "runner_scheduling_failure", again=True),
        "storage_full": OfService(503, "runner_scheduling_failure", again=True),
        "engine_unavailable": OfService(500, "internal_error"),
        "weights_error": OfService(500, "internal_error"),
        "lock_invalid": OfService(500, "internal_error"),
        "licence_not_accepted": OfService(500, "internal_error"),
        "weights_missing": OfService(500, "internal_error"),
        "weights_mismatch": OfService(500, "internal_error"),
        "internal_error": OfService(500, "internal_error"),
        "reframe_error": OfService(500, "internal_error"),
    }
)
"""What each of our codes is on the wire."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error as an answer; ``kind`` is its type in their words, ``message`` one sentence."""

    status: int
    kind: str | None
    message: str
    body: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)


def refuse(error: ReframeError) -> Refusal:
    """Word an error."""
    found = error.errors if isinstance(error, InvalidBody) else []
    refusal = word(error.code, error.detail, found)
    if isinstance(error, Overloaded | Unavailable) and refusal.status != 422:  # noqa: PLR2004
        refusal.headers["Retry-After"] = str(max(1, round(error.retry_after)))
    return refusal


def find_refusal(job: Job) -> Refusal | None:
    """Why a final job has no result; None for one that has, or may still have one.

    A body that was wrong is found out here by the runner, as on the hosted service.
    """
    refused = (job.metadata or {}).get("refused")
    if refused:
        return word(refused["code"], refused["message"], refused["errors"])
    match job.status:
        case Status.FAILED if job.failure:
            return word(job.failure.code, job.failure.message)
        case Status.CANCELLED:
            return word(JobCancelled.code, JobCancelled().detail)
        case _:
            return None


def word(code: str, message: str, errors: Sequence[Mapping[str, Any]] = ()) -> Refusal:
    """An error of ours in their words; ``errors`` are those of an ``InvalidBody``."""
    fault = FAULTS[code]
    kind, again = fault.kind, isinstance(fault, OfService) and fault.again
    body: dict[str, Any] = {"detail": message}
    if isinstance(fault, OfModel):
        body["detail"] = [_tell(each) for each in errors] or [_tell_one(fault, message)]
        kind = body["detail"][0]["type"]
    elif kind:
        body["error_type"] = kind
    if code == JobNotFound.code:
        body["status"] = "NOT_FOUND"
    headers = {RETRYABLE: str(again).lower(), NEEDS_RETRY: str(int(again))}
    if code == JobExpired.code:
        headers[TIMEOUT_TYPE] = "user"
    if kind:
        headers[ERROR_TYPE] = kind
    return Refusal(fault.status, kind, message, body, headers)


def _tell(error: Mapping[str, Any]) -> dict[str, Any]:
    return {**error, "url": EXPLAINED + error["type"]}


def _tell_one(fault: OfModel, message: str) -> dict[str, Any]:
    return _tell({"loc": list(fault.field), "msg": message, "type": fault.kind})

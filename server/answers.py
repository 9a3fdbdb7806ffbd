"""What every error there is comes to on the wire: a status and a code."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Answer(NamedTuple):
    """What an error is on the wire."""

    status: int
    code: str


ANSWERS: Mapping[str, Answer] = MappingProxyType(
    {
        "unauthenticated": Answer(401, "UNAUTHORIZED"),
        "access_error": Answer(403, "PERMISSION_DENIED"),
        "forbidden": Answer(403, "PERMISSION_DENIED"),
        "not_found": Answer(404, "NOT_FOUND"),
        "job_not_found": Answer(404, "RUN_NOT_FOUND"),
        "asset_not_found": Answer(404, "ASSET_NOT_FOUND"),
        "model_not_found": Answer(404, "MODEL_NOT_FOUND"),
        "link_invalid": Answer(404, "LINK_INVALID"),
        "method_not_allowed": Answer(405, "METHOD_NOT_ALLOWED"),
        "blob_missing": Answer(404, "BLOB_MISSING"),
        "malformed_body": Answer(400, "BAD_REQUEST"),
        "invalid_body": Answer(422, "VALIDATION_ERROR"),
        "body_too_large": Answer(413, "BODY_TOO_LARGE"),
        "conflict": Answer(409, "CONFLICT"),
        "idempotency_conflict": Answer(409, "IDEMPOTENCY_CONFLICT"),
        "overloaded": Answer(429, "RATE_LIMITED"),
        "queue_full": Answer(429, "QUEUE_FULL"),
        "rate_limited": Answer(429, "RATE_LIMITED"),
        "unavailable": Answer(503, "SERVICE_UNAVAILABLE"),
        "database_unavailable": Answer(503, "DATABASE_UNAVAILABLE"),
        "storage_full": Answer(507, "STORAGE_FULL"),
        "engine_unavailable": Answer(503, "MODEL_UNAVAILABLE"),
        "out_of_memory": Answer(503, "OUT_OF_MEMORY"),
        "device_failed": Answer(503, "DEVICE_FAILED"),
        "model_error": Answer(503, "MODEL_UNAVAILABLE"),
        "internal_error": Answer(500, "INTERNAL_ERROR"),
        "reframe_error": Answer(500, "INTERNAL_ERROR"),
        "output_unwritable": Answer(500, "INTERNAL_ERROR"),
        "job_error": Answer(500, "JOB_ERROR"),
        "worker_lost": Answer(500, "WORKER_LOST"),
        "job_cancelled": Answer(409, "RUN_CANCELED"),
        "job_expired": Answer(504, "RUN_EXPIRED"),
        "order_unreadable": Answer(503, "ORDER_UNREADABLE"),
        "weights_error": Answer(503, "MODEL_UNAVAILABLE"),
        "lock_invalid": Answer(503, "MODEL_UNAVAILABLE"),
        "licence_not_accepted": Answer(503, "MODEL_UNAVAILABLE"),
        "weights_missing": Answer(503, "MODEL_UNAVAILABLE"),
        "weights_mismatch": Answer(503, "MODEL_UNAVAILABLE"),
        "request_error": Answer(422, "VALIDATION_ERROR"),
        "invalid_option": Answer(422, "VALIDATION_ERROR"),
        "invalid_plan": Answer(422, "INVALID_PLAN"),
        "unreachable_target": Answer(422, "UNREACHABLE_TARGET"),
        "unreachable_plan": Answer(422, "UNREACHABLE_PLAN"),
        "unreachable_budget": Answer(422, "UNREACHABLE_BUDGET"),
        "source_unavailable": Answer(422, "SOURCE_UNAVAILABLE"),
        "source_forbidden": Answer(422, "SOURCE_FORBIDDEN"),
        "archive_invalid": Answer(422, "ARCHIVE_INVALID"),
        "image_undecodable": Answer(422, "IMAGE_UNDECODABLE"),
        "image_too_large": Answer(422, "IMAGE_TOO_LARGE"),
        "source_unsignable": Answer(422, "SOURCE_UNSIGNABLE"),
        "content_rejected": Answer(422, "CONTENT_REJECTED"),
    }
)


def wire_code(code: str) -> str:
    """The code of an error as callers get it; one that is not known here, as it is."""
    known = ANSWERS.get(code)
    return known.code if known else code.upper()

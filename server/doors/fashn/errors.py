"""Errors as FASHN words them, so that its clients raise what they should and stop when they should.

The clients try again after 429 and 500, unless they are told that this is pointless.
"""

from pipelines.errors import ReframeError
from server.doors.refusal import Refusal, is_callers
from server.errors import (
    AccessError,
    BlobMissing,
    NotFound,
    Overloaded,
    Unavailable,
)

TOO_MANY_JOBS = "ConcurrencyLimitExceeded"


def refuse(error: ReframeError, name: str | None = None) -> Refusal:
    """Word an error; ``name`` is said instead of the usual one."""
    status, usual = _classify(error)
    headers = {}
    if not error.retryable:
        headers["x-should-retry"] = "false"
    elif isinstance(error, Overloaded | Unavailable):
        headers["Retry-After"] = str(max(1, round(error.retry_after)))
    return Refusal(status, {"error": name or usual, "message": error.detail}, headers)


def _classify(error: ReframeError) -> tuple[int, str]:
    match error:
        case AccessError():
            return 401, "UnauthorizedAccess"
        case NotFound() | BlobMissing():
            return 404, "NotFound"
        case Overloaded():
            return 429, "RateLimitExceeded"
        case _ if is_callers(error):
            return 400, "BadRequest"
        case _:
            return 500, "InternalServerError"

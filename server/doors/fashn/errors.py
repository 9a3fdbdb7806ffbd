"""Errors as FASHN words them, so that its clients raise what they should and stop when they should.

The clients try again after 429 and 500, unless they are told that this is pointless.
"""

from pipelines.errors import ReframeError
from server.doors.refusal import CALLERS, Refusal
from server.errors import (
    AccessError,
    BlobMissing,
    MethodNotAllowed,
    NotFound,
    Overloaded,
    Unavailable,
)

TOO_MANY_JOBS = "ConcurrencyLimitExceeded"

ANSWERS: tuple[tuple[type[ReframeError] | tuple[type[ReframeError], ...], int, str], ...] = (
    (AccessError, 401, "UnauthorizedAccess"),
    (MethodNotAllowed, 405, "MethodNotAllowed"),
    ((NotFound, BlobMissing), 404, "NotFound"),
    (Overloaded, 429, "RateLimitExceeded"),
    (CALLERS, 400, "BadRequest"),
    (ReframeError, 500, "InternalServerError"),
)
"""Statuses and names; the first that an error is one of holds."""


def refuse(error: ReframeError, name: str | None = None) -> Refusal:
    """Word an error; ``name`` is said instead of the usual one."""
    status, usual = next(
        (status, name) for kinds, status, name in ANSWERS if isinstance(error, kinds)
    )
    headers = {}
    if not error.retryable:
        headers["x-should-retry"] = "false"
    elif isinstance(error, Overloaded | Unavailable):
        headers["Retry-After"] = str(max(1, round(error.retry_after)))
    return Refusal(status, {"error": name or usual, "message": error.detail}, headers)

"""Errors as Pixazo words them; what its gateway would say is in the gateway's words as well."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from pipelines.errors import ReframeError, SourceUnavailable, UnreachableTarget
from server.doors.refusal import CALLERS, Refusal
from server.errors import (
    AccessError,
    BlobMissing,
    InvalidBody,
    MethodNotAllowed,
    NotFound,
    Overloaded,
    SourceForbidden,
    Unauthenticated,
    Unavailable,
)

NO_ENDPOINT: Mapping[str, str] = MappingProxyType(
    {"error": "Resource not found", "details": "The requested endpoint does not exist"}
)

WRONG_FORMAT: Mapping[str, str] = MappingProxyType(
    {
        "error": "Invalid target_sizes format",
        "details": "Each item in target_sizes must be in format 'widthxheight'",
    }
)

UNREADABLE = frozenset({"list_type", "string_type", "value_error"})
"""Types of error that the printed words are about."""

TITLES: Mapping[str, str] = MappingProxyType(
    {"missing": "Missing {}", "too_long": "{} is too long", "string_too_long": "{} is too long"}
)
"""What is said of a field, by the type of error; of all others, that it is invalid."""

ANSWERS: tuple[tuple[type[ReframeError] | tuple[type[ReframeError], ...], int, str], ...] = (
    (Unauthenticated, 401, "Unauthorized"),
    (AccessError, 403, "Forbidden"),
    (MethodNotAllowed, 405, "Method not allowed"),
    ((NotFound, BlobMissing), 404, NO_ENDPOINT["error"]),
    (Overloaded, 429, "Too many requests"),
    (CALLERS, 400, "Invalid request"),
    (ReframeError, 500, "Internal server error"),
)
"""Statuses and titles; the first that an error is one of holds."""


def refuse(error: ReframeError) -> Refusal:
    """Word an error."""
    headers = {}
    if isinstance(error, Overloaded | Unavailable) and error.retryable:
        headers["Retry-After"] = str(max(1, round(error.retry_after)))
    status, title = _classify(error)
    match status:
        case 400:
            body = _explain(error)
        case 404 if type(error) is NotFound:
            body = dict(NO_ENDPOINT)
        case 404:
            body = {"error": title, "details": error.detail}
        case _:
            words = error.detail
            body = {"error": title, "details": words, "statusCode": status, "message": words}
    return Refusal(status, body, headers)


def _classify(error: ReframeError) -> tuple[int, str]:
    return next((status, title) for kinds, status, title in ANSWERS if isinstance(error, kinds))


def _explain(error: ReframeError) -> dict[str, Any]:
    """What is wrong, with the field's name in the title where one is to blame."""
    if isinstance(error, UnreachableTarget):
        return {"error": "Invalid target_sizes", "details": error.detail}
    if isinstance(error, SourceUnavailable | SourceForbidden):
        return {"error": "Invalid image_url", "details": error.detail}
    if not isinstance(error, InvalidBody) or not error.errors:
        return {"error": "Invalid request", "details": error.detail}
    first = error.errors[0]
    _, *place = first["loc"]
    field, kind = place[0] if place else "request", first["type"]
    if field == "target_sizes" and kind in UNREADABLE:
        return dict(WRONG_FORMAT)
    return {"error": TITLES.get(kind, "Invalid {}").format(field), "details": first["msg"]}

"""Errors as Pixazo words them; what its gateway would say is in the gateway's words as well."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from pipelines.errors import ReframeError, UnreachableTarget
from server.doors.refusal import Refusal, is_callers
from server.errors import (
    AccessError,
    BlobMissing,
    InvalidBody,
    NotFound,
    Overloaded,
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
    match error:
        case Unauthenticated():
            return 401, "Unauthorized"
        case AccessError():
            return 403, "Forbidden"
        case NotFound() | BlobMissing():
            return 404, NO_ENDPOINT["error"]
        case Overloaded():
            return 429, "Too many requests"
        case _ if is_callers(error):
            return 400, "Invalid request"
        case _:
            return 500, "Internal server error"


def _explain(error: ReframeError) -> dict[str, Any]:
    """What is wrong, with the field's name in the title where one is to blame."""
    if isinstance(error, UnreachableTarget):
        return {"error": "Invalid target_sizes", "details": error.detail}
    if not isinstance(error, InvalidBody) or not error.errors:
        return {"error": "Invalid request", "details": error.detail}
    first = error.errors[0]
    _, *place = first["loc"]
    kind = "Missing" if first["type"] == "missing" else "Invalid"
    field = place[0] if place else "request"
    if field == "target_sizes" and first["type"] not in {"missing", "too_short"}:
        return dict(WRONG_FORMAT)
    return {"error": f"{kind} {field}", "details": first["msg"]}

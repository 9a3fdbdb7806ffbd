"""Errors as HTTP answers: a status and a wire code for every error there is.

The body is flat: ``{"code", "message", "errors"}``, as in the hosted run API.
"""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, NamedTuple

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from pipelines.errors import ReframeError
from server.api.door import Doors
from server.errors import (
    InternalError,
    InvalidBody,
    MethodNotAllowed,
    NotFound,
    Overloaded,
    Unavailable,
)


class Answer(NamedTuple):
    """What an error is on the wire."""

    status: int
    code: str


ANSWERS = {
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
    "content_rejected": Answer(422, "CONTENT_REJECTED"),
}


KNOWN: Mapping[int, type[ReframeError]] = MappingProxyType({404: NotFound, 405: MethodNotAllowed})
"""What the framework found out about an address, as an error of ours."""


def answer(error: ReframeError) -> JSONResponse:
    """The error as the caller gets it."""
    status, code = ANSWERS[error.code]
    found = error.errors if isinstance(error, InvalidBody) else []
    errors = [{**each, "msg": cut(each["msg"])} for each in found]
    headers = {}
    if isinstance(error, Overloaded | Unavailable):
        headers["Retry-After"] = str(max(1, round(error.retry_after)))
    body = {"code": code, "message": cut(error.detail, MOST_TOLD), "errors": errors or None}
    return JSONResponse(body, status, headers)


def install(app: FastAPI, doors: Doors) -> None:
    """Answer every error of ours, and the framework's, in the words of whoever was asked."""

    def render(request: Request, error: ReframeError) -> Response:
        return doors.render_error(error, request.scope)

    @app.exception_handler(ReframeError)
    async def _ours(request: Request, error: ReframeError) -> Response:
        return render(request, error)

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, error: RequestValidationError) -> Response:
        found = error.errors()
        return render(request, InvalidBody(_summarise(found), _plain(found)))

    @app.exception_handler(HTTPException)
    async def _plain_http(request: Request, error: HTTPException) -> Response:
        if known := KNOWN.get(error.status_code):
            response = render(request, known())
            response.headers.update(error.headers or {})
            return response
        code = HTTPStatus(error.status_code).phrase.upper().replace(" ", "_")
        body = {"code": code, "message": str(error.detail), "errors": None}
        return JSONResponse(body, error.status_code, error.headers)

    @app.exception_handler(Exception)
    async def _defect(request: Request, error: Exception) -> Response:
        del error  # the server's log has it
        return render(request, InternalError())


MOST_NAMED = 20
"""Wrong fields that an answer names."""

MOST_SAID = 200
"""Characters of a field's name, or of what is wrong with it."""

MOST_TOLD = 1000
"""Characters of a message."""


def invalid(found: list[Any], root: str = "input") -> InvalidBody:
    """What pydantic found wrong, as our error; ``root`` is where the fields are."""
    errors = _plain(found)
    for error in errors:
        error["loc"] = [root, *error["loc"]]
    return InvalidBody(_summarise(errors), errors)


def _summarise(errors: Any) -> str:
    first = errors[0]
    place = ".".join(str(part) for part in _cut_place(first["loc"]) if part != "body") or "body"
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return f"{place}: {_words(first['msg'])}{more}"


def _plain(errors: Any) -> list[dict[str, Any]]:
    """Without the caller's input, which may be a whole picture."""
    return [
        {
            "loc": _cut_place(each["loc"]),
            "msg": _words(each["msg"]),
            "type": each["type"],
        }
        for each in errors[:MOST_NAMED]
    ]


def _words(message: str) -> str:
    return cut(message.removeprefix("Value error, "))


def cut(text: str, most: int = MOST_SAID) -> str:
    """Of a long text, its beginning: it may be the caller's own, and as long as a picture."""
    return text if len(text) <= most else text[: most - 1] + "…"


def _cut_place(place: Iterable[str | int]) -> list[str | int]:
    """Names of fields may be the caller's own too."""
    return [cut(part) if isinstance(part, str) else part for part in place]

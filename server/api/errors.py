"""Errors as HTTP answers of the run API.

The body is flat: ``{"code", "message", "errors"}``, as in the hosted run API.
"""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from pipelines.errors import ReframeError
from server.answers import ANSWERS
from server.api.door import Doors
from server.errors import (
    InternalError,
    InvalidBody,
    MethodNotAllowed,
    NotFound,
    Overloaded,
    Unavailable,
)

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

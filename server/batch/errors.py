"""Errors of a server, as it words them, as errors of ours."""

from collections.abc import Iterator

import httpx2

from pipelines.errors import ReframeError, RequestError
from server.errors import (
    BodyTooLarge,
    Conflict,
    Forbidden,
    InternalError,
    NotFound,
    Unauthenticated,
    Unavailable,
)

BY_STATUS: dict[int, type[ReframeError]] = {
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    413: BodyTooLarge,
    422: RequestError,
    500: InternalError,
}


def read_error(answer: httpx2.Response) -> ReframeError:
    """What the server complains of."""
    try:
        body = answer.json()
        code, words = str(body["code"]), str(body["message"])
    except (ValueError, KeyError, TypeError):
        code, words = "", f"the server answered with {answer.status_code}"
    return make_error(code, words, BY_STATUS.get(answer.status_code, Unavailable))


def make_error(
    code: str, words: str, otherwise: type[ReframeError] = InternalError
) -> ReframeError:
    """The error with this code on the wire, or one of the class ``otherwise``."""
    for kind in _all(ReframeError):
        if kind.code.upper() == code:
            return kind(words)
    return otherwise(words)


def _all(kind: type[ReframeError]) -> Iterator[type[ReframeError]]:
    for below in kind.__subclasses__():
        yield below
        yield from _all(below)

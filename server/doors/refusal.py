"""An error as a hosted API answers it, and whose fault it is."""

from typing import Any, NamedTuple

from pipelines.errors import RequestError
from server.errors import ArchiveInvalid, BodyTooLarge, Conflict, InvalidBody, SourceForbidden

CALLERS = (RequestError, InvalidBody, BodyTooLarge, Conflict, SourceForbidden, ArchiveInvalid)
"""Errors that the same request would meet again."""


class Refusal(NamedTuple):
    """An error as an answer."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str]

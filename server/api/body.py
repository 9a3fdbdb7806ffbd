"""The body of a request: JSON or a form, as it came."""

import sys
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from pipelines.export.wishes import Metadata
from server.api.json_text import check_text, read_json
from server.api.models import MODELS
from server.api.reception import FORM
from server.errors import MalformedBody

MOST_FILES = 200
MOST_FIELDS = 200

TOP = ("callback_url", "client_ref", "metadata", "priority", "deadline")
"""Fields of a form that are not the model's."""


def _is_text(schema: dict[str, Any]) -> bool:
    return all(kind.get("type") in {"string", "null"} for kind in schema.get("anyOf", [schema]))


TEXTS = frozenset(
    name
    for kind in MODELS.values()
    for name, schema in kind.model_json_schema()["properties"].items()
    if _is_text(schema)
)
"""Fields of models that are text, even if they begin as JSON does."""


@dataclass(frozen=True, slots=True)
class Given:
    """A body as it came: its fields, and the files of a form with their names.

    A file that is called ``protect_mask`` is the ``mask``, and its field says ``FORM``.
    """

    fields: dict[str, Any]
    files: tuple[tuple[str, bytes], ...] = ()
    mask: bytes | None = None


async def read_body(request: Request) -> Given:
    """JSON, or a form whose files are pictures and whose other fields are the input's.

    Raises:
        MalformedBody: neither of them.
    """
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        return await _read_form(request)
    body = await request.body()
    # tens of megabytes may be a picture: others are answered meanwhile
    fields = await run_in_threadpool(read_json, body)
    if not isinstance(fields, dict):
        raise MalformedBody
    return Given(fields)


async def _read_form(request: Request) -> Given:
    form = await _parse_form(request)
    try:
        return await _read_parts(form)
    finally:
        await form.close()


async def _read_parts(form: FormData) -> Given:
    files: list[tuple[str, bytes]] = []
    mask = None
    fields: dict[str, Any] = {}
    asked: dict[str, Any] = {}
    for name, value in form.multi_items():
        if isinstance(value, UploadFile):
            data = await value.read()
            if name == "protect_mask":
                mask, asked[name] = data, FORM
            else:
                files.append((check_text(value.filename or ""), data))
        elif name == "input":
            asked |= _read_object(value)
        elif _is_top(name, value):
            fields[name] = _read_object(value) if name == "metadata" else check_text(value)
        else:
            asked[check_text(name)] = _read_value(name, value)
    return Given({**fields, "input": asked}, tuple(files), mask)


def _is_top(name: str, value: str) -> bool:
    """Not the model's; a form's ``metadata`` may be the run's or, in one word, the input's."""
    return name in TOP and not (name == "metadata" and value in set(Metadata))


class _FormInMemory(MultiPartParser):
    """Nothing of a form touches a disk: the gate has bounded the body."""

    spool_max_size = sys.maxsize


async def _parse_form(request: Request) -> FormData:
    parser = _FormInMemory(
        request.headers, request.stream(), max_files=MOST_FILES, max_fields=MOST_FIELDS
    )
    try:
        return await parser.parse()
    except (MultiPartException, ValueError, KeyError) as error:
        msg = "the body is not a form"
        raise MalformedBody(msg) from error


def _read_object(text: str) -> dict[str, Any]:
    value = _read_value("", text)
    if not isinstance(value, dict):
        msg = "input and metadata are JSON objects"
        raise MalformedBody(msg)
    return value


def _read_value(name: str, text: str) -> Any:
    """Lists and objects as JSON, everything else as it stands: pydantic reads numbers itself."""
    if name in TEXTS or text[:1] not in {"[", "{"}:
        return check_text(text)
    return read_json(text.encode("utf-8", "surrogatepass"), "a form's field that begins like JSON")

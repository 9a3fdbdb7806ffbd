"""The body of a run: JSON or a form, read and checked."""

import hashlib
import json
import math
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, NoReturn, TypeVar

from fastapi import Request
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
)
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from pipelines.export.wishes import Metadata
from pipelines.presets.catalogue import Catalogue
from server.access.key import ApiKey
from server.api.errors import invalid
from server.api.models import MODELS, find_model
from server.api.reception import FORM, Asked
from server.errors import InvalidBody, MalformedBody

Kind = TypeVar("Kind")

MOST_FILES = 200
MOST_FIELDS = 200
DEEPEST = 32
"""Levels of JSON: deeper ones cannot be answered with."""

MOST_METADATA = 64_000
"""Characters of JSON."""

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


def _in_utc(when: datetime) -> datetime:
    try:
        return when.astimezone(UTC)
    except OverflowError as error:
        msg = "beyond the calendar"
        raise ValueError(msg) from error


class RunBody(BaseModel):
    """The body of a run, but for the model's own input; what else comes along is ignored."""

    model_config = ConfigDict(extra="ignore")

    input: dict[str, Any] = Field(description="What the model takes; see its schema.")
    callback_url: str | None = Field(
        None, max_length=2000, pattern="^https?://", description="Told when the run has ended."
    )
    metadata: dict[str, Any] | None = Field(default=None, description="Echoed everywhere.")
    client_ref: str | None = Field(
        default=None, max_length=200, description="The caller's own name for the run."
    )
    priority: int = Field(default=5, ge=1, le=9, description="1 goes first, 9 last.")
    deadline: Annotated[AwareDatetime, AfterValidator(_in_utc)] | None = Field(
        default=None, description="Not to be begun after this time, with its zone."
    )


@dataclass(frozen=True, slots=True)
class Given:
    """A body as it came: its fields, and the files of a form with their names.

    A file that is called ``protect_mask`` is the ``mask``, and its field says ``FORM``.
    """

    fields: dict[str, Any]
    files: tuple[tuple[str, bytes], ...] = ()
    mask: bytes | None = None


def read_run(
    model: str,
    given: Given,
    key: ApiKey,
    catalogue: Catalogue,
    *,
    idempotency: str | None,
    request_id: str,
) -> Asked:
    """What a run's body asks for; ``catalogue`` has the presets that it may name.

    Raises:
        ModelNotFound, InvalidBody: what the caller got wrong.
    """
    kind = find_model(model)
    body = validate(RunBody, given.fields, "body")
    if len(json.dumps(body.metadata)) > MOST_METADATA:
        msg = f"metadata has at most {MOST_METADATA} characters"
        raise InvalidBody(msg)
    asked = validate(kind, body.input, "input", {"presets": catalogue})
    if not asked.sources and not given.files:
        msg = "input.image_url: a picture is needed"
        raise InvalidBody(msg, [{"loc": ["input", "image_url"], "msg": msg, "type": "missing"}])
    return Asked(
        model=model,
        key=key,
        sources=asked.sources,
        files=given.files,
        mask=given.mask,
        wishes=asked.wishes(),
        callback_url=body.callback_url,
        client_ref=body.client_ref,
        metadata=body.metadata,
        idempotency=idempotency,
        fingerprint=_fingerprint(model, given) if idempotency else None,
        priority=body.priority,
        deadline=body.deadline,
        request_id=request_id,
    )


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


def read_json(body: bytes) -> Any:
    """Raises MalformedBody for what is not JSON, and for what no database keeps."""
    try:
        return _read_json(body)
    except (ValueError, RecursionError) as error:
        msg = "the body is not JSON"
        raise MalformedBody(msg) from error


def _read_json(body: bytes) -> Any:
    """Raises ValueError for what is not JSON, and for what no database keeps."""
    value = json.loads(body, parse_constant=_refuse_constant, parse_float=_read_float)
    _check_texts(value, DEEPEST)
    return value


def _refuse_constant(name: str) -> NoReturn:
    msg = f"{name} is not JSON"
    raise ValueError(msg)


def _read_float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        _refuse_constant(text)
    return number


def _check_texts(value: Any, depth: int) -> None:
    if not depth:
        msg = f"more than {DEEPEST} levels deep"
        raise ValueError(msg)
    match value:
        case str():
            value.encode()  # half of a surrogate pair raises
            if "\0" in value:
                msg = "a text with a NUL"
                raise ValueError(msg)
        case dict():
            for name, inner in value.items():
                _check_texts(name, depth)
                _check_texts(inner, depth - 1)
        case list():
            for inner in value:
                _check_texts(inner, depth - 1)
        case _:
            pass  # numbers and nothing


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
                files.append((_check_text(value.filename or ""), data))
        elif name == "input":
            asked |= _read_object(value)
        elif _is_top(name, value):
            fields[name] = _read_object(value) if name == "metadata" else _check_text(value)
        else:
            asked[_check_text(name)] = _read_value(name, value)
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


def _check_text(text: str) -> str:
    try:
        _check_texts(text, DEEPEST)
    except ValueError as error:
        msg = "a form's field or file name holds what no text can"
        raise MalformedBody(msg) from error
    return text


def _read_value(name: str, text: str) -> Any:
    """Lists and objects as JSON, everything else as it stands: pydantic reads numbers itself."""
    if name in TEXTS or text[:1] not in {"[", "{"}:
        return _check_text(text)
    try:
        return _read_json(text.encode())
    except (ValueError, RecursionError) as error:
        msg = "a form's field that begins like JSON is not JSON"
        raise MalformedBody(msg) from error


def validate(
    kind: type[Kind], fields: Any, root: str, context: dict[str, Any] | None = None
) -> Kind:
    """Read ``fields``; raises InvalidBody, whose errors lie below ``root``."""
    try:
        return TypeAdapter(kind).validate_python(fields, context=context)
    except ValidationError as error:
        raise invalid(error.errors(), root) from error


def _fingerprint(model: str, given: Given) -> str:
    seen = hashlib.sha256(json.dumps([model, given.fields], sort_keys=True).encode())
    for data in (*(data for _, data in given.files), *filter(None, [given.mask])):
        seen.update(hashlib.sha256(data).digest())
    return seen.hexdigest()

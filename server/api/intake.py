"""What a run's body asks for, checked."""

import hashlib
import json
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
)

from pipelines.presets.catalogue import Catalogue
from server.access.key import ApiKey
from server.api.body import Given
from server.api.errors import invalid
from server.api.models import find_model
from server.api.reception import Asked
from server.errors import InvalidBody

Kind = TypeVar("Kind")

MOST_METADATA = 64_000
"""Characters of JSON."""


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

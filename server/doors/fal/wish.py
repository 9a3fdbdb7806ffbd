"""What a request asks for: the body of ``fal-ai/smart-resize``, and the headers that go with it."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    Field,
    ValidationError,
    model_validator,
)

from pipelines.codec.encode import Format
from pipelines.errors import InvalidOption, UnreachableTarget
from pipelines.geometry import Size
from pipelines.rules import Policy
from pipelines.target import Tier
from server.doors.fal.preset import find_preset
from server.doors.wire import Wire
from server.errors import InvalidBody
from server.jobs.order import MOST_OUTPUTS, OrderRules, SizeTarget

MODEL = "fal-ai/smart-resize"

LONGEST_ECHO = 200
"""Characters of a wrong value that are shown again; it may be a whole picture."""

LONGEST_TIMEOUT = 30 * 24 * 3600.0
"""Seconds; a longer time to start is no limit."""

NORMAL, LOW = 5, 8
"""Our priorities."""


def _check_size(text: str) -> str:
    try:
        size = Size.parse(text)
        find_preset(size)
    except (InvalidOption, UnreachableTarget) as error:
        raise ValueError(error.detail) from error
    return str(size)


SizeText = Annotated[str, AfterValidator(_check_size)]
"""``1080x1350``, of which some preset makes at least as much."""


class SmartResizeInput(Wire):
    """The body; what else comes along is ignored, and null says nothing."""

    image_url: str = Field(min_length=1)
    target_sizes: list[SizeText] = Field(min_length=1, max_length=MOST_OUTPUTS)
    prompt: str = Field("", max_length=4000)
    num_images_per_size: int = Field(1, ge=1, le=4)
    resolution: Literal["1K", "2K", "4K"] = "1K"
    output_format: Literal["jpeg", "png", "webp"] = "png"
    safety_tolerance: Literal["1", "2", "3", "4", "5", "6"] = "4"
    seed: int | None = None
    sync_mode: bool = False

    @model_validator(mode="after")
    def _bound(self) -> Self:
        if len(self.target_sizes) * self.num_images_per_size > MOST_OUTPUTS:
            msg = f"at most {MOST_OUTPUTS} images can be made in one request"
            raise ValueError(msg)
        return self

    def wishes(self) -> dict[str, Any]:
        """The fields of an order.

        Theirs is a tolerance, ours a strictness; any whole number is a seed there.
        """
        sizes = [Size.parse(text) for text in self.target_sizes]
        wishes: dict[str, Any] = {
            "targets": tuple(SizeTarget(width=size.width, height=size.height) for size in sizes),
            "rules": OrderRules(policy=Policy.AUTO),
            "prompt": self.prompt,
            "variants": self.num_images_per_size,
            "format": Format(self.output_format),
            "strictness": 7 - int(self.safety_tolerance),
        }
        return wishes if self.seed is None else {**wishes, "seed": self.seed % 2**32}

    @property
    def metadata(self) -> dict[str, Any]:
        """What a result needs to know later, and the order does not hold."""
        return {"resolution": Tier(self.resolution).value, "sync_mode": self.sync_mode}


def parse(body: Any) -> SmartResizeInput:
    """Read a body; raises InvalidBody with what is wrong, field by field."""
    try:
        return SmartResizeInput.model_validate(body)
    except ValidationError as error:
        found = [_tell(each) for each in error.errors(include_url=False)]
        raise InvalidBody(found[0]["msg"], found) from error


def _tell(error: Any) -> dict[str, Any]:
    told = {
        "loc": ["body", *error["loc"]],
        "msg": error["msg"].removeprefix("Value error, "),
        "type": error["type"],
    }
    known = {name: value for name, value in error.get("ctx", {}).items() if _is_short(value)}
    if known:
        told["ctx"] = known
    if _is_short(error["input"]):
        told["input"] = error["input"]
    return told


def _is_short(value: object) -> bool:
    if isinstance(value, str):
        return len(value) <= LONGEST_ECHO and value.isprintable()
    # NaN and infinity are no JSON, and a number may have a million digits
    return isinstance(value, bool | int | float) and abs(value) < 1e15  # noqa: PLR2004


@dataclass(frozen=True, slots=True)
class Preferences:
    """What the headers ask for; those that say nothing useful are passed over.

    ``timeout`` seconds until the job must have begun. ``lifetime`` seconds is how long the caller
    wants the pictures kept: it is noted, and the server's own retention holds.
    """

    timeout: float | None = None
    priority: int = NORMAL
    volatile: bool = False
    lifetime: int | None = None

    @classmethod
    def parse(cls, headers: Mapping[str, str]) -> Self:
        """From headers whose names are found whatever their case."""
        return cls(
            timeout=_read_timeout(headers.get("x-fal-request-timeout", "")),
            priority=LOW if headers.get("x-fal-queue-priority", "").lower() == "low" else NORMAL,
            volatile=headers.get("x-fal-store-io", "").strip() == "0",
            lifetime=_read_lifetime(headers.get("x-fal-object-lifecycle-preference", "")),
        )

    def deadline(self, now: datetime) -> datetime | None:
        """When the job must have begun."""
        return None if self.timeout is None else now + timedelta(seconds=self.timeout)


def _read_timeout(text: str) -> float | None:
    try:
        seconds = float(text)
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) and 0 < seconds < LONGEST_TIMEOUT else None


def _read_lifetime(text: str) -> int | None:
    try:
        seconds = json.loads(text)["expiration_duration_seconds"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return seconds if type(seconds) is int and 0 < seconds < 2**31 else None

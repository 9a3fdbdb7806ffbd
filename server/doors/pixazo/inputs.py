"""The bodies of requests, as fields of an order."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from pipelines.codec.encode import Format
from pipelines.geometry import Size
from server.doors.texts import SizeText
from server.doors.wire import Wire
from server.jobs.order import MOST_OUTPUTS, SizeTarget

SYNC = "sync_mode"


def _as_text(given: Any) -> Any:
    return str(given) if type(given) is int else given


Tolerance = Annotated[Literal["1", "2", "3", "4", "5", "6"], BeforeValidator(_as_text)]
"""A higher one is stricter, as ours is; a number is taken for its text."""


class ResizeBody(Wire):
    """The body of a request; ``resolution`` changes nothing, for sizes are exact."""

    image_url: str
    target_sizes: list[SizeText] = Field(min_length=1, max_length=MOST_OUTPUTS)
    prompt: str = Field("", max_length=4000)
    num_images_per_size: int = Field(1, ge=1, le=8)
    resolution: Literal["1K", "2K", "4K"] = "1K"
    output_format: Literal["jpeg", "png", "webp"] = "png"
    safety_tolerance: Tolerance = "4"
    seed: int | None = None
    sync_mode: bool = False

    @property
    def metadata(self) -> dict[str, Any]:
        """What a later look needs to know."""
        return {SYNC: self.sync_mode}

    def wishes(self) -> dict[str, Any]:
        """The fields of an order; any whole number is a seed there."""
        sizes = [Size.parse(text) for text in self.target_sizes]
        given: dict[str, Any] = {
            "targets": tuple(SizeTarget(width=size.width, height=size.height) for size in sizes),
            "prompt": self.prompt,
            "variants": self.num_images_per_size,
            "format": Format(self.output_format),
            "strictness": int(self.safety_tolerance),
        }
        return given if self.seed is None else {**given, "seed": self.seed % 2**32}


class ResultBody(Wire):
    """Asks for a request by its id."""

    request_id: str

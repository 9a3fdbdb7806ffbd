"""The bodies of requests, as fields of an order."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from pipelines.codec.encode import Format
from pipelines.errors import InvalidOption
from pipelines.geometry import Size
from server.jobs.order import MOST_OUTPUTS, SizeTarget

SYNC = "sync_mode"


def _check_size(text: str) -> str:
    try:
        Size.parse(text)
    except InvalidOption as error:
        raise ValueError(error.detail) from error
    return text


class _Wire(BaseModel):
    """Ignores what it does not know, and takes null for nothing said."""

    model_config = ConfigDict(extra="ignore")

    @model_validator(mode="before")
    @classmethod
    def _drop_nulls(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        return {name: value for name, value in given.items() if value is not None}


class ResizeBody(_Wire):
    """The body of a request; ``resolution`` changes nothing, for sizes are exact."""

    image_url: str
    target_sizes: list[Annotated[str, AfterValidator(_check_size)]] = Field(
        min_length=1, max_length=MOST_OUTPUTS
    )
    prompt: str = ""
    num_images_per_size: int = Field(1, ge=1, le=8)
    resolution: Literal["1K", "2K", "4K"] = "1K"
    output_format: Literal["jpeg", "png", "webp"] = "png"
    safety_tolerance: int = Field(4, ge=1, le=6)
    seed: int | None = None
    sync_mode: bool = False

    @property
    def metadata(self) -> dict[str, Any]:
        """What a later look needs to know."""
        return {SYNC: self.sync_mode}

    def wishes(self) -> dict[str, Any]:
        """The fields of an order; a higher ``safety_tolerance`` is stricter, as ours is.

        Any whole number is a seed there.
        """
        sizes = [Size.parse(text) for text in self.target_sizes]
        given: dict[str, Any] = {
            "targets": tuple(SizeTarget(width=size.width, height=size.height) for size in sizes),
            "prompt": self.prompt,
            "variants": self.num_images_per_size,
            "format": Format(self.output_format),
            "strictness": self.safety_tolerance,
        }
        return given if self.seed is None else {**given, "seed": self.seed % 2**32}


class ResultBody(_Wire):
    """Asks for a request by its id."""

    request_id: str

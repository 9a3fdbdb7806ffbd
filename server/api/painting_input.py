"""What our own models have in common: the pictures, how they are painted, and what is written."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from pipelines.codec.encode import Format
from pipelines.engine import Mode
from pipelines.export.wishes import Alpha, Extra, Metadata
from pipelines.fill import Fill
from pipelines.request import MOST_RETRIES
from pipelines.safety import SafetyAction
from server.jobs.order import OrderRules, Seed
from server.jobs.order_fields import Colour, Fallback

MOST_SOURCES = 200


class PaintingInput(BaseModel):
    """What both of our models share."""

    model_config = ConfigDict(extra="forbid")

    image_url: str | None = Field(
        None, description="URL, data URI or runflow://assets/ID of a picture or a zip of pictures."
    )
    image_urls: list[str] = Field(
        [], max_length=MOST_SOURCES, description="Several pictures, in one job."
    )
    file_input: str = Field(
        "", max_length=500, description="Name of the one picture to take from a zip."
    )
    fill: Fill = Field(Fill.AUTO, description="What fills the new area.")
    fallback: Fallback | None = Field(
        None, description="Fills instead where what was painted needs review: all but generate."
    )
    retries: int = Field(
        0,
        ge=0,
        le=MOST_RETRIES,
        description="More paintings to try where a seam shows or a subject appears twice.",
    )
    prompt: str = Field("", max_length=4000, description="What the new area should show.")
    mode: Mode = Field(Mode.BALANCED, description="Between speed and quality.")
    seed: Seed | None = Field(None, description="The same seed gives the same picture.")
    variants: int = Field(
        1, ge=1, le=8, description="Outputs a target, each with a seed of its own."
    )
    feather: int | None = Field(None, ge=0, description="Width of the seam, output px.")
    strict: bool = Field(False, description="Refuse rather than give a rule up.")
    output_format: Format = Field(Format.PNG, description="Of the outputs.")
    quality: int | None = Field(None, ge=1, le=100, description="Of JPEG, WebP and AVIF.")
    max_bytes: int | None = Field(None, ge=1, description="Largest output, bytes.")
    alpha: Alpha = Field(Alpha.KEEP, description="Keep transparency, or lay it on background.")
    background: Colour | None = Field(
        None, description="What transparency is laid on; white.", examples=["#ff8800"]
    )
    extras: list[Extra] | None = Field(
        None, description="Files beside each output; null leaves it to the key's default."
    )
    metadata: Metadata | None = Field(
        None, description="What the output keeps of the source's own; null: the key's, copyright."
    )
    xmp: bool | None = Field(
        None, description="Say in the file how it was made; null: the key's default, else true."
    )
    c2pa: bool | None = Field(
        None, description="Sign that; null: the key's default, else where the server can."
    )
    nsfw: SafetyAction = Field(SafetyAction.FLAG, description="What happens to unsafe pictures.")
    strictness: int = Field(3, ge=1, le=6, description="Of the NSFW check; 6 is the strictest.")
    store: bool = Field(
        True, description="Keep pictures on disk until they expire; false keeps nothing there."
    )

    @property
    def sources(self) -> list[str]:
        """Where the pictures are."""
        return [*([self.image_url] if self.image_url else []), *self.image_urls]

    def common(self, rules: OrderRules) -> dict[str, Any]:
        """The fields of an order that both models give."""
        return {
            "rules": rules,
            "member": self.file_input,
            "fill": self.fill,
            "prompt": self.prompt,
            "mode": self.mode,
            "variants": self.variants,
            "format": self.output_format,
            "quality": self.quality,
            "max_bytes": self.max_bytes,
            "nsfw": self.nsfw,
            "strictness": self.strictness,
            "retries": self.retries,
            "fallback": self.fallback,
            "alpha": self.alpha,
            "background": self.background,
            **self._said(),
        }

    def _said(self) -> dict[str, Any]:
        """What the key, and then the server, decides where the caller does not."""
        names = ("extras", "metadata", "xmp", "c2pa", "seed")
        said = {name: getattr(self, name) for name in names}
        store = {"volatile": not self.store} if "store" in self.model_fields_set else {}
        return {**{name: value for name, value in said.items() if value is not None}, **store}

"""What the hosted Runflow models take, field for field; our own models are in ``inputs``."""

from typing import Any

from pydantic import Field

from pipelines.rules import Policy
from pipelines.target import Tier
from server.doors.texts import Ratio
from server.doors.wire import Wire
from server.jobs.order import ExpansionTarget, FrameTarget, OrderRules

LONGEST = 4096
"""Px; the hosted outpainting makes nothing longer."""


class RunflowSmartResize(Wire):
    """``runflow/smart-resize``: a ratio and a tier, and nothing is ever cropped."""

    image_url: str = Field(description="URL of a picture, or of a zip of pictures.")
    aspect_ratio: Ratio = Field(description="Ratio of the output.", examples=["16:9", "4:5"])
    resolution: Tier = Field(description="Long side of the output: 1024, 2048 or 4096 px.")
    file_input: str = Field(
        "", max_length=500, description="Name of the one picture to take from a zip."
    )

    @property
    def sources(self) -> list[str]:
        """Where the pictures are."""
        return [self.image_url]

    def wishes(self) -> dict[str, Any]:
        """The fields of an order."""
        return {
            "targets": (FrameTarget(aspect=self.aspect_ratio, tier=self.resolution),),
            "rules": OrderRules(policy=Policy.EXPAND),
            "member": self.file_input,
        }


class RunflowOutpaint(Wire):
    """``runflow/outpaint``: whole percent of the source to add on each side."""

    image_url: str = Field(description="URL of a picture, or of a zip of pictures.")
    expand_top: int = Field(ge=0, le=80, description="Percent of the source's height.")
    expand_bottom: int = Field(ge=0, le=80, description="Percent of the source's height.")
    expand_left: int = Field(ge=0, le=80, description="Percent of the source's width.")
    expand_right: int = Field(ge=0, le=80, description="Percent of the source's width.")
    file_input: str = Field(
        "", max_length=500, description="Name of the one picture to take from a zip."
    )

    @property
    def sources(self) -> list[str]:
        """Where the pictures are."""
        return [self.image_url]

    def wishes(self) -> dict[str, Any]:
        """The fields of an order."""
        target = ExpansionTarget(
            left=self.expand_left,
            top=self.expand_top,
            right=self.expand_right,
            bottom=self.expand_bottom,
            longest=LONGEST,
        )
        return {
            "targets": (target,),
            "rules": OrderRules(policy=Policy.EXPAND),
            "member": self.file_input,
        }

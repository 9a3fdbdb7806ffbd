"""How much work goes into a painting, and which aids the denoising loop uses: a table."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pipelines.engine import Mode
from pipelines.models.sdxl.schedule import Spacing


@dataclass(frozen=True, slots=True)
class Recipe:
    """One way to denoise.

    ``guidance`` is the weight of the prompt against its absence, 1 for none; it is applied while
    the share of steps taken lies within ``interval`` (Kynkäänniemi et al. 2024), and costs as
    much again there. ``overlap`` px of the source beside the new area are painted as well.
    ``ramp`` latent cells further inside, the source holds the painting to itself until the end,
    nearer the seam for fewer steps; 0 never holds it. With ``carries_colour`` the first noise
    is tinted with the pre-fill. A ``strength`` below 1 takes only that share of the steps, the
    last ones, and begins with the picture itself below as much noise.
    """

    steps: int
    guidance: float
    interval: tuple[float, float] = (0.0, 1.0)
    spacing: Spacing = Spacing.TRAILING
    overlap: int = 16
    ramp: int = 4
    carries_colour: bool = True
    strength: float = 1.0

    def guides(self, step: int) -> bool:
        """Whether the prompt is weighed against its absence at ``step``, counted from 0."""
        begin, end = self.interval
        return self.guidance > 1 and begin <= step / self.steps < end

    @property
    def evaluations(self) -> int:
        """Passes through the UNet for one picture."""
        return self.steps + sum(map(self.guides, range(self.steps)))


RECIPES: Mapping[Mode, Recipe] = MappingProxyType(
    {
        # until few-step weights are loaded, eight steps need some guidance to find a shape
        Mode.FAST: Recipe(steps=8, guidance=4.0, interval=(0.0, 0.5)),
        Mode.BALANCED: Recipe(steps=20, guidance=6.0, interval=(0.0, 0.5)),
        Mode.QUALITY: Recipe(steps=30, guidance=6.0, interval=(0.0, 0.8)),
    }
)
"""Starting points from the literature; no real weights have been seen through them yet."""

"""How much work goes into a painting, and which aids the denoising loop uses: tables.

What is untested: no recipe has seen real weights yet. All steps, guidances, intervals, strengths,
overlaps and ramps below are starting points from the literature, and the few-step ones have not
even seen the adapter that they are for.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType

from pipelines.engine import Mode


class Spacing(StrEnum):
    """Which of the training's time steps Euler's method visits.

    ``trailing`` begins at the last one, in nearly pure noise; ``leading`` begins earlier, the
    more so the fewer steps there are.
    """

    LEADING = "leading"
    TRAILING = "trailing"


class Sampler(StrEnum):
    """How a step gets to the next lower noise.

    ``euler`` removes a share of the noise that it sees. ``consistency`` (Luo et al. 2023, "Latent
    Consistency Models") removes all of it and adds fresh noise, less each time; it needs a model
    that was taught to see through all noise at once.
    """

    EULER = "euler"
    CONSISTENCY = "consistency"


@dataclass(frozen=True, slots=True)
class Recipe:
    """One way to denoise.

    ``guidance`` is the weight of the prompt against its absence, 1 for none; it is applied while
    the share of steps taken lies within ``interval`` (Kynkäänniemi et al. 2024), and costs as
    much again there. ``overlap`` px of the source beside the new area are painted as well.
    ``ramp`` latent cells further inside, the source holds the painting to itself until the end,
    nearer the seam for fewer steps; 0 never holds it. With ``carries_colour`` the first noise
    is tinted with the pre-fill. A ``strength`` below 1 takes only that share of the ``steps``,
    the last ones, and begins with the picture itself below as much noise. ``few_step`` switches
    the few-step adapter on.
    """

    steps: int
    guidance: float
    interval: tuple[float, float] = (0.0, 1.0)
    spacing: Spacing = Spacing.TRAILING
    overlap: int = 16
    ramp: int = 4
    carries_colour: bool = True
    strength: float = 1.0
    sampler: Sampler = Sampler.EULER
    few_step: bool = False

    @property
    def taken(self) -> int:
        """Steps that are really taken, at least 1."""
        return max(1, min(int(self.steps * self.strength), self.steps))

    @property
    def skipped(self) -> int:
        """Steps in the deepest noise that are left out."""
        return self.steps - self.taken

    @property
    def noises(self) -> int:
        """How many noises a picture brings: the first, and one more for each that is drawn anew."""
        return self.taken if self.sampler is Sampler.CONSISTENCY else 1

    def guides(self, step: int) -> bool:
        """Whether the prompt is weighed against its absence at ``step``, the first taken being 0.

        The interval counts all steps, also those left out: it speaks of noise, not of work.
        """
        begin, end = self.interval
        return self.guidance > 1 and begin <= (self.skipped + step) / self.steps < end

    @property
    def evaluations(self) -> int:
        """Passes through the UNet for one picture."""
        return self.taken + sum(map(self.guides, range(self.taken)))


RECIPES: Mapping[Mode, Recipe] = MappingProxyType(
    {
        # without the few-step adapter, eight steps need some guidance to find a shape
        Mode.FAST: Recipe(steps=8, guidance=4.0, interval=(0.0, 0.5)),
        Mode.BALANCED: Recipe(steps=20, guidance=6.0, interval=(0.0, 0.5)),
        Mode.QUALITY: Recipe(steps=30, guidance=6.0, interval=(0.0, 0.8)),
    }
)
"""What paints new areas where the few-step adapter is not loaded."""

FEW_STEP = Recipe(steps=8, guidance=1.0, sampler=Sampler.CONSISTENCY, few_step=True)
"""What ``fast`` is where the adapter is loaded: it was taught what guidance does."""

STRENGTHS: Mapping[Mode, float] = MappingProxyType(
    {Mode.FAST: 0.3, Mode.BALANCED: 0.3, Mode.QUALITY: 0.4}
)
"""What share of a recipe's steps gives an enlarged painting its detail, and keeps what it shows."""


def choose_recipes(*, has_few_step: bool) -> Mapping[Mode, Recipe]:
    """What paints new areas, by mode."""
    fast = FEW_STEP if has_few_step else RECIPES[Mode.FAST]
    return MappingProxyType({**RECIPES, Mode.FAST: fast})


def choose_refinements(*, has_few_step: bool) -> Mapping[Mode, Recipe]:
    """What gives an enlarged painting its detail, by mode: the same with less strength."""
    recipes = choose_recipes(has_few_step=has_few_step)
    return MappingProxyType(
        {mode: replace(recipe, strength=STRENGTHS[mode]) for mode, recipe in recipes.items()}
    )


REFINEMENTS: Mapping[Mode, Recipe] = choose_refinements(has_few_step=False)
"""What gives an enlarged painting its detail where the few-step adapter is not loaded."""

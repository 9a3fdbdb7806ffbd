"""One output as a plan has it: filled, laid together with the source, and looked at."""

from dataclasses import dataclass, replace
from typing import Self

from PIL import Image

from pipelines.canvas import Canvas, lay_out, resample
from pipelines.compose import Composed, compose, make_draft
from pipelines.composition import Composition
from pipelines.duplicates import Duplicate
from pipelines.engine import Engine, Mode, Painting
from pipelines.fill import Fill, draw_fill
from pipelines.geometry import Edge
from pipelines.plan import Plan
from pipelines.progress import Step, Stopwatch
from pipelines.proof import SEAM_VISIBLE, score_seam

ENLARGED = 1.5
"""What was painted is refined where the output has more than this many times its pixels."""


@dataclass(frozen=True, slots=True)
class Layout:
    """A source in its place, and the canvas to paint on.

    ``source`` is the whole of it, ``kept`` the part that is kept, output px; ``seen`` is what the
    describer saw with what the caller protects.
    """

    source: Image.Image
    kept: Image.Image
    plan: Plan
    seen: Composition
    canvas: Canvas

    @classmethod
    def make(cls, source: Image.Image, plan: Plan, seen: Composition) -> Self:
        """Carry ``plan`` out as far as it goes without painting."""
        kept = resample(source, plan)
        return cls(source, kept, plan, seen, lay_out(kept, plan, seen))

    def enlarge(self) -> Self:
        """With a canvas of the output's own size."""
        return replace(self, canvas=lay_out(self.kept, self.plan, self.seen, self.plan.target))


@dataclass(frozen=True, slots=True)
class Rendering:
    """A finished output; ``plan`` has the seam that its fill needs.

    ``fill`` is None where nothing was added. ``seam`` has a score per extended side.
    ``duplicates`` stays empty where nobody looked for them.
    """

    composed: Composed
    plan: Plan
    fill: Fill | None
    seed: int
    seam: dict[Edge, float]
    duplicates: tuple[Duplicate, ...] = ()

    @property
    def worst_seam(self) -> float:
        """The highest score of its seams, 0 where there is none."""
        return max(self.seam.values(), default=0.0)

    @property
    def flaws(self) -> tuple[str, ...]:
        """Why a person should look at it, in words."""
        seams = (
            f"the seam shows at the {edge} edge: {score:.1f}, seen above {SEAM_VISIBLE:g}"
            for edge, score in self.seam.items()
            if self.fill and self.fill.continues and score > SEAM_VISIBLE
        )
        return (*seams, *(duplicate.words for duplicate in self.duplicates))


def draw(layout: Layout, fill: Fill | None, seed: int, watch: Stopwatch) -> Rendering:
    """An output that needs no engine: filled by the source itself, or by nothing at all."""
    watch.start(Step.OUTPAINT)
    if fill is None:
        return _finish(layout, None, None, seed, watch)
    # exact at the output's own size, and nothing to blend
    layout = replace(layout, plan=replace(layout.plan, feather=layout.plan.rim)).enlarge()
    return _finish(layout, draw_fill(fill, layout.canvas, layout.source), fill, seed, watch)


def paint(layout: Layout, painting: Painting, engine: Engine, watch: Stopwatch) -> Rendering:
    """An output that the engine paints, where it is large in two steps."""
    watch.start(Step.OUTPAINT)
    painted = engine.outpaint(painting, watch.progress)
    if engine.refine and _is_refined(painting.mode, layout.plan):
        watch.start(Step.REFINE)
        large = layout.enlarge()
        draft = make_draft(painted, layout.canvas, large.canvas)
        canvas = replace(large.canvas, picture=draft)
        painted = engine.refine(replace(painting, canvas=canvas), watch.progress)
        layout = large
    return _finish(layout, painted, Fill.GENERATE, painting.seed, watch)


def _is_refined(mode: Mode, plan: Plan) -> bool:
    return mode is Mode.QUALITY or plan.target.area / plan.canvas.area > ENLARGED


def _finish(
    layout: Layout, painted: Image.Image | None, fill: Fill | None, seed: int, watch: Stopwatch
) -> Rendering:
    watch.start(Step.COMPOSE)
    plan = layout.plan
    composed = compose(layout.kept, painted, layout.canvas, plan, seed)
    watch.start(Step.CHECK)
    return Rendering(composed, plan, fill, seed, score_seam(composed.output, plan))

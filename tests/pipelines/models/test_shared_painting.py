"""The tiny SDXL, asked by two threads: a batch is shared, and nobody sees the other in it."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

import numpy as np
from PIL import Image

from pipelines.engine import Mode, Painting
from pipelines.errors import JobCancelled
from pipelines.models.audience import Audience
from pipelines.models.batcher import Batcher
from pipelines.models.device import CPU
from pipelines.models.lane import Lane
from pipelines.models.sdxl.components import Components
from pipelines.models.sdxl.outpainter import SdxlOutpainter
from pipelines.models.sdxl.painter import Painter
from pipelines.models.sdxl.patch import Patch
from pipelines.models.sdxl.recipe import Recipe
from pipelines.progress import Progress, ignore_progress
from tests.pipelines.models.sdxl.scenes import draw_canvas, make_outpainter

PATIENCE = 60.0
"""The batch waits for both threads, s."""

RECIPE = Recipe(steps=3, guidance=3.0)
PROMPTS = ("the red sky", "the sky")


def paint_together(
    components: Components, ears: Sequence[Progress]
) -> tuple[list[Future[Image.Image]], list[int]]:
    """Both prompts in one batch; the paintings to come, and how many rows each batch had."""
    painter = Painter(components, CPU)
    batches: list[int] = []

    def work(
        patches: Sequence[Patch], audience: Audience, *, thrifty: bool
    ) -> dict[int, Image.Image]:
        batches.append(len(patches))
        return painter(patches, audience)

    lane: Lane[Patch, Image.Image] = Lane(work, lambda patch: patch.kind, rows=2)
    with Batcher(PATIENCE) as batcher, ThreadPoolExecutor(2) as pool:
        outpaint = SdxlOutpainter(
            partial(batcher.call, lane),
            native=components.native,
            cell=components.cell,
            recipes=dict.fromkeys(Mode, RECIPE),
        )
        paintings = [
            pool.submit(outpaint, make_painting(number), ear) for number, ear in enumerate(ears)
        ]
    return paintings, batches


def make_painting(number: int) -> Painting:
    return Painting(draw_canvas(160, 96), prompt=PROMPTS[number], seed=number)


def assert_looks_like(picture: Image.Image, expected: Image.Image) -> None:
    """But for the rounding of sums that a batch adds up in another order."""
    difference = np.asarray(picture).astype(int) - np.asarray(expected)
    assert np.abs(difference).max() <= 1


def test_two_threads_paint_together_what_they_paint_alone(components: Components) -> None:
    paintings, batches = paint_together(components, [ignore_progress, ignore_progress])
    assert batches == [2]
    outpaint = make_outpainter(components, RECIPE)
    expected = [outpaint(make_painting(number), ignore_progress) for number in range(2)]
    assert expected[0].tobytes() != expected[1].tobytes()
    for painting, alone in zip(paintings, expected, strict=True):
        assert_looks_like(painting.result(), alone)


def test_who_is_cancelled_while_painting_does_not_change_the_other(components: Components) -> None:
    def cancel(step: str, fraction: float) -> None:
        if fraction > 0.5:
            raise JobCancelled

    paintings, batches = paint_together(components, [cancel, ignore_progress])
    assert batches == [2]
    assert isinstance(paintings[0].exception(), JobCancelled)
    alone = make_outpainter(components, RECIPE)(make_painting(1), ignore_progress)
    assert_looks_like(paintings[1].result(), alone)

"""The outpainter on a tiny model: what it promises to those who call it."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from pipelines.canvas import Canvas
from pipelines.engine import Painting
from pipelines.errors import JobCancelled, ModelError
from pipelines.geometry import PixelBox, Size
from pipelines.models.device import CPU, Device
from pipelines.models.sdxl.components import Components, load_components
from pipelines.models.sdxl.outpainter import SdxlOutpainter
from pipelines.models.sdxl.painter import Painter
from pipelines.models.sdxl.patch import Patch
from pipelines.models.sdxl.recipe import Recipe
from pipelines.progress import Progress, Step, ignore_progress
from tests.pipelines.models.sdxl.scenes import count_calls, draw_canvas, make_outpainter, nobody

RECIPE = Recipe(steps=4, guidance=5.0, interval=(0.0, 0.5))
"""Six evaluations."""


@pytest.fixture(scope="module")
def outpaint(components: Components) -> SdxlOutpainter:
    return make_outpainter(components, RECIPE)


def paint(
    outpaint: SdxlOutpainter,
    canvas: Canvas,
    *,
    prompt: str = "the red sky",
    seed: int = 1,
    progress: Progress = ignore_progress,
) -> Image.Image:
    return outpaint(Painting(canvas, prompt, seed), progress)


@pytest.mark.parametrize("size", [(192, 128), (90, 100), (300, 40), (7, 200), (3, 2)])
def test_a_canvas_of_any_size_comes_back_at_that_size(
    outpaint: SdxlOutpainter, size: tuple[int, int]
) -> None:
    width, height = size
    canvas = draw_canvas(width, height, PixelBox(width // 3, 0, width // 3 + 1, height))
    painted = paint(outpaint, canvas)
    assert painted.size == size
    assert painted.mode == "RGB"


def test_the_same_seed_paints_the_same_and_another_does_not(outpaint: SdxlOutpainter) -> None:
    canvas = draw_canvas(192, 128)
    first, again, other = (paint(outpaint, canvas, seed=seed).tobytes() for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_the_prompt_and_the_source_both_count(outpaint: SdxlOutpainter) -> None:
    canvas, moved = draw_canvas(192, 128), draw_canvas(192, 128, PixelBox(80, 0, 140, 128))
    pictures = {
        paint(outpaint, canvas).tobytes(),
        paint(outpaint, canvas, prompt="a sea").tobytes(),
        paint(outpaint, moved).tobytes(),
    }
    assert len(pictures) == 3


def test_pictures_painted_together_turn_out_as_alone(
    outpaint: SdxlOutpainter, components: Components
) -> None:
    paintings = [
        Painting(draw_canvas(192, 128), "the red sky", 1),
        Painting(draw_canvas(180, 120, PixelBox(0, 0, 70, 110)), "a sea", 2),
        Painting(draw_canvas(61, 40), "the red sky", 3),
    ]
    patches = [outpaint.make_patch(each, outpaint.fit(each.canvas)) for each in paintings]
    assert {patch.kind.size for patch in patches} == {Size(192, 128)}
    painter = Painter(components, CPU)

    def denoise(*patches: Patch) -> torch.Tensor:
        with CPU.working():
            return painter.denoise(painter.prepare(patches), RECIPE, nobody(len(patches)))[1]

    together = denoise(*patches)
    for number, patch in enumerate(patches):
        alone = denoise(patch)[0]
        assert float((together[number] - alone).abs().max() / alone.std()) < 5e-5


def test_progress_is_heard_before_every_step(outpaint: SdxlOutpainter) -> None:
    heard: list[tuple[str, float]] = []
    paint(outpaint, draw_canvas(128, 128), progress=lambda *told: heard.append(told))
    assert heard == [(Step.OUTPAINT, fraction) for fraction in (0, 0.25, 0.5, 0.75, 1)]


def test_a_job_stops_between_steps_and_the_next_one_is_not_disturbed(
    outpaint: SdxlOutpainter, components: Components
) -> None:
    canvas = draw_canvas(128, 128)
    before = paint(outpaint, canvas).tobytes()

    def stop(step: str, fraction: float) -> None:
        if fraction >= 0.5:
            raise JobCancelled

    with count_calls(components.unet) as calls, pytest.raises(JobCancelled):
        paint(outpaint, canvas, progress=stop)
    assert len(calls) == 2
    assert paint(outpaint, canvas).tobytes() == before


def test_the_seam_is_held_to_the_source(components: Components) -> None:
    canvas = draw_canvas(192, 128, PixelBox(0, 0, 128, 128))
    painter, outpaint = Painter(components, CPU), make_outpainter(components, RECIPE)
    with CPU.working():
        (row,) = painter.prepare([outpaint.make_patch(Painting(canvas), outpaint.fit(canvas))])
        latents = painter.denoise([row], RECIPE, nobody())[1][0]
    deep = (row.hold == 1).expand_as(latents)
    assert 0.3 < deep.float().mean() < 0.6
    torch.testing.assert_close(latents[deep], row.masked[deep])


def test_the_first_noise_is_tinted_with_the_prefill(components: Components) -> None:
    canvas = draw_canvas(128, 128)

    def tint(colour: str, *, carries: bool) -> torch.Tensor:
        recipe = Recipe(2, 1.0, carries_colour=carries)
        prefill = Image.new("RGB", canvas.size, colour)
        outpaint = make_outpainter(components, recipe, prefill=lambda _: prefill)
        patch = outpaint.make_patch(Painting(canvas), outpaint.fit(canvas))
        with CPU.working():
            (row,) = Painter(components, CPU).prepare([patch])
        return row.tint

    assert not torch.equal(tint("red", carries=True), tint("blue", carries=True))
    assert not tint("red", carries=False).any()


def test_running_out_of_memory_ends_as_our_error_and_breaks_nothing(
    outpaint: SdxlOutpainter, components: Components
) -> None:
    canvas = draw_canvas(128, 128)

    def fail(*_: object) -> None:
        raise torch.OutOfMemoryError

    hook = components.unet.register_forward_pre_hook(fail)
    try:
        with pytest.raises(ModelError, match="memory") as caught:
            paint(outpaint, canvas)
    finally:
        hook.remove()
    assert isinstance(caught.value.__cause__, torch.OutOfMemoryError)
    assert np.asarray(paint(outpaint, canvas)).std() > 0


def test_half_precision_paints_nearly_the_same(replica: Path, components: Components) -> None:
    half = Device(CPU.hardware, torch.float16, CPU.attention)
    canvas, recipe = draw_canvas(128, 64), Recipe(steps=2, guidance=3.0, interval=(0.0, 0.5))
    exact, rough = (
        np.asarray(paint(make_outpainter(parts, recipe, device=device), canvas), float)
        for parts, device in ((components, CPU), (load_components(replica, half), half))
    )
    assert 0 < np.abs(exact - rough).mean() < 1

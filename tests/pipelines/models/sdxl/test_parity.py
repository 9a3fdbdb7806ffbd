"""With our own aids off, the loop is diffusers' inpainting pipeline, number for number."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import EulerDiscreteScheduler, LCMScheduler, StableDiffusionXLInpaintPipeline
from diffusers.pipelines.stable_diffusion_xl import pipeline_stable_diffusion_xl_inpaint
from diffusers.schedulers import scheduling_lcm

from pipelines.canvas import Canvas
from pipelines.engine import Painting
from pipelines.geometry import PixelBox
from pipelines.models.device import CPU
from pipelines.models.sdxl.components import Components
from pipelines.models.sdxl.denoise import make_noise
from pipelines.models.sdxl.outpainter import SdxlOutpainter
from pipelines.models.sdxl.painter import Painter
from pipelines.models.sdxl.recipe import Recipe, Sampler, Spacing
from pipelines.models.sdxl.schedule import Training, make_schedule
from pipelines.progress import ignore_progress
from tests.pipelines.models.sdxl.replica import SCHEDULER
from tests.pipelines.models.sdxl.scenes import draw_canvas, make_outpainter, nobody

# the library's scheduler lets numpy 2 copy a tensor in the old way
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

TOLERANCE = 5e-5
"""Of the latents' standard deviation; rounding alone, of strong guidance by random weights."""

SEED = 7

CASES = [
    (128, 128, Recipe(3, 5.0, spacing=Spacing.LEADING)),
    (192, 128, Recipe(5, 7.5, spacing=Spacing.LEADING)),
    (128, 192, Recipe(4, 1.0, spacing=Spacing.LEADING)),
    (256, 64, Recipe(7, 3.0, spacing=Spacing.LEADING)),
    (192, 64, Recipe(1, 2.0, spacing=Spacing.LEADING)),
    (64, 192, Recipe(6, 8.0, spacing=Spacing.TRAILING)),
    (128, 128, Recipe(9, 1.0, spacing=Spacing.TRAILING)),
    (128, 128, Recipe(1, 1.0, sampler=Sampler.CONSISTENCY)),
    (192, 128, Recipe(4, 1.0, sampler=Sampler.CONSISTENCY)),
    (128, 192, Recipe(7, 1.0, sampler=Sampler.CONSISTENCY)),
    (256, 64, Recipe(12, 1.5, sampler=Sampler.CONSISTENCY)),
    (128, 128, Recipe(7, 4.0, spacing=Spacing.LEADING, strength=0.5)),
    (192, 128, Recipe(10, 3.0, spacing=Spacing.TRAILING, strength=0.3)),
    (64, 192, Recipe(8, 1.0, sampler=Sampler.CONSISTENCY, strength=0.4)),
]


@pytest.fixture(scope="module")
def pipeline(replica: Path) -> Any:
    pipeline = StableDiffusionXLInpaintPipeline.from_pretrained(
        replica, local_files_only=True, use_safetensors=True, add_watermarker=False
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def run_theirs(pipeline: Any, canvas: Canvas, recipe: Recipe, form: str) -> Any:
    width, height = canvas.size
    pipeline.scheduler = make_scheduler(recipe)
    with feed(make_noise(SEED, (recipe.noises, 4, height // 8, width // 8))):
        return pipeline(
            prompt="the red sky",
            image=canvas.picture,
            mask_image=canvas.mask,
            width=width,
            height=height,
            strength=recipe.strength,
            num_inference_steps=recipe.steps,
            guidance_scale=recipe.guidance,
            output_type=form,
        ).images


def make_scheduler(recipe: Recipe) -> Any:
    match recipe.sampler:
        case Sampler.EULER:
            return EulerDiscreteScheduler.from_config(
                SCHEDULER, timestep_spacing=recipe.spacing.value
            )
        case Sampler.CONSISTENCY:
            return LCMScheduler.from_config(SCHEDULER)


@contextmanager
def feed(noises: torch.Tensor) -> Iterator[None]:
    """Wherever the library draws noise, it gets the next of ``noises``; all must be drawn."""
    given = iter(noises)

    def draw(shape: Any, **_: object) -> torch.Tensor:
        noise: torch.Tensor = next(given)
        return noise.reshape(shape)

    with pytest.MonkeyPatch.context() as patch:
        for module in (pipeline_stable_diffusion_xl_inpaint, scheduling_lcm):
            patch.setattr(module, "randn_tensor", draw)
        yield
    assert next(given, None) is None


def without_aids(recipe: Recipe) -> Recipe:
    return replace(recipe, overlap=0, ramp=0, carries_colour=False)


def draw_odd_canvas(width: int, height: int) -> Canvas:
    """The kept part ends nowhere on the grid of latents."""
    return draw_canvas(width, height, PixelBox(width // 4 + 3, 5, width - 20, height))


def outpaint_plainly(components: Components, recipe: Recipe) -> SdxlOutpainter:
    return make_outpainter(components, without_aids(recipe), prefill=lambda canvas: canvas.picture)


def run_ours(
    components: Components, canvas: Canvas, recipe: Recipe, prompt: str = "the red sky"
) -> torch.Tensor:
    outpainter = outpaint_plainly(components, recipe)
    painter, painting = Painter(components, CPU), Painting(canvas, prompt, SEED)
    patch = outpainter.make_patch(painting, outpainter.fit(canvas))
    with CPU.working():
        return painter.denoise(painter.prepare([patch]), patch.recipe, nobody())[1]


def measure_difference(ours: torch.Tensor, theirs: torch.Tensor) -> float:
    """The largest one, in standard deviations."""
    return float((ours - theirs).abs().max() / theirs.std())


@pytest.mark.parametrize(("width", "height", "recipe"), CASES)
def test_the_plain_loop_gives_the_librarys_latents(
    components: Components, pipeline: Any, width: int, height: int, recipe: Recipe
) -> None:
    canvas = draw_odd_canvas(width, height)
    ours = run_ours(components, canvas, recipe)
    theirs = run_theirs(pipeline, canvas, recipe, "latent")
    assert ours.shape == theirs.shape == (1, 4, height // 8, width // 8)
    assert measure_difference(ours, theirs) < TOLERANCE


def test_the_plain_outpainter_gives_the_librarys_picture(
    components: Components, pipeline: Any
) -> None:
    canvas, recipe = draw_odd_canvas(192, 128), CASES[1][2]
    outpaint = outpaint_plainly(components, recipe)
    ours = outpaint(Painting(canvas, "the red sky", SEED), ignore_progress)
    (theirs,) = run_theirs(pipeline, canvas, recipe, "pil")
    difference = np.abs(np.asarray(ours, int) - np.asarray(theirs, int))
    assert difference.max() <= 1  # a level, where rounding falls to the other side
    assert (difference > 0).mean() < 0.001


@pytest.mark.parametrize("strength", [0.01, 0.25, 0.3, 0.5, 0.7, 0.999])
@pytest.mark.parametrize("steps", [1, 7, 20, 30])
def test_less_strength_begins_where_the_library_does(
    pipeline: Any, steps: int, strength: float
) -> None:
    recipe = Recipe(steps, 1.0, spacing=Spacing.TRAILING, strength=strength)
    pipeline.scheduler = make_scheduler(recipe)
    pipeline.scheduler.set_timesteps(steps)
    times, taken = pipeline.get_timesteps(steps, strength, "cpu")
    if not taken:  # where the library refuses to work, we take one step
        times, taken = pipeline.scheduler.timesteps[-1:], 1
        pipeline.scheduler.set_begin_index(steps - 1)
    ours = make_schedule(Training.from_config(SCHEDULER), recipe, CPU)
    assert recipe.taken == len(ours) == taken
    assert torch.equal(ours.timesteps, times)
    picture, noise = make_noise(1, (1, 4, 2, 2)), make_noise(2, (1, 4, 2, 2))
    theirs = pipeline.scheduler.add_noise(picture, noise, times[:1])
    torch.testing.assert_close(picture + ours.start * noise, theirs)


def test_the_comparison_would_notice_another_guidance(
    components: Components, pipeline: Any
) -> None:
    canvas, recipe = draw_odd_canvas(128, 128), CASES[0][2]
    ours = run_ours(components, canvas, Recipe(3, 5.1, spacing=Spacing.LEADING))
    theirs = run_theirs(pipeline, canvas, recipe, "latent")
    assert measure_difference(ours, theirs) > 10 * TOLERANCE


def test_the_comparison_would_notice_another_prompt(components: Components, pipeline: Any) -> None:
    canvas, recipe = draw_odd_canvas(128, 128), CASES[0][2]
    ours = run_ours(components, canvas, recipe, "a")
    theirs = run_theirs(pipeline, canvas, recipe, "latent")
    assert measure_difference(ours, theirs) > 10 * TOLERANCE

"""What is new gets its detail at the output's size, and everything else stays as it was."""

import threading
from collections.abc import Callable

import numpy as np
import pytest
import torch
from PIL import Image

from pipelines.canvas import Canvas
from pipelines.engine import Mode, Painting
from pipelines.errors import JobCancelled
from pipelines.geometry import PixelBox, Size
from pipelines.models.audience import Tick
from pipelines.models.device import CPU
from pipelines.models.lane import alone
from pipelines.models.sdxl.components import Components
from pipelines.models.sdxl.denoise import make_noise
from pipelines.models.sdxl.mask import widen_mask
from pipelines.models.sdxl.painter import Painter
from pipelines.models.sdxl.patch import Patch
from pipelines.models.sdxl.recipe import Recipe
from pipelines.models.sdxl.refiner import SdxlRefiner
from pipelines.models.sdxl.tiles import Tiling
from pipelines.progress import Progress, Step, ignore_progress
from tests.pipelines.models.sdxl.scenes import count_calls

RECIPE = Recipe(steps=4, guidance=3.0, interval=(0.0, 1.0), strength=0.5)
"""Two steps of two evaluations."""

LARGE = PixelBox(0, 0, 300, 320)
"""What is known of a draft of 384x320 px: of tiles in three columns the right ones are touched."""


def draw_draft(width: int, height: int, place: PixelBox) -> Canvas:
    """A picture everywhere, with the source in ``place``."""
    y, x = np.mgrid[:height, :width]
    levels = np.stack([x * 200 // width + 30, y * 200 // height + 30, (x // 5 + y // 7) % 200], 2)
    mask = Image.new("L", (width, height), 255)
    mask.paste(0, place)
    return Canvas(Image.fromarray(levels.astype(np.uint8)), mask, place)


class Easel:
    """Notes the patches, and paints by a rule."""

    def __init__(self, rule: Callable[[np.ndarray], np.ndarray] = lambda levels: levels) -> None:
        self.patches: list[Patch] = []
        self._rule = rule

    def __call__(self, patch: Patch, tick: Tick) -> Image.Image:
        tick(0.0)
        self.patches.append(patch)
        tick(1.0)
        levels = self._rule(np.asarray(patch.picture, int))
        return Image.fromarray(np.clip(levels, 0, 255).astype(np.uint8))


def refine(
    paint: Callable[[Patch, Tick], Image.Image],
    canvas: Canvas,
    *,
    native: int = 128,
    workers: int = 1,
    seed: int = 1,
    progress: Progress = ignore_progress,
) -> np.ndarray:
    recipes = dict.fromkeys(Mode, RECIPE)
    refiner = SdxlRefiner(paint, native=native, cell=8, recipes=recipes, workers=workers)
    refined = refiner(Painting(canvas, "the red sky", seed), progress)
    assert refined.mode == "RGB"
    assert refined.size == canvas.size
    return np.asarray(refined, int)


def one_at_a_time(components: Components) -> Callable[[Patch, Tick], Image.Image]:
    """The tiny model, to be called from any thread."""
    paint, lock = alone(Painter(components, CPU)), threading.Lock()

    def wait(patch: Patch, tick: Tick) -> Image.Image:
        with lock:
            return paint(patch, tick)

    return wait


def levels_of(canvas: Canvas) -> np.ndarray:
    return np.asarray(canvas.picture, int)


def band_of(canvas: Canvas) -> np.ndarray:
    """All that may change: what is new and the overlap."""
    width, height = canvas.size
    padding = ((0, -height % 64), (0, -width % 64))
    mask = np.pad(np.asarray(canvas.mask), padding, mode="edge")
    return widen_mask(mask, RECIPE.overlap, 8)[:height, :width] > 0


@pytest.mark.parametrize(
    ("size", "place", "shapes"),
    [
        # 2K: what is new on both sides, all of it at once
        (Size(2048, 1152), PixelBox(400, 0, 1648, 1152), [Size(512, 1152)] * 2),
        (Size(2048, 1152), PixelBox(400, 200, 1648, 1152), [Size(2048, 1152)]),
        (Size(1920, 1080), PixelBox(0, 50, 1920, 1080), [Size(1920, 192)]),
        # 4K: an eighth on either side, a quarter on one, half of it below, a frame of it around
        (Size(4096, 2304), PixelBox(512, 0, 3584, 2304), [Size(640, 2304)] * 2),
        (Size(4096, 2304), PixelBox(1024, 0, 4096, 2304), [Size(1152, 2304)]),
        (Size(4096, 2304), PixelBox(0, 0, 4096, 1152), [Size(1472, 704)] * 6),
        (Size(4096, 2304), PixelBox(600, 600, 3400, 1700), [Size(704, 1216)] * 14),
        (Size(8000, 700), PixelBox(0, 0, 7000, 700), [Size(1152, 704)]),
    ],
)
def test_windows_up_to_three_native_areas_are_one_patch_and_beyond_equal_tiles(
    size: Size, place: PixelBox, shapes: list[Size]
) -> None:
    easel = Easel()
    refine(easel, draw_draft(*size, place), native=1024)
    assert [patch.kind.size for patch in easel.patches] == shapes
    assert len({patch.kind for patch in easel.patches}) == 1


def test_tiles_without_new_pixels_are_left_out() -> None:
    """The known middle of a broad frame."""
    easel, place = Easel(), PixelBox(800, 700, 3400, 3400)
    refine(easel, draw_draft(4096, 4096, place), native=1024)
    size = easel.patches[0].kind.size
    tiling = Tiling.share_out(Size(4096, 4096), 1024, 128, 8)
    assert size == tiling.size
    assert 0 < len(easel.patches) < len(tiling.boxes)


@pytest.mark.parametrize(("width", "place"), [(390, LARGE), (200, PixelBox(60, 0, 150, 190))])
def test_a_model_that_changes_nothing_leaves_the_draft(width: int, place: PixelBox) -> None:
    canvas = draw_draft(width, place.bottom, place)
    assert np.array_equal(refine(Easel(), canvas), levels_of(canvas))


def test_nothing_new_needs_no_model() -> None:
    easel, canvas = Easel(), draw_draft(384, 320, PixelBox(0, 0, 384, 320))
    assert np.array_equal(refine(easel, canvas), levels_of(canvas))
    assert not easel.patches


def test_tiles_that_agree_leave_no_seam() -> None:
    """A chequered detail is added, whole in every new pixel, wherever tiles meet."""
    y, x = np.mgrid[:128, :128]
    detail = np.where((x // 4 + y // 4) % 2, 20, -20)[..., None]
    canvas = draw_draft(384, 320, PixelBox(150, 130, 260, 200))
    easel = Easel(lambda levels: levels + detail)
    change = refine(easel, canvas) - levels_of(canvas)
    assert len(easel.patches) == 12
    new = np.asarray(canvas.mask) > 0
    clear = (levels_of(canvas).min(2) > 25) & (levels_of(canvas).max(2) < 230)
    assert np.abs(np.abs(change[new & clear]) - 20).max() <= 4
    assert np.abs(change[new & clear].mean(0)).max() < 0.5


def test_broad_colours_stay_the_drafts() -> None:
    canvas = draw_draft(384, 320, LARGE)
    redder = Easel(lambda levels: levels + np.array([25, 0, -10]))
    assert np.abs(refine(redder, canvas) - levels_of(canvas)).max() <= 1


def test_beyond_the_band_not_a_pixel_changes_and_within_it_fades(
    components: Components,
) -> None:
    for canvas in (draw_draft(384, 320, LARGE), draw_draft(203, 190, PixelBox(50, 0, 160, 190))):
        refined = refine(one_at_a_time(components), canvas)
        changed = (refined != levels_of(canvas)).any(2)
        new, band = np.asarray(canvas.mask) > 0, band_of(canvas)
        assert not changed[~band].any()
        assert changed[new].mean() > 0.9
        assert 0 < changed[band & ~new].mean() < 1


def test_the_noise_of_overlapping_tiles_agrees() -> None:
    easel, canvas = Easel(), draw_draft(384, 320, LARGE)
    refine(easel, canvas, seed=5)
    field = make_noise(5, (1, 4, 40, 48))
    boxes = Tiling.share_out(Size(256, 320), 128, 16, 8).boxes
    touched = [[side // 8 for side in box] for box in boxes if 128 + box.right > LARGE.right]
    assert len(easel.patches) == len(touched) > 1
    for patch, (left, top, right, bottom) in zip(easel.patches, touched, strict=True):
        assert torch.equal(patch.noise, field[..., top:bottom, 16 + left : 16 + right])


def test_a_patch_is_told_all_that_is_painted_and_to_widen_it_no_more() -> None:
    easel, canvas = Easel(), draw_draft(320, 128, PixelBox(0, 0, 100, 128))
    refine(easel, canvas)
    (patch,) = easel.patches
    assert patch.recipe.overlap == 0
    assert patch.recipe.strength == RECIPE.strength
    assert patch.prompt == "the red sky"
    assert np.array_equal(np.asarray(patch.mask) > 0, band_of(canvas))


def test_the_order_of_work_does_not_matter(components: Components) -> None:
    canvas, paint = draw_draft(384, 320, LARGE), one_at_a_time(components)
    assert np.array_equal(refine(paint, canvas), refine(paint, canvas, workers=4))


@pytest.mark.parametrize("workers", [1, 4])
def test_every_tile_touched_is_evaluated_and_no_other(components: Components, workers: int) -> None:
    heard: list[tuple[str, float]] = []
    easel = Easel()
    refine(easel, draw_draft(384, 320, LARGE))
    with count_calls(components.unet) as calls:
        refine(
            one_at_a_time(components),
            draw_draft(384, 320, LARGE),
            workers=workers,
            progress=lambda *told: heard.append(told),
        )
    sizes = [patch.kind.size for patch in easel.patches for _ in range(2)]
    assert calls == [(2, 9, size.height // 8, size.width // 8) for size in sizes]
    assert {step for step, _ in heard} == {Step.REFINE}
    fractions = [fraction for _, fraction in heard]
    assert fractions == sorted(fractions)
    assert (fractions[0], fractions[-1]) == (0, 1)


def test_who_stops_the_job_stops_all_its_tiles(components: Components) -> None:
    def stop(step: str, fraction: float) -> None:
        if fraction > 0:
            raise JobCancelled

    with count_calls(components.unet) as calls, pytest.raises(JobCancelled):
        refine(one_at_a_time(components), draw_draft(384, 320, LARGE), progress=stop)
    assert len(calls) == 1


def test_the_same_seed_refines_the_same_and_another_does_not(components: Components) -> None:
    canvas, paint = draw_draft(203, 190, PixelBox(50, 0, 160, 190)), one_at_a_time(components)
    first, again, other = (refine(paint, canvas, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)

"""The painter does no work twice, and decodes only what is new."""

from dataclasses import replace

import numpy as np
import torch
from PIL import Image
from torch.utils.flop_counter import FlopCounterMode

from pipelines.canvas import Canvas
from pipelines.errors import JobCancelled
from pipelines.geometry import PixelBox
from pipelines.models.audience import Audience
from pipelines.models.device import CPU
from pipelines.models.sdxl.components import Components
from pipelines.models.sdxl.denoise import make_noise
from pipelines.models.sdxl.painter import Painter
from pipelines.models.sdxl.patch import Patch
from pipelines.models.sdxl.prefill import fill_blurred
from pipelines.models.sdxl.recipe import Recipe
from tests.pipelines.models.sdxl.scenes import count_calls, draw_canvas, ignore, nobody
from tests.pipelines.models.sdxl.vaes import make_frozen_vae, tile_as_the_library_does

RECIPE = Recipe(steps=2, guidance=1.0)

WIDE = draw_canvas(512, 64, PixelBox(0, 0, 464, 64))
"""48 px are new on the right: 6 cells of 64, and 18 with their context."""

FULL = draw_canvas(512, 64)
"""Half of it is new: too much for windows."""

BOTH = draw_canvas(512, 64, PixelBox(32, 0, 480, 64))
"""32 px are new on either side."""


def make_patch(canvas: Canvas, seed: int = 1, recipe: Recipe = RECIPE) -> Patch:
    width, height = canvas.size
    noise = make_noise(seed, (recipe.noises, 4, height // 8, width // 8))
    return Patch(fill_blurred(canvas), canvas.mask, "the red sky", noise, recipe)


def paint(painter: Painter, *patches: Patch, thrifty: bool = False) -> list[np.ndarray]:
    pictures = painter(patches, nobody(len(patches)), thrifty=thrifty)
    return [np.asarray(pictures[number], int) for number in range(len(patches))]


def test_another_seed_of_the_same_canvas_costs_no_encoding(components: Components) -> None:
    painter, canvas = Painter(components, CPU), draw_canvas(192, 128)
    with count_calls(components.vae.encoder) as encoded:
        first, second = (paint(painter, make_patch(canvas, seed)) for seed in (1, 2))
    assert encoded == [(1, 3, 128, 192), (1, 3, 32, 48)]
    assert not np.array_equal(first, second)


def test_seeds_painted_together_are_encoded_once(components: Components) -> None:
    painter, canvas = Painter(components, CPU), draw_canvas(192, 128)
    patches = [make_patch(canvas, 1), make_patch(canvas, 2), make_patch(draw_canvas(192, 128))]
    patches.append(make_patch(draw_canvas(192, 128, PixelBox(0, 0, 90, 128))))
    with count_calls(components.vae.encoder) as encoded:
        paint(painter, *patches)
    assert encoded == [(2, 3, 128, 192), (2, 3, 32, 48)]


def test_another_prefill_of_the_same_source_costs_only_its_colours(components: Components) -> None:
    canvas = draw_canvas(192, 128)
    painter, patch = Painter(components, CPU), make_patch(canvas)
    other = Patch(canvas.picture, patch.mask, patch.prompt, patch.noise, patch.recipe)
    paint(painter, patch)
    with count_calls(components.vae.encoder) as encoded:
        paint(painter, other)
    assert encoded == [(1, 3, 32, 48)]


def test_what_is_only_refined_starts_from_the_picture_itself(components: Components) -> None:
    painter = Painter(components, CPU)
    patch = make_patch(draw_canvas(192, 128), recipe=Recipe(steps=4, guidance=1.0, strength=0.5))
    with count_calls(components.vae.encoder) as encoded, CPU.working():
        (row,) = painter.prepare([patch])
        levels = torch.from_numpy(np.array(patch.picture)).permute(2, 0, 1)[None]
        picture = components.vae.encode(levels / 127.5 - 1).latent_dist.mode() * 0.13025
    assert encoded == [(1, 3, 128, 192)] * 3  # masked, whole, and this test's own
    torch.testing.assert_close(row.tint, picture[0], atol=1e-5, rtol=1e-4)


def test_only_a_window_around_what_is_new_is_decoded(components: Components) -> None:
    painter, patch = Painter(components, CPU), make_patch(WIDE)
    with count_calls(components.vae.decoder) as decoded:
        (painted,) = paint(painter, patch)
    assert decoded == [(1, 4, 8, 24)]
    given = np.asarray(patch.picture, int)
    assert np.array_equal(painted[:, : 512 - 24 * 8], given[:, : 512 - 24 * 8])
    assert np.abs(painted[:, 464:] - given[:, 464:]).mean() > 5
    # it comes in softly: at its first px next to nothing is the decoder's
    change = np.abs(painted - given).mean((0, 2))[512 - 24 * 8 :]
    assert change[0] < 0.2 * change[32:64].mean()


def test_growth_on_both_sides_has_a_window_on_each(components: Components) -> None:
    painter, patch = Painter(components, CPU), make_patch(BOTH)
    with count_calls(components.vae.decoder) as decoded:
        (painted,) = paint(painter, patch)
    assert decoded == [(2, 4, 8, 16)]
    changed = np.flatnonzero((painted != np.asarray(patch.picture, int)).any((0, 2)))
    assert changed.min() == 0
    assert changed.max() == 511
    assert not ((changed >= 128) & (changed < 384)).any()


def measure_difference(components: Components, *, windows: bool) -> float:
    """In levels where it is new, from the whole decoded at once."""
    patch, new = make_patch(BOTH), np.asarray(BOTH.mask) > 0
    (whole,) = paint(Painter(components, CPU, windows=False), patch)
    if not windows:
        tile_as_the_library_does(components.vae, 128)
    (painted,) = paint(Painter(components, CPU, windows=windows), patch)
    return float(np.abs(painted - whole)[new].mean())


def test_a_decoder_without_statistics_decodes_windows_as_it_does_the_whole(
    components: Components,
) -> None:
    plain = replace(components, vae=make_frozen_vae(statistics=False))
    assert measure_difference(plain, windows=True) < 0.01


def test_windows_differ_less_from_the_whole_than_the_librarys_tiles_do(
    components: Components,
) -> None:
    """All that is left is statistics: a window has its own, as a tile has."""
    plain = replace(components, vae=make_frozen_vae())
    ours, theirs = (measure_difference(plain, windows=windows) for windows in (True, False))
    assert 0 < ours < theirs


def test_windows_spare_the_work_that_they_leave_out(components: Components) -> None:
    patch = make_patch(WIDE)

    def count(*, windows: bool) -> int:
        painter = Painter(components, CPU, windows=windows)
        with FlopCounterMode(display=False) as counter:
            paint(painter, patch)
        return int(counter.get_total_flops())

    with FlopCounterMode(display=False) as counter, CPU.working():
        components.vae.decode(torch.zeros(1, 4, 8, 64))
    whole = int(counter.get_total_flops())
    assert count(windows=False) - count(windows=True) >= 0.6 * whole


def test_rows_with_different_windows_come_out_as_alone(components: Components) -> None:
    patches = [make_patch(canvas, number) for number, canvas in enumerate((WIDE, BOTH, FULL))]
    painter = Painter(components, CPU)
    for row, patch in zip(paint(painter, *patches), patches, strict=True):
        (alone,) = paint(painter, patch)
        assert np.abs(row - alone).max() <= 1


def test_windows_of_one_shape_are_decoded_together(components: Components) -> None:
    patches = [make_patch(canvas, number) for number, canvas in enumerate((WIDE, BOTH, WIDE))]
    with count_calls(components.vae.decoder) as decoded:
        paint(Painter(components, CPU), *patches)
    assert sorted(decoded) == [(2, 4, 8, 16), (2, 4, 8, 24)]


def test_who_left_is_not_decoded(components: Components) -> None:
    def leave(fraction: float) -> None:
        raise JobCancelled

    patches = [make_patch(WIDE, number) for number in (1, 2)]
    with count_calls(components.vae.decoder) as decoded:
        pictures = Painter(components, CPU)(patches, Audience([leave, ignore]))
        nothing = Painter(components, CPU)(patches[:1], Audience([leave]))
    assert decoded == [(1, 4, 8, 24)]
    assert list(pictures) == [1]
    assert nothing == {}


def test_the_thrifty_way_shows_the_vae_one_row_at_a_time_and_decodes_in_tiles(
    components: Components,
) -> None:
    patches = [make_patch(WIDE), make_patch(BOTH)]
    with (
        count_calls(components.vae.encoder) as encoded,
        count_calls(components.vae.decoder) as decoded,
    ):
        thrifty = paint(Painter(components, CPU), *patches, thrifty=True)
    assert encoded == [(1, 3, 64, 512)] * 2 + [(1, 3, 16, 128)] * 2
    assert set(decoded) == {(1, 4, 8, 8)}
    for row, usual in zip(thrifty, paint(Painter(components, CPU), *patches), strict=True):
        assert row.shape == usual.shape
        assert np.corrcoef(row.ravel(), usual.ravel())[0, 1] > 0.8


def test_nothing_new_means_nothing_decoded(components: Components) -> None:
    patch = replace(make_patch(WIDE), mask=Image.new("L", (512, 64)))
    with count_calls(components.vae.decoder) as decoded:
        (painted,) = paint(Painter(components, CPU), patch)
    assert decoded == []
    assert np.array_equal(painted, np.asarray(patch.picture))


def test_a_ground_that_was_laid_by_others_is_stood_on(components: Components) -> None:
    """Where nothing is worth decoding, the picture comes back as it was given."""
    painter, patch = Painter(components, CPU), make_patch(draw_canvas(192, 128))
    laid = patch.grounded(components.cell)
    assert laid.ground is not None
    assert laid.kind == patch.kind
    assert laid.grounded(components.cell).ground is laid.ground
    np.testing.assert_array_equal(paint(painter, laid), paint(painter, patch))
    nothing = replace(laid, ground=replace(laid.ground, windows=()))
    np.testing.assert_array_equal(paint(painter, nothing)[0], np.asarray(patch.picture, int))


def test_a_ground_has_all_that_takes_time_and_no_device(components: Components) -> None:
    ground = make_patch(draw_canvas(192, 128)).lay_ground(components.cell)
    assert ground.below is not None
    assert {"digest"} <= vars(ground.known).keys() & vars(ground.below).keys()
    assert (
        make_patch(FULL, recipe=replace(RECIPE, carries_colour=False)).lay_ground(8).below is None
    )

"""A canvas that is painted from the inside out."""

from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from hypothesis import given, strategies as st
from PIL import Image

from pipelines.canvas import Canvas
from pipelines.engine import Painting
from pipelines.errors import JobCancelled
from pipelines.geometry import Box, PixelBox, Size
from pipelines.models.sdxl.components import Components
from pipelines.models.sdxl.growth import FADE, grow
from pipelines.models.sdxl.outpainter import SdxlOutpainter
from pipelines.models.sdxl.recipe import Recipe, Sampler
from pipelines.progress import Progress, Step, ignore_progress
from tests.pipelines.models.sdxl.scenes import count_calls, draw_canvas, make_outpainter

RECIPE = Recipe(steps=2, guidance=3.0, interval=(0.0, 0.5))
"""Three evaluations."""

PLACE = PixelBox(100, 50, 160, 100)

PASSES = (PixelBox(60, 30, 200, 120), PixelBox(20, 10, 240, 140), PixelBox(0, 0, 260, 150))

COLOURS = ((250, 0, 0), (0, 250, 0), (0, 0, 250))


def draw(passes: tuple[PixelBox, ...] = PASSES) -> Canvas:
    """A canvas of 260x150 px with a source in the middle."""
    canvas = draw_canvas(260, 150, PLACE)
    return replace(canvas, passes=passes, subjects=(Box(110, 60, 120, 70),))


@dataclass
class Brush:
    """Paints each pass in one colour, and keeps what it was given."""

    given: list[Painting] = field(default_factory=list)

    def __call__(self, painting: Painting, progress: Progress) -> Image.Image:
        progress(Step.OUTPAINT, 0.0)
        self.given.append(painting)
        progress(Step.OUTPAINT, 1.0)
        return Image.new("RGB", painting.canvas.size, COLOURS[len(self.given) - 1])


def crop(picture: Image.Image, box: PixelBox) -> bytes:
    return picture.crop(box).tobytes()


def move(box: PixelBox, frame: PixelBox) -> PixelBox:
    return PixelBox(*(side - frame[axis % 2] for axis, side in enumerate(box)))


def test_every_pass_is_given_all_that_is_known_and_the_source_untouched() -> None:
    brush, canvas = Brush(), draw()
    grow(Painting(canvas, "a sea", 7), ignore_progress, brush)
    known = PLACE
    for number, (painting, frame) in enumerate(zip(brush.given, PASSES, strict=True)):
        part = painting.canvas
        assert part.size == frame.size
        assert part.place == move(known, frame)
        assert crop(part.picture, move(PLACE, frame)) == crop(canvas.picture, PLACE)
        mask = np.asarray(part.mask)
        assert (mask == 0).sum() == known.size.area
        assert Image.fromarray(mask).crop(part.place).getextrema() == (0, 0)
        assert part.subjects == (Box(110, 60, 120, 70).moved(-frame.left, -frame.top),)
        assert part.passes == ()
        assert painting.prompt == "a sea"
        if number:
            ring = part.picture.crop((*part.place[:2], part.place[2], part.place[1] + 1))
            assert ring.getextrema() == tuple((level, level) for level in COLOURS[number - 1])
        known = frame


def test_a_pass_covers_what_was_new_and_fades_out_before_the_source() -> None:
    painted = np.asarray(grow(Painting(draw()), ignore_progress, Brush()), int)
    assert painted.shape == (150, 260, 3)
    row = painted[75]
    assert np.all(row[:20] == COLOURS[2])
    assert np.all(row[20 + FADE : 60] == COLOURS[1])
    assert np.all(row[60 + FADE : 200 - FADE] == COLOURS[0])
    for band, (inner, outer) in ((row[20 : 20 + FADE], (1, 2)), (row[60 : 60 + FADE], (0, 1))):
        assert np.all(np.diff(band[:, inner]) > 0)
        assert np.all(np.diff(band[:, outer]) < 0)
        assert np.all(np.abs(band.sum(1) - 250) <= 1)
    column = painted[:, 130]
    assert np.all(column[46:104] == COLOURS[0])


def test_a_thin_ring_is_faded_through_but_never_the_source() -> None:
    passes = (PixelBox(97, 50, 160, 100), PixelBox(50, 50, 160, 100), PixelBox(0, 0, 260, 150))
    painted = np.asarray(grow(Painting(draw(passes)), ignore_progress, Brush()), int)
    assert np.all(painted[50:100, 100:160] == COLOURS[0])
    thin = painted[75, 97:100]
    assert np.all(np.diff(thin[:, 0]) > 0)
    assert np.all(np.abs(thin.sum(1) - 250) <= 1)
    assert np.all(painted[75, :50] == COLOURS[2])


def test_every_pass_has_noise_of_its_own_and_the_first_the_seeds() -> None:
    def seeds(seed: int) -> list[int]:
        brush = Brush()
        grow(Painting(draw(), seed=seed), ignore_progress, brush)
        return [painting.seed for painting in brush.given]

    first, again, next_one, negative = seeds(7), seeds(7), seeds(8), seeds(-1)
    assert first == again
    assert first[0] == 7
    assert negative[0] == -1
    assert len({*first, *next_one, *negative}) == 9
    assert all(-(2**63) <= seed < 2**64 for seed in first + negative)


@given(st.integers(1, 6))
def test_progress_runs_once_from_nothing_to_all(count: int) -> None:
    heard: list[tuple[str, float]] = []
    passes = tuple(PixelBox(100 - 10 * n, 50, 160, 100) for n in range(1, count))
    painting = Painting(draw((*passes, PixelBox(0, 0, 260, 150))))

    def paint(painting: Painting, progress: Progress) -> Image.Image:
        for fraction in (0.0, 0.3, 1.0):
            progress(Step.OUTPAINT, fraction)
        return painting.canvas.picture

    grow(painting, lambda *told: heard.append(told), paint)
    assert {step for step, _ in heard} == {Step.OUTPAINT}
    fractions = [fraction for _, fraction in heard]
    assert fractions == sorted(fractions)
    assert (fractions[0], fractions[-1]) == (0, 1)
    assert len(fractions) == 3 * count


@pytest.fixture(scope="module")
def outpaint(components: Components) -> SdxlOutpainter:
    return make_outpainter(components, RECIPE)


def paint(outpaint: SdxlOutpainter, canvas: Canvas, seed: int = 1) -> Image.Image:
    return outpaint(Painting(canvas, "the red sky", seed), ignore_progress)


@pytest.mark.parametrize("passes", [PASSES, PASSES[1:], (PixelBox(90, 0, 163, 150), PASSES[-1])])
def test_the_canvas_comes_back_at_its_size_for_the_work_of_its_passes(
    outpaint: SdxlOutpainter, components: Components, passes: tuple[PixelBox, ...]
) -> None:
    with count_calls(components.unet) as evaluations:
        painted = paint(outpaint, draw(passes))
    assert painted.size == (260, 150)
    assert painted.mode == "RGB"
    rows = sum(shape[0] for shape in evaluations)
    assert rows == len(passes) * RECIPE.evaluations


def test_the_same_seed_grows_the_same_and_another_does_not(outpaint: SdxlOutpainter) -> None:
    first, again, other = (paint(outpaint, draw(PASSES[1:]), seed).tobytes() for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_the_inside_is_what_the_first_pass_made_of_it(outpaint: SdxlOutpainter) -> None:
    """It is what would have been painted had there been nothing else to do."""
    canvas, frame = draw(PASSES[1:]), PASSES[1]
    painted = paint(outpaint, canvas)
    mask = Image.new("L", frame.size, 255)
    mask.paste(0, move(PLACE, frame))
    alone = Canvas(canvas.picture.crop(frame), mask, move(PLACE, frame))
    expected = paint(outpaint, alone)
    inside = PixelBox(20 + FADE, 10 + FADE, 240 - FADE, 140 - FADE)
    assert crop(painted, inside) == crop(expected, move(inside, frame))
    assert crop(painted, frame) != expected.tobytes()


def test_a_single_pass_is_painted_as_if_there_were_none(outpaint: SdxlOutpainter) -> None:
    one, none = (paint(outpaint, draw(passes)).tobytes() for passes in (PASSES[-1:], ()))
    assert one == none


@pytest.mark.parametrize(("stop_at", "calls"), [(0.0, 0), (0.4, 2), (0.5, 2), (0.8, 4)])
def test_a_job_stops_in_any_pass(
    outpaint: SdxlOutpainter, components: Components, stop_at: float, calls: int
) -> None:
    """Four steps in two passes."""

    def stop(step: str, fraction: float) -> None:
        if fraction >= stop_at:
            raise JobCancelled

    painting = Painting(draw(PASSES[1:]))
    with count_calls(components.unet) as evaluations, pytest.raises(JobCancelled):
        outpaint(painting, stop)
    assert len(evaluations) == calls


def test_a_recipe_that_draws_anew_brings_its_noises(components: Components) -> None:
    recipe = Recipe(steps=3, guidance=1.0, sampler=Sampler.CONSISTENCY)
    outpaint = make_outpainter(components, recipe)
    canvas = draw(PASSES[1:])
    patch = outpaint.make_patch(Painting(canvas), outpaint.fit(canvas))
    assert patch.noise.shape[0] == 3
    assert Size(*patch.noise.shape[:1:-1]) == Size(*(side // 8 for side in patch.picture.size))
    assert paint(outpaint, canvas).size == canvas.size

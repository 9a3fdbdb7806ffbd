"""From a plan to pixels: layout, composition and the proof that the source was kept."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from PIL import Image, ImageChops

from pipelines.canvas import lay_out, resample
from pipelines.compose import compose
from pipelines.composition import Composition, Subject
from pipelines.fill import fill_edge
from pipelines.geometry import AspectRatio, Box, Edge, PixelBox, Size
from pipelines.plan import Plan
from pipelines.planner import make_plan
from pipelines.proof import SEAM_VISIBLE, measure_preservation, score_seam
from pipelines.rules import Rules
from pipelines.target import Frame
from tests.drawings import NOTHING_SEEN, center, draw_coordinates, draw_meadow


def paint(colour: tuple[int, int, int], plan: Plan) -> Image.Image:
    return Image.new("RGB", plan.canvas, colour)


def finish(source: Image.Image, plan: Plan, layer: Image.Image | None) -> Image.Image:
    kept = resample(source, plan)
    return compose(kept, layer, lay_out(kept, plan, NOTHING_SEEN), plan, seed=0).output


def test_an_unscaled_source_is_copied_pixel_by_pixel() -> None:
    source = draw_coordinates(60, 40)
    plan = center(Size(60, 40), Size(100, 80))
    output = finish(source, plan, paint((255, 0, 0), plan))
    assert output.size == (100, 80)
    assert output.crop(plan.place).tobytes() == source.tobytes()


@settings(max_examples=60, deadline=None)
@given(
    st.integers(16, 300),
    st.integers(16, 300),
    st.floats(0.1, 10),
    st.sampled_from([None, 0, 5]),
)
def test_kept_pixels_are_the_source_resampled_once(
    width: int, height: int, ratio: float, feather: int | None
) -> None:
    source = draw_coordinates(width, height)
    target = Frame(AspectRatio(ratio, 1))
    plan = make_plan(Size(width, height), NOTHING_SEEN, target, Rules(feather=feather))
    layer = paint((200, 10, 10), plan) if plan.painted else None
    output = finish(source, plan, layer)
    reference = source.resize(plan.place.size, Image.Resampling.LANCZOS, box=plan.crop)
    proof = measure_preservation(output, reference, plan)
    assert proof.changed == 0
    assert proof.difference == 0
    assert output.size == plan.target


def test_the_seam_blends_only_inside_its_declared_band() -> None:
    source = Image.new("RGB", (100, 100), (100, 100, 100))
    plan = center(Size(100, 100), Size(160, 100), feather=10)
    canvas = lay_out(source, plan, NOTHING_SEEN)
    layer = np.asarray(canvas.picture).copy()
    layer[:] = (100, 100, 100)
    # the layer disagrees right inside the border, but not in its average tone
    layer[::2, 30:40] = (160, 160, 160)
    layer[1::2, 30:40] = (40, 40, 40)
    output = np.asarray(compose(source, Image.fromarray(layer), canvas, plan, 0).output)
    row = output[50, :, 0].astype(int)
    assert row[30] > 140
    assert np.all(np.diff(row[30:40]) <= 0)
    assert np.all(row[40:120] == 100)
    assert np.all(row[120:130] == 100)


def test_a_scan_border_vanishes_at_the_seam() -> None:
    source = draw_meadow(200, 120)
    for column in (0, 1, 2):
        source.paste((0, 0, 0), (column, 0, column + 1, 120))
    seen = Composition("test", content=Box(3 / 200, 0, 1, 1))
    plan = make_plan(Size(200, 120), seen, Size(300, 120))
    kept = resample(source, plan)
    canvas = lay_out(kept, plan, seen)
    output = compose(kept, fill_edge(canvas), canvas, plan, 0).output
    left = plan.place.left
    assert np.asarray(output.convert("L"))[:, left - 5 : left + 20].min() > 20
    assert measure_preservation(output, kept, plan).changed == 0


def test_a_layer_of_the_wrong_tone_is_bent_to_the_source() -> None:
    """A model's decoder shifts all colours a little; the new area must not show it."""
    source = draw_meadow(400, 300)
    plan = center(Size(400, 300), Size(600, 300), feather=8)
    world = np.asarray(draw_meadow(600, 300), np.int16)
    world[:, 100:500] = np.asarray(source)
    shifted = Image.fromarray(np.clip(world + np.array([14, -9, 6]), 0, 255).astype(np.uint8))
    output = finish(source, plan, shifted)
    assert np.abs(np.asarray(output, np.int16)[:, :90] - world[:, :90]).mean() < 2.5
    assert all(score < SEAM_VISIBLE for score in score_seam(output, plan).values())


def test_an_enlarged_layer_gets_its_grain_back() -> None:
    rng = np.random.default_rng(4)
    noisy = Image.fromarray(rng.normal(128, 9, (1500, 1000, 3)).clip(0, 255).astype(np.uint8))
    plan = center(Size(1000, 1500), Size(2000, 1500))
    kept = resample(noisy, plan)
    canvas = lay_out(kept, plan, NOTHING_SEEN)
    made = compose(kept, canvas_filled(canvas.picture, plan), canvas, plan, 0)
    output = np.asarray(made.output, float)
    grain_beside = output[:, 200:450].mean(2).std()
    assert 0.4 < grain_beside / output[:, 700:1300].mean(2).std() < 1.3


def canvas_filled(picture: Image.Image, plan: Plan) -> Image.Image:
    filled = Image.new("RGB", picture.size, (128, 128, 128))
    shrink = picture.width / plan.target.width
    place = PixelBox(*(round(side * shrink) for side in plan.place))
    filled.paste(picture.crop(place), place[:2])
    return filled


def test_alpha_is_kept_and_continued_outward() -> None:
    source = draw_coordinates(50, 50).convert("RGBA")
    alpha = Image.new("L", (50, 50), 0)
    alpha.paste(255, (0, 10, 50, 40))
    source.putalpha(alpha)
    plan = center(Size(50, 50), Size(90, 50))
    output = finish(source, plan, paint((9, 9, 9), plan))
    assert output.mode == "RGBA"
    shown = np.asarray(output.getchannel("A"))
    assert np.all(shown[:10] == 0)
    assert np.all(shown[10:40] == 255)
    assert output.crop(plan.place).tobytes() == source.tobytes()


@settings(max_examples=40, deadline=None)
@given(
    st.integers(16, 200),
    st.integers(16, 200),
    st.floats(0.2, 5),
    st.booleans(),
    st.sampled_from([None, 0, 6]),
)
def test_the_layers_and_the_mask_give_the_output_again(
    width: int, height: int, ratio: float, cut_out: bool, feather: int | None
) -> None:
    source = draw_coordinates(width, height)
    if cut_out:
        source.putalpha(Image.linear_gradient("L").resize((width, height)))
    rules = Rules(feather=feather)
    plan = make_plan(Size(width, height), NOTHING_SEEN, Frame(AspectRatio(ratio, 1)), rules)
    kept = resample(source, plan)
    canvas = lay_out(kept, plan, NOTHING_SEEN)
    layer = draw_meadow(*plan.canvas) if plan.painted else None
    made = compose(kept, layer, canvas, plan, 0)
    above = Image.new("RGB", plan.target)
    above.paste(kept.convert("RGB"), plan.place[:2])
    below = made.generated or above
    again = Image.composite(above, below, ImageChops.invert(made.mask))
    assert again.tobytes() == made.output.convert("RGB").tobytes()
    painted = sum(region.size.area for region in plan.painted)
    assert made.mask.histogram()[255] >= painted


def test_the_mask_is_black_where_the_source_is_kept_and_grey_only_in_the_seam() -> None:
    plan = center(Size(60, 40), Size(100, 40), feather=6)
    source = draw_coordinates(60, 40)
    made = compose(
        source, paint((9, 9, 9), plan), lay_out(source, plan, NOTHING_SEEN), plan, seed=0
    )
    row = np.asarray(made.mask)[20].astype(int)
    assert np.all(row[:20] == 255)
    assert np.all(np.diff(row[19:27]) < 0)
    assert np.all(row[26:74] == 0)
    assert np.all(row[80:] == 255)


def test_hidden_colours_do_not_show_in_the_edges_of_an_enlarged_cut_out() -> None:
    """A red disc on transparent black: no half-transparent pixel may be darker than it."""
    source = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
    source.paste((200, 40, 40, 255), (10, 10, 30, 30))
    source.paste((0, 90, 0, 0), (0, 0, 40, 5))
    plan = Plan(Size(40, 40), Size(100, 100), Box(0, 0, 40, 40), PixelBox(0, 0, 100, 100))
    kept = np.asarray(resample(source, plan)).astype(int)
    visible = kept[kept[..., 3] > 32]
    assert len(visible) > 2500
    assert visible[:, 0].min() > 190
    assert tuple(kept[2, 50]) == (0, 90, 0, 0)  # what is hidden stays what it was


def test_where_nothing_is_painted_the_output_is_the_kept_part() -> None:
    source = draw_coordinates(80, 60)
    plan = Plan(Size(80, 60), Size(40, 30), Box(10, 10, 50, 40), PixelBox(0, 0, 40, 30))
    assert finish(source, plan, None).tobytes() == source.crop((10, 10, 50, 40)).tobytes()


def test_the_canvas_says_what_to_paint_and_where_subjects_are() -> None:
    source = draw_coordinates(200, 100)
    plan = center(Size(200, 100), Size(400, 100))
    seen = Composition(
        "test",
        subjects=(
            Subject(Box(0.5, 0, 1, 1), "cup", trusted=True),
            Subject(Box(0, 0, 1, 1), "a bound, not a place"),
            Subject(Box(0, 0, 0.5, 0.5), "a guess", must_keep=False),
        ),
        cut_edges=frozenset({Edge.RIGHT}),
    )
    canvas = lay_out(resample(source, plan), plan, seen)
    assert canvas.place == (100, 0, 300, 100)
    assert np.asarray(canvas.mask).mean() == pytest.approx(127.5)
    assert canvas.subjects == (Box(200, 0, 300, 100),)
    assert canvas.likely == (Box(100, 0, 200, 50),)
    assert canvas.cut_edges == {Edge.RIGHT}


def test_proof_counts_every_changed_pixel() -> None:
    source = draw_coordinates(60, 40)
    plan = center(Size(60, 40), Size(100, 40), feather=4)
    output = finish(source, plan, paint((0, 0, 0), plan))
    touched = output.copy()
    touched.putpixel((50, 20), (1, 2, 3))
    before = measure_preservation(output, source, plan)
    after = measure_preservation(touched, source, plan)
    assert (before.changed, after.changed) == (0, 1)
    assert after.difference > 100
    assert before.sha256 != after.sha256
    assert before.kept_fraction == 0.6
    assert not before.resampled


def test_a_hard_edge_scores_as_a_visible_seam_and_real_content_does_not() -> None:
    source = draw_meadow(400, 300)
    plan = center(Size(400, 300), Size(600, 300))
    bars = finish(source, plan, None if not plan.painted else paint((0, 0, 0), plan))
    world = draw_meadow(600, 300)
    whole = world.copy()
    seen_through = Plan(
        Size(400, 300), Size(600, 300), Box(0, 0, 400, 300), PixelBox(100, 0, 500, 300)
    )
    smooth = score_seam(whole, seen_through)
    assert max(smooth.values()) < 1.5
    # tone matching bends black bars, but their edge still shows
    assert max(score_seam(bars, plan).values()) > max(smooth.values())

"""The fill keeps what was given, repeats no subject and continues what lies at each side."""

from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from pipelines.canvas import Canvas
from pipelines.engine import Painting
from pipelines.geometry import Box, Edge, PixelBox
from pipelines.preview.outpainter import PreviewOutpainter

Pixels = npt.NDArray[np.uint8]

MAGENTA = (255, 0, 255)


class Stopped(Exception):
    pass


def lay_out(
    photo: Pixels,
    size: tuple[int, int],
    subjects: tuple[Box, ...] = (),
    cut_edges: frozenset[Edge] = frozenset(),
    corner: tuple[int, int] | None = None,
) -> Canvas:
    """The photo in the middle of a canvas (or at ``corner``), subjects in photo pixels."""
    height, width = photo.shape[:2]
    left, top = corner or ((size[0] - width) // 2, (size[1] - height) // 2)
    place = PixelBox(left, top, left + width, top + height)
    picture = Image.new("RGB", size, (0, 255, 0))
    picture.paste(Image.fromarray(photo), (left, top))
    mask = Image.new("L", size, 255)
    mask.paste(0, place)
    boxes = tuple(box.moved(left, top) for box in subjects)
    return Canvas(picture, mask, place, boxes, cut_edges=cut_edges)


def paint(canvas: Canvas, seed: int = 1) -> Pixels:
    painted = PreviewOutpainter()(Painting(canvas, seed=seed), lambda *_: None)
    assert painted.mode == "RGB"
    return np.asarray(painted)


def draw_landscape(width: int, height: int, seed: int = 0) -> Pixels:
    """Grainy sky on the upper half, rough lawn on the lower half."""
    rng = np.random.default_rng(seed)
    photo = np.empty((height, width, 3), np.float32)
    photo[: height // 2] = (120, 170, 230)
    photo[height // 2 :] = (70, 130, 40)
    photo += rng.normal(0, 2, (height, width, 1))
    lawn = cv2.GaussianBlur(rng.normal(0, 1, (height - height // 2, width)), (0, 0), 1)
    photo[height // 2 :] += 60 * lawn[:, :, None]
    return np.clip(photo, 0, 255).astype(np.uint8)


def measure_detail(pixels: Pixels) -> float:
    gray = cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2GRAY).astype(np.float32)
    return float((gray - cv2.GaussianBlur(gray, (0, 0), 1.6)).std())


@pytest.mark.parametrize("corner", [(60, 40), (0, 0), (7, 90)])
def test_what_was_given_is_kept_to_the_bit(corner: tuple[int, int]) -> None:
    photo = draw_landscape(200, 120)
    painted = paint(lay_out(photo, (320, 220), corner=corner))
    left, top = corner
    assert np.array_equal(painted[top : top + 120, left : left + 200], photo)


def test_a_seed_makes_the_same_bytes_however_many_threads_there_are() -> None:
    canvas = lay_out(draw_landscape(160, 200), (360, 240), (Box(60, 80, 100, 150),))
    usual = cv2.getNumThreads()
    try:
        cv2.setNumThreads(1)
        alone = paint(canvas, seed=5)
        cv2.setNumThreads(4)
        together = paint(canvas, seed=5)
    finally:
        cv2.setNumThreads(usual)
    assert np.array_equal(alone, together)
    assert not np.array_equal(alone, paint(canvas, seed=6))


def test_a_flat_border_is_continued_exactly() -> None:
    photo = np.full((90, 90, 3), (250, 246, 240), np.uint8)
    cv2.circle(photo, (45, 45), 30, (200, 30, 30), -1)
    painted = paint(lay_out(photo, (200, 120), (Box(10, 10, 80, 80),)))
    fill = np.concatenate([painted[:, :55], painted[:, 145:]], axis=1)
    assert (fill == (250, 246, 240)).all()
    assert (painted[:15] == (250, 246, 240)).all()


@pytest.mark.parametrize("size", [(420, 160), (200, 420)])
def test_a_subject_is_never_repeated(size: tuple[int, int]) -> None:
    photo = draw_landscape(200, 160)
    photo[60:120, 70:120] = MAGENTA
    painted = paint(lay_out(photo, size, (Box(68, 58, 122, 122),))).astype(int)
    left, top = (size[0] - 200) // 2, (size[1] - 160) // 2
    painted[top : top + 160, left : left + 200] = 0
    assert (np.abs(painted - MAGENTA).sum(axis=2) > 150).all()


def test_sky_and_lawn_go_on_at_their_heights() -> None:
    painted = paint(lay_out(draw_landscape(240, 200), (600, 200))).astype(float)
    sky = np.concatenate([painted[:92, :180], painted[:92, 420:]], axis=1)
    lawn = np.concatenate([painted[108:, :180], painted[108:, 420:]], axis=1)
    assert np.allclose(sky.mean(axis=(0, 1)), (120, 170, 230), atol=8)
    assert np.allclose(lawn.mean(axis=(0, 1)), (70, 130, 40), atol=8)
    assert (sky[..., 2] > sky[..., 1]).all()


def test_up_and_down_go_on_with_what_is_there() -> None:
    painted = paint(lay_out(draw_landscape(240, 200), (240, 420))).astype(float)
    assert np.allclose(painted[:100].mean(axis=(0, 1)), (120, 170, 230), atol=8)
    assert np.allclose(painted[-100:].mean(axis=(0, 1)), (70, 130, 40), atol=8)


@pytest.mark.parametrize("size", [(400, 200), (240, 340)])
def test_the_fill_is_about_as_sharp_as_the_photo(size: tuple[int, int]) -> None:
    photo = draw_landscape(240, 200)
    painted = paint(lay_out(photo, size))
    lawn = painted[-60:, :80]
    assert 0.6 < measure_detail(lawn) / measure_detail(photo[-60:, :80]) < 1.5


def test_texture_is_not_a_mirror_image() -> None:
    photo = draw_landscape(240, 200)
    gray = paint(lay_out(photo, (400, 200))).mean(axis=2)
    fill, mirrored = gray[110:, 320:], gray[110:, 240:320][:, ::-1]
    assert np.corrcoef(fill.ravel(), mirrored.ravel())[0, 1] < 0.3


def test_a_lone_thing_in_a_calm_band_is_not_repeated() -> None:
    photo = draw_landscape(240, 200)
    photo[15:40, 90:100] = (20, 20, 20)
    painted = paint(lay_out(photo, (240, 320)))
    assert painted[:58].min() > 70


def test_the_seam_does_not_show() -> None:
    painted = paint(lay_out(draw_landscape(240, 200), (440, 200))).astype(float)
    steps = np.abs(np.diff(painted, axis=1)).mean(axis=(0, 2))
    inside = np.median(steps[110:330])
    assert max(steps[99], steps[339]) < 1.6 * inside


def test_a_side_that_cuts_a_subject_is_continued_softly() -> None:
    photo = draw_landscape(240, 200)
    box = Box(150, 0, 240, 200)
    painted = paint(lay_out(photo, (400, 200), (box,), frozenset({Edge.RIGHT})))
    assert measure_detail(painted[120:, 340:]) < 0.5 * measure_detail(photo[120:, :60])


@pytest.mark.parametrize(
    ("photo_size", "size"),
    [
        ((1, 1), (9, 7)),
        ((1, 20), (120, 20)),
        ((120, 1), (120, 20)),
        ((11, 20), (120, 20)),
        ((5, 5), (40, 40)),
        ((53, 93), (1024, 93)),
        ((93, 30), (93, 1024)),
        ((40, 40), (41, 41)),
    ],
)
@pytest.mark.parametrize("kind", ["noise", "gray", "one colour"])
def test_any_canvas_is_painted(
    photo_size: tuple[int, int], size: tuple[int, int], kind: str
) -> None:
    width, height = photo_size
    noise = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    photo = {
        "noise": noise,
        "gray": noise[:, :, :1].repeat(3, axis=2),
        "one colour": np.full_like(noise, 77),
    }[kind]
    subject = Box(width * 0.3, height * 0.2, width * 0.7, height)
    painted = paint(lay_out(photo, size, (subject,)))
    assert painted.shape == (size[1], size[0], 3)
    if kind == "one colour":
        assert np.abs(painted.astype(int) - 77).max() <= 1
    if kind == "gray":
        assert np.ptp(painted.astype(int), axis=2).max() <= 2


def test_a_subject_that_fills_the_photo_leaves_a_quiet_fill() -> None:
    photo = draw_landscape(120, 120)
    painted = paint(lay_out(photo, (300, 120), (Box(-5, -5, 130, 130),)))
    assert measure_detail(painted[:, :60]) < measure_detail(photo)


def test_nothing_to_paint_gives_the_picture_back() -> None:
    photo = draw_landscape(60, 40)
    assert np.array_equal(paint(lay_out(photo, (60, 40))), photo)


def test_progress_grows_from_0_to_1() -> None:
    heard: list[float] = []
    canvas = lay_out(draw_landscape(120, 100), (300, 200))
    PreviewOutpainter()(Painting(canvas, seed=1), lambda _, fraction: heard.append(fraction))
    assert heard[0] == 0
    assert heard[-1] == 1
    assert heard == sorted(heard)
    assert len(heard) > 8


def test_a_cancel_passes_through() -> None:
    def stop(step: str, fraction: float) -> None:
        if fraction > 0.3:
            raise Stopped(step)

    canvas = lay_out(draw_landscape(120, 100), (300, 200))
    with pytest.raises(Stopped, match="outpaint"):
        PreviewOutpainter()(Painting(canvas, seed=1), stop)


def test_a_likely_subject_is_not_copied_where_there_is_room_beside_it() -> None:
    photo = draw_landscape(300, 160)
    photo[60:120, 120:180] = MAGENTA
    canvas = replace(lay_out(photo, (520, 160)), likely=(Box(110 + 110, 50, 110 + 190, 130),))
    painted = paint(canvas).astype(int)
    fill = np.concatenate([painted[:, :110], painted[:, 410:]], axis=1)
    assert np.abs(fill - MAGENTA).sum(axis=2).min() > 100


def test_a_thing_on_a_plain_ground_is_not_scattered_over_it() -> None:
    """Noise keeps the ground from being flat; the ball reaches the border in a few rows."""
    rng = np.random.default_rng(3)
    photo = rng.normal(14, 2, (200, 200, 3)).clip(0, 255).astype(np.uint8)
    cv2.circle(photo, (100, 100), 97, (230, 90, 40), -1)
    painted = paint(lay_out(photo, (420, 200)))
    assert measure_detail(painted[:, :100]) < 4  # a glow and noise, and no piece of the ball


def test_a_texture_of_one_colour_is_no_plain_ground() -> None:
    painted = paint(lay_out(draw_landscape(200, 200)[100:], (420, 100)))
    assert measure_detail(painted[:, :100]) > 0.4 * measure_detail(painted[:, 120:300])

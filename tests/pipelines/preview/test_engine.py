"""The preview engine through the whole story."""

import io
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from PIL import Image

from pipelines import preview
from pipelines.fill import Fill
from pipelines.geometry import Box, Size
from pipelines.reframe import Reframer
from pipelines.reframed import Reframed
from pipelines.request import ReframeRequest
from pipelines.rules import Policy, Rules
from tests.drawings import draw_meadow, draw_object_on_white, to_png


@pytest.fixture(scope="module")
def reframer() -> Reframer:
    return Reframer(preview.load())


def reframe(reframer: Reframer, picture: Image.Image, request: ReframeRequest) -> Reframed:
    (output,) = reframer(to_png(picture), [request])
    return output


def pixels_of(output: Reframed) -> np.ndarray:
    with Image.open(io.BytesIO(output.file.data)) as picture:
        return np.asarray(picture.convert("RGB"))


def test_a_scan_border_is_neither_smeared_nor_left_at_the_seam(reframer: Reframer) -> None:
    scan = draw_meadow(640, 420)
    for line in ((0, 0, 4, 420), (636, 0, 640, 420)):
        scan.paste((8, 8, 8), line)
    output = reframe(reframer, scan, ReframeRequest(Size(900, 420), Rules(Policy.EXPAND)))
    assert output.plan.rim >= 4
    row = pixels_of(output)[60].mean(axis=1)  # in the sky
    assert row.min() > 100
    assert output.preservation.changed == 0


def test_a_studio_background_is_continued_exactly(reframer: Reframer) -> None:
    picture = draw_object_on_white(300, 200)
    output = reframe(reframer, picture, ReframeRequest(Size(600, 200), Rules(Policy.EXPAND)))
    assert output.fill is Fill.SOLID
    assert np.all(pixels_of(output)[:, :150] == 255)


def test_a_solid_background_is_exact_at_large_sizes_too(reframer: Reframer) -> None:
    rng = np.random.default_rng(2)
    picture = Image.new("RGB", (1200, 1200), "white")
    noise = rng.integers(0, 255, (1000, 1150, 3), np.uint8)
    picture.paste(Image.fromarray(noise), (40, 100))
    request = ReframeRequest(Size(2400, 1200), Rules(Policy.EXPAND), fill=Fill.SOLID)
    output = reframe(reframer, picture, request)
    assert np.all(pixels_of(output)[:, :600] == 255)


def test_an_object_on_an_even_ground_may_be_cropped_to(reframer: Reframer) -> None:
    output = reframe(reframer, draw_object_on_white(300, 200), ReframeRequest(Size(200, 200)))
    assert output.plan.painted_fraction == 0


def test_a_busy_picture_is_kept_whole(reframer: Reframer) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (200, 300, 3), np.uint8)
    output = reframe(reframer, Image.fromarray(noise), ReframeRequest(Size(200, 200)))
    assert output.plan.lost_fraction < 0.01


def test_large_tiers_are_painted_small_and_enlarged_with_grain(reframer: Reframer) -> None:
    request = ReframeRequest(Size(2400, 1200), Rules(Policy.EXPAND), fill=Fill.GENERATE)
    output = reframe(reframer, draw_meadow(900, 600), request)
    shown = pixels_of(output).astype(float)
    assert output.plan.canvas.area < 1.1e6
    grass = shown[1000:1150]
    beside, inside = grass[:, 50:250].mean(2).std(), grass[:, 700:900].mean(2).std()
    assert 0.4 < beside / inside < 1.6


def test_the_bytes_do_not_depend_on_threads(reframer: Reframer) -> None:
    request = ReframeRequest(Size(600, 300), Rules(Policy.EXPAND), seed=11)
    photo = draw_meadow(300, 300)
    before = cv2.getNumThreads()
    try:
        cv2.setNumThreads(1)
        alone = reframe(reframer, photo, request).file.data
        cv2.setNumThreads(4)
        together = reframe(reframer, photo, request).file.data
    finally:
        cv2.setNumThreads(before)
    with ThreadPoolExecutor(2) as pool:
        crowd = list(pool.map(lambda _: reframe(Reframer(preview.load()), photo, request), "ab"))
    assert {alone, together, *(output.file.data for output in crowd)} == {alone}


def test_another_seed_paints_something_else(reframer: Reframer) -> None:
    requests = [
        ReframeRequest(Size(600, 300), Rules(Policy.EXPAND), fill=Fill.GENERATE, seed=seed)
        for seed in (1, 2)
    ]
    one, two = (reframe(reframer, draw_meadow(300, 300), request) for request in requests)
    assert one.file.data != two.file.data
    assert one.preservation.sha256 == two.preservation.sha256


@pytest.mark.parametrize("size", [(1, 1), (2, 500), (500, 2), (16, 9)])
@pytest.mark.parametrize("target", [Size(330, 30), Size(30, 330), Size(64, 64)])
def test_no_source_is_too_small_to_end_well(
    reframer: Reframer, size: tuple[int, int], target: Size
) -> None:
    picture = Image.new("RGB", size, (120, 40, 200))
    (output,) = reframer(to_png(picture), [ReframeRequest(target, Rules(Policy.CROP))])
    assert output.plan.target == target


def test_a_protected_box_is_neither_cut_nor_copied(reframer: Reframer) -> None:
    photo = draw_meadow(300, 200)
    photo.paste((255, 0, 255), (20, 120, 50, 170))  # nothing that any signal would call a subject
    rules = Rules(Policy.EXPAND, protect=(Box(15 / 300, 115 / 200, 55 / 300, 175 / 200),))
    request = ReframeRequest(Size(600, 200), rules, fill=Fill.GENERATE)
    output = reframe(reframer, photo, request)
    shown = pixels_of(output).astype(int)
    shown[:, output.plan.place.left : output.plan.place.right] = 0
    assert np.abs(shown - (255, 0, 255)).sum(axis=2).min() > 120

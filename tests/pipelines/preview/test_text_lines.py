"""Lines of text are found whole; pictures without any have none."""

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from pipelines.geometry import UNIT, Box
from pipelines.preview.text_lines import MOST_BLOCKS, find_text


def _write(
    *lines: tuple[str, int, int], size: tuple[int, int] = (640, 420)
) -> npt.NDArray[np.uint8]:
    page = np.full((size[1], size[0]), 230, np.uint8)
    for text, x, y in lines:
        cv2.putText(page, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, 1, (20,), 2, cv2.LINE_AA)
    return page


def test_line_is_found_from_its_first_letter_to_its_last() -> None:
    (line,) = find_text(_write(("Morning blend roasted", 100, 200)))

    assert Box(104 / 640, 180 / 420, 460 / 640, 200 / 420).inside(line)
    assert line.height < 0.25


def test_lines_of_a_paragraph_make_one_block() -> None:
    page = _write(*(("some more words here", 80, y) for y in (100, 135, 170)))

    assert len(find_text(page)) == 1


def test_lines_far_apart_stay_apart() -> None:
    page = _write(("heading above", 60, 60), ("footer below", 300, 390))

    assert len(find_text(page)) == 2


def test_scattered_lines_are_joined_to_few_blocks() -> None:
    spots = [(f"label {x}{y}", x, y) for x in (20, 350, 680) for y in range(60, 900, 110)]

    blocks = find_text(_write(*spots, size=(960, 940)))

    assert 1 <= len(blocks) <= MOST_BLOCKS
    assert all(block.inside(UNIT) for block in blocks)


@pytest.mark.parametrize("shape", [(32, 32), (300, 500), (40, 640)])
def test_even_page_has_no_text(shape: tuple[int, int]) -> None:
    assert find_text(np.full(shape, 128, np.uint8)) == ()


def test_noise_gives_boxes_inside_the_picture() -> None:
    noise = np.random.default_rng(5).integers(0, 256, (400, 640), np.uint8)

    assert all(block.inside(UNIT) and block.area > 0 for block in find_text(noise))

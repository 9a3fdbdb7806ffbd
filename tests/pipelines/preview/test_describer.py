"""The weight-free describer loses nothing, never fails and knows what is transparent."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw

from pipelines.composition import Subject, SubjectKind
from pipelines.geometry import UNIT, Box, Edge
from pipelines.preview.describer import PreviewDescriber

PICTURES = Path(__file__).parents[2] / "pictures"


@pytest.fixture(scope="module")
def describe() -> PreviewDescriber:
    return PreviewDescriber()


@pytest.fixture(scope="module")
def astronaut() -> Image.Image:
    with Image.open(PICTURES / "astronaut.jpg") as picture:
        return picture.convert("RGB")


def _draw_disc(
    mode: str, ground: tuple[int, ...], size: tuple[int, int] = (600, 400)
) -> Image.Image:
    picture = Image.new(mode, size, ground)
    ImageDraw.Draw(picture).ellipse((120, 100, 280, 260), fill=(180, 40, 40, 255)[: len(ground)])
    return picture


def _select(subjects: tuple[Subject, ...], kind: SubjectKind) -> list[Subject]:
    return [subject for subject in subjects if subject.kind == kind]


def test_thing_on_an_even_ground_is_guessed_and_all_edges_are_flat(
    describe: PreviewDescriber,
) -> None:
    seen = describe(_draw_disc("RGB", (240, 240, 240)))

    guess, likely = seen.subjects
    assert (likely.label, likely.must_keep, likely.trusted) == ("likely subject", False, False)
    assert Box(120 / 600, 100 / 400, 281 / 600, 261 / 400).inside(guess.box)
    assert guess.box.area < 0.25
    assert (guess.label, guess.must_keep, guess.trusted) == ("what stands out", True, False)
    assert seen.flat_edges == frozenset(Edge)
    assert seen.cut_edges == frozenset()


def test_it_has_no_words_and_says_so(describe: PreviewDescriber) -> None:
    seen = describe(_draw_disc("RGB", (240, 240, 240)))

    assert (seen.describer, seen.caption, seen.scene) == ("preview", "", "")
    assert seen.warnings == ("described without a model: subjects are guesses",)


def test_portrait_has_a_trusted_face_a_person_and_a_cut_bottom(
    describe: PreviewDescriber, astronaut: Image.Image
) -> None:
    seen = describe(astronaut)

    (face,) = _select(seen.subjects, SubjectKind.FACE)
    (person,) = _select(seen.subjects, SubjectKind.PERSON)
    assert (face.trusted, face.must_keep, person.must_keep) == (True, True, False)
    assert Box(0.34, 0.08, 0.55, 0.34).inside(face.box)
    assert face.box.inside(person.box)
    assert person.box.inside(seen.subjects[0].box)
    assert Edge.BOTTOM in seen.cut_edges


def test_text_is_kept_inside_what_stands_out(describe: PreviewDescriber) -> None:
    page = np.full((500, 700, 3), 245, np.uint8)
    cv2.putText(
        page, "Opening on Sunday", (60, 120), cv2.FONT_HERSHEY_SIMPLEX, 1.4, (30, 30, 30), 3
    )

    seen = describe(Image.fromarray(page))

    (line,) = _select(seen.subjects, SubjectKind.TEXT)
    assert line.must_keep
    assert line.box.inside(seen.subjects[0].box)


def test_cut_out_is_trusted_to_where_it_ends(describe: PreviewDescriber) -> None:
    (subject, *_) = describe(_draw_disc("RGBA", (0, 0, 0, 0))).subjects

    thing = Box(120 / 600, 100 / 400, 281 / 600, 261 / 400)
    assert (subject.label, subject.trusted, subject.must_keep) == ("cut-out", True, True)
    assert thing.inside(subject.box)
    assert subject.box.inside(thing.grown(0.01))


def test_opaque_alpha_is_ignored(describe: PreviewDescriber) -> None:
    opaque = _draw_disc("RGBA", (240, 240, 240, 255))

    assert describe(opaque) == describe(opaque.convert("RGB"))


def test_soft_mask_over_everything_is_no_cut_out(describe: PreviewDescriber) -> None:
    picture = _draw_disc("RGBA", (240, 240, 240, 255))
    picture.putalpha(Image.linear_gradient("L").resize(picture.size).point(lambda a: 60 + a // 2))

    assert all(subject.label != "cut-out" for subject in describe(picture).subjects)


def test_invisible_picture_is_kept_whole(describe: PreviewDescriber) -> None:
    subject, *_ = describe(Image.new("RGBA", (200, 100), (9, 9, 9, 0))).subjects

    assert subject.box == UNIT


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("size", [(1, 1), (2, 1), (16, 2000), (2000, 16), (32, 32), (33, 700)])
@pytest.mark.parametrize("noisy", [True, False])
def test_any_picture_gets_boxes_that_lie_inside_it(
    describe: PreviewDescriber, mode: str, size: tuple[int, int], *, noisy: bool
) -> None:
    shape = size[1], size[0], len(mode)
    noise = np.random.default_rng(8).integers(0, 256, shape, np.uint8)
    seen = describe(Image.fromarray(noise if noisy else np.full(shape, 70, np.uint8)))

    assert seen.subjects
    for subject in seen.subjects:
        assert subject.box.inside(UNIT, 0)
        assert min(subject.box.width, subject.box.height) > 0


def test_answer_does_not_depend_on_the_number_of_threads(
    describe: PreviewDescriber, astronaut: Image.Image
) -> None:
    threads = cv2.getNumThreads()
    several = describe(astronaut)
    try:
        cv2.setNumThreads(1)
        assert describe(astronaut) == several
    finally:
        cv2.setNumThreads(threads)


def test_size_of_the_picture_hardly_matters(
    describe: PreviewDescriber, astronaut: Image.Image
) -> None:
    large = describe(astronaut.resize((2400, 2400), Image.Resampling.BICUBIC))

    (face,) = _select(large.subjects, SubjectKind.FACE)
    assert Box(0.34, 0.08, 0.55, 0.34).inside(face.box)

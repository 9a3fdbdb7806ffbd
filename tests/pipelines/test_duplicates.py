"""What a painting has added, told from what was there before."""

from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont, ImageOps

from pipelines.composition import Composition, Subject, SubjectKind
from pipelines.duplicates import Duplicate, find_duplicates
from pipelines.geometry import Box, PixelBox, Size
from pipelines.plan import Plan
from pipelines.preview.describer import PreviewDescriber
from tests.drawings import center, draw_meadow

PERSON, FACE, TEXT = SubjectKind.PERSON, SubjectKind.FACE, SubjectKind.TEXT
PLAN = center(Size(200, 100), Size(400, 100))  # the source is the middle half


def see(*boxes: tuple[float, float, float, float], kind: SubjectKind = PERSON) -> Composition:
    return Composition("eye", subjects=tuple(Subject(Box(*box), "it", kind) for box in boxes))


ONE = see((0.4, 0.2, 0.6, 0.9))
AGAIN = (0.45, 0.2, 0.55, 0.9)  # the same one, in fractions of the output


def test_a_subject_in_its_own_place_is_no_duplicate() -> None:
    assert find_duplicates(ONE, see(AGAIN), PLAN) == ()


def test_one_more_of_a_kind_in_the_painted_area_is_a_duplicate() -> None:
    found = find_duplicates(ONE, see(AGAIN, (0.05, 0.2, 0.15, 0.9)), PLAN)
    assert found == (Duplicate(PERSON, 1, 2),)
    assert found[0].words == "person was invented: 2 in the output, 1 in the source"
    assert found[0].to_json() == {"kind": "person", "source": 1, "output": 2}


def test_each_kind_is_counted_by_itself() -> None:
    invented = Subject(Box(0.8, 0.1, 0.9, 0.3), "it", FACE)
    seen = see(AGAIN, (0.05, 0.2, 0.15, 0.9), (0.85, 0.2, 0.95, 0.9))
    seen = Composition("eye", subjects=(*seen.subjects, invented))
    assert find_duplicates(ONE, seen, PLAN) == (Duplicate(PERSON, 1, 3), Duplicate(FACE, 0, 1))


def test_one_that_was_overlooked_in_the_source_is_no_duplicate() -> None:
    assert find_duplicates(see(), see((0.45, 0.2, 0.7, 0.9)), PLAN) == ()


def test_one_that_goes_on_beyond_the_border_that_cut_it_is_no_duplicate() -> None:
    cut = see((0.9, 0.2, 1, 0.9))
    assert find_duplicates(cut, see((0.7, 0.2, 0.95, 0.9)), PLAN) == ()


def test_one_that_was_cropped_away_excuses_nobody() -> None:
    plan = Plan(Size(200, 100), Size(400, 100), Box(100, 0, 200, 100), PixelBox(0, 0, 100, 100))
    gone = see((0.1, 0.2, 0.3, 0.9))
    assert find_duplicates(gone, see((0.6, 0.2, 0.7, 0.9)), plan) == (Duplicate(PERSON, 1, 2),)


def test_things_of_no_kind_in_particular_may_be_added() -> None:
    assert find_duplicates(see(), see((0, 0, 0.2, 1), kind=SubjectKind.OTHER), PLAN) == ()


def test_two_who_see_differently_are_not_compared() -> None:
    other = Composition("another eye", subjects=see((0, 0.2, 0.2, 0.9)).subjects)
    assert find_duplicates(see(), other, PLAN) == ()


@pytest.fixture(scope="module")
def look() -> PreviewDescriber:
    return PreviewDescriber()


def widen(picture: Image.Image, beside: Image.Image) -> tuple[Image.Image, Plan]:
    """``picture`` with ``beside`` painted to its right, and the plan of that."""
    size, (width, height) = Size(*picture.size), beside.size
    whole = Image.new("RGB", (size.width + width, height))
    whole.paste(picture)
    whole.paste(beside, (size.width, 0))
    place = PixelBox(0, 0, *size)
    return whole, Plan(size, Size(*whole.size), Box(0, 0, *size), place)


def test_a_mirrored_face_is_found_by_the_preview_describer(look: PreviewDescriber) -> None:
    with Image.open(Path(__file__).parents[1] / "pictures" / "astronaut.jpg") as file:
        portrait = file.convert("RGB")
    painted, plan = widen(portrait, ImageOps.mirror(portrait))
    found = find_duplicates(look(portrait), look(painted), plan)
    assert Duplicate(FACE, 1, 2) in found
    calm, plan = widen(portrait, draw_meadow(*portrait.size))
    assert not any(each.kind is FACE for each in find_duplicates(look(portrait), look(calm), plan))


def test_text_from_nowhere_is_found_by_the_preview_describer(look: PreviewDescriber) -> None:
    def write(words: str) -> Image.Image:
        page = Image.new("RGB", (420, 420), (230, 228, 220))
        font = ImageFont.load_default(32)
        ImageDraw.Draw(page).text((40, 180), words, (20, 20, 20), font)
        return page

    source = write("Morning blend roasted")
    invented, plan = widen(source, write("Fresh every single day"))
    assert find_duplicates(look(source), look(invented), plan) == (Duplicate(TEXT, 1, 2),)
    clean, plan = widen(source, write(""))
    assert find_duplicates(look(source), look(clean), plan) == ()

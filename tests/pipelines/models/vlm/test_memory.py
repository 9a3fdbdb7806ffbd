"""Remembering what was seen."""

from PIL import Image

from pipelines.composition import Composition
from pipelines.models.vlm.memory import Memory, fingerprint
from tests.drawings import draw_meadow


def test_the_same_pixels_are_the_same_picture() -> None:
    assert fingerprint(draw_meadow(40, 30)) == fingerprint(draw_meadow(40, 30).copy())


def test_one_other_pixel_another_shape_or_mode_is_another_picture() -> None:
    picture = Image.new("RGB", (40, 30))
    other = picture.copy()
    other.putpixel((39, 29), (0, 0, 1))
    pictures = [picture, other, Image.new("RGB", (30, 40)), Image.new("RGBA", (40, 30))]
    assert len({fingerprint(each) for each in pictures}) == 4


def test_what_was_asked_for_longest_ago_is_forgotten_first() -> None:
    memory = Memory(most=2)
    memory.keep("a", Composition("a"))
    memory.keep("b", Composition("b"))
    assert memory.recall("a") == Composition("a")
    memory.keep("c", Composition("c"))
    assert memory.recall("b") is None
    assert memory.recall("a") == Composition("a")
    assert memory.recall("c") == Composition("c")

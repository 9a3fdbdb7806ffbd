"""From wishes to one exact output size."""

import pytest

from pipelines.errors import InvalidOption, UnreachableTarget
from pipelines.geometry import AspectRatio, Size
from pipelines.target import Expansion, Frame, Target, Tier, output_size

SOURCE = Size(768, 512)


@pytest.mark.parametrize(
    ("ratio", "tier", "size"),
    [
        ("16:9", Tier.ONE_K, (1024, 576)),
        ("16:9", Tier.TWO_K, (2048, 1152)),
        ("9:16", Tier.TWO_K, (1152, 2048)),
        ("1:1", Tier.FOUR_K, (4096, 4096)),
        ("21:9", Tier.ONE_K, (1024, 439)),
        ("11:1", Tier.ONE_K, (1024, 93)),
        ("1:11", Tier.ONE_K, (93, 1024)),
    ],
)
def test_the_tier_is_the_exact_long_side(ratio: str, tier: Tier, size: tuple[int, int]) -> None:
    assert output_size(Frame(AspectRatio.parse(ratio), tier), SOURCE) == size


def test_an_exact_size_is_taken_as_it_is() -> None:
    assert output_size(Size(970, 90), SOURCE) == (970, 90)


def test_an_expansion_adds_percent_of_the_source() -> None:
    expansion = Expansion(left=70, bottom=12.5)
    assert output_size(expansion, SOURCE) == (768 + 538, 512 + 64)
    assert expansion.place(SOURCE) == (538, 0, 1306, 512)


@pytest.mark.parametrize(
    "target",
    [
        Frame(AspectRatio(12, 1)),
        Frame(AspectRatio(1, 12)),
        Size(1200, 100),
        Size(7, 7),
        Frame(AspectRatio(3000, 1)),
        Frame(AspectRatio(1, 99_999)),
        Size(16_385, 4000),
        Size(8000, 8000),
    ],
)
def test_what_cannot_be_made_is_refused(target: Target) -> None:
    with pytest.raises(UnreachableTarget):
        output_size(target, SOURCE)


@pytest.mark.parametrize("expansion", [Expansion(left=-1), Expansion(top=401)])
def test_an_expansion_out_of_range_is_refused(expansion: Expansion) -> None:
    with pytest.raises(InvalidOption):
        output_size(expansion, SOURCE)

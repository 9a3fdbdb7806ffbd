"""What is shipped: the numbers of the documents, and that everything can be made within them."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import docs
from docs.presets_page import write_presets
from pipelines import preview
from pipelines.codec.encode import encode
from pipelines.errors import UnreachableBudget
from pipelines.geometry import Size
from pipelines.planner import make_plan
from pipelines.presets.preset import Preset
from pipelines.presets.preset_file import read_shipped
from pipelines.reframe import Reframer
from pipelines.request import ReframeRequest
from tests.drawings import NOTHING_SEEN, draw_meadow, to_png

CATALOGUE = read_shipped()
LIMITED = [preset for preset in CATALOGUE.presets if preset.max_bytes]
BASE = ReframeRequest(Size(1, 1))

IAB = {
    "970x250": 250,
    "970x90": 200,
    "728x90": 150,
    "300x250": 150,
    "160x600": 150,
    "300x1050": 250,
    "320x50": 50,
    "300x50": 50,
    "120x60": 50,
    "1080x1920": 300,
    "750x1334": 300,
    "640x1136": 300,
    "216x36": 5,
    "168x28": 5,
    "120x20": 5,
}
"""Fixed sizes of 2017 and their initial load, kB."""

HARDEST = (
    "iab/interstitial",
    "google-display/970x250",
    "iab/super-leaderboard",
    "iab/feature-phone-small",
    "google/logo",
    "commerce/shopify",
)
"""The fewest bytes a pixel, the largest, the widest, the smallest, and one without loss."""


def draw_noise(size: Size) -> Image.Image:
    """Every pixel any colour: nothing is harder to write."""
    values = np.random.default_rng(1).integers(0, 256, (size.height, size.width, 3), np.uint8)
    return Image.fromarray(values)


NOISE = to_png(draw_noise(Size(320, 240)))


def test_every_platform_that_people_ask_for_is_there() -> None:
    assert {"iab", "google", "meta", "tiktok", "youtube", "linkedin", "pinterest", "x"} <= set(
        CATALOGUE.platforms
    )
    assert {"commerce", "print"} <= set(CATALOGUE.platforms)


def test_every_shipped_preset_has_a_source_a_date_and_a_grade_and_a_name_of_its_own() -> None:
    ids = [preset.id for preset in CATALOGUE.presets]
    assert len(set(ids)) == len(ids)
    for preset in CATALOGUE.presets:
        assert preset.sources
        assert preset.grade
        assert preset.checked
        assert preset.checked.year >= 2026
        assert not preset.local
    assert read_shipped() is CATALOGUE


def test_the_fixed_sizes_of_the_iab_are_those_of_its_document() -> None:
    assert {str(preset.size): preset.limit for preset in CATALOGUE.of("iab")} == {
        size: f"{load} kB" for size, load in IAB.items()
    }


def test_the_middle_of_a_channel_banner_is_what_every_device_shows() -> None:
    preset = CATALOGUE.find("youtube/banner")
    top, bottom, left, right = (zone.scaled(*preset.size) for zone in preset.keep_clear)
    seen = (right.left - left.right, bottom.top - top.bottom)
    assert seen == pytest.approx((1546, 423), abs=0.5)


@pytest.mark.parametrize("preset", CATALOGUE.presets, ids=lambda preset: preset.id)
def test_every_preset_is_planned_at_its_exact_size(preset: Preset) -> None:
    request = preset.request(BASE)
    for source in (Size(1600, 1200), Size(900, 1600)):
        plan = make_plan(source, NOTHING_SEEN, request.target, request.rules)
        assert plan.target == preset.size
        assert preset.size.long_side <= preset.format.max_side


@pytest.mark.parametrize("preset", LIMITED, ids=lambda preset: preset.id)
def test_no_file_is_larger_than_its_limit_even_of_noise(preset: Preset) -> None:
    try:
        file = encode(draw_noise(preset.size), preset.format, max_bytes=preset.max_bytes)
    except UnreachableBudget:
        # at quality 30 noise takes 2.2 bits a pixel or more
        assert preset.max_bytes is not None
        assert preset.max_bytes * 8 < 2.3 * preset.size.area
    else:
        assert len(file.data) <= (preset.max_bytes or 0)


@pytest.mark.parametrize("name", HARDEST)
def test_the_hardest_presets_are_made_within_their_limit_even_of_noise(name: str) -> None:
    preset = CATALOGUE.find(name)
    (made,) = Reframer(preview.load())(NOISE, [preset.request(BASE)])
    assert made.plan.target == preset.size
    assert made.file.format is preset.format
    assert len(made.file.data) <= (preset.max_bytes or 0)


def test_where_noise_cannot_be_made_small_enough_there_is_a_typed_error() -> None:
    preset = CATALOGUE.find("tiktok/carousel-portrait")
    with pytest.raises(UnreachableBudget, match="at most 100000 were asked for"):
        list(Reframer(preview.load())(NOISE, [preset.request(BASE)]))


def test_several_presets_of_a_photo_are_made_at_once_each_within_its_own_limit() -> None:
    names = ("iab/interstitial", "tiktok/carousel-square", "iab/feature-phone-large", "meta/link")
    presets = CATALOGUE.select(names)
    reframer = Reframer(preview.load())
    made = list(reframer(to_png(draw_meadow(360, 270)), [each.request(BASE) for each in presets]))
    assert [one.plan.target for one in made] == [preset.size for preset in presets]
    for preset, one in zip(presets, made, strict=True):
        assert len(one.file.data) <= (preset.max_bytes or 0)
        assert one.rules.keep_clear == preset.keep_clear


def test_the_page_of_presets_is_current_and_has_them_all() -> None:
    page = (Path(docs.__file__).parent / "presets.md").read_text("utf-8")
    assert page == write_presets()
    assert re.findall(r"^\| `(.+?)` \|", page, re.MULTILINE) == [
        preset.id for preset in CATALOGUE.presets
    ]

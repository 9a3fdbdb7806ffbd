"""Every preset, made of a busy and of a flat picture: exact, and within its limit."""

import io

import pytest
from PIL import Image

from pipelines import preview
from pipelines.errors import UnreachableBudget
from pipelines.presets.preset import Preset
from pipelines.presets.preset_file import read_shipped
from pipelines.reframe import Reframer
from pipelines.request import ReframeRequest
from tests.drawings import draw_meadow, draw_object_on_white, to_png

BASE = ReframeRequest(next(iter(read_shipped().presets)).size)
PICTURES = {
    "busy": to_png(draw_meadow(360, 270)),
    "flat": to_png(draw_object_on_white(360, 270)),
}
TIGHT = {"tiktok/carousel-portrait"}
"""Presets that a busy picture may be too much for: their limit is far below that of others."""


@pytest.fixture(scope="module")
def reframer() -> Reframer:
    return Reframer(preview.load())


@pytest.mark.slow
@pytest.mark.parametrize("kind", PICTURES)
@pytest.mark.parametrize("preset", read_shipped().presets, ids=lambda preset: preset.id)
def test_a_preset_is_exact_and_small_enough_or_a_typed_error(
    reframer: Reframer, preset: Preset, kind: str
) -> None:
    try:
        (made,) = reframer(PICTURES[kind], [preset.request(BASE)])
    except UnreachableBudget:
        assert kind == "busy"
        assert preset.id in TIGHT
        return
    with Image.open(io.BytesIO(made.file.data)) as picture:
        assert picture.size == preset.size
        assert (picture.format or "").lower() == preset.format
    assert preset.max_bytes is None or len(made.file.data) <= preset.max_bytes

"""Wishes fitted to a source: its mask, and the plan of a series."""

import pytest
from PIL import Image

from pipelines.codec.limits import Limits
from pipelines.errors import InvalidOption, InvalidPlan
from pipelines.geometry import Box, Size
from pipelines.plan import Plan
from pipelines.request import ReframeRequest
from pipelines.rules import Rules
from server.batch.wish import Fitter, Wish
from tests.drawings import center, draw_coordinates, to_png

SOURCE = to_png(draw_coordinates(60, 40))
OWN = Box(0, 0, 0.1, 0.1)
REQUEST = ReframeRequest(Size(60, 60), Rules(protect=(OWN,)))


def draw_mask(width: int, height: int) -> bytes:
    mask = Image.new("L", (width, height))
    mask.paste(255, (0, 0, width // 2, height))
    return to_png(mask)


def series() -> Plan:
    return center(Size(30, 20), Size(30, 30))


def test_a_plain_wish_does_not_look_at_the_source() -> None:
    assert Fitter(b"not even a picture", Limits()).fit(Wish(REQUEST)) == REQUEST


def test_each_wish_gets_its_mask_and_its_plan() -> None:
    fitter, mask = Fitter(SOURCE, Limits()), draw_mask(30, 20)
    for _ in range(2):
        masked = fitter.fit(Wish(REQUEST, mask=mask))
        assert masked.rules.protect == (OWN, Box(0, 0, 0.5, 1))
        planned = fitter.fit(Wish(REQUEST, plan=series()))
        assert planned.plan == series().fit(Size(60, 40))
        assert planned.rules == REQUEST.rules


def test_what_suits_other_sources_is_refused() -> None:
    fitter = Fitter(to_png(draw_coordinates(50, 50)), Limits())
    with pytest.raises(InvalidOption, match="a mask has the ratio"):
        fitter.fit(Wish(REQUEST, mask=draw_mask(30, 20)))
    with pytest.raises(InvalidPlan, match="another ratio"):
        fitter.fit(Wish(REQUEST, plan=series()))

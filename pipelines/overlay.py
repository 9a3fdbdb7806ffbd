"""A plan drawn for people: what is kept, what is added, what must not be cut or covered."""

import math

from PIL import Image, ImageDraw, ImageFont

from pipelines.composition import Composition
from pipelines.geometry import Box, PixelBox, Size
from pipelines.plan import Plan
from pipelines.rules import Rules

LONG_SIDE = 1200
"""Of the drawing, px."""

BORDER = 24
BACKGROUND = (32, 34, 38)
ADDED = (64, 122, 214)
FRAME = (255, 255, 255)
SUBJECT = (255, 190, 60)
PROTECTED = (90, 210, 120)
KEEP_CLEAR = (235, 80, 80)


def draw_overlay(
    picture: Image.Image, plan: Plan, composition: Composition, rules: Rules
) -> Image.Image:
    """Draw ``plan`` over its source (RGB or RGBA, any size), at most 1200 px wide or high.

    The white frame is the output. Bright inside it: kept. Blue hatching: painted. Dark outside
    it: cropped away. Yellow: subjects. Green: protected. Red: keep clear.
    """
    frame = Box(0, 0, *plan.target)
    whole = Box(0, 0, *plan.source).moved(-plan.crop.left, -plan.crop.top).scaled(plan.scale)
    whole = whole.moved(plan.place.left, plan.place.top)
    extent = frame.union(whole)
    shrink = (LONG_SIDE - 2 * BORDER) / max(extent.width, extent.height)
    board = _Board(extent, shrink)
    board.put(picture, whole, dark=True)
    board.hatch(frame)
    board.put(picture.crop(_outward(plan.crop, plan.source)), Box(*plan.place), dark=False)
    for subject in composition.subjects:
        spot = Box(*_within(subject.box, whole))
        protected = subject.kind in rules.protect_kinds
        board.outline(spot, PROTECTED if protected else SUBJECT, subject.label)
    for box in rules.protect:
        board.outline(_within(box, whole), PROTECTED, "protected")
    for zone in rules.keep_clear:
        board.outline(zone.scaled(*plan.target), KEEP_CLEAR, "keep clear")
    board.outline(frame, FRAME, f"{plan.target}")
    return board.image


def _outward(crop: Box, source: Size) -> PixelBox:
    """To whole source px; the drawing need not be exact."""
    left, top = math.floor(crop.left), math.floor(crop.top)
    return PixelBox(
        left,
        top,
        max(left + 1, min(source.width, math.ceil(crop.right))),
        max(top + 1, min(source.height, math.ceil(crop.bottom))),
    )


def _within(box: Box, whole: Box) -> Box:
    """Fractions of the source to output px, the source lying at ``whole``."""
    return box.scaled(whole.width, whole.height).moved(whole.left, whole.top)


class _Board:
    """The drawing; takes output px and shifts and shrinks them to its own."""

    def __init__(self, extent: Box, shrink: float) -> None:
        self._extent, self._shrink = extent, shrink
        size = (round(extent.width * shrink), round(extent.height * shrink))
        self.image = Image.new("RGB", (size[0] + 2 * BORDER, size[1] + 2 * BORDER), BACKGROUND)
        self._pen = ImageDraw.Draw(self.image)
        self._font = ImageFont.load_default(15)

    def put(self, picture: Image.Image, spot: Box, *, dark: bool) -> None:
        left, top, right, bottom = self._own(spot)
        size = Size(max(1, right - left), max(1, bottom - top))
        shown = picture.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)
        if dark:
            shown = Image.blend(shown.convert("RGB"), Image.new("RGB", size, BACKGROUND), 0.65)
        self.image.paste(shown, (left, top), shown if shown.mode == "RGBA" else None)

    def hatch(self, spot: Box) -> None:
        left, top, right, bottom = self._own(spot)
        size = Size(max(1, right - left), max(1, bottom - top))
        tile = Image.new("RGB", size, tuple(channel // 2 for channel in ADDED))
        pen = ImageDraw.Draw(tile)
        for x in range(-size.height, size.width, 14):
            pen.line((x, size.height, x + size.height, 0), fill=ADDED, width=3)
        self.image.paste(tile, (left, top))

    def outline(self, spot: Box, colour: tuple[int, int, int], label: str) -> None:
        left, top, right, bottom = self._own(spot)
        self._pen.rectangle((left, top, right - 1, bottom - 1), outline=colour, width=2)
        x, y = left + 5, max(2, top + 3)
        box = self._pen.textbbox((x, y), label, font=self._font)
        self._pen.rectangle((box[0] - 3, box[1] - 2, box[2] + 3, box[3] + 2), fill=BACKGROUND)
        self._pen.text((x, y), label, fill=colour, font=self._font)

    def _own(self, spot: Box) -> PixelBox:
        moved = spot.moved(-self._extent.left, -self._extent.top).scaled(self._shrink)
        left, top, right, bottom = (round(value) + BORDER for value in moved)
        return PixelBox(left, top, right, bottom)

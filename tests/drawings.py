"""Pictures drawn in code, so that a test can say which source pixel ended where."""

import io

import numpy as np
from PIL import Image

from pipelines.composition import Composition
from pipelines.geometry import Box, PixelBox, Size
from pipelines.plan import Plan


def draw_coordinates(width: int, height: int) -> Image.Image:
    """Red says x, green says y (both 0 to 255 across the picture), blue their checksum."""
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    red = x * 255 // max(1, width - 1)
    green = y * 255 // max(1, height - 1)
    return Image.fromarray(np.stack([red, green, (x * 7 + y * 13) % 256], 2).astype(np.uint8))


def draw_meadow(width: int, height: int, seed: int = 1) -> Image.Image:
    """Sky above, textured grass below, a red ball standing in the middle."""
    rng = np.random.default_rng(seed)
    picture = np.empty((height, width, 3), np.float32)
    horizon = height * 6 // 10
    fade = np.linspace(0, 1, horizon)[:, None, None]
    picture[:horizon] = (1 - fade) * (90, 150, 230) + fade * (190, 215, 245)
    picture[horizon:] = (70, 120, 50)
    picture[horizon:] += rng.normal(0, 18, (height - horizon, width, 1))
    picture += rng.normal(0, 2, picture.shape)
    y, x = np.mgrid[:height, :width]
    ball = np.hypot(x - width / 2, y - height * 0.6) < min(width, height) * 0.15
    picture[ball] = (215, 30, 40)
    return Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8))


def draw_object_on_white(width: int, height: int) -> Image.Image:
    """A dark block in the middle of a perfectly white studio background."""
    picture = Image.new("RGB", (width, height), "white")
    box = (width * 2 // 5, height * 2 // 5, width * 3 // 5, height * 3 // 5)
    picture.paste((40, 60, 90), box)
    return picture


def to_png(picture: Image.Image) -> bytes:
    """Encoded by Pillow."""
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def center(source: Size, target: Size, feather: int = 0) -> Plan:
    """A plan that puts the unscaled source into the middle."""
    left, top = (target.width - source.width) // 2, (target.height - source.height) // 2
    place = PixelBox(left, top, left + source.width, top + source.height)
    return Plan(source, target, Box(0, 0, *source), place, feather)


NOTHING_SEEN = Composition("test")

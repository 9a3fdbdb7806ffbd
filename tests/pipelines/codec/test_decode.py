"""Files of every kind arrive upright, whole and described."""

import hashlib
import io
import struct
import sys
from typing import Any

import numpy as np
import pytest
from PIL import ExifTags, Image, PngImagePlugin

from pipelines.codec.decode import decode
from pipelines.codec.limits import Limits
from pipelines.errors import ImageTooLarge, ImageUndecodable
from pipelines.geometry import Size

# how a camera held in each way stores an upright picture: the inverse of the turn EXIF asks for
STORED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def save(picture: Image.Image, format_name: str, **options: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, format_name, **options)
    return file.getvalue()


def draw_quarters() -> Image.Image:
    """Red and green above, blue and white below: no turn or flip looks like another."""
    small = np.array(
        [[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [255, 255, 255]]], np.uint8
    )  # (2, 2, 3)
    return Image.fromarray(small).resize((64, 32), Image.Resampling.NEAREST)


def difference(left: Image.Image, right: Image.Image) -> float:
    """Mean over all pixels: edges blur in lossy formats, a wrong turn gives more than 80."""
    assert left.size == right.size
    return float(np.abs(np.asarray(left, np.int16) - np.asarray(right, np.int16)).mean())


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_every_orientation_ends_with_the_same_upright_picture(
    orientation: int, format_name: str
) -> None:
    upright = draw_quarters()
    turn = STORED[orientation]
    stored = upright if turn is None else upright.transpose(turn)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    options = {"TIFF": {}, "PNG": {}}.get(format_name, {"quality": 95})
    source = decode(save(stored, format_name, exif=exif, **options))
    assert source.picture.mode == "RGB"
    assert difference(source.picture, upright) <= 10
    assert source.stored == (64, 32) if orientation < 5 else (32, 64)
    told = (f"turned upright (EXIF orientation {orientation})",) if orientation > 1 else ()
    assert source.notes == told


def test_a_source_says_its_format_size_and_digest() -> None:
    data = save(draw_quarters(), "PNG")
    source = decode(data)
    assert (source.format, source.stored) == ("PNG", Size(64, 32))
    assert source.sha256 == hashlib.sha256(data).hexdigest()
    assert source.notes == ()
    assert source.picture.info == {}


@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "WEBP", "AVIF", "GIF", "TIFF"])
def test_every_format_is_told_by_its_bytes(format_name: str) -> None:
    source = decode(save(draw_quarters(), format_name))
    assert source.format == format_name
    assert difference(source.picture, draw_quarters()) <= 10


@pytest.mark.parametrize("format_name", ["GIF", "WEBP", "PNG", "TIFF", "AVIF"])
def test_of_several_frames_the_first_is_taken(format_name: str) -> None:
    colours = ["red", "lime", "blue"]
    frames = [Image.new("RGB", (32, 32), colour) for colour in colours]
    data = save(frames[0], format_name, save_all=True, append_images=frames[1:])
    source = decode(data)
    assert difference(source.picture, frames[0]) <= 2
    assert source.notes == (f"first of 3 {'pages' if format_name == 'TIFF' else 'frames'}",)


def test_of_a_stereo_jpeg_the_first_picture_is_taken() -> None:
    data = save(draw_quarters(), "MPO", save_all=True, append_images=[Image.new("RGB", (64, 32))])
    source = decode(data)
    assert source.format == "JPEG"
    assert source.notes == ("first of 2 pictures",)
    assert difference(source.picture, draw_quarters()) <= 10


def test_thousands_of_frames_are_not_counted_to_the_end() -> None:
    shades = [Image.new("L", (1, 1), shade % 256) for shade in range(600)]
    data = save(shades[0], "TIFF", save_all=True, append_images=shades[1:])
    assert decode(data).notes == ("first of many pages",)


def test_thousands_of_gif_frames_are_not_counted_to_the_end() -> None:
    start = b"GIF89a" + struct.pack("<HH", 1, 1) + b"\x80\0\0" + bytes(6)
    frame = b"," + bytes(4) + struct.pack("<HH", 1, 1) + b"\0" + b"\x02\x02\x44\x01\0"
    assert decode(start + frame * 500 + b";").notes == ("first of 500 frames",)
    assert decode(start + frame * 100_000 + b";").notes == ("first of many frames",)


def test_heic_is_read_with_its_turn() -> None:
    heif = pytest.importorskip("pillow_heif")
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    stored = draw_quarters().transpose(Image.Transpose.ROTATE_90)
    file = io.BytesIO()
    heif.from_pillow(stored).save(file, quality=95, exif=exif.tobytes())
    source = decode(file.getvalue())
    assert source.format == "HEIF"
    assert source.picture.size == (64, 32)
    assert difference(source.picture, draw_quarters()) <= 10


def test_heic_without_the_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(ImageUndecodable, match="needs pillow-heif"):
        decode(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100))


@pytest.mark.parametrize("exif", [b"Exif\0\0garbage", b"Exif\0\0II*\0\xff\xff\xff\xff", b""])
def test_broken_exif_is_taken_as_upright(exif: bytes) -> None:
    source = decode(save(draw_quarters(), "JPEG", exif=exif, quality=95))
    assert source.notes == ()
    assert difference(source.picture, draw_quarters()) <= 10


def test_xmp_that_makes_exif_unreadable_does_not_refuse_a_png() -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("Raw profile type exif", "\nexif\n 4\nnot hexadecimal\n")
    source = decode(save(draw_quarters(), "PNG", pnginfo=info))
    assert difference(source.picture, draw_quarters()) == 0


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (Limits(max_bytes=50), "at most 50 are accepted"),
        (Limits(max_pixels=1000), "64x32 = 2048 pixels; at most 1000 pixels"),
        (Limits(max_side=40), "at most 50000000 pixels and 40 per side"),
    ],
)
def test_what_exceeds_a_limit_is_refused_with_the_numbers(limits: Limits, words: str) -> None:
    with pytest.raises(ImageTooLarge, match=words):
        decode(save(draw_quarters(), "PNG"), limits)


def test_limits_are_inclusive() -> None:
    data = save(draw_quarters(), "PNG")
    limits = Limits(max_bytes=len(data), max_pixels=64 * 32, max_side=64)
    assert decode(data, limits).stored == (64, 32)


def test_only_the_caller_limits_the_size() -> None:
    """Pillow's own limit would warn here, and refuse twice as many pixels."""
    data = save(Image.new("1", (20_000, 9_000)), "PNG")
    with pytest.raises(ImageTooLarge, match="180000000 pixels"):
        decode(data)

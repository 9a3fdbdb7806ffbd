"""The encoder's files are valid, lossless, small enough and the same on every machine."""

import io
import struct
import zlib
from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from PIL import Image, ImageDraw

from pipelines.codec.colour import make_srgb_profile
from pipelines.codec.png import encode_png


def draw_photo(width: int, height: int, mode: str = "RGB") -> Image.Image:
    """Smooth shapes and grain in every channel."""
    random = np.random.default_rng(width * height)
    channels = len(mode)
    coarse = random.integers(0, 256, (9, 12, channels), np.uint8)
    smooth = Image.fromarray(coarse, mode).resize((width, height), Image.Resampling.BICUBIC)
    grain = random.normal(0, 3, (height, width, channels))
    return Image.fromarray((np.asarray(smooth) + grain).clip(0, 255).astype(np.uint8), mode)


def draw_graphics(width: int, height: int) -> Image.Image:
    """Bars, shapes and words."""
    picture = Image.new("RGB", (width, height), (240, 240, 244))
    pen = ImageDraw.Draw(picture)
    pen.rectangle((0, 0, width, height // 8), "#123456")
    pen.ellipse((width // 8, height // 4, width // 2, height // 1.2), "#d94f30")
    for line in range(height // 6, height, 24):
        pen.text((width // 2, line), "the quick brown fox jumps over the lazy dog", "black")
    return picture


def encode(picture: Image.Image, *, smallest: bool = False, threads: int | None = None) -> bytes:
    return encode_png(picture, make_srgb_profile(), smallest=smallest, threads=threads)


def encode_by_pillow(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG", icc_profile=make_srgb_profile())
    return file.getvalue()


def read_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Name and content of each chunk, checksums verified."""
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    place = 8
    while place < len(data):
        length, name = struct.unpack_from(">I4s", data, place)
        content = data[place + 8 : place + 8 + length]
        (checksum,) = struct.unpack_from(">I", data, place + 8 + length)
        assert checksum == zlib.crc32(name + content)
        yield name, content
        place += 12 + length
    assert place == len(data)


def assert_lossless(picture: Image.Image, data: bytes) -> None:
    with Image.open(io.BytesIO(data)) as read:
        assert read.mode == picture.mode
        assert read.tobytes() == picture.tobytes()
        assert read.info["icc_profile"] == make_srgb_profile()


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    width=st.integers(1, 40),
    height=st.integers(1, 40),
    mode=st.sampled_from(["RGB", "RGBA"]),
    levels=st.sampled_from([1, 3, 256]),
    smallest=st.booleans(),
)
def test_any_small_picture_comes_back_exactly(
    *, width: int, height: int, mode: str, levels: int, smallest: bool
) -> None:
    random = np.random.default_rng(width)
    values = random.integers(0, levels, (height, width, len(mode)), np.uint8)
    picture = Image.fromarray(values, mode)
    assert_lossless(picture, encode(picture, smallest=smallest))


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1), (1200, 900), (400_000, 3)])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_pictures_of_one_or_many_bands_come_back_exactly(size: tuple[int, int], mode: str) -> None:
    picture = draw_photo(*size, mode)
    assert_lossless(picture, encode(picture))


@pytest.mark.parametrize("picture", [draw_photo(1200, 900), draw_graphics(1200, 900)])
def test_another_decoder_reads_the_same_pixels(picture: Image.Image) -> None:
    read = cv2.imdecode(np.frombuffer(encode(picture), np.uint8), cv2.IMREAD_COLOR_RGB)
    assert read is not None
    assert np.array_equal(read, np.asarray(picture))


def test_the_file_is_one_valid_stream_of_checked_chunks() -> None:
    chunks = list(read_chunks(encode(draw_photo(1200, 900))))
    assert [name for name, _ in chunks] == [b"IHDR", b"iCCP", b"IDAT", b"IEND"]
    stream = zlib.decompressobj()
    rows = stream.decompress(chunks[2][1])
    assert stream.eof  # its checksum was right
    assert not stream.unused_data
    assert len(rows) == 900 * (1 + 3 * 1200)


def test_the_bytes_do_not_depend_on_the_threads() -> None:
    picture = draw_photo(1200, 900)
    assert encode(picture, threads=1) == encode(picture, threads=2) == encode(picture, threads=7)


@pytest.mark.parametrize(
    ("picture", "most"),
    [
        (draw_photo(1200, 900), 1.25),
        (draw_photo(1200, 900).convert("L").convert("RGB"), 1.25),
        (draw_graphics(1200, 900), 1.05),
        (Image.new("RGB", (1200, 900), "navy"), 1.05),
        (Image.linear_gradient("L").resize((1200, 900)).convert("RGB"), 1.05),
    ],
    ids=["photo", "grey photo", "graphics", "one colour", "gradient"],
)
def test_no_kind_of_picture_grows_much(picture: Image.Image, most: float) -> None:
    assert len(encode(picture)) <= most * len(encode_by_pillow(picture))


@pytest.mark.parametrize("picture", [draw_photo(600, 400), draw_graphics(600, 400)])
def test_more_time_never_makes_a_larger_file(picture: Image.Image) -> None:
    data = encode(picture, smallest=True)
    assert len(data) <= len(encode(picture))
    assert_lossless(picture, data)


def test_more_time_makes_graphics_smaller() -> None:
    picture = draw_graphics(1200, 900)
    assert len(encode(picture, smallest=True)) < len(encode(picture))

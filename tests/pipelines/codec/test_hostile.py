"""Whatever bytes come in, a picture or one of our errors comes out, soon and in little memory."""

import io
import resource
import struct
import time
import zlib

import pillow_heif
import pytest
from hypothesis import given, settings, strategies as st
from PIL import Image

from pipelines.codec.decode import Source, decode
from pipelines.errors import ImageTooLarge, ImageUndecodable, ReframeError

FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "GIF", "TIFF")


def save(format_name: str, size: tuple[int, int] = (40, 24)) -> bytes:
    file = io.BytesIO()
    options = {"compression": "tiff_lzw"} if format_name == "TIFF" else {}
    noise = Image.effect_noise(size, 60)
    picture = Image.merge("RGB", (noise, noise.transpose(Image.Transpose.ROTATE_180), noise))
    picture.save(file, format_name, **options)
    return file.getvalue()


def write_png(width: int, height: int, *extra: tuple[bytes, bytes]) -> bytes:
    data = b"\x89PNG\r\n\x1a\n"
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(100))
    for name, content in ((b"IHDR", header), *extra, (b"IDAT", pixels), (b"IEND", b"")):
        checksum = struct.pack(">I", zlib.crc32(name + content))
        data += struct.pack(">I", len(content)) + name + content + checksum
    return data


def write_gif(screen: int, frame: int) -> bytes:
    place = struct.pack("<4H", 0, 0, frame, frame)
    head = b"GIF89a" + struct.pack("<2H", screen, screen) + bytes(3)
    return head + b"," + place + b"\0\x02\x02\x4c\x01\0;"


def write_tiff(side: int, *extra: tuple[int, int]) -> bytes:
    tags = ((256, side), (257, side), (258, 8), (259, 5), (262, 1), (277, 1), *extra)
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(64)


def write_jpeg(side: int) -> bytes:
    data = bytearray(save("JPEG"))
    place = data.index(b"\xff\xc0") + 5
    data[place : place + 4] = struct.pack(">2H", side, side)
    return bytes(data)


def write_webp(side: int) -> bytes:
    canvas = (side - 1).to_bytes(3, "little") * 2
    chunk = b"VP8X" + struct.pack("<I", 10) + bytes(4) + canvas
    return b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk + bytes(90)


BOMB = zlib.compress(bytes(100_000_000))
TOO_LARGE = {
    "png 60000x60000": write_png(60_000, 60_000),
    "png 60000x2": write_png(60_000, 2),
    "png as large as can be written": write_png(2**31 - 1, 2**31 - 1),
    "gif screen": write_gif(65_535, 1),
    "gif frame larger than its screen": write_gif(1, 65_535),
    "tiff": write_tiff(60_000, (273, 100), (278, 60_000), (279, 3_600_000_000)),
    "tiff tile larger than its picture": write_tiff(
        10, (322, 29_984), (323, 29_984), (324, 100), (325, 50)
    ),
    "jpeg": write_jpeg(65_000),
    "webp": write_webp(16_383),
}
UNDECODABLE = {
    "nothing": b"",
    "one byte": b"\xff",
    "text": b"This is not a picture, whatever its name says.\n",
    "html": b"<!doctype html><title>404</title>",
    "svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    "zip": b"PK\x03\x04" + bytes(40),
    "signature alone": b"\x89PNG\r\n\x1a\n",
    "png without its pixels": write_png(7000, 7000),
    "png text bomb": write_png(8, 8, (b"zTXt", b"a\0\0" + BOMB)),
    "png profile bomb": write_png(8, 8, (b"iCCP", b"a\0\0" + BOMB)),
    "avif of unknown boxes": b"\0\0\0\x14ftypavif\0\0\0\0mif1" + bytes(50),
    "webp without its pixels": write_webp(100),
}


def refuse(data: bytes, kind: type[ReframeError]) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # KiB, the highest so far
    start = time.perf_counter()
    with pytest.raises(kind) as caught:
        decode(data)
    seconds = time.perf_counter() - start
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert seconds <= 0.5  # about 1 ms on an idle machine
    assert grown <= 100_000
    assert caught.value.detail


@pytest.mark.parametrize("name", TOO_LARGE)
def test_a_bomb_is_refused_from_its_header(name: str) -> None:
    refuse(TOO_LARGE[name], ImageTooLarge)


@pytest.mark.parametrize("name", UNDECODABLE)
def test_what_is_no_picture_is_refused(name: str) -> None:
    refuse(UNDECODABLE[name], ImageUndecodable)


@pytest.mark.parametrize("format_name", FORMATS)
@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9, 0.98])
def test_a_file_cut_short_is_refused(format_name: str, kept: float) -> None:
    data = save(format_name, (200, 150))
    refuse(data[: int(len(data) * kept)], ImageUndecodable)


def test_the_public_text_says_nothing_about_the_decoder() -> None:
    with pytest.raises(ImageUndecodable, match="damaged or cut short") as caught:
        decode(save("PNG")[:200])
    assert caught.value.__cause__ is not None


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    format_name=st.sampled_from(FORMATS),
    changes=st.lists(
        st.tuples(st.floats(0, 1, exclude_max=True), st.binary(min_size=0, max_size=6)),
        min_size=1,
        max_size=6,
    ),
)
def test_any_damage_ends_in_a_picture_or_in_our_error(
    format_name: str, changes: list[tuple[float, bytes]]
) -> None:
    data = bytearray(save(format_name))
    for fraction, replacement in changes:
        place = int(fraction * len(data))
        data[place : place + 4] = replacement
    try:
        result: Source | ReframeError = decode(bytes(data))
    except ReframeError as error:
        result = error
    if isinstance(result, Source):
        assert result.picture.mode in ("RGB", "RGBA")
    else:
        assert isinstance(result, ImageTooLarge | ImageUndecodable)


@pytest.mark.parametrize("form", ["AVIF", "HEIF"])
@pytest.mark.parametrize("share", [0.3, 0.7, 0.99])
def test_a_cut_container_is_refused_rather_than_shown_green(form: str, share: float) -> None:
    file = io.BytesIO()
    noise = Image.effect_noise((300, 200), 60).convert("RGB")
    if form == "HEIF":
        pillow_heif.from_pillow(noise).save(file)
    else:
        noise.save(file, form)
    whole = file.getvalue()
    assert decode(whole).stored == (300, 200)
    with pytest.raises(ImageUndecodable):
        decode(whole[: int(share * len(whole))])

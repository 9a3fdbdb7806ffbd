"""Whatever a file stores becomes eight bits of sRGB by the stated rules."""

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms

from pipelines.codec.colour import make_srgb_profile
from pipelines.codec.decode import Source, decode

# colorants adapted to D50, columns red, green, blue
P3 = np.array(
    [[0.515102, 0.291965, 0.157153], [0.241182, 0.692236, 0.066582], [-0.00105, 0.041882, 0.784378]]
)
SRGB = np.array(
    [[0.436066, 0.385147, 0.143066], [0.222488, 0.716873, 0.060608], [0.013916, 0.097076, 0.714096]]
)


def make_profile(space: bytes, gamma: float, colorants: NDArray[np.float64] | None = None) -> bytes:
    """A minimal ICC profile, version 2: RGB with a matrix, or grey with a curve alone."""
    curve = b"curv" + struct.pack(">IIH", 0, 1, round(gamma * 256)) + bytes(2)
    tags = {
        b"desc": b"desc" + struct.pack(">II", 0, 5) + b"Test\0" + bytes(79),
        b"wtpt": make_xyz(0.9642, 1.0, 0.8249),
    }
    if colorants is None:
        tags[b"kTRC"] = curve
    else:
        for name, column in zip((b"r", b"g", b"b"), colorants.T, strict=True):
            tags |= {name + b"XYZ": make_xyz(*column), name + b"TRC": curve}
    place, table, content = 132 + 12 * len(tags), struct.pack(">I", len(tags)), b""
    for name, value in tags.items():
        table += name + struct.pack(">II", place + len(content), len(value))
        content += value + bytes(-len(value) % 4)
    header = struct.pack(">I4xI", place + len(content), 0x02400000) + b"mntr" + space + b"XYZ "
    header += bytes(12) + b"acsp" + bytes(28) + struct.pack(">3i", 63190, 65536, 54061)
    return header.ljust(128, b"\0") + table + content


def make_xyz(*values: float) -> bytes:
    return b"XYZ " + struct.pack(">I3i", 0, *(round(value * 65536) for value in values))


def to_srgb_levels(linear: NDArray[np.float64]) -> NDArray[np.float64]:
    linear = linear.clip(0, 1)
    curved = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return 255 * curved


def read(picture: Image.Image, format_name: str = "PNG", **options: Any) -> Source:
    file = io.BytesIO()
    picture.save(file, format_name, **options)
    return decode(file.getvalue())


def draw_colours(size: int = 16) -> Image.Image:
    values = np.random.default_rng(7).integers(0, 256, (size, size, 3), np.uint8)
    return Image.fromarray(values)


def levels(picture: Image.Image) -> NDArray[np.int16]:
    return np.asarray(picture, np.int16)


def test_wide_gamut_colours_are_converted_as_the_colorimetry_says() -> None:
    colours = draw_colours()
    source = read(colours, icc_profile=make_profile(b"RGB ", 2.2, P3))
    linear = (np.asarray(colours) / 255) ** (round(2.2 * 256) / 256)
    expected = to_srgb_levels(linear @ (np.linalg.inv(SRGB) @ P3).T)
    assert np.abs(levels(source.picture) - expected).max() <= 2
    assert source.notes == ("colour profile Test converted to sRGB",)


def test_grey_with_a_profile_is_converted() -> None:
    grey = Image.linear_gradient("L")
    source = read(grey, icc_profile=make_profile(b"GRAY", 1.75))
    expected = to_srgb_levels((np.asarray(grey) / 255) ** 1.75)
    assert np.abs(levels(source.picture) - expected[..., None]).max() <= 2


def test_grey_with_alpha_and_a_profile_keeps_its_alpha() -> None:
    grey = Image.linear_gradient("L")
    picture = Image.merge("LA", (grey, grey.transpose(Image.Transpose.ROTATE_90)))
    source = read(picture, icc_profile=make_profile(b"GRAY", 1.75))
    expected = to_srgb_levels((np.asarray(grey) / 255) ** 1.75)
    assert np.abs(levels(source.picture.getchannel("R")) - expected).max() <= 2
    assert source.picture.getchannel("A").tobytes() == picture.getchannel("A").tobytes()


def test_srgb_by_any_name_leaves_every_pixel_alone() -> None:
    colours = draw_colours()
    source = read(colours, icc_profile=make_srgb_profile())
    assert source.picture.tobytes() == colours.tobytes()
    assert source.notes == ()


@pytest.mark.parametrize(
    "profile",
    [b"not a profile", make_srgb_profile()[:200], make_profile(b"GRAY", 1.8)],
    ids=["garbage", "cut short", "of other channels"],
)
def test_a_broken_profile_is_ignored_with_a_note(profile: bytes) -> None:
    colours = draw_colours()
    source = read(colours, icc_profile=profile)
    assert source.picture.tobytes() == colours.tobytes()
    assert source.notes == ("broken colour profile ignored",)


def test_alpha_is_set_aside_before_the_profile_and_hidden_colours_are_kept() -> None:
    colours = draw_colours()
    picture = colours.copy()
    picture.putalpha(Image.linear_gradient("L").resize(colours.size))
    profile = make_profile(b"RGB ", 2.2, P3)
    source = read(picture, icc_profile=profile)
    assert source.picture.mode == "RGBA"
    assert source.picture.getchannel("A").tobytes() == picture.getchannel("A").tobytes()
    opaque = read(colours, icc_profile=profile).picture
    assert source.picture.convert("RGB").tobytes() == opaque.tobytes()


def test_cmyk_becomes_rgb() -> None:
    inks = Image.new("CMYK", (16, 16), (0, 255, 255, 0))
    source = read(inks, "JPEG", quality=100)
    assert np.abs(levels(source.picture) - (255, 0, 0)).max() <= 2
    assert source.notes == ("converted from CMYK",)


def test_grey_of_16_bits_is_scaled_and_not_saturated() -> None:
    values = np.linspace(0, 65535, 4096).astype(np.uint16).reshape(64, 64)
    source = read(Image.fromarray(values))
    expected = np.rint(values / 257)
    assert np.abs(levels(source.picture) - expected[..., None]).max() == 0
    assert source.notes == ("reduced from 16 bits",)


def test_colour_of_16_bits_is_reduced_with_a_note() -> None:
    rows = b"".join(b"\0" + struct.pack(">6H", 65535, 0, 32768, 257, 514, 771) for _ in range(2))
    data = b"\x89PNG\r\n\x1a\n"
    for name, content in (
        (b"IHDR", struct.pack(">IIBBBBB", 2, 2, 16, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    ):
        checksum = struct.pack(">I", zlib.crc32(name + content))
        data += struct.pack(">I", len(content)) + name + content + checksum
    source = decode(data)
    assert source.picture.getpixel((0, 0)) == (255, 0, 128)
    assert source.picture.getpixel((1, 1)) == (1, 2, 3)
    assert source.notes == ("reduced from 16 bits",)


@pytest.mark.parametrize("top", [1.0, 255.0, 65535.0])
def test_floats_are_scaled_by_their_range(top: float) -> None:
    values = (np.linspace(0, 1, 256, dtype=np.float32) * top).reshape(16, 16)
    source = read(Image.fromarray(values), "TIFF")
    assert np.abs(levels(source.picture)[..., 0].ravel() - np.arange(256)).max() <= 1
    assert source.notes == ("reduced from floating point",)


def test_floats_that_are_no_numbers_become_black_or_white() -> None:
    values = np.array([[np.nan, -5.0, np.inf, 0.5]], np.float32)
    source = read(Image.fromarray(values), "TIFF")
    assert levels(source.picture)[0, :3, 0].tolist() == [0, 0, 255]


def test_integers_of_32_bits_are_scaled_from_16() -> None:
    source = read(Image.fromarray(np.array([[0, 32896, 65535]], np.int32)), "TIFF")
    assert levels(source.picture)[0, :, 0].tolist() == [0, 128, 255]
    assert source.notes == ("reduced from 32 bits",)


@pytest.mark.parametrize("transparency", [3, bytes([0, 80, 160, 255])])
def test_palette_transparency_becomes_alpha(transparency: int | bytes) -> None:
    picture = Image.new("P", (4, 1))
    picture.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 8, 7])
    picture.putdata([0, 1, 2, 3])
    source = read(picture, transparency=transparency)
    assert source.picture.mode == "RGBA"
    alpha = [0, 80, 160, 255] if isinstance(transparency, bytes) else [255, 255, 255, 0]
    assert levels(source.picture)[0, :, 3].tolist() == alpha
    assert levels(source.picture)[0, 3, :3].tolist() == [9, 8, 7]


def test_an_opaque_palette_becomes_rgb() -> None:
    source = read(draw_colours().quantize(8), "GIF")
    assert source.picture.mode == "RGB"


@pytest.mark.parametrize(("mode", "result"), [("L", "RGB"), ("1", "RGB"), ("LA", "RGBA")])
def test_grey_becomes_rgb_and_keeps_alpha(mode: str, result: str) -> None:
    picture = draw_colours().convert("L").convert(mode)
    source = read(picture)
    assert source.picture.mode == result
    assert source.picture.tobytes() == picture.convert(result).tobytes()


def test_the_embedded_profile_never_changes_and_is_srgb() -> None:
    profile = make_srgb_profile()
    assert profile == make_srgb_profile()
    assert profile[24:36] == struct.pack(">6H", 2026, 1, 1, 0, 0, 0)
    assert profile[84:100] == bytes(16)
    opened = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    assert "sRGB" in ImageCms.getProfileDescription(opened)

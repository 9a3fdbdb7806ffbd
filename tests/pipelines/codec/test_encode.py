"""Outputs are small, faithful, sRGB, free of their source's metadata, and repeatable."""

import io

import numpy as np
import pytest
from PIL import Image, ImageFilter

from pipelines.codec.colour import make_srgb_profile
from pipelines.codec.decode import decode
from pipelines.codec.encode import Format, encode
from pipelines.errors import InvalidOption, UnreachableBudget

LOSSY = (Format.JPEG, Format.WEBP, Format.AVIF)


def draw_scene() -> Image.Image:
    """Soft shapes with fine detail on top."""
    random = np.random.default_rng(3)
    coarse = Image.fromarray(random.integers(0, 256, (8, 10, 3), np.uint8))
    smooth = np.asarray(coarse.resize((320, 240), Image.Resampling.BICUBIC), np.int16)
    detail = Image.fromarray(random.integers(0, 256, (240, 320), np.uint8))
    soft = np.asarray(detail.filter(ImageFilter.GaussianBlur(0.8)), np.int16)[..., None] - 128
    return Image.fromarray((smooth + soft // 3).clip(0, 255).astype(np.uint8))


def measure_fidelity(left: Image.Image, right: Image.Image) -> float:
    """PSNR in dB."""
    error = np.square(np.asarray(left, np.float64) - np.asarray(right, np.float64)).mean()
    return float(10 * np.log10(255**2 / error))


@pytest.mark.parametrize("output", LOSSY)
def test_default_quality_is_faithful(output: Format) -> None:
    scene = draw_scene()
    made = encode(scene, output)
    source = decode(made.data)
    assert made.quality == output.default_quality
    assert made.notes == ()
    assert source.format == output.name
    assert measure_fidelity(scene, source.picture) >= 34


@pytest.mark.parametrize("output", Format)
def test_the_same_picture_gives_the_same_bytes(output: Format) -> None:
    assert encode(draw_scene(), output) == encode(draw_scene(), output)


@pytest.mark.parametrize("output", Format)
def test_every_output_embeds_srgb_and_nothing_of_its_source(output: Format) -> None:
    scene = draw_scene()
    scene.info = {
        "comment": b"a secret",
        "exif": b"Exif\0\0MM\0*\0\0\0\x08\0\0",
        "xmp": b"<x:xmpmeta>a secret</x:xmpmeta>",
        "icc_profile": b"a secret",
    }
    data = encode(scene, output).data
    assert b"secret" not in data
    with Image.open(io.BytesIO(data)) as read:
        assert read.info["icc_profile"] == make_srgb_profile()
        said = dict(read.getexif())
        assert not said if output is not Format.TIFF else not {270, 305, 315, 33432} & said.keys()


@pytest.mark.parametrize("output", [Format.PNG, Format.WEBP, Format.AVIF, Format.TIFF])
def test_alpha_is_kept(output: Format) -> None:
    scene = draw_scene()
    scene.putalpha(Image.linear_gradient("L").resize(scene.size))
    picture = decode(encode(scene, output).data).picture
    assert picture.mode == "RGBA"
    alphas = (np.asarray(each.getchannel("A"), np.int16) for each in (scene, picture))
    assert np.abs(np.subtract(*alphas)).max() <= 8


def test_jpeg_lays_transparency_on_white_and_says_so() -> None:
    made = encode(Image.new("RGBA", (32, 32), (255, 0, 0, 0)), Format.JPEG)
    assert made.notes == ("transparency laid on white: JPEG has none",)
    assert decode(made.data).picture.getpixel((9, 9)) == (255, 255, 255)


@pytest.mark.parametrize("mode", ["L", "LA", "1", "P", "CMYK"])
def test_other_modes_are_converted(mode: str) -> None:
    picture = draw_scene().convert("L" if mode == "LA" else "RGB").convert(mode)
    result = decode(encode(picture, Format.PNG).data).picture
    expected = "RGBA" if mode == "LA" else "RGB"
    assert result.mode == expected
    assert result.tobytes() == picture.convert(expected).tobytes()


@pytest.mark.parametrize(("quality", "sampling"), [(89, 2), (90, 1), (100, 1)])
def test_jpeg_keeps_full_chroma_from_quality_90(quality: int, sampling: int) -> None:
    data = encode(draw_scene(), Format.JPEG, quality=quality).data
    frame = data.index(b"\xff\xc0")
    assert data[frame + 11] == sampling * 16 + sampling


@pytest.mark.parametrize("output", LOSSY)
def test_the_highest_quality_that_fits_the_budget_is_found(output: Format) -> None:
    scene = draw_scene()
    budget = len(encode(scene, output, quality=60).data)
    made = encode(scene, output, max_bytes=budget)
    assert len(made.data) <= budget
    assert made.quality is not None
    assert 60 <= made.quality < (output.default_quality or 0)
    assert len(encode(scene, output, quality=made.quality + 1).data) > budget
    assert f"to {made.quality} to fit {budget} bytes" in made.notes[0]


@pytest.mark.parametrize("output", Format)
def test_a_budget_that_is_large_enough_changes_nothing(output: Format) -> None:
    plain = encode(draw_scene(), output)
    assert encode(draw_scene(), output, max_bytes=len(plain.data)) == plain


@pytest.mark.parametrize("output", Format)
def test_a_budget_out_of_reach_is_refused_with_the_size_reached(output: Format) -> None:
    with pytest.raises(
        UnreachableBudget, match=r"smallest file reached has \d+ bytes; at most 900"
    ):
        encode(draw_scene(), output, max_bytes=900)


def test_png_takes_more_time_to_fit_a_budget() -> None:
    scene = draw_scene()
    plain = encode(scene, Format.PNG)
    budget = len(plain.data) - 100
    made = encode(scene, Format.PNG, max_bytes=budget)
    assert len(made.data) <= budget
    assert decode(made.data).picture.tobytes() == scene.tobytes()


@pytest.mark.parametrize("quality", [0, -1, 101])
@pytest.mark.parametrize("output", Format)
def test_quality_outside_1_to_100_is_refused(output: Format, quality: int) -> None:
    with pytest.raises(InvalidOption, match="1 to 100"):
        encode(draw_scene(), output, quality=quality)


def test_a_side_that_the_format_cannot_hold_is_refused() -> None:
    with pytest.raises(InvalidOption, match="16383"):
        encode(Image.new("RGB", (16_384, 1)), Format.WEBP)


@pytest.mark.parametrize(
    ("text", "output"),
    [
        ("jpg", Format.JPEG),
        (".JPG", Format.JPEG),
        ("jpeg", Format.JPEG),
        ("image/webp", Format.WEBP),
        (" png ", Format.PNG),
        ("avif", Format.AVIF),
        (".tif", Format.TIFF),
        ("image/tiff", Format.TIFF),
        ("PSD", Format.PSD),
        ("image/vnd.adobe.photoshop", Format.PSD),
    ],
)
def test_formats_are_read_as_people_write_them(text: str, output: Format) -> None:
    assert Format.parse(text) is output


def test_an_unknown_format_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InvalidOption, match="png, jpeg, webp, avif, tiff, psd, not 'bmp'"):
        Format.parse("bmp")


def test_formats_know_their_extension_and_media_type() -> None:
    assert [each.extension for each in Format] == [
        ".png",
        ".jpg",
        ".webp",
        ".avif",
        ".tif",
        ".psd",
    ]
    assert Format.JPEG.media_type == "image/jpeg"
    assert Format.PSD.media_type == "image/vnd.adobe.photoshop"
    assert [each for each in Format if each.lossy] == list(LOSSY)

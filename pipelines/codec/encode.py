"""From a picture to the bytes of a file.

Every output says that it is sRGB by an embedded profile, and carries the EXIF and XMP that it is
given: nothing of its source, and no comment. The same picture and options always give the same
bytes, on one version of the libraries. Alpha is kept, but for JPEG, which has none.

PNG, TIFF and PSD are lossless. JPEG keeps full chroma resolution from quality 90 on, and so does
AVIF; WebP always halves it.
"""

import io
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from PIL import Image

from pipelines.codec.colour import make_srgb_profile
from pipelines.codec.embedded import Embedded
from pipelines.codec.png import encode_png
from pipelines.codec.tiff import encode_tiff
from pipelines.errors import InvalidOption, UnreachableBudget

_FULL_CHROMA = 90
_OTHER_NAMES = {"jpg": "jpeg", "tif": "tiff", "vnd.adobe.photoshop": "psd"}
_FLOOR = 30  # below, a smaller picture looks better than a coarser one


class Format(StrEnum):
    """What an output can be."""

    PNG = "png"
    JPEG = "jpeg"
    WEBP = "webp"
    AVIF = "avif"
    TIFF = "tiff"
    PSD = "psd"

    @property
    def extension(self) -> str:
        """With its dot: ``.jpg``."""
        return {Format.JPEG: ".jpg", Format.TIFF: ".tif"}.get(self, f".{self}")

    @property
    def media_type(self) -> str:
        """As HTTP writes it: ``image/jpeg``."""
        return "image/vnd.adobe.photoshop" if self is Format.PSD else f"image/{self}"

    @property
    def lossy(self) -> bool:
        """Whether it has a quality, and pixels change a little."""
        return self.default_quality is not None

    @property
    def default_quality(self) -> int | None:
        """1 to 100 on the encoder's own scale; None for lossless formats."""
        return {Format.JPEG: 90, Format.WEBP: 90, Format.AVIF: 80}.get(self)

    @property
    def max_side(self) -> int:
        """The longest side that the format can hold, px."""
        sides = {
            Format.JPEG: 65_500,
            Format.WEBP: 16_383,
            Format.AVIF: 65_536,
            Format.PSD: 30_000,
        }
        return sides.get(self, 2**31 - 1)

    @property
    def max_block(self) -> int:
        """The most bytes of EXIF, and again of XMP, that the format can hold."""
        return 65_500 if self is Format.JPEG else 2**31 - 1

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``jpg``, ``.PNG`` or ``image/webp``; raises InvalidOption."""
        name = text.strip().lower().removeprefix("image/").removeprefix(".")
        try:
            return cls(_OTHER_NAMES.get(name, name))
        except ValueError as error:
            msg = f"the output format is one of {', '.join(cls)}, not {text!r}"
            raise InvalidOption(msg) from error


@dataclass(frozen=True, slots=True)
class Encoded:
    """A finished file."""

    data: bytes
    format: Format
    quality: int | None
    """1 to 100 as used; None for lossless formats."""
    notes: tuple[str, ...]
    """What had to be given up for the format or the budget, in words."""


def encode(
    picture: Image.Image,
    format: Format,  # noqa: A002  the one word for it
    *,
    quality: int | None = None,
    max_bytes: int | None = None,
    background: str = "white",
    embedded: Embedded = Embedded(),  # noqa: B008  frozen
) -> Encoded:
    """Write an sRGB ``picture``, RGB or RGBA, as a file of at most ``max_bytes``.

    Args:
        picture: sRGB; modes other than RGB and RGBA are converted first.
        format: what to write.
        quality: 1 to 100, the format's default when None; ignored by lossless formats.
        max_bytes: lossy formats give up quality for it, down to 30; PNG takes more time.
        background: what transparency is laid on where the format has none, as for ``flatten``.
        embedded: what goes into the file besides the picture; it counts.

    Raises:
        InvalidOption: quality outside 1 to 100, or a side longer than the format can hold.
        UnreachableBudget: not even the smallest file fits ``max_bytes``.
    """
    if quality is not None and not 1 <= quality <= 100:  # noqa: PLR2004
        msg = f"quality goes from 1 to 100, not {quality}"
        raise InvalidOption(msg)
    if max(picture.size) > format.max_side:
        msg = f"{format} holds at most {format.max_side} pixels per side, not {max(picture.size)}"
        raise InvalidOption(msg)
    picture, notes = _fit_mode(picture, format, background)
    start = quality or format.default_quality
    if start is None or not format.lossy:
        data = _encode_lossless(picture, format, max_bytes, embedded)
        return Encoded(data, format, None, notes)
    data, used = _encode_lossy(picture, format, start, max_bytes, embedded)
    if used != start:
        notes += (f"quality lowered from {start} to {used} to fit {max_bytes} bytes",)
    return Encoded(data, format, used, notes)


def flatten(picture: Image.Image, background: str = "white") -> Image.Image:
    """Lay ``picture`` on a colour, ``#rrggbb`` or its name; RGB."""
    below = Image.new("RGB", picture.size, background)
    below.paste(picture.convert("RGB"), mask=picture.getchannel("A"))
    return below


def _fit_mode(
    picture: Image.Image,
    format: Format,  # noqa: A002
    background: str,
) -> tuple[Image.Image, tuple[str, ...]]:
    if picture.mode not in ("RGB", "RGBA"):
        picture = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    if picture.mode == "RGB" or format is not Format.JPEG:
        return picture, ()
    return flatten(picture, background), (f"transparency laid on {background}: JPEG has none",)


def _encode_lossless(
    picture: Image.Image,
    format: Format,  # noqa: A002
    max_bytes: int | None,
    embedded: Embedded,
) -> bytes:
    profile = make_srgb_profile()
    match format:
        case Format.TIFF:
            data = encode_tiff(picture, profile, embedded)
        case Format.PSD:
            # its library takes as long to import as all the others, and few need it
            from pipelines.codec.psd import encode_psd  # noqa: PLC0415

            data = encode_psd(picture, profile, embedded)
        case _:
            data = encode_png(picture, profile, embedded)
    if max_bytes is not None and format is Format.PNG and max_bytes < len(data) < 2 * max_bytes:
        data = encode_png(picture, profile, embedded, smallest=True)  # which never saves half
    if max_bytes is not None:
        _check_budget(len(data), max_bytes)
    return data


def _encode_lossy(
    picture: Image.Image,
    format: Format,  # noqa: A002
    start: int,
    max_bytes: int | None,
    embedded: Embedded,
) -> tuple[bytes, int]:
    """The highest quality up to ``start`` that fits, found in at most eight encodings."""
    data = _save(picture, format, start, embedded)
    if max_bytes is None or len(data) <= max_bytes:
        return data, start
    low, high, best = min(_FLOOR, start), start - 1, None
    smallest = len(data)
    while low <= high:
        middle = (low + high) // 2
        data = _save(picture, format, middle, embedded)
        smallest = min(smallest, len(data))
        if len(data) <= max_bytes:
            best, low = (data, middle), middle + 1
        else:
            high = middle - 1
    if best is None:
        _check_budget(smallest, max_bytes)
    assert best is not None
    return best


def _check_budget(size: int, max_bytes: int) -> None:
    if size > max_bytes:
        msg = f"the smallest file reached has {size} bytes; at most {max_bytes} were asked for"
        raise UnreachableBudget(msg)


def _save(picture: Image.Image, format: Format, quality: int, embedded: Embedded) -> bytes:  # noqa: A002
    chroma = "4:4:4" if quality >= _FULL_CHROMA else "4:2:0"
    options: dict[Format, dict[str, Any]] = {
        Format.JPEG: {"subsampling": chroma},
        Format.WEBP: {"method": 2},  # half the time of the default 4 for the same bytes
        # libaom's bytes differ between one thread and several, so their number is fixed
        Format.AVIF: {"subsampling": chroma, "speed": 8, "max_threads": 4},
    }
    exif = b"Exif\0\0" + embedded.exif if embedded.exif else b""
    said = {"exif": exif, "xmp": embedded.xmp}
    file = io.BytesIO()
    clean = picture if not picture.info else _without_info(picture)
    clean.save(
        file,
        format.name,
        quality=quality,
        icc_profile=make_srgb_profile(),
        **{name: value for name, value in said.items() if value},
        **options[format],
    )
    return file.getvalue()


def _without_info(picture: Image.Image) -> Image.Image:
    """Pillow writes EXIF, XMP and comments that it finds there into some formats."""
    clean = picture.copy()
    clean.info = {}
    return clean

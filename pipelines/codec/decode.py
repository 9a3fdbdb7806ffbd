"""From the bytes of a file to one upright sRGB picture.

In this order: byte limit, format by signature, header, size limits, pixels, colour (its rules
are in ``colour.py``), orientation.

- EXIF orientation is applied; unreadable EXIF is taken as upright. Rotations of AVIF and HEIC
  containers count the same.
- Of an animation the first frame, of a multi-page TIFF or a multi-picture JPEG the first page.
- 16-bit and HDR channels are reduced to 8 bits.
- A file that ends early is refused, even where part of the picture could be shown.

A refusal says what was wrong; nothing is written and nothing is fetched.
"""

import hashlib
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from PIL import ExifTags, Image, ImageFile, TiffImagePlugin

from pipelines.codec.colour import convert_to_srgb
from pipelines.codec.frames import describe_frames
from pipelines.codec.limits import Limits
from pipelines.codec.notice import Notice, read_notice
from pipelines.codec.signature import open_header
from pipelines.errors import ImageTooLarge, ImageUndecodable, ReframeError
from pipelines.geometry import Size

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True, slots=True)
class Source:
    """A picture as it came in."""

    picture: Image.Image
    """Upright and sRGB; RGB, or RGBA when the file has transparency of any kind."""
    format: str
    """JPEG, PNG, WEBP, AVIF, GIF, TIFF or HEIF."""
    stored: Size
    """As the file stores it, before any turn."""
    sha256: str
    """Of the bytes, in hexadecimal."""
    notes: tuple[str, ...]
    """What had to be done to the file, in words."""
    notice: Notice = field(default_factory=Notice)
    """Whose it is, and what it says of its own making."""
    data: bytes = field(default=b"", repr=False)
    """The file itself."""


def decode(data: bytes, limits: Limits = Limits()) -> Source:  # noqa: B008  frozen
    """Read the picture in ``data``.

    Raises:
        ImageTooLarge: more bytes, pixels or pixels per side than ``limits`` allow.
        ImageUndecodable: not a picture in a supported format, damaged, or cut short.
    """
    if len(data) > limits.max_bytes:
        msg = f"the file has {len(data)} bytes; at most {limits.max_bytes} are accepted"
        raise ImageTooLarge(msg)
    with _translated_errors():
        file = open_header(data)
        for size in _list_sizes(file):
            _check_size(size, limits)
        return _read(file, data)


def _list_sizes(file: ImageFile.ImageFile) -> Iterator[Size]:
    """All that the header says will be allocated."""
    yield Size(*file.size)
    if isinstance(file, TiffImagePlugin.TiffImageFile):  # a tile may be larger than the picture
        yield Size(file.tag_v2.get(322, 1), file.tag_v2.get(323, 1))


def _check_size(size: Size, limits: Limits) -> None:
    if size.area > limits.max_pixels or size.long_side > limits.max_side:
        msg = (
            f"the picture has {size} = {size.area} pixels; at most {limits.max_pixels} pixels "
            f"and {limits.max_side} per side are accepted"
        )
        raise ImageTooLarge(msg)


def _read(file: ImageFile.ImageFile, data: bytes) -> Source:
    size, name = Size(*file.size), "JPEG" if file.format == "MPO" else str(file.format)
    notes = list(_describe_depth(file))
    if name == "TIFF":  # whose plugin turns the picture, and forgets the turn, while loading
        turn = _read_orientation(file)
        file.load()
    else:
        file.load()
        turn = _read_orientation(file)
    picture, colour_notes = convert_to_srgb(file, file.info.get("icc_profile"))
    notes.extend(colour_notes)
    if turn in _TURNS:
        notes.append(f"turned upright (EXIF orientation {turn})")
        if name != "TIFF":
            picture = picture.transpose(_TURNS[turn])
        elif turn >= 5:  # noqa: PLR2004  those swap width and height
            size = Size(size.height, size.width)
    notice = read_notice(file)
    notes.extend(describe_frames(file, data))
    sha256 = hashlib.sha256(data).hexdigest()
    return Source(picture, name, size, sha256, tuple(notes), notice, data)


def _read_orientation(file: ImageFile.ImageFile) -> int:
    try:
        value = file.getexif().get(ExifTags.Base.Orientation, 1)
        return int(value)
    except Exception:  # noqa: BLE001  a picture whose EXIF cannot be read is still a picture
        return 1


def _describe_depth(file: ImageFile.ImageFile) -> Iterator[str]:
    """Must be called before the pixels are loaded: loading forgets what was stored."""
    bits = file.info.get("bit_depth", 8)
    if ";16" in str(file.tile):
        bits = 16
    elif file.mode == "I":
        bits = 32
    if file.mode == "F":
        yield "reduced from floating point"
    elif bits > 8:  # noqa: PLR2004  what a channel of the output has
        yield f"reduced from {bits} bits"


@contextmanager
def _translated_errors() -> Iterator[None]:
    """Let only our errors out, and no warning of a decoder."""
    with warnings.catch_warnings():
        # Until Python 3.14 filters belong to the process: a thread that ends meanwhile may
        # restore them early or late, which at worst silences these two libraries or shows a line.
        warnings.filterwarnings("ignore", module=r"(PIL|pillow_heif)\b")
        try:
            yield
        except ReframeError:
            raise
        except Image.DecompressionBombError as error:  # headers that grow while they are read
            msg = f"the picture is too large to decode: {error}"
            raise ImageTooLarge(msg) from error
        except MemoryError as error:
            msg = "the picture needs more memory than there is to decode it"
            raise ImageTooLarge(msg) from error
        except Exception as error:
            # Fuzzing Pillow's plugins finds five unrelated classes, RuntimeError among them;
            # whatever a decoder raises, the cause is the file.
            msg = "the file is damaged or cut short and cannot be decoded"
            raise ImageUndecodable(msg) from error

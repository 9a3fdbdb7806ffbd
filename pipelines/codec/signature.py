"""Which decoder a file needs, told by its first bytes and never by its name.

JPEG, PNG, WebP, AVIF, GIF and TIFF, and HEIC where pillow-heif is installed. Decoders are called
directly, not through ``Image.open``, whose own size limit would overrule the caller's.
"""

import io
from collections.abc import Callable

from PIL import (
    AvifImagePlugin,
    GifImagePlugin,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from pipelines.errors import ImageUndecodable

_Decoder = Callable[[io.BytesIO, str], ImageFile.ImageFile]

_DECODERS: tuple[tuple[bytes, _Decoder], ...] = (
    (b"\xff\xd8\xff", JpegImagePlugin.jpeg_factory),
    (b"\x89PNG\r\n\x1a\n", PngImagePlugin.PngImageFile),
    (b"GIF8", GifImagePlugin.GifImageFile),
    (b"II*\0", TiffImagePlugin.TiffImageFile),
    (b"MM\0*", TiffImagePlugin.TiffImageFile),
    (b"II+\0", TiffImagePlugin.TiffImageFile),
    (b"MM\0+", TiffImagePlugin.TiffImageFile),
)
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")


def open_header(data: bytes) -> ImageFile.ImageFile:
    """Read what precedes the pixels.

    Raises:
        ImageUndecodable: not one of the formats, or HEIC without pillow-heif.
        Exception: whatever the decoder raises on a damaged header.
    """
    if not data:
        raise ImageUndecodable("the file is empty")
    decoder = _find_decoder(data)
    if decoder is None:
        raise ImageUndecodable("the file is not a JPEG, PNG, WebP, AVIF, GIF, TIFF or HEIC picture")
    return decoder(io.BytesIO(data), "")


def _find_decoder(data: bytes) -> _Decoder | None:
    head = data[:64]
    for signature, decoder in _DECODERS:
        if head.startswith(signature):
            return decoder
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return WebPImagePlugin.WebPImageFile
    if head[4:8] != b"ftyp":
        return None
    _check_boxes(data)
    brands = head[8 : int.from_bytes(head[:4])]
    if b"avif" in brands or b"avis" in brands:
        return AvifImagePlugin.AvifImageFile
    return _import_heif_decoder() if brands.startswith(_HEIF_BRANDS) else None


def _check_boxes(data: bytes) -> None:
    """Refuse an AVIF or HEIC file that ends early: its decoder would paint the rest green.

    Walks the top-level boxes of ISO/IEC 14496-12: a length of 4 bytes, or 1 and 8 bytes after the
    type, or 0 for all that follows.
    """
    place = 0
    while place < len(data):
        length, header = int.from_bytes(data[place : place + 4]), 8
        if length == 1:
            length, header = int.from_bytes(data[place + 8 : place + 16]), 16
        if length == 0:
            return
        if length < header or place + length > len(data):
            raise ImageUndecodable("the file is damaged or cut short")
        place += length


def _import_heif_decoder() -> _Decoder:
    try:
        from pillow_heif import HeifImageFile  # noqa: PLC0415  an optional extra
    except ImportError as error:
        raise ImageUndecodable(
            "reading HEIC needs pillow-heif, which is not installed (extra: heic)"
        ) from error
    decoder: _Decoder = HeifImageFile
    return decoder

"""TIFF by Pillow: LZW, which every reader knows; alpha unassociated, metadata in tags."""

import io

from PIL import Image, TiffImagePlugin, TiffTags

from pipelines.codec.embedded import Embedded

_PREDICTOR, _DIFFERENCES = 317, 2
_XMP = 700


def encode_tiff(picture: Image.Image, profile: bytes, embedded: Embedded) -> bytes:
    """Write an RGB or RGBA ``picture``; its EXIF joins the tags of the file."""
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[_PREDICTOR] = _DIFFERENCES
    if embedded.exif:
        exif = Image.Exif()
        exif.load(embedded.exif)
        for tag, text in exif.items():
            tags[tag] = text.encode("latin-1")  # as Pillow reads them; they are UTF-8
    if embedded.xmp:
        tags[_XMP] = embedded.xmp
        tags.tagtype[_XMP] = TiffTags.BYTE
    clean = picture.copy()
    clean.info = {}
    file = io.BytesIO()
    options = {"compression": "tiff_lzw", "tiffinfo": tags, "icc_profile": profile}
    clean.save(file, "TIFF", dpi=(72, 72), **options)
    return file.getvalue()

"""EXIF that says whose a picture is."""

from PIL import ExifTags, Image

_PREFIX = b"Exif\0\0"


def write_exif(creators: tuple[str, ...], copyright_: str) -> bytes:
    """A TIFF structure with Artist and Copyright in UTF-8; empty where both are."""
    exif = Image.Exif()
    if creators:
        exif[ExifTags.Base.Artist] = "; ".join(creators).encode()
    if copyright_:
        exif[ExifTags.Base.Copyright] = copyright_.encode()
    return exif.tobytes().removeprefix(_PREFIX) if len(exif) else b""

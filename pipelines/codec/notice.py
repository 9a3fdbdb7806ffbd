"""Whose a picture is, as its file says: the rights, and nothing else of its metadata.

Where it was taken, by which camera and when are not read at all. XMP goes before IPTC-IIM, that
before EXIF, field by field. What cannot be read says nothing; nothing here fails or takes long.
"""

import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, fields
from typing import Any, Self

from PIL import ExifTags, ImageFile, TiffImagePlugin, TiffTags

from pipelines.codec.iptc import read_iptc
from pipelines.codec.xmp import Property, read_xmp

MOST_TEXT = 2_000
MOST_CREATORS = 20
MOST_BYTES = 1 << 18
"""Of an EXIF, IPTC or XMP block; larger ones are not read."""

SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"

_SOURCE_TYPE = re.compile(rf"(?:{SOURCE_TYPES.replace('http', 'https?')}|digsrctype:)?([A-Za-z]+)")
_ADDRESS = re.compile(r"https?://\S+")
_IPTC, _PHOTOSHOP_IPTC = 33723, 0x0404


@dataclass(frozen=True, slots=True)
class Notice:
    """Each is empty where nothing was said; texts have one line and at most 2,000 characters.

    ``terms`` are how the picture may be used, ``licence`` the address of a licence, ``licensor``
    the address where one is to be had, ``credit`` the line to print beside the picture.
    ``source_type`` is what the file says of its own making, in IPTC's words for it, as a URI.
    """

    creators: tuple[str, ...] = ()
    copyright: str = ""
    credit: str = ""
    terms: str = ""
    licence: str = ""
    licensor: str = ""
    source_type: str = ""

    def over(self, other: Self) -> Self:
        """This notice, and the other's word where it says nothing."""
        names = (field.name for field in fields(self))
        return type(self)(**{name: getattr(self, name) or getattr(other, name) for name in names})


def read_notice(file: ImageFile.ImageFile) -> Notice:
    """What ``file``, whose header has been read, says."""
    notice = Notice()
    for read in (_read_xmp, _read_iptc, _read_exif):
        with suppress(Exception):  # a block may be anything, and a picture is one without it
            notice = notice.over(read(file))
    return notice


def _read_xmp(file: ImageFile.ImageFile) -> Notice:
    packet = file.info.get("xmp", b"")
    if isinstance(packet, str):
        packet = packet.encode()
    said = read_xmp(packet) if len(packet) <= MOST_BYTES else {}

    def first(name: Property) -> str:
        return _clean(next(iter(said.get(name, ())), ""))

    return Notice(
        creators=_list_names(said.get(Property.CREATOR, ())),
        copyright=first(Property.RIGHTS),
        credit=first(Property.CREDIT),
        terms=first(Property.TERMS),
        licence=_address(first(Property.LICENCE) or first(Property.CC_LICENCE)),
        licensor=_address(first(Property.LICENSOR)),
        source_type=_name_type(first(Property.SOURCE_TYPE)),
    )


def _read_iptc(file: ImageFile.ImageFile) -> Notice:
    if isinstance(file, TiffImagePlugin.TiffImageFile):
        block = _raw(file, _IPTC)
    else:
        block = file.info.get("photoshop", {}).get(_PHOTOSHOP_IPTC, b"")
    said = read_iptc(block[:MOST_BYTES])
    copyrights, credits_ = said.get("copyright", ()), said.get("credit", ())
    return Notice(
        creators=_list_names(said.get("by-line", ())),
        copyright=_clean(next(iter(copyrights), "")),
        credit=_clean(next(iter(credits_), "")),
    )


def _read_exif(file: ImageFile.ImageFile) -> Notice:
    artist, rights = ExifTags.Base.Artist, ExifTags.Base.Copyright
    if isinstance(file, TiffImagePlugin.TiffImageFile):
        types = file.tag_v2.tagtype
        found = [
            _raw(file, tag)[:MOST_BYTES] if types.get(tag) == TiffTags.ASCII else b""
            for tag in (artist, rights)
        ]
    elif len(file.info.get("exif", b"")) <= MOST_BYTES:
        found = [file.getexif().get(tag, "") for tag in (artist, rights)]
    else:
        return Notice()
    return Notice(_list_names(_decode(found[0]).split(";")), _clean(_decode(found[1])))


def _raw(file: TiffImagePlugin.TiffImageFile, tag: int) -> bytes:
    """A tag's own bytes: its numbers may be millions, which nobody needs as numbers."""
    return file.tag_v2._tagdata.get(tag, b"")  # noqa: SLF001  there is no other way to them


def _decode(value: Any) -> str:
    """EXIF has ASCII by its standard, UTF-8 by habit, and Pillow takes it for Latin-1."""
    if isinstance(value, str):
        value = value.encode("latin-1", "replace")
    if not isinstance(value, bytes):
        return ""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _list_names(values: Iterable[str]) -> tuple[str, ...]:
    names = (_clean(value) for value in list(values)[:MOST_CREATORS])
    return tuple(dict.fromkeys(name for name in names if name))


def _clean(text: str) -> str:
    """One line without control characters, nor any that turn the direction of reading."""
    spaced = (char if char.isprintable() else " " for char in text[:MOST_TEXT])
    return " ".join("".join(spaced).split())


def _address(text: str) -> str:
    return text if _ADDRESS.fullmatch(text) else ""


def _name_type(text: str) -> str:
    found = _SOURCE_TYPE.fullmatch(text)
    return SOURCE_TYPES + found[1] if found and len(text) < MOST_TEXT else ""

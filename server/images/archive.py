"""A zip of pictures: opened in memory, counted while it is unpacked, believed in nothing.

Names inside are labels; no file is ever written under one. What is not a picture by its first bytes
is left out, and so are folders, dot files and what macOS adds. What is not plainly stored or
deflated, or contradicts itself, makes the whole zip unfit.
"""

import io
import stat
import struct
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

from pipelines.codec.signature import open_header
from pipelines.errors import ImageTooLarge, ImageUndecodable, ReframeError
from server.errors import ArchiveInvalid
from server.images.label import base_name, clean_label

_LOCAL = b"PK\x03\x04"
_CENTRAL = b"PK\x01\x02"
_END = b"PK\x05\x06"
_ENTRIES_PER_MEMBER = 10
"""Folders and what macOS adds come on top of the pictures; reading their list costs too."""

_HEAD = 64
_CHUNK = 256 * 1024
_ENCRYPTED = 0x1 | 0x40
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
"""The others cannot be unpacked a piece at a time, so no limit would hold."""

_BRANDS = (b"avi", b"hei", b"hev", b"mif1", b"msf1")


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """The most pictures in a zip, and bytes of one and of all, unpacked; each inclusive."""

    members: int = 200
    member_bytes: int = 50 * 2**20
    total_bytes: int = 500 * 2**20


class Member(NamedTuple):
    """One picture of a zip."""

    label: str
    data: bytes


def is_archive(data: bytes) -> bool:
    """Whether ``data`` begins as a zip does, an empty one too."""
    return data.startswith((_LOCAL, _END))


def open_archive(
    data: bytes,
    limits: ArchiveLimits = ArchiveLimits(),
    member: str = "",
) -> Iterator[Member]:
    """The pictures in the zip, by name, one at a time; or ``member`` alone.

    ``member`` is a name in full or without its folders.

    Raises:
        ArchiveInvalid: damaged, encrypted, overlapping, false about itself, with another zip in
            it, with too many pictures, or without any (called ``member``). Some of this shows
            only when the picture in question is asked for.
        ImageTooLarge: a picture, or all together, are larger than ``limits`` allow.
    """
    if data.count(_CENTRAL) > limits.members * _ENTRIES_PER_MEMBER:
        raise ArchiveInvalid(f"the zip has far more than {limits.members} entries")
    with _translated_errors():
        archive = zipfile.ZipFile(io.BytesIO(data))
        entries = archive.infolist()
        _check_entries(data, entries, archive.start_dir)
    return _unpack(archive, _choose(entries, member), limits)


def _check_entries(data: bytes, entries: Sequence[zipfile.ZipInfo], end: int) -> None:
    """Refuse entries that share bytes: so a small zip unpacks to a huge one."""
    if any(entry.flag_bits & _ENCRYPTED for entry in entries):
        raise ArchiveInvalid("the zip is encrypted")
    if any(entry.compress_type not in _METHODS for entry in entries):
        raise ArchiveInvalid("the zip is compressed in another way than deflate")
    for entry in sorted(entries, key=lambda entry: entry.header_offset, reverse=True):
        name, extra = struct.unpack_from("<HH", data, entry.header_offset + 26)
        if entry.header_offset + 30 + name + extra + entry.compress_size > end:
            raise ArchiveInvalid("entries of the zip overlap")
        end = entry.header_offset


def _choose(entries: Sequence[zipfile.ZipInfo], member: str) -> list[zipfile.ZipInfo]:
    found = [entry for entry in entries if not _is_noise(entry)]
    found.sort(key=lambda entry: (clean_label(entry.filename), entry.filename))
    if not member:
        return found
    exact = [entry for entry in found if member in {entry.filename, clean_label(entry.filename)}]
    alike = [entry for entry in found if base_name(clean_label(entry.filename)) == member]
    if not exact + alike:
        raise ArchiveInvalid(f"the zip has no file called {clean_label(member)}")
    return (exact + alike)[:1]


def _is_noise(entry: zipfile.ZipInfo) -> bool:
    parts = entry.filename.replace("\\", "/").split("/")
    hidden = any(part.startswith(".") and part.strip(".") for part in parts)
    return entry.is_dir() or hidden or parts[0] == "__MACOSX" or _is_link(entry)


def _is_link(entry: zipfile.ZipInfo) -> bool:
    return stat.S_ISLNK(entry.external_attr >> 16)


def _unpack(
    archive: zipfile.ZipFile, entries: Sequence[zipfile.ZipInfo], limits: ArchiveLimits
) -> Iterator[Member]:
    count, left = 0, limits.total_bytes
    for entry in entries:
        with _translated_errors():
            data = _read(archive, entry, min(limits.member_bytes, left))
        if data is None:
            continue
        count, left = count + 1, left - len(data)
        if count > limits.members:
            raise ArchiveInvalid(f"the zip has more than {limits.members} pictures")
        yield Member(clean_label(entry.filename), data)
    if not count:
        raise ArchiveInvalid("the zip holds no pictures")


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, most: int) -> bytes | None:
    """The entry's bytes, or None where it is no picture; never more than ``most`` are unpacked."""
    with archive.open(entry) as file:
        head = file.read(_HEAD)
        if is_archive(head):
            raise ArchiveInvalid("the zip has another zip in it")
        if not _begins_as_a_picture(head):
            return None
        data = io.BytesIO()
        while head:
            data.write(head)
            if data.tell() > most or entry.file_size > most:
                raise ImageTooLarge(f"{clean_label(entry.filename)} in the zip is too large")
            head = file.read(_CHUNK)
    if data.tell() != entry.file_size:
        raise ArchiveInvalid("the zip is false about a size")
    return data.getvalue()


def _begins_as_a_picture(head: bytes) -> bool:
    if head[4:8] == b"ftyp":  # its decoder would want the whole file before it says anything
        return head[8:12].startswith(_BRANDS)
    try:
        open_header(head).close()
    except ImageUndecodable:
        return False
    except Exception:  # noqa: BLE001  a picture's beginning is there, the rest of it is not
        return True
    return True


@contextmanager
def _translated_errors() -> Iterator[None]:
    """Whatever ``zipfile`` and ``zlib`` raise on a zip, the cause is the zip."""
    try:
        yield
    except ReframeError:
        raise
    except Exception as error:
        raise ArchiveInvalid("the zip is damaged") from error

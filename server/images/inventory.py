"""What a job's sources became, listed beside them: whoever wants to see them again reads it.

It lies in the same folder of the store as what it lists, and goes when that goes.
"""

import hashlib
import json
from collections.abc import Iterable
from typing import NamedTuple, Self

from server.errors import BlobMissing
from server.images.store import ImageStore

UNKNOWN = "application/octet-stream"

_SIGNATURES = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF8", "image/gif"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
    (b"II+\0", "image/tiff"),
    (b"MM\0+", "image/tiff"),
)
_HEIF_BRANDS = (b"hei", b"hev", b"mif1", b"msf1")


class Kept(NamedTuple):
    """A picture that a job was given, as it lies in the store; ``size`` is in bytes."""

    label: str
    blob: str
    media_type: str
    size: int
    sha256: str

    @classmethod
    def of(cls, label: str, blob: str, data: bytes) -> Self:
        """What ``data`` is, which lies at ``blob``."""
        return cls(label, blob, media_type_of(data), len(data), hashlib.sha256(data).hexdigest())


def media_type_of(data: bytes) -> str:
    """Told by the first bytes alone; ``application/octet-stream`` where it is no picture."""
    for signature, media_type in _SIGNATURES:
        if data.startswith(signature):
            return media_type
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "image/webp"
    if data[4:8] != b"ftyp":
        return UNKNOWN
    brands = data[8 : min(64, int.from_bytes(data[:4]))]
    if b"avif" in brands or b"avis" in brands:
        return "image/avif"
    return "image/heic" if brands.startswith(_HEIF_BRANDS) else UNKNOWN


def inventory_blob(shelf: str) -> str:
    """Where the list is, once all that it lists is there."""
    return f"{shelf}inventory"


def write_inventory(store: ImageStore, shelf: str, pictures: Iterable[Kept]) -> None:
    """Keep the list; the same again changes nothing. Raises StorageFull or Unavailable."""
    store.put(inventory_blob(shelf), json.dumps(list(pictures)).encode())


def read_inventory(store: ImageStore, shelf: str) -> tuple[Kept, ...] | None:
    """The pictures in their order; None before they are there, and once they are gone.

    Raises:
        Unavailable: the store cannot be read.
    """
    try:
        written = store.read(inventory_blob(shelf))
    except BlobMissing:
        return None
    return tuple(Kept(*entry) for entry in json.loads(written))

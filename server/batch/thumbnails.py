"""Small pictures for the report, kept by the sha256 of what they show."""

import io
from pathlib import Path

from PIL import Image

from pipelines.codec.decode import decode
from pipelines.errors import ReframeError
from server.batch.whole_file import write_whole

THUMBNAILS = "thumbnails"
"""The folder, in that of the batch's own things."""

SIDE = 320
"""The longest, px."""

QUALITY = 80


class Thumbnails:
    """A folder of them."""

    def __init__(self, folder: Path) -> None:
        """It need not be there yet."""
        self._folder = folder

    def add(self, digest: str, data: bytes) -> None:
        """Keep a small one of a picture, upright; what cannot be shown has none."""
        path = self._folder / name_of(digest)
        if path.exists():
            return
        try:
            picture = decode(data).picture
        except ReframeError:
            return
        write_whole(path, _shrink(picture))


def name_of(digest: str) -> str:
    """The file, below the folder: few in each, for some disks are slow with many."""
    return f"{digest[:2]}/{digest[2:18]}.jpg"


def _shrink(picture: Image.Image) -> bytes:
    picture.thumbnail((SIDE, SIDE), reducing_gap=2)
    small = picture.convert("RGBA")
    white = Image.new("RGB", small.size, "white")
    white.paste(small, mask=small)
    file = io.BytesIO()
    white.save(file, "JPEG", quality=QUALITY)
    return file.getvalue()

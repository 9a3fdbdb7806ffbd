"""How many frames, pages or pictures a file holds besides the one that is used.

Counting never decodes and gives up early: a hostile file holds millions of frames.
"""

from PIL import ImageFile, TiffImagePlugin

_MOST = 500  # frames that are counted at all
_SEARCHED = 1 << 23  # bytes of a GIF


def describe_frames(file: ImageFile.ImageFile, data: bytes) -> tuple[str, ...]:
    """Say in words that ``file`` is the first of several; nothing when it is the only one.

    To be called last: counting pages moves the file on.
    """
    noun = {"TIFF": "pages", "MPO": "pictures", "HEIF": "pictures"}.get(str(file.format), "frames")
    if isinstance(file, TiffImagePlugin.TiffImageFile):
        count = _count_pages(file)
    elif file.format == "GIF":
        count = _count_gif_frames(data[:_SEARCHED])
    else:
        count = getattr(file, "n_frames", 1)
    if count > _MOST:
        return (f"first of many {noun}",)
    return (f"first of {count} {noun}",) if count > 1 else ()


def _count_pages(file: TiffImagePlugin.TiffImageFile) -> int:
    count = 1
    try:
        while count <= _MOST:
            file.seek(count)
            count += 1
    except Exception:  # noqa: BLE001  the end, or damage that the first page does not share
        return count
    return count


def _count_gif_frames(data: bytes) -> int:
    """Hop from block to block; Pillow would read all of them."""
    count, place = 0, 13
    try:
        place += _measure_palette(data[10])
        while count <= _MOST and data[place] in b"!,":
            if data[place] == ord(","):
                count += 1
                place += 9 + _measure_palette(data[place + 9])
            place += 2
            while data[place]:
                place += data[place] + 1
            place += 1
    except IndexError:  # cut short, or longer than is searched
        return count if len(data) < _SEARCHED else _MOST + 1
    return count


def _measure_palette(flags: int) -> int:
    """Bytes of the colour table that ``flags`` announce."""
    return 3 << (flags % 8 + 1) if flags & 0x80 else 0

"""A PNG encoder that uses every core and spends its time where it pays.

Rows are cut into bands of about a megabyte, filtered and deflated each on its own in threads
(zlib and numpy let go of the interpreter lock), and joined to one zlib stream. The cuts follow
from the size of the picture alone, so the bytes do not depend on the number of cores.

Each band tries some of its rows first. Grain and photographs end with the average filter and
run-length matching, which finds nearly all there is to find in a fraction of the time; repeated
pixels, as in text, drawings and bars, with real matching at zlib's default level. 8-bit grey, RGB
and RGBA only: no palettes, no interlacing, no chunks but the profile, EXIF, XMP and the pixels.
"""

import os
import struct
import zlib
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipelines.codec.embedded import Embedded

_Rows = NDArray[np.uint8]  # (rows, width, channels)
_BAND = 1 << 20  # bytes before compression
_SPACING = 32  # rows from one tried pair to the next
_COSTLY, _TINY = 0.25, 0.08  # shares of the pixels' bytes: real matching is slow above, free below
_ADLER = 65_521  # the prime of adler32
_XMP = b"XML:com.adobe.xmp\0\0\0\0\0"  # keyword, not compressed, no language, no translation
_NONE, _SUB, _UP, _AVERAGE, _PAETH = range(5)  # as numbered by the PNG standard


class _Way(NamedTuple):
    """How a band is written."""

    filter: int
    level: int
    strategy: int


class _Band(NamedTuple):
    """A piece of the deflate stream, and what the checksum of the whole needs."""

    data: bytes
    length: int  # bytes before compression
    adler: int


def encode_png(
    picture: Image.Image,
    profile: bytes | None,
    embedded: Embedded = Embedded(),  # noqa: B008  frozen
    *,
    smallest: bool = False,
    threads: int | None = None,
) -> bytes:
    """Write a ``picture`` of mode L, RGB or RGBA with an ICC ``profile``.

    Args:
        picture: 8 bits per channel, at least 1x1.
        profile: that of the picture's colours; not applied.
        embedded: EXIF and XMP.
        smallest: take several times as long for some percent fewer bytes.
        threads: as many as the machine has cores when None; the bytes are the same.
    """
    width, height = picture.size
    pixels = np.asarray(picture).reshape(height, width, -1)  # 1, 3 or 4 channels
    channels = pixels.shape[2]
    step = max(1, _BAND // (width * channels))
    starts = range(0, height, step)

    def write(start: int) -> _Band:
        stop = min(height, start + step)
        above = pixels[start - 1 : stop - 1] if start else _shift(pixels[:stop], 0)
        return _write_band(pixels[start:stop], above, smallest=smallest, last=stop == height)

    with ThreadPoolExecutor(min(len(starts), threads or os.cpu_count() or 1)) as pool:
        bands = list(pool.map(write, starts))
    header = struct.pack(">IIBBBBB", width, height, 8, {1: 0, 3: 2, 4: 6}[channels], 0, 0, 0)
    stream = b"".join((b"\x78\x01", *(band.data for band in bands), _combine_checksums(bands)))
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            _make_chunk(b"IHDR", header),
            _make_chunk(b"iCCP", b"sRGB\0\0" + zlib.compress(profile, 9)) if profile else b"",
            _make_chunk(b"eXIf", embedded.exif) if embedded.exif else b"",
            _make_chunk(b"iTXt", _XMP + embedded.xmp) if embedded.xmp else b"",
            _make_chunk(b"IDAT", stream),
            _make_chunk(b"IEND", b""),
        )
    )


def _write_band(rows: _Rows, above: _Rows, *, smallest: bool, last: bool) -> _Band:
    sample = np.flatnonzero(np.arange(len(rows)) % _SPACING < 2)  # noqa: PLR2004  rows in pairs
    ways = [_choose(rows[sample], above[sample])]
    if smallest:
        ways.append(_choose_smallest(rows[sample], above[sample]))
    end = zlib.Z_FINISH if last else zlib.Z_FULL_FLUSH
    bands = []
    for way in ways:
        filtered = _filter(rows, above, way.filter)
        data = _deflate(filtered, way, end)
        bands.append(_Band(data, filtered.size, zlib.adler32(filtered.data)))
    return min(bands, key=lambda band: len(band.data))


def _choose(rows: _Rows, above: _Rows) -> _Way:
    """What writes this sample in few bytes and little time."""
    runs = _Way(_AVERAGE, 1, zlib.Z_RLE)
    up = _Way(_UP, 1, zlib.Z_DEFAULT_STRATEGY)
    sizes = {way: _measure(rows, above, way) for way in (runs, up)}
    best = min(sizes, key=sizes.__getitem__)
    share = sizes[best] / rows.size
    if share > _COSTLY or (best is runs and share > _TINY):
        return best
    plain = _Way(_NONE, 1, zlib.Z_DEFAULT_STRATEGY)  # exact repeats survive where filters blur them
    better = plain if _measure(rows, above, plain) < sizes[up] else up
    return better._replace(level=6)


def _choose_smallest(rows: _Rows, above: _Rows) -> _Way:
    strategies = (zlib.Z_RLE, zlib.Z_FILTERED, zlib.Z_DEFAULT_STRATEGY)
    ways = [_Way(number, 9, strategy) for number in range(5) for strategy in strategies]
    return min(ways, key=lambda way: _measure(rows, above, way))


def _measure(rows: _Rows, above: _Rows, way: _Way) -> int:
    return len(_deflate(_filter(rows, above, way.filter), way, zlib.Z_FINISH))


def _filter(rows: _Rows, above: _Rows, number: int) -> NDArray[np.uint8]:
    """Each row as its filter's number and its differences from what the filter predicts."""
    height, width, channels = rows.shape
    out = np.empty((height, 1 + width * channels), np.uint8)
    out[:, 0] = number
    differences = out[:, 1:].reshape(rows.shape)
    np.subtract(rows, _predict(rows, above, number), out=differences)
    return out


def _predict(rows: _Rows, above: _Rows, number: int) -> _Rows:
    if number == _UP:
        return above
    if number == _NONE:
        return np.zeros_like(rows)
    left = _shift(rows, 1)
    if number == _SUB:
        return left
    if number == _AVERAGE:
        return (left & above) + ((left ^ above) >> 1)  # without leaving eight bits
    return _predict_paeth(left, above, _shift(above, 1))


def _predict_paeth(left: _Rows, above: _Rows, corner: _Rows) -> _Rows:
    """Of three neighbours the one nearest to left + above - corner."""
    by_left = np.abs(above.astype(np.int16) - corner)
    by_above = np.abs(left.astype(np.int16) - corner)
    by_corner = np.abs(left.astype(np.int16) + above - 2 * corner.astype(np.int16))
    nearest = np.where(by_above <= by_corner, above, corner)
    return np.where((by_left <= by_above) & (by_left <= by_corner), left, nearest)


def _shift(rows: _Rows, axis: int) -> _Rows:
    """One pixel down (0) or to the right (1), zeros coming in."""
    out = np.zeros_like(rows)
    if axis:
        out[:, 1:] = rows[:, :-1]
    else:
        out[1:] = rows[:-1]
    return out


def _deflate(filtered: NDArray[np.uint8], way: _Way, end: int) -> bytes:
    """Raw deflate; after a full flush the next band can follow byte for byte."""
    compressor = zlib.compressobj(way.level, zlib.DEFLATED, -15, 9, way.strategy)
    return compressor.compress(filtered.data) + compressor.flush(end)


def _combine_checksums(bands: list[_Band]) -> bytes:
    """The adler32 of all bands in a row, from those of each."""
    low, high = 1, 0
    for band in bands:
        high = (high + (band.adler >> 16) + band.length * (low - 1)) % _ADLER
        low = (low + (band.adler & 0xFFFF) - 1) % _ADLER
    return struct.pack(">I", high << 16 | low)


def _make_chunk(name: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(content, zlib.crc32(name))
    return b"".join((struct.pack(">I", len(content)), name, content, struct.pack(">I", checksum)))

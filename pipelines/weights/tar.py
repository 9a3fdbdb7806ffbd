"""The little of tar that a bundle needs: plain files one after the other, and nothing else.

Written and read in the ustar format, which every tar understands. Reading takes headers one by
one and knows no links, devices, folders, sparse files or extended headers: none can surprise.
"""

import tarfile
from collections.abc import Iterator
from typing import BinaryIO

from pipelines.errors import WeightsError, WeightsMismatch

BLOCK = tarfile.BLOCKSIZE
LARGEST = 8 * 2**30 - 1
"""Bytes of one file; ustar has no room for more digits."""


def write_header(sink: BinaryIO, path: str, size: int) -> None:
    """Announce a file of ``size`` bytes, which come next; the same bytes every time."""
    info = tarfile.TarInfo(path)
    info.size, info.mode = size, 0o644
    try:
        sink.write(info.tobuf(tarfile.USTAR_FORMAT, "ascii", "strict"))
    except ValueError as error:
        raise WeightsError(f"{path} is too long or has over {LARGEST} bytes for a tar") from error


def write_padding(sink: BinaryIO, size: int) -> None:
    """Fill up the last block of a file of ``size`` bytes."""
    sink.write(bytes(-size % BLOCK))


def write_end(sink: BinaryIO) -> None:
    """Two empty blocks end a tar."""
    sink.write(bytes(2 * BLOCK))


def read_headers(source: BinaryIO) -> Iterator[tuple[str, int]]:
    """Path and size of each file; the caller reads exactly that many bytes before going on.

    Raises:
        WeightsMismatch: the tar ends early, is damaged, or holds anything but plain files.
    """
    while True:
        block = source.read(BLOCK)
        if len(block) < BLOCK:
            raise WeightsMismatch("the bundle ends early")
        if not any(block):
            return
        try:
            info = tarfile.TarInfo.frombuf(block, "ascii", "strict")
        except (tarfile.TarError, ValueError) as error:
            raise WeightsMismatch("the bundle is damaged, or it is not a tar") from error
        if info.type not in (tarfile.REGTYPE, tarfile.AREGTYPE):
            raise WeightsMismatch(f"the bundle holds {info.name!r}, which is not a plain file")
        yield info.name, info.size
        source.read(-info.size % BLOCK)

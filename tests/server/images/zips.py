"""Zips, honest ones and others."""

import io
import struct
import zipfile
from collections.abc import Mapping

from tests.drawings import draw_object_on_white, to_png

PNG = to_png(draw_object_on_white(24, 16))


def encode_as(format_name: str) -> bytes:
    buffer = io.BytesIO()
    draw_object_on_white(200, 120).save(buffer, format_name)
    return buffer.getvalue()


def make_zip(files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def write_central(data: bytes, offset: int, layout: str, value: int) -> bytes:
    """The zip with one field of its first central entry overwritten."""
    changed = bytearray(data)
    struct.pack_into(layout, changed, data.index(b"PK\x01\x02") + offset, value)
    return bytes(changed)


def overlap(name: str, data: bytes, copies: int) -> bytes:
    """A zip whose entries all share the bytes of one."""
    whole = make_zip({name: data})
    start = whole.index(b"PK\x01\x02")
    end = whole.index(b"PK\x05\x06")
    entry = whole[start:end]
    tail = struct.pack(
        "<4s4H2LH", b"PK\x05\x06", 0, 0, copies, copies, len(entry) * copies, start, 0
    )
    return whole[:start] + entry * copies + tail

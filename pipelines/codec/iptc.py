"""The older of IPTC's two ways to say whose a picture is: IIM, a row of numbered datasets."""

from collections.abc import Iterator

_MARK, _APPLICATION, _ENVELOPE = 0x1C, 2, 1
_CHARSET, _UTF8 = 90, b"\x1b%G"
_NAMES = {80: "by-line", 110: "credit", 116: "copyright"}
_MOST = 1_000  # datasets that are looked at
_LONG = 0x8000  # lengths from here on are written in another way, and are never a name's


def read_iptc(block: bytes) -> dict[str, list[str]]:
    """The values of ``by-line``, ``credit`` and ``copyright``, as far as ``block`` is sound."""
    said: dict[str, list[str]] = {}
    utf8 = False
    for record, number, value in _split(block):
        if (record, number) == (_ENVELOPE, _CHARSET):
            utf8 = value == _UTF8
        elif record == _APPLICATION and number in _NAMES:
            said.setdefault(_NAMES[number], []).append(_decode(value, utf8=utf8))
    return said


def _split(block: bytes) -> Iterator[tuple[int, int, bytes]]:
    place = 0
    for _ in range(_MOST):
        head = block[place : place + 5]
        if len(head) < 5 or head[0] != _MARK:  # noqa: PLR2004
            return
        length = int.from_bytes(head[3:])
        if length >= _LONG:
            return
        place += 5 + length
        yield head[1], head[2], block[place - length : place]


def _decode(value: bytes, *, utf8: bool) -> str:
    """Files that do not say so often have UTF-8 all the same."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("utf-8" if utf8 else "latin-1", "replace")

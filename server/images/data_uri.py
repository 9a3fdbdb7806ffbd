"""Pictures that travel inside a request: ``data:image/png;base64,...`` (RFC 2397)."""

import base64
import binascii
import re
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from pipelines.errors import ImageTooLarge, ImageUndecodable, SourceUnavailable

_SCHEME = "data:"
_LONGEST_HEAD = 200
_BARE = "application/octet-stream"
_ZIPS = frozenset({"application/zip", "application/x-zip-compressed", _BARE})
_BLANKS = b" \t\r\n\f"


class Inline(NamedTuple):
    """What a data URI holds, and what it says that this is."""

    data: bytes
    media_type: str


def is_data_uri(text: str) -> bool:
    """Whether ``text`` means to be a data URI."""
    return text[: len(_SCHEME)].lower() == _SCHEME


def read_data_uri(uri: str, max_bytes: int) -> Inline:
    """Decode a picture or a zip; its size is judged before it is decoded.

    ``image/jpg`` comes out as ``image/jpeg``, and no type at all as bytes of any kind.

    Raises:
        SourceUnavailable: not a data URI, not in base64, or its base64 is damaged.
        ImageUndecodable: it says itself that it is neither a picture nor a zip.
        ImageTooLarge: more than ``max_bytes``.
    """
    head, comma, payload = uri.partition(",")
    if not is_data_uri(uri) or not comma or len(head) > _LONGEST_HEAD:
        raise SourceUnavailable("the data URI has no comma before its data")
    media_type, *parameters = (part.strip().lower() for part in head[len(_SCHEME) :].split(";"))
    if "base64" not in parameters[-1:]:
        raise SourceUnavailable("the data URI is not in base64")
    media_type = _check_type(media_type)
    return Inline(_decode(payload, max_bytes), media_type)


def write_data_uri(data: bytes, media_type: str) -> str:
    """A picture as text."""
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


def _check_type(said: str) -> str:
    media_type = {"": _BARE, "image/jpg": "image/jpeg"}.get(said, said)
    if media_type in _ZIPS or re.fullmatch(r"image/[a-z0-9.+-]+", media_type):
        return media_type
    raise ImageUndecodable("the data URI holds neither image/* nor application/zip")


def _decode(payload: str, max_bytes: int) -> bytes:
    try:
        text = payload.encode("ascii")
        if "%" in payload:  # a URI may write any character so, "+" above all
            text = unquote_to_bytes(payload)
        text = text.translate(None, _BLANKS).rstrip(b"=")
        if len(text) * 3 // 4 > max_bytes:
            raise ImageTooLarge(f"the source has more than {max_bytes} bytes")
        return base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except (binascii.Error, UnicodeError) as error:
        raise SourceUnavailable("the data URI's base64 is damaged") from error

"""What a stored picture may be called, the same in every store.

``outputs/<job>/<number>.png``: a kind, an id, a last part; ``volatile/`` goes before it where
nothing may touch a disk. Nothing that means something to a file system fits in.
"""

import re

from server.images.store import VOLATILE

_OWNED = r"[a-z]{1,20}/[0-9a-f-]{1,64}"
_NAME = re.compile(rf"(?:{VOLATILE})?{_OWNED}/[a-z0-9][a-z0-9._-]{{0,63}}")
_PREFIX = re.compile(rf"(?:{VOLATILE})?{_OWNED}(?:/(?:[a-z0-9][a-z0-9._-]{{0,63}})?)?")


def is_blob_name(name: str) -> bool:
    """Whether a picture may be kept under ``name``."""
    return _NAME.fullmatch(name) is not None


def check_blob_name(name: str) -> None:
    """Raise ValueError for a name that we never make: a defect of the caller's code."""
    if not is_blob_name(name):
        raise ValueError(f"not a name of a blob: {name!r}")


def check_prefix(prefix: str) -> str:
    """``prefix`` without a slash at its end; a kind alone would be everybody's, so it is none.

    Raises:
        ValueError: not a name, nor a kind and an id.
    """
    if not _PREFIX.fullmatch(prefix):
        raise ValueError(f"not a prefix of blobs: {prefix!r}")
    return prefix.removesuffix("/")


def is_volatile(name: str) -> bool:
    """Whether what is called so must never touch a disk."""
    return name.startswith(VOLATILE)

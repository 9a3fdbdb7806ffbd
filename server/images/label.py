"""What a picture is called: a word for people to read, and never a way to a file."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain, count as count_from

from pipelines.errors import ReframeError, RequestError
from server.errors import ArchiveInvalid, SourceForbidden

_LONGEST = 120
_UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\"<>|:*?]")


def clean_label(name: str) -> str:
    """``name`` without anything that a terminal, a header or a path could take amiss.

    Folders stay, with ``/`` between them; steps upwards and roots go. ``image`` where nothing is
    left. At most 120 characters; the end, where the file's type is, is kept.
    """
    parts = (_UNFIT.sub("", part).strip() for part in re.split(r"[/\\]", name))
    kept = "/".join(part for part in parts if part.strip("."))
    return kept[-_LONGEST:].strip("/. ") or "image"


def base_name(label: str) -> str:
    """A label without its folders."""
    return label.rpartition("/")[2]


def tell_apart(outputs: Iterable[tuple[str, str | None]]) -> list[str]:
    """A part of a name for each output of one source, no two the same.

    Of each its size and its preset, if any, are given: the size is enough where no other has it.
    """
    taken: set[str] = set()
    slots: list[str] = []
    for size, preset in outputs:
        more = [f"{size}-{preset.replace('/', '-')}"] if preset else []
        numbered = (f"{size}-{number}" for number in count_from(2))
        name = next(each for each in chain([size], more, numbered) if each not in taken)
        taken.add(name)
        slots.append(name)
    return slots


@contextmanager
def named(kind: str, number: int, count: int, label: str) -> Iterator[None]:
    """Say of what the caller got wrong in the block which of several it was; see ``name_one``."""
    try:
        yield
    except (RequestError, SourceForbidden, ArchiveInvalid) as error:
        name_one(error, kind, number, count, label)
        raise


def name_one(error: ReframeError, kind: str, number: int, count: int, label: str) -> None:
    """Begin the error's text with ``source 3 of 12 (b.jpg): ``, where there is more than one.

    ``number`` counts from 0, people from 1.
    """
    if count > 1:
        error.detail = f"{kind} {number + 1} of {count} ({label}): {error.detail}"
        error.args = (error.detail,)

"""What a worker does first: bring a job's sources into the store, a zip's pictures one by one."""

from collections.abc import Iterator
from itertools import count
from typing import NamedTuple

from pipelines.errors import InvalidOption
from server.errors import ArchiveInvalid
from server.images.archive import ArchiveLimits, Member, is_archive, open_archive
from server.images.blob_name import is_volatile
from server.images.data_uri import is_data_uri
from server.images.fetch import Fetcher
from server.images.label import base_name, clean_label
from server.images.store import VOLATILE, ImageStore
from server.jobs.order import Order

BLOB = "blob:"
"""Begins a source that lies in the store; its name may end with ``?`` and a label."""


class Gathered(NamedTuple):
    """A source that is ready: what people call it, and its name in the store."""

    label: str
    blob: str


def gather(
    order: Order,
    job_id: str,
    store: ImageStore,
    fetcher: Fetcher,
    limits: ArchiveLimits = ArchiveLimits(),  # noqa: B008  frozen
) -> list[Gathered]:
    """Put every picture of the order under ``sources/<job>/<n>``; the same again changes nothing.

    A picture that lies under the job's own name already stays where it is. ``limits`` hold for
    each zip, and the number of members for all sources together. No picture is decoded here.

    Raises:
        SourceUnavailable, SourceForbidden, ImageTooLarge, ArchiveInvalid: of a source.
        InvalidOption: a data URI, which should have been stored when the order was taken.
        BlobMissing, StorageFull, Unavailable: of the store.
    """
    shelf = f"{VOLATILE if order.volatile else ''}sources/{job_id}/"
    names = (f"{shelf}{number}" for number in count())
    taken = {_read_blob(source)[0] for source in order.sources}
    free = (name for name in names if name not in taken)
    found: list[Gathered] = []
    for source in order.sources:
        whole = _open(source, order, store, fetcher)
        if not is_archive(whole.data) and source.startswith(BLOB + shelf):
            found.append(Gathered(whole.label, _read_blob(source)[0]))
            continue
        for picture in _unpack(whole, order.member, limits):
            if len(found) == limits.members:
                raise ArchiveInvalid(f"the sources are more than {limits.members} pictures")
            found.append(Gathered(picture.label, next(free)))
            store.put(found[-1].blob, picture.data)
    return found


def _open(source: str, order: Order, store: ImageStore, fetcher: Fetcher) -> Member:
    if is_data_uri(source):
        raise InvalidOption("a data URI must be stored before its job is queued")
    if not source.startswith(BLOB):
        fetched = fetcher.get(source)
        return Member(fetched.file_name, fetched.data)
    name, label = _read_blob(source)
    if is_volatile(name) and not order.volatile:
        raise InvalidOption(
            "a picture that must not be stored belongs to a job that stores nothing"
        )
    return Member(label, store.read(name))


def _read_blob(source: str) -> tuple[str, str]:
    """A stored source's name, and what people call it."""
    name, _, label = source.removeprefix(BLOB).partition("?")
    return name, clean_label(label) if label else base_name(name)


def _unpack(whole: Member, member: str, limits: ArchiveLimits) -> Iterator[Member]:
    return open_archive(whole.data, limits, member) if is_archive(whole.data) else iter([whole])

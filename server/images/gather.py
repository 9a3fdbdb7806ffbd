"""What a worker does first: make a job's sources pictures of its own, a zip's one by one."""

from collections.abc import Iterator
from itertools import count
from typing import NamedTuple

from pipelines.errors import InvalidOption, SourceUnavailable
from server.errors import ArchiveInvalid, SourceForbidden
from server.images.archive import ArchiveLimits, Member, is_archive, open_archive
from server.images.blob_name import is_volatile
from server.images.data_uri import is_data_uri
from server.images.fetch import file_name_of
from server.images.inventory import Kept, write_inventory
from server.images.label import base_name, clean_label, named
from server.images.store import VOLATILE, ImageStore
from server.jobs.contract import BLOB
from server.jobs.order import Order


class Gathered(NamedTuple):
    """A source that is ready: what people call it, and its name in the store."""

    label: str
    blob: str


def gather(
    order: Order,
    job_id: str,
    store: ImageStore,
    limits: ArchiveLimits = ArchiveLimits(),  # noqa: B008  frozen
) -> list[Gathered]:
    """Put every picture of the order under ``sources/<job>/<n>``; the same again changes nothing.

    A picture that lies under the job's own name already stays where it is, and so does one that
    was fetched. ``limits`` hold for each zip, and the number of members for all sources together.
    No picture is decoded here. The mask, if there is one, is put where ``mask_blob`` says, and the
    list of the pictures where ``inventory_blob`` does.

    Raises:
        ImageTooLarge, ArchiveInvalid: of a source.
        InvalidOption: a data URI, which should have been stored when the order was taken.
        BlobMissing, StorageFull, Unavailable: of the store.
    """
    shelf = shelf_of(order, job_id)
    blobs = [_find_blob(source, shelf, number) for number, source in enumerate(order.sources)]
    names = (f"{shelf}{number}" for number in count())
    free = (name for name in names if name not in blobs)
    found: list[Kept] = []
    for number, (source, blob) in enumerate(zip(order.sources, blobs, strict=True)):
        label = label_of(source)
        with named("source", number, len(blobs), label):
            data = _read(blob, order, store)
            if not is_archive(data) and blob.startswith(shelf):
                found.append(Kept.of(label, blob, data))
                continue
            for picture in _unpack(Member(label, data), order.member, limits):
                if len(found) == limits.members:
                    raise ArchiveInvalid(f"the sources are more than {limits.members} pictures")
                found.append(Kept.of(picture.label, next(free), picture.data))
                store.put(found[-1].blob, picture.data)
    if order.protect_mask:
        blob = _find_blob(order.protect_mask, shelf, len(order.sources))
        store.put(mask_blob(shelf), _read(blob, order, store))
    write_inventory(store, shelf, found)
    return [Gathered(kept.label, kept.blob) for kept in found]


def shelf_of(order: Order, job_id: str) -> str:
    """How the names of a job's sources begin in the store."""
    return f"{VOLATILE if order.volatile else ''}sources/{job_id}/"


def mask_blob(shelf: str) -> str:
    """Where an order's mask is once the sources were gathered."""
    return f"{shelf}mask"


def fetched_blob(shelf: str, number: int) -> str:
    """Where number so many of all that an order was given is once it was fetched."""
    return f"{shelf}fetched{number}"


def label_of(source: str) -> str:
    """What people call a source, as far as its name tells."""
    if source.startswith(BLOB):
        return _read_blob(source)[1]
    try:
        return file_name_of(source)
    except (SourceUnavailable, SourceForbidden):  # no address of anything
        return "image"


def _find_blob(source: str, shelf: str, number: int) -> str:
    if is_data_uri(source):
        raise InvalidOption("a data URI must be stored before its job is queued")
    return _read_blob(source)[0] if source.startswith(BLOB) else fetched_blob(shelf, number)


def _read(blob: str, order: Order, store: ImageStore) -> bytes:
    if is_volatile(blob) and not order.volatile:
        raise InvalidOption(
            "a picture that must not be stored belongs to a job that stores nothing"
        )
    return store.read(blob)


def _read_blob(source: str) -> tuple[str, str]:
    """A stored source's name, and what people call it."""
    name, _, label = source.removeprefix(BLOB).partition("?")
    return name, clean_label(label) if label else base_name(name)


def _unpack(whole: Member, member: str, limits: ArchiveLimits) -> Iterator[Member]:
    return open_archive(whole.data, limits, member) if is_archive(whole.data) else iter([whole])

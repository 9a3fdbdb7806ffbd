"""Which image store the operator asked for."""

from pathlib import Path

from server.images.local_store import LocalStore
from server.images.store import ImageStore

FOLDER = "pictures"
"""The store's folder below the data folder."""


def open_store(
    data: Path, *, bucket: str | None = None, endpoint: str | None = None, min_free: int = 0
) -> ImageStore:
    """The bucket where one is named, else a folder below ``data``.

    Raises:
        InvalidOption: the bucket's address is none.
        Unavailable, StorageFull: the store cannot be used.
    """
    if bucket is None:
        return LocalStore(data / FOLDER, min_free=min_free)
    from server.images.object_store import ObjectStore  # noqa: PLC0415  an extra: boto3

    return ObjectStore(bucket, endpoint)

"""The image store: bytes by name, here on a disk, elsewhere in a bucket.

Names are made by us and look like ``outputs/<job>/<number>.png``; no caller ever chooses one. What
begins with ``volatile/`` never touches a disk.
"""

from typing import Protocol

VOLATILE = "volatile/"


class ImageStore(Protocol):
    """Shared by the API and all workers."""

    def put(self, name: str, data: bytes) -> None:
        """Keep ``data``; when this returns it is safe, before that there is nothing to see.

        The same name again replaces what was there. Raises StorageFull.
        """
        ...

    def read(self, name: str) -> bytes:
        """The bytes; raises BlobMissing."""
        ...

    def delete(self, prefix: str) -> int:
        """Forget everything whose name begins with ``prefix``; returns how many there were."""
        ...

    def check(self) -> None:
        """Raise StorageFull or Unavailable where a ``put`` would."""
        ...

"""The image store on this machine's disk, with a folder in memory for what must not touch it."""

from pathlib import Path

from pipelines.errors import InvalidOption
from server.errors import BlobMissing
from server.images.blob_folder import BlobFolder
from server.images.blob_name import check_prefix, is_volatile
from server.images.memory_folder import (
    SHARED_MEMORY,
    memory_folder_of,
    open_memory_folder,
)


class LocalStore:
    """An ImageStore for one machine; API and workers open it each for themselves."""

    def __init__(self, root: Path, *, min_free: int = 0, memory: Path = SHARED_MEMORY) -> None:
        """Make ``root`` ready. ``check`` wants ``min_free`` bytes free, a reserve for running jobs.

        Volatile blobs go to a folder in ``memory`` that is made when the first one comes.

        Raises:
            Unavailable, StorageFull: ``root`` cannot be used.
        """
        self._root = root
        self._disk = BlobFolder.open(root)
        self._min_free = min_free
        self._memory = memory

    def put(self, name: str, data: bytes) -> None:
        """See ImageStore; a volatile name raises InvalidOption where there is no such memory."""
        folder = self._open_volatile() if is_volatile(name) else self._disk
        folder.put(name, data)

    def read(self, name: str) -> bytes:
        """See ImageStore."""
        folder = self._find_volatile() if is_volatile(name) else self._disk
        if folder is None:
            raise BlobMissing
        return folder.read(name)

    def delete(self, prefix: str) -> int:
        """See ImageStore; only whole parts of a name count, and an id must be among them."""
        check_prefix(prefix)
        folder = self._find_volatile() if is_volatile(prefix) else self._disk
        return folder.delete(prefix) if folder else 0

    def check(self) -> None:
        """See ImageStore."""
        self._disk.check(self._min_free)

    def _open_volatile(self) -> BlobFolder:
        return BlobFolder.open(open_memory_folder(self._root, self._memory))

    def _find_volatile(self) -> BlobFolder | None:
        """None where nothing volatile was ever put, or could be."""
        if not memory_folder_of(self._root, self._memory).exists():
            return None
        try:
            return self._open_volatile()
        except InvalidOption:
            return None

"""A folder of blobs: each appears whole, under a name of ours, and survives a power cut.

Files arrive in ``.incoming`` on the same file system and are renamed. Symbolic links are never
followed. Only the server's own user may look inside.
"""

import errno
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

from server.errors import BlobMissing, StorageFull, Unavailable
from server.images.blob_name import check_blob_name, check_prefix, is_blob_name

_STALE = 3600
"""Seconds after which what is still arriving will never arrive: its process was killed."""

_TRIES = 100
"""To name a file in a folder that others keep deleting; two are hardly ever needed."""

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_GONE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP})


class BlobFolder:
    """Blobs by name in one folder; several processes may use it at once."""

    def __init__(self, root: Path) -> None:
        """``root`` is there already; ``open`` makes it."""
        self._root = root
        self._incoming = root / ".incoming"

    @classmethod
    def open(cls, root: Path) -> Self:
        """Make the folder ready, and throw away what a killed process left half written.

        Raises:
            Unavailable, StorageFull: it cannot be made.
        """
        with _translated_errors():
            root.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder = cls(root.resolve())
            folder._incoming.mkdir(mode=0o700, exist_ok=True)
            for path in folder._incoming.iterdir():
                with suppress(FileNotFoundError):  # it arrived meanwhile
                    if time.time() - path.lstat().st_mtime > _STALE:
                        path.unlink()
        return folder

    def put(self, name: str, data: bytes) -> None:
        """Keep ``data``, on the disk when this returns; raises StorageFull or Unavailable."""
        check_blob_name(name)
        path = self._root / name
        with _translated_errors(), self._written(data) as staged:
            self._place(staged, path)
            with suppress(FileNotFoundError):  # deleted since, which is as good as safe
                for folder in path.parents[: len(Path(name).parts)]:
                    _sync(folder)

    def read(self, name: str) -> bytes:
        """The bytes; raises BlobMissing or Unavailable."""
        path = self._root / name
        if not is_blob_name(name) or not _is_real(path.parent):
            raise BlobMissing
        with _translated_errors():
            try:
                with open(path, "rb", opener=_open_itself) as file:
                    return file.read()
            except OSError as error:
                if error.errno in _GONE:
                    raise BlobMissing from error
                raise

    def delete(self, prefix: str) -> int:
        """Forget the blob, or all blobs of a kind and id; returns how many there were."""
        wanted = check_prefix(prefix)
        path = self._root / wanted
        if not _is_real(path):
            return 0
        count = 0
        with _translated_errors(), suppress(FileNotFoundError):  # another process was first
            if is_blob_name(wanted):
                count = int(_remove(path))
            else:
                count = sum(_remove(blob) for blob in list(path.iterdir()))
                _remove_empty(path)
            _sync(path.parent)
        return count

    def check(self, min_free: int) -> None:
        """Raise StorageFull below ``min_free`` bytes, Unavailable where nothing can be written."""
        with _translated_errors():
            state = os.statvfs(self._incoming)
            if state.f_flag & os.ST_RDONLY or not os.access(self._incoming, os.W_OK | os.X_OK):
                raise PermissionError
        if state.f_bavail * state.f_frsize < min_free or (state.f_files and not state.f_favail):
            raise StorageFull

    @contextmanager
    def _written(self, data: bytes) -> Iterator[Path]:
        """A file with ``data`` on the same file system; gone afterwards unless it was renamed."""
        handle, staged = tempfile.mkstemp(dir=self._incoming)
        try:
            with open(handle, "wb") as file:  # noqa: PTH123  a handle has no path
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            yield Path(staged)
        finally:
            Path(staged).unlink(missing_ok=True)

    def _place(self, staged: Path, path: Path) -> None:
        """Give the file its name; another process may be deleting the folder for it meanwhile."""
        for left in reversed(range(_TRIES)):
            self._make(path.parent)
            try:
                staged.replace(path)
            except FileNotFoundError:
                if not left:
                    raise
            else:
                return

    def _make(self, folder: Path) -> None:
        if not folder.is_dir():
            if folder.parent != self._root:
                self._make(folder.parent)
            folder.mkdir(mode=0o700, exist_ok=True)
        if not _is_real(folder):
            raise NotADirectoryError


def _is_real(path: Path) -> bool:
    """Whether no symbolic link is ``path`` or lies on the way to it."""
    return path.resolve() == path


def _open_itself(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW)


def _remove(blob: Path) -> bool:
    """Whether it was this process that deleted the blob, and no other one at the same time."""
    try:
        blob.unlink()
    except FileNotFoundError:
        return False
    return True


def _remove_empty(folder: Path) -> None:
    try:
        folder.rmdir()
    except OSError as error:
        if error.errno != errno.ENOTEMPTY:  # somebody just put something there
            raise


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _translated_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise StorageFull from error
        raise Unavailable("the folder of the pictures cannot be used") from error

"""A folder that lives in memory and that only this server's user can open.

What lies in it outlives a process, so that the API can hand it to a worker, but not the machine.
Memory may still be swapped out: whoever must rule that out switches swap off, or encrypts it.
"""

import hashlib
import os
import stat
from pathlib import Path

from pipelines.errors import InvalidOption

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108  looked through below before it is used
_MOUNTS = Path("/proc/self/mountinfo")
_KINDS = frozenset({"tmpfs", "ramfs"})


def memory_folder_of(data: Path, memory: Path) -> Path:
    """The folder in ``memory`` that belongs to the data folder ``data``, there or not yet.

    All processes of one machine with the same data folder and user find the same one.
    """
    mark = hashlib.sha256(os.fsencode(data.resolve())).hexdigest()[:16]
    return memory / f"smart-resize-{os.geteuid()}-{mark}"


def open_memory_folder(data: Path, memory: Path) -> Path:
    """The folder of ``memory_folder_of``, mode 0700, made where it is not there yet.

    Raises:
        InvalidOption: ``memory`` is not in memory, or the folder belongs to somebody else.
    """
    folder = memory_folder_of(data, memory)
    try:
        if not is_in_memory(memory):
            raise InvalidOption("this machine has no folder in memory for what must not be stored")
        folder.mkdir(mode=0o700, exist_ok=True)
        state = folder.lstat()
    except OSError as error:
        raise InvalidOption("the folder in memory cannot be made") from error
    closed = stat.S_IMODE(state.st_mode) & 0o077 == 0
    if not (stat.S_ISDIR(state.st_mode) and state.st_uid == os.geteuid() and closed):
        raise InvalidOption("the folder in memory is open to others")
    return folder


def is_in_memory(folder: Path) -> bool:
    """Whether ``folder`` lies on a file system without a disk."""
    real, kind, longest = folder.resolve(strict=True), "", -1
    for line in _MOUNTS.read_text(errors="surrogateescape").splitlines():
        before, _, after = line.partition(" - ")
        place = Path(before.split(" ")[4].encode().decode("unicode_escape"))
        if real.is_relative_to(place) and len(place.parts) >= longest:
            kind, longest = after.split(" ")[0], len(place.parts)
    return kind in _KINDS

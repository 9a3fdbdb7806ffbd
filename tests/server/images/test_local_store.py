"""The store on a disk: nothing half written, nothing followed, nothing volatile left behind."""

import os
import shutil
import stat
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from pipelines.errors import InvalidOption
from server.errors import BlobMissing, StorageFull, Unavailable
from server.images.blob_folder import BlobFolder
from server.images.local_store import LocalStore
from server.images.memory_folder import is_in_memory, open_memory_folder

NAME = "outputs/0a/0.png"
SECRET = "volatile/sources/0a/0"
ROOT = Path(__file__).parents[3]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "images"


def list_files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_blobs_lie_in_files_that_only_their_owner_reads(root: Path) -> None:
    LocalStore(root).put(NAME, b"picture")
    assert list_files(root) == [NAME]
    assert stat.S_IMODE((root / NAME).stat().st_mode) == 0o600
    for folder in (root, root / "outputs", root / "outputs/0a", root / ".incoming"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_two_processes_worth_of_stores_see_the_same_blobs(root: Path) -> None:
    LocalStore(root).put(NAME, b"picture")
    assert LocalStore(root).read(NAME) == b"picture"


def test_the_data_folder_may_be_behind_a_link_but_nothing_in_it(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    store = LocalStore(tmp_path / "link")
    store.put(NAME, b"picture")
    assert store.read(NAME) == b"picture"


@pytest.mark.parametrize("place", ["outputs/0a/0.png", "outputs/0a", "outputs"])
def test_a_symbolic_link_is_never_followed(place: str, root: Path, tmp_path: Path) -> None:
    store = LocalStore(root)
    outside = tmp_path / "outside"
    aim = outside / Path(NAME).relative_to(place) if place != NAME else outside / "0.png"
    aim.parent.mkdir(parents=True)
    aim.write_bytes(b"of somebody else")
    link = root / place
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(aim if place == NAME else outside)
    with pytest.raises(BlobMissing):
        store.read(NAME)
    if place == NAME:
        store.put(NAME, b"picture")  # takes the link's place
        assert store.read(NAME) == b"picture"
    else:
        with pytest.raises(Unavailable):
            store.put(NAME, b"picture")
        assert store.delete(NAME) == 0
        assert store.delete("outputs/0a") == 0
    assert aim.read_bytes() == b"of somebody else"
    assert list_files(root / ".incoming") == []


def test_deleting_a_job_leaves_no_folder(root: Path) -> None:
    store = LocalStore(root)
    store.put(NAME, b"picture")
    store.delete("outputs/0a")
    assert not (root / "outputs/0a").exists()


def test_putting_while_another_deletes_never_fails_and_never_shows_half(root: Path) -> None:
    store, data = LocalStore(root), b"x" * 20_000
    over = threading.Event()

    def sweep() -> None:
        while not over.is_set():
            store.delete("outputs/0a")

    sweepers = [threading.Thread(target=sweep) for _ in range(2)]
    for sweeper in sweepers:
        sweeper.start()
    try:
        for _ in range(100):
            store.put(NAME, data)
            with suppress(BlobMissing):
                assert store.read(NAME) == data
    finally:
        over.set()
        for sweeper in sweepers:
            sweeper.join()
    assert list_files(root / ".incoming") == []


def test_what_a_killed_process_left_half_written_goes_after_an_hour(root: Path) -> None:
    LocalStore(root)
    old, new = root / ".incoming/old", root / ".incoming/new"
    for path in (old, new):
        path.write_bytes(b"half")
    os.utime(old, (time.time() - 4000, time.time() - 4000))
    LocalStore(root)
    assert list_files(root) == [".incoming/new"]


FILL = """
import resource, sys
from pathlib import Path
from server.errors import StorageFull
from server.images.local_store import LocalStore
store = LocalStore(Path(sys.argv[1]))
store.put("outputs/0a/0.png", b"small")
if len(sys.argv) > 2:
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
for name in ("outputs/0a/0.png", "outputs/0b/0.png"):
    try:
        store.put(name, bytes(3_000_000))
    except StorageFull as error:
        print(error.code)
print(store.read("outputs/0a/0.png").decode())
print(sorted(path.name for path in Path(sys.argv[1]).rglob("*") if path.is_file()))
"""
FULL = "storage_full\nstorage_full\nsmall\n['0.png']\n"


def test_a_file_that_may_not_grow_leaves_the_old_blob_and_nothing_half(root: Path) -> None:
    command = [sys.executable, "-c", FILL, str(root), "limit"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout == FULL, done.stderr


def test_a_full_disk_leaves_the_old_blob_and_nothing_half(tmp_path: Path) -> None:
    """On a real file system of 2 MB, mounted where only this child sees it."""
    disk = tmp_path / "disk"
    disk.mkdir()
    script = f'mount -t tmpfs -o size=2m none "{disk}" || exit 77; exec "$@"'
    command = ["unshare", "--mount", "--map-root-user", "sh", "-c", script, "sh"]
    command += [sys.executable, "-c", FILL, str(disk / "images")]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("no unshare on this machine")
    if "unshare" in done.stderr or done.returncode == 77:
        pytest.skip("mounting is not allowed on this machine")
    assert done.stdout == FULL, done.stderr


def test_the_check_wants_room_in_reserve(root: Path) -> None:
    LocalStore(root, min_free=1).check()
    store = LocalStore(root, min_free=2**60)
    with pytest.raises(StorageFull):
        store.check()
    store.put(NAME, b"picture")  # the reserve is for jobs that run


def test_a_folder_that_cannot_be_used_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(Unavailable):
        LocalStore(tmp_path / "file" / "images")
    store = LocalStore(tmp_path / "images")
    shutil.rmtree(tmp_path / "images")
    for ask in (store.check, lambda: store.put(NAME, b"picture")):
        with pytest.raises(Unavailable):
            ask()


def test_a_volatile_blob_lies_in_memory_and_nowhere_else(root: Path, memory: Path) -> None:
    store = LocalStore(root, memory=memory)
    with pytest.raises(BlobMissing):
        store.read(SECRET)
    assert store.delete("volatile/sources/0a") == 0
    assert list(memory.iterdir()) == []
    store.put(SECRET, b"secret")
    store.put(NAME, b"picture")
    assert store.read(SECRET) == b"secret"
    assert LocalStore(root, memory=memory).read(SECRET) == b"secret"
    assert list_files(root) == [NAME]
    (folder,) = memory.iterdir()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert list_files(folder) == [SECRET]
    assert store.delete("volatile/sources/0a") == 1
    assert list_files(memory) == []
    assert store.read(NAME) == b"picture"


def test_each_data_folder_has_its_own_memory(tmp_path: Path, memory: Path) -> None:
    LocalStore(tmp_path / "one", memory=memory).put(SECRET, b"secret")
    with pytest.raises(BlobMissing):
        LocalStore(tmp_path / "two", memory=memory).read(SECRET)


def test_a_memory_folder_that_others_could_open_is_refused(root: Path, memory: Path) -> None:
    store = LocalStore(root, memory=memory)
    folder = open_memory_folder(root, memory)
    folder.chmod(0o755)
    with pytest.raises(InvalidOption, match="open to others"):
        store.put(SECRET, b"secret")
    folder.rmdir()
    (memory / "mine").mkdir(mode=0o700)
    folder.symlink_to(memory / "mine")
    with pytest.raises(InvalidOption, match="open to others"):
        store.put(SECRET, b"secret")


def test_a_volatile_blob_is_refused_where_there_is_only_a_disk(root: Path) -> None:
    if is_in_memory(ROOT):
        pytest.skip("this checkout itself lies in memory")
    for place in (ROOT, ROOT / "nowhere"):
        store = LocalStore(root, memory=place)
        with pytest.raises(InvalidOption, match="memory"):
            store.put(SECRET, b"secret")
        with pytest.raises(BlobMissing):
            store.read(SECRET)
        assert store.delete("volatile/sources/0a") == 0
    assert list_files(root) == []


def test_a_folder_in_memory_is_told_from_one_on_a_disk(memory: Path) -> None:
    assert is_in_memory(memory)
    assert not is_in_memory(Path("/proc"))


def test_a_blob_folder_opens_twice(root: Path) -> None:
    BlobFolder.open(root).put(NAME, b"picture")
    assert BlobFolder.open(root).read(NAME) == b"picture"

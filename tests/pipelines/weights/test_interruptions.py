"""A fetch that is stopped in the middle, by a person or by the disk, leaves only whole files."""

import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipelines.errors import WeightsError
from pipelines.weights.fetch import fetch, list_wanted
from pipelines.weights.hub import Hub
from pipelines.weights.lock import WeightsLock
from pipelines.weights.lock_file import write_lock
from pipelines.weights.store import Store
from pipelines.weights.verify import verify
from tests.house.house import ROOT
from tests.pipelines.weights.small_hub import SmallHub, lock_model, make_files, serve

WEIGHTS = "unet/model.safetensors"
FILES = make_files()
MODEL = lock_model(FILES)
IN_A_SMALL_DISK = ("unshare", "--user", "--map-root-user", "--mount")


@pytest.fixture
def hub() -> Iterator[SmallHub]:
    with serve(SmallHub({"acme/inpaint": make_files()})) as hub:
        yield hub
        hub.go_on.set()


@pytest.fixture
def command(store: Store, hub: SmallHub, tmp_path: Path) -> list[str]:
    write_lock(WeightsLock((MODEL,)), tmp_path / "weights.lock")
    words = ["weights", "fetch", "--endpoint", hub.endpoint, "--lock", tmp_path / "weights.lock"]
    return [sys.executable, "-m", "server", *map(str, [*words, "--weights", store.folder])]


def list_whole(store: Store) -> set[str]:
    folder = store.folder_of(MODEL)
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


@contextmanager
def limit_files(size: int) -> Iterator[None]:
    """No file of this process grows beyond ``size`` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_disk_that_takes_no_more_is_not_the_hubs_fault(store: Store, hub: SmallHub) -> None:
    with (
        limit_files(100_000),
        pytest.raises(WeightsError, match=f"nothing more came into {store.folder}: File too large"),
    ):
        fetch(list_wanted([MODEL], store), store, Hub(hub.endpoint))
    assert list_whole(store) == FILES.keys() - {WEIGHTS}
    assert not (store.folder / ".incoming").exists()
    fetch(list_wanted([MODEL], store), store, Hub(hub.endpoint))
    assert verify(MODEL, store).is_good


def test_a_disk_that_fills_up_in_the_middle_is_named(store: Store, command: list[str]) -> None:
    """A disk of 200 kB that was larger when it was asked for its free space."""
    store.folder.mkdir()
    if subprocess.run([*IN_A_SMALL_DISK, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no user namespaces here")
    mount = f'mount -t tmpfs -o size=200k small {store.folder} && exec "$@"'
    program = (
        "import pipelines.weights.store as s; s.SPARE = -10**9; "
        "import sys; sys.argv[0] = 'smart-resize'; from server.cli import main; main()"
    )
    inside = [*IN_A_SMALL_DISK, "sh", "-c", mount, "sh", sys.executable, "-c", program]
    done = subprocess.run(
        [*inside, *command[3:]],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={"NO_PROXY": "127.0.0.1", "PATH": "/usr/bin:/bin:/usr/sbin:/sbin"},
    )
    assert done.returncode == 3, done.stderr
    assert f"nothing more came into {store.folder}: No space left on device" in done.stderr


def test_ctrl_c_in_the_middle_and_again_leaves_whole_files_and_a_way_on(
    store: Store, hub: SmallHub, command: list[str]
) -> None:
    hub.stalls[WEIGHTS] = 100_000
    for presses in (1, 2):
        hub.stalled.clear()
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=ROOT)
        assert hub.stalled.wait(30)
        assert (store.folder / ".incoming").is_dir()
        for _ in range(presses):
            process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
        assert process.returncode in {130, -signal.SIGINT}
        assert "Traceback" not in said or presses > 1
        assert list_whole(store) == FILES.keys() - {WEIGHTS}
    hub.stalls.clear()
    subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
    assert verify(MODEL, store).is_good
    assert not (store.folder / ".incoming").exists()

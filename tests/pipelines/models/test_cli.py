"""``--engine sdxl`` on the command line, with a tiny model behind a lock of its own."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from pipelines.weights.digest import digest_file
from pipelines.weights.lock import LockedFile, LockedModel, WeightsLock
from pipelines.weights.lock_file import write_lock
from pipelines.weights.store import Store
from tests.drawings import draw_meadow
from tests.house.house import ROOT


@pytest.fixture
def supplies(replica: Path, tmp_path: Path) -> list[str]:
    """A store with the replica in its place, and the lock that names every file of it."""
    files = []
    for path in sorted(replica.rglob("*")):
        if path.is_file():
            seen = digest_file(path)
            name = path.relative_to(replica).as_posix()
            files.append(LockedFile(name, seen.size, seen.sha256))
    model = LockedModel("inpaint", "tiny/sdxl", "0" * 40, "apache-2.0", tuple(files))
    write_lock(WeightsLock((model,)), tmp_path / "weights.lock")
    shutil.copytree(replica, Store(tmp_path / "weights").folder_of(model))
    return ["--weights", str(tmp_path / "weights"), "--lock", str(tmp_path / "weights.lock")]


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "server", "run", *map(str, arguments), "--engine", "sdxl"]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)


def test_the_same_command_gives_a_painted_picture(supplies: list[str], tmp_path: Path) -> None:
    photo, out = tmp_path / "photo.png", tmp_path / "out.png"
    draw_meadow(120, 80).save(photo)
    done = run(photo, "-s", "200x80", "--mode", "fast", "-o", out, "--json", *supplies)
    assert done.returncode == 0, done.stderr
    record = json.loads(done.stdout)
    assert (record["engine"], record["fill"]) == ("sdxl", "generate")
    assert record["preservation"]["changed"] == 0
    with Image.open(out) as picture:
        assert picture.size == (200, 80)


def test_a_file_that_is_not_the_locked_one_is_never_loaded(
    supplies: list[str], tmp_path: Path
) -> None:
    photo = tmp_path / "photo.png"
    draw_meadow(120, 80).save(photo)
    (unet,) = (tmp_path / "weights").rglob("unet/*.safetensors")
    content = bytearray(unet.read_bytes())
    content[-1] ^= 1
    unet.write_bytes(content)
    done = run(photo, "-s", "200x80", "-o", tmp_path / "out.png", *supplies)
    assert done.returncode == 3
    assert "weights_mismatch" in done.stderr
    assert not (tmp_path / "out.png").exists()

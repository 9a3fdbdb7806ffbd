"""``--engine sdxl`` on the command line, with a tiny model behind a lock of its own."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.drawings import draw_meadow
from tests.house.house import ROOT
from tests.pipelines.models.supplies import LOCK


def options(folder: Path) -> list[str | Path]:
    return ["--weights", folder / "weights", "--lock", folder / LOCK]


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "server", "run", *map(str, arguments), "--engine", "sdxl"]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tiny models gain nothing from more, and lose time where cores are shared."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


def test_the_same_command_gives_a_painted_picture(supplies: Path, tmp_path: Path) -> None:
    photo, out = tmp_path / "photo.png", tmp_path / "out.png"
    source = draw_meadow(120, 80)
    source.save(photo)
    wishes = ["--size", "200x80", "--policy", "expand", "--mode", "fast", "--json"]
    done = run(photo, "-o", out, *wishes, *options(supplies))
    assert done.returncode == 0, done.stderr
    record = json.loads(done.stdout)
    assert (record["engine"], record["fill"]) == ("sdxl", "generate")
    assert [name.partition("@")[0] for name in record["models"]] == [
        "tiny/inpaint",
        "tiny/vlm-light",
        "tiny/few-step",
        "tiny/nsfw",
    ]
    assert record["describer"] in {"qwen3-vl", "preview"}
    assert record["nsfw_detected"] in {True, False}
    left, top, right, bottom = record["plan"]["place"]
    seam = record["preservation"]["seam"]
    assert (right - left, top, bottom, seam < 20) == (120, 0, 80, True)
    with Image.open(out) as picture:
        assert picture.size == (200, 80)
        kept = picture.convert("RGB").crop((left + seam, top, right - seam, bottom))
    assert np.array_equal(np.asarray(kept), np.asarray(source.crop((seam, 0, 120 - seam, 80))))


def test_a_file_that_is_not_the_locked_one_is_never_loaded(supplies: Path, tmp_path: Path) -> None:
    photo = tmp_path / "photo.png"
    draw_meadow(120, 80).save(photo)
    supplies = Path(shutil.copytree(supplies, tmp_path / "supplies"))
    (unet,) = supplies.rglob("unet/*.safetensors")
    content = bytearray(unet.read_bytes())
    content[-1] ^= 1
    unet.write_bytes(content)
    done = run(photo, "-s", "200x80", "-o", tmp_path / "out.png", *options(supplies))
    assert done.returncode == 3
    assert "weights_mismatch" in done.stderr
    assert not (tmp_path / "out.png").exists()

"""Which devices there are."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from server.settings import EngineName
from server.work import devices
from server.work.devices import find_devices
from tests.house.house import ROOT


@pytest.mark.parametrize(
    ("visible", "found"),
    [
        ("0", ("cuda:0",)),
        (" 2, 3 ", ("cuda:2", "cuda:3")),
        ("GPU-8a,MIG-1", ("cuda:GPU-8a", "cuda:MIG-1")),
        ("", ("cpu",)),
    ],
)
def test_what_the_operator_made_visible_counts(
    visible: str, found: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert find_devices(EngineName.SDXL) == found
    assert find_devices(EngineName.PREVIEW) == ("cpu",)


def test_else_every_card_that_the_driver_knows(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    for card in ("0000:01:00.0", "0000:02:00.0"):
        (tmp_path / "gpus" / card).mkdir(parents=True)
    monkeypatch.setattr(devices, "CARDS", tmp_path / "gpus")
    assert find_devices(EngineName.SDXL) == ("cuda:0", "cuda:1")


def test_else_every_card_that_the_drivers_tool_lists(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(devices, "CARDS", tmp_path / "none")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_devices(EngineName.SDXL) == ("cpu",)
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho 'GPU 0: H200 (UUID: GPU-1)'\necho 'GPU 1: H200'\n")
    tool.chmod(0o755)
    assert find_devices(EngineName.SDXL) == ("cuda:0", "cuda:1")


@pytest.mark.parametrize(
    ("device", "seen"), [("cuda:3", "3"), ("cpu", ""), ("cuda:GPU-8a", "GPU-8a")]
)
def test_a_worker_sees_its_own_device_only(device: str, seen: str) -> None:
    code = f"""
import os
from server.work.devices import occupy
occupy({device!r})
print(repr(os.environ["CUDA_VISIBLE_DEVICES"]))
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "CUDA_VISIBLE_DEVICES": "0,1"},  # noqa: TID251  the child's own
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == repr(seen)

"""Processes that are kept running."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from server.work import child
from server.work.child import Child
from tests.house.house import ROOT


def make_child(*command: str) -> Child:
    return Child("test", command, {"PATH": "/usr/bin:/bin"})


def await_end(process: Child) -> int:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        code = process.look()
        if code is not None:
            return code
        time.sleep(0.01)
    pytest.fail("it runs and runs")


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_child_is_started_again_after_a_pause_that_grows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(child, "FIRST", 0.05)
    process = make_child("sh", "-c", "exit 7")
    ends = []
    for failures in (1, 2, 3):
        assert await_end(process) == 7
        ends.append(time.monotonic())
        assert (process.failures, process.pid) == (failures, None)
    assert ends[1] - ends[0] >= 0.05
    assert ends[2] - ends[1] >= 0.1


def test_who_ran_for_long_is_started_again_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "STEADY", 0.0)
    process = make_child("sh", "-c", "exit 1")
    assert await_end(process) == 1
    assert process.failures == 0
    assert process.look() is None
    assert process.pid is not None
    process.wait(5)


def test_a_child_may_end_by_itself_and_is_killed_if_it_does_not() -> None:
    polite, rude = make_child("sleep", "60"), make_child("sh", "-c", "trap '' TERM; sleep 60")
    for process in (polite, rude):
        process.look()
    time.sleep(0.2)
    pids = [process.pid for process in (polite, rude)]
    for process in (polite, rude):
        process.send(signal.SIGTERM)
        process.wait(0.3)
        assert process.pid is None
    assert not any(is_alive(pid) for pid in pids if pid)


def test_children_die_with_their_parent(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    code = f"""
import time
from pathlib import Path
from server.work.child import Child
child = Child("test", ["sleep", "60"], {{"PATH": "/usr/bin:/bin"}})
child.look()
Path({str(note)!r}).write_text(str(child.pid))
time.sleep(60)
"""
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT)
    while not note.exists() or not note.read_text():
        time.sleep(0.02)
    pid = int(note.read_text())
    assert is_alive(pid)
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait(10)
    deadline = time.monotonic() + 5
    while is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not is_alive(pid)

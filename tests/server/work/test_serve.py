"""The whole house: one command, its processes, and what happens when they end."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines.errors import ReframeError
from server.access.key_store import KeyStore
from server.cli.serve import check_keys, prepare
from server.database.engine import open_database
from server.settings import read_settings
from server.work.supervisor import Supervisor
from tests.drawings import draw_meadow, to_png
from tests.house.house import ROOT

SERVE = "import typer; from server.cli.serve import serve; typer.run(serve)"


class Serving:
    """``smart-resize serve`` with the preview engine on a free port."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._log = (folder / "serve.log").open("w")
        command = [sys.executable, "-c", SERVE, "--engine", "preview", "--port", "0"]
        self.process = subprocess.Popen(
            [*command, "--data", str(folder / "data")],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        assert self.process.stdout
        line = self.process.stdout.readline()
        found = re.fullmatch(r"Smart Resize is ready at (http://127\.0\.0\.1:\d+)\n", line)
        assert found, line + self.log()
        self.url = found[1]

    def log(self) -> str:
        return (self.folder / "serve.log").read_text()

    def ask(self, path: str, body: bytes | None = None, kind: str = "application/json") -> int:
        request = urllib.request.Request(self.url + path, body, {"Content-Type": kind})
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                self.answer = json.loads(answer.read())
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def children(self) -> dict[str, int]:
        """The pid of each child, by its module."""
        listed = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        found = {}
        for pid in listed.split():
            words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
            if "-m" in words:  # else it is about to become a child of ours
                found[words[words.index("-m") + 1]] = int(pid)
        return found

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()
        self._log.close()


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Serving]:
    serving = Serving(tmp_path)
    yield serving
    serving.close()


def wait_for(serving: Serving, path: str) -> None:
    deadline = time.monotonic() + 30
    while serving.ask(path) != 200:
        assert time.monotonic() < deadline, serving.log()
        time.sleep(0.1)


def post_job(serving: Serving) -> None:
    picture = to_png(draw_meadow(64, 48))
    form = b'--x\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n'
    body = form % (b"image", b'; filename="a.png"', picture)
    body += form % (b"target_sizes", b"", b'["48x64"]') + b"--x--\r\n"
    path = "/v1/models/local/smart-resize/runs"
    assert serving.ask(path, body, "multipart/form-data; boundary=x") == 201, serving.log()
    run = serving.answer["id"]
    deadline = time.monotonic() + 30
    while serving.answer["status"] != "succeeded":
        assert time.monotonic() < deadline, serving.log()
        assert serving.ask(f"/v1/runs/{run}") == 200


def test_one_command_serves_and_mends_itself_and_ends_in_order(serving: Serving) -> None:
    assert serving.ask("/readyz") == 200
    post_job(serving)
    before = serving.children()
    assert before.keys() == {"server.api", "server.work"}
    for pid in before.values():
        os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 20
    while serving.children().keys() != before.keys() or serving.children() == before:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    wait_for(serving, "/healthz")
    post_job(serving)
    after = serving.children()
    assert not set(before.values()) & set(after.values())
    serving.process.terminate()
    out, _ = serving.process.communicate(timeout=40)
    assert (serving.process.returncode, out) == (0, ""), serving.log()
    assert not any(Path(f"/proc/{pid}").exists() for pid in after.values())
    assert "Traceback" not in serving.log()


@pytest.mark.slow
def test_a_house_whose_engine_is_not_there_does_not_open(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SERVE, "--engine", "sdxl", "--port", "0"]
    done = subprocess.run(
        [*command, "--data", str(tmp_path), "--weights", str(tmp_path / "none")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (3, "")
    assert "smart-resize weights fetch inpaint" in done.stderr
    assert "Traceback" not in done.stderr


def open_house(given: dict[str, Any]) -> None:
    settings = read_settings(**given)
    check_keys(settings, prepare(settings))
    Supervisor(settings, ())


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"port": -1}, "setting port: input should be greater than or equal to 0"),
        ({"engine": "other"}, "setting engine: input should be 'preview' or 'sdxl'"),
        ({"database_url": "mysql://x"}, "not one of SQLite or PostgreSQL"),
        ({"data": Path("/proc/none")}, "the data folder /proc/none cannot be made"),
        ({"host": "0.0.0.0"}, "smart-resize keys create"),
        ({"host": "203.0.113.9", "insecure_open": True}, "cannot listen on 203.0.113.9:0"),
        ({"host": "no such host"}, "smart-resize keys create"),
    ],
)
def test_what_cannot_be_is_said_before_anything_starts(
    given: dict[str, Any], words: str, tmp_path: Path
) -> None:
    with pytest.raises(ReframeError) as refusal:
        open_house({"port": 0, "data": tmp_path, **given})
    assert words in refusal.value.detail


def test_a_key_opens_the_house_to_other_machines(tmp_path: Path) -> None:
    settings = read_settings(host="0.0.0.0", data=tmp_path)
    url = prepare(settings)
    database = open_database(url)
    KeyStore(database).create("anna")
    database.dispose()
    check_keys(settings, url)

"""Settings come as operators write them; a wrong one ends whatever was to start, in one line."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.errors import InvalidOption
from server.settings import Settings, read_settings
from server.work.environment import make_environment
from tests.house.house import ROOT
from tests.server.console import Call

NAME = "SMART_RESIZE_ALLOW_HOSTS"


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        ("nas", ("nas",)),
        ("nas, 10.0.0.0/8 ,cams.example", ("nas", "10.0.0.0/8", "cams.example")),
        ('["nas", "10.0.0.0/8"]', ("nas", "10.0.0.0/8")),
        ("", ()),
    ],
)
def test_hosts_are_a_list_with_commas_or_json(
    text: str, hosts: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(NAME, text)
    assert read_settings().allow_hosts == hosts


def test_settings_come_through_to_a_child_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(allow_hosts=("nas", "10.0.0.0/8"), public_url="https://pictures.example/x")
    for name, value in make_environment(settings).items():
        monkeypatch.setenv(name, value)
    assert read_settings() == settings


WRONG = [
    ("ALLOW_HOSTS", '["nas"'),
    ("ALLOW_HOSTS", "not a host!"),
    ("ALLOW_HOSTS", "[1]"),
    ("PRESETS", "nowhere.toml"),
    ("PRESETS", "broken.toml"),
    ("BUCKET", "pictures"),
    ("BUCKET_ENDPOINT", "minio:9000"),
    ("DRAIN", "inf"),
    ("DRAIN", "nan"),
    ("DRAIN", "soon"),
    ("FETCH_TIMEOUT", "inf"),
    ("MAX_MEGAPIXELS", "inf"),
    ("PUBLIC_URL", "pictures.example"),
    ("PUBLIC_URL", "javascript:alert(1)"),
    ("PUBLIC_URL", "https://"),
    ("PORT", "65536"),
    ("LINK_SECRET", "short"),
    ("LOG_LEVEL", "loud"),
]


@pytest.mark.parametrize("command", ["serve", "work"])
@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_wrong_setting_ends_the_command_in_one_line(
    command: str,
    name: str,
    value: str,
    call: Call,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "broken.toml").write_text("[meta\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(f"SMART_RESIZE_{name}", value)
    done = call(command, "--data", tmp_path / "data")
    assert (done.returncode, done.stdout) == (2, b"")
    line = done.stderr.decode()
    assert line.startswith("smart-resize: ")
    assert line.endswith(" (invalid_option)\n")
    if name == "LINK_SECRET":
        assert value not in line


@pytest.mark.slow
@pytest.mark.parametrize(("name", "value"), WRONG)
@pytest.mark.parametrize(
    "command", [["server", "serve"], ["server.api"], ["server.work", "cpu"]], ids=" ".join
)
def test_a_wrong_setting_ends_every_process_in_one_line(
    command: list[str], name: str, value: str, tmp_path: Path
) -> None:
    if command == ["server.work", "cpu"] and name == "PRESETS":
        pytest.skip("no worker reads presets")
    if command == ["server.api"] and name == "ALLOW_HOSTS" and "!" in value:
        pytest.skip("the API fetches nothing")
    run_and_expect_a_line(command, name, value, tmp_path)


def run_and_expect_a_line(command: list[str], name: str, value: str, folder: Path) -> None:
    (folder / "broken.toml").write_text("[meta\n")
    own = {f"SMART_RESIZE_{name}": value, "SMART_RESIZE_DATA": str(folder / "data")}
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **own},  # noqa: TID251  what a child inherits
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 2, done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("smart-resize: ")]
    assert len(lines) == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert "process started" not in done.stderr


def test_a_wrong_setting_is_called_by_its_name() -> None:
    with pytest.raises(InvalidOption, match="setting public-url: not the address of an http"):
        read_settings(public_url="ftp://example.com")

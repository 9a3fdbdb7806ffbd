"""Keys are made for servers that there are, under names that can be read."""

import stat
from pathlib import Path

import pytest

from tests.server.console import Call


def test_a_key_is_made_listed_and_revoked(call: Call, tmp_path: Path) -> None:
    data = tmp_path / "data"
    made = call("keys", "create", "--name", "studio", "--data", data)
    assert made.returncode == 0
    assert made.stdout.startswith(b"sr_")
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    assert b"valid  studio" in call("keys", "list", "--data", data).stdout
    assert call("keys", "revoke", "studio", "--data", data).returncode == 0
    assert b"revoked" in call("keys", "list", "--data", data).stdout


@pytest.mark.parametrize("act", [["list"], ["revoke", "studio"]])
def test_who_looks_into_a_folder_that_is_not_there_makes_none(
    act: list[str], call: Call, tmp_path: Path
) -> None:
    done = call("keys", *act, "--data", tmp_path / "typo")
    assert done.returncode == 2
    assert b"there is no data folder" in done.stderr
    assert not (tmp_path / "typo").exists()


@pytest.mark.parametrize("name", ["", "x" * 201, "a\nb", "\x1b[31mred"])
def test_a_name_that_cannot_be_read_is_refused(name: str, call: Call, tmp_path: Path) -> None:
    done = call("keys", "create", "--name", name, "--data", tmp_path / "data")
    assert done.returncode == 2
    assert b"a key's name has 1 to 200 characters" in done.stderr
    assert not (tmp_path / "data").exists()


def test_a_database_that_is_not_there_is_one_line(call: Call, tmp_path: Path) -> None:
    url = "postgresql://me:secret@127.0.0.1:9/x"
    done = call("keys", "list", "--data", tmp_path, "--database-url", url)
    assert done.returncode == 1
    assert done.stderr.startswith(b"smart-resize: the database cannot be used: connection failed")
    assert b"database_unavailable" in done.stderr
    assert done.stderr.count(b"\n") == 1
    assert b"secret" not in done.stderr

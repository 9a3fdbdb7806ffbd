"""A link opens what it was made for, until its time is over, and nothing else."""

import stat
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from server.errors import LinkInvalid, Unavailable
from server.images.links import Links, _make_secret, load_secret

ROOT = Path(__file__).parents[3]
SECRET = b"s" * 32
NAME = "outputs/0190aa-11/0.png"


class Clock:
    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


def token_of(path: str) -> str:
    return path.split("/")[2]


def test_a_link_opens_its_blob_and_shows_its_file_name() -> None:
    links = Links(SECRET, 60)
    path = links.path(NAME, "Sea side 16x9.png")
    assert path.startswith("/files/")
    assert path.endswith("/Sea%20side%2016x9.png")
    assert path.count("/") == 3
    assert links.open(token_of(path)) == NAME


@pytest.mark.parametrize(
    ("file_name", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("a\r\nb?x#y.png", "abx%23y.png"),
        ("", "image"),
        ("ü", "%C3%BC"),
    ],
)
def test_a_file_name_is_a_label_and_cannot_change_the_path(file_name: str, shown: str) -> None:
    path = Links(SECRET, 60).path(NAME, file_name)
    assert path.split("/")[3:] == [shown]


def test_a_link_is_over_when_its_time_is() -> None:
    clock = Clock()
    links = Links(SECRET, 60, clock)
    token = token_of(links.path(NAME, "a.png"))
    clock.now += 59
    assert links.open(token) == NAME
    clock.now += 1
    with pytest.raises(LinkInvalid):
        links.open(token)


def test_a_secret_of_another_machine_or_purpose_does_not_open_a_link() -> None:
    token = token_of(Links(SECRET, 60).path(NAME, "a.png"))
    assert Links(bytes(SECRET), 60).open(token) == NAME
    with pytest.raises(LinkInvalid):
        Links(b"t" * 32, 60).open(token)


def test_a_link_with_any_character_changed_is_invalid() -> None:
    links = Links(SECRET, 60)
    token = token_of(links.path(NAME, "a.png"))
    for place, char in enumerate(token[:-1]):  # of the last one some bits mean nothing in base64
        changed = token[:place] + ("A" if char != "A" else "B") + token[place + 1 :]
        with pytest.raises(LinkInvalid):
            links.open(changed)


@given(st.text(max_size=80))
def test_what_nobody_signed_is_invalid(token: str) -> None:
    with pytest.raises(LinkInvalid):
        Links(SECRET, 60).open(token)


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "outputs", "outputs/x/.."])
def test_even_a_signed_link_leads_only_to_a_blob(name: str) -> None:
    links = Links(SECRET, 60)
    with pytest.raises(LinkInvalid):
        links.open(token_of(links.path(name, "a.png")))


def test_a_short_secret_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="at least 32 bytes"):
        Links(b"short", 60)


def test_the_secret_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "links.secret"
    secret = load_secret(path)
    assert len(secret) >= 32
    assert load_secret(path) == secret
    assert load_secret(tmp_path / "other.secret") != secret
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sorted(file.name for file in tmp_path.iterdir()) == ["links.secret", "other.secret"]


def test_processes_that_start_together_agree_on_the_secret(tmp_path: Path) -> None:
    script = "import sys, pathlib; from server.images.links import load_secret\n"
    script += "print(load_secret(pathlib.Path(sys.argv[1])).hex())"
    command = [sys.executable, "-c", script, str(tmp_path / "links.secret")]
    with ExitStack() as running:
        processes = [
            running.enter_context(
                subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
            )
            for _ in range(4)
        ]
        found = {process.communicate()[0] for process in processes}
    assert found == {(tmp_path / "links.secret").read_bytes().hex() + "\n"}
    assert [file.name for file in tmp_path.iterdir()] == ["links.secret"]


def test_a_secret_that_another_process_made_meanwhile_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "links.secret"
    path.write_bytes(SECRET)
    _make_secret(path)
    assert path.read_bytes() == SECRET
    assert [file.name for file in tmp_path.iterdir()] == ["links.secret"]


def test_a_damaged_or_unreachable_secret_is_an_error_not_a_new_one(tmp_path: Path) -> None:
    (tmp_path / "short").write_bytes(b"x")
    for name in ("short", "nowhere/secret"):
        with pytest.raises(Unavailable):
            load_secret(tmp_path / name)
    assert (tmp_path / "short").read_bytes() == b"x"

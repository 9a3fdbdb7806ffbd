"""Careless and hostile calls of the command line end in one clear line and an exit code."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.house import ROOT
from tests.server.console import Call, size_of


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (["run", "{photo}", "-o", "x.png"], 2, "nothing to make"),
        (["run", "{photo}", "-a", "wide", "-o", "x.png"], 2, "WIDTH:HEIGHT"),
        (["run", "{photo}", "-a", "12:1", "-o", "x.png"], 1, "unreachable_target"),
        (["run", "{photo}", "-a", "1:1,2:1", "-o", "x.png"], 2, "give -o a folder"),
        (["run", "{photo}", "-a", "1:1,2:1", "-o", "-"], 2, "only one output fits stdout"),
        (["run", "{photo}", "-a", "1:1", "-o", "-", "--json"], 2, "not both"),
        (["run", "{photo}", "-a", "1:1", "-o", "{photo}"], 2, "not written over"),
        (["run", "{photo}", "-a", "1:1", "-o", "x.bmp"], 2, "output format is one of"),
        (["run", "{photo}", "-a", "1:1", "-o", "x.png", "--max-bytes", "9xB"], 2, "byte limit"),
        (["run", "{photo}", "-a", "1:1", "-o", "x.png", "--max-bytes", "99"], 1, "budget"),
        (["run", "{photo}", "-a", "1:1", "-o", "x.png", "--protect", "1,2"], 2, "left,top"),
        (["run", "{photo}", "-o", "x.png", "--plan", "{photo}"], 1, "cannot be read"),
        (["run", "{photo}", "-o", "x.png", "-s", "9x9", "--plan", "{photo}"], 1, "cannot be read"),
        (["run", "{photo}", "-a", "3000:1", "-o", "x.png"], 1, "unreachable_target"),
        (["run", "{photo}", "-a", "1:1,12:1", "-o", "x"], 1, "unreachable_target"),
        (["run", "{photo}", "-a", "1:1", "-o", "x", "--contact-sheet", "{page}"], 2, "not written"),
        (["run", "{photo}", "-a", "1:1", "-o", "x.png", "-f", "avif"], 2, "says png"),
        (["run", "{photo}", "-a", "1:1", "-o", "x.png", "--max-megapixels", "inf"], 2, "max-"),
        (["plan", "{photo}", "-a", "1:1", "--anchor", "top", "--prefer", "top"], 2, "either"),
        (["run", "https://example.com/a.png", "-a", "1:1", "-o", "x.png"], 1, "not fetched"),
        (["run", "", "-a", "1:1", "-o", "x.png"], 2, "empty"),
        (["plan", "{photo}", "-a", "1:1", "--overlay", "-"], 2, "stdout is for the plan"),
        (["run", "missing.jpg", "-a", "1:1", "-o", "x.png"], 1, "source_unavailable"),
        (["run", "{empty}", "-a", "1:1", "-o", "x"], 1, "no pictures"),
        (["run", "{photo}", "-a", "1:1", "-o", "/proc/none/x.png"], 1, "cannot be written"),
        (["run", "{photo}", "-a", "1:1", "-o", "x.png", "--max-megapixels", "0.001"], 1, "large"),
        (["plan", "{photo}", "--expand-left", "10", "--policy", "crop"], 2, "forbids"),
        (["run", "{photo}", "--aspekt", "1:1", "-o", "x.png"], 2, "No such option"),
        (["run", "{photo}", "-a", "1:1", "-o", "x.png", "--engine", "magic"], 2, "magic"),
        (["run", "{photo}", "-a", "1:1", "-o", "x.png", "--nsfw", "maybe"], 2, "maybe"),
        (["run", "{photo}", "-a", "1:1", "-o", "x.png", "--nsfw", "block"], 3, "has no check"),
        (["run", "{photo}", "-a", "1:1", "-o", "x.png", "--strictness", "7"], 2, "--strictness"),
        (
            ["run", "{photo}", "-a", "1:1", "-o", "x.png", "--engine", "sdxl", "--weights", "w"],
            3,
            "smart-resize weights fetch inpaint",
        ),
    ],
)
def test_a_mistake_is_one_clear_line_and_an_exit_code(
    call: Call,
    arguments: list[str],
    code: int,
    complaint: str,
    photo: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    page = str(photo.with_suffix(".html"))  # whose PNG would be the photo
    places = {"photo": str(photo), "page": page, "empty": str(tmp_path / "empty")}
    done = call(*(argument.format_map(places) for argument in arguments))
    message = done.stderr.decode()
    assert complaint in message
    assert done.returncode == code
    assert "Traceback" not in message
    assert len(message.splitlines()) == 1
    assert done.stdout == b""
    assert not list(tmp_path.glob("x*"))


def test_a_name_tells_a_terminal_nothing(call: Call, photo: Path, tmp_path: Path) -> None:
    named = tmp_path / "a\x1b[31m\nb.jpg"
    named.write_bytes(photo.read_bytes()[:100])
    done = call("run", named, "-s", "60x60", "-o", tmp_path / "x.png")
    assert done.returncode == 1
    assert b"\\x1b[31m\\nb.jpg" in done.stderr
    assert b"\x1b" not in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_plan_and_other_wishes_together_are_refused(
    call: Call, photo: Path, tmp_path: Path
) -> None:
    plan = tmp_path / "plan.json"
    plan.write_bytes(call("plan", photo, "-s", "180x60", "--json").stdout)
    done = call("run", photo, "--plan", plan, "--strict", "-o", tmp_path / "x.png")
    assert done.returncode == 2
    assert b"leaves nothing to decide" in done.stderr


def test_a_file_larger_than_the_limit_is_not_read_whole(call: Call, tmp_path: Path) -> None:
    huge = tmp_path / "huge.png"
    with huge.open("wb") as file:
        file.truncate(3 << 30)
    done = call("run", huge, "-s", "60x60", "-o", tmp_path / "x.png")
    assert done.returncode == 1
    assert b"image_too_large" in done.stderr


def test_a_failed_write_leaves_nothing_behind(call: Call, photo: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (out / "photo.png" / "in the way").mkdir(parents=True)
    done = call("run", photo, "-s", "60x60", "-o", out)
    assert done.returncode == 1
    assert b"output_unwritable" in done.stderr
    assert [path.name for path in out.iterdir()] == ["photo.png"]


@pytest.mark.parametrize("stream", ["/dev/full", "closed"])
def test_a_stdout_that_takes_nothing_is_one_line(stream: str, photo: Path) -> None:
    command = f"{sys.executable} -m server run {photo} -s 60x60 -o - "
    command += ">&-" if stream == "closed" else f"> {stream}"
    done = subprocess.run(command, shell=True, capture_output=True, check=False, cwd=ROOT)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1


def test_one_bad_picture_does_not_stop_the_others(call: Call, photo: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"this is text")
    done = call("run", bad, photo, "-s", "60x60", "-o", tmp_path / "out", "--json")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 1
    assert lines[0]["error"]["code"] == "image_undecodable"
    assert lines[1]["output"]["size"] == [60, 60]


def test_an_output_never_takes_the_contact_sheets_name(
    call: Call, photo: Path, tmp_path: Path
) -> None:
    index = photo.rename(tmp_path / "index.png")
    out = tmp_path / "out"
    call("run", index, "-s", "60x60", "-o", out, "--contact-sheet", out / "index.html")
    assert size_of(out / "index-png.png") == (60, 60)

"""The command line as people and scripts use it: real processes, real files."""

import io
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image

from server.cli import main
from tests.drawings import draw_meadow, draw_object_on_white, to_png

BLOCK = to_png(draw_object_on_white(90, 60))


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: bytes
    stderr: bytes


Call = Callable[..., Done]


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]) -> Call:
    """The command line in this process: starting one costs more than most of its work."""

    def run(*arguments: str | Path) -> Done:
        monkeypatch.setattr(sys, "argv", ["smart-resize", *map(str, arguments)])
        code = 0
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        streams = capfdbinary.readouterr()
        return Done(code, streams.out, streams.err)

    return run


def start(*arguments: str | Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """The command line in a process of its own."""
    command = [sys.executable, "-m", "server", *map(str, arguments)]
    return subprocess.run(command, input=stdin, capture_output=True, check=False, timeout=120)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    path.write_bytes(BLOCK)
    return path


def size_of(path: Path) -> tuple[int, int]:
    with Image.open(path) as picture:
        return picture.size


def test_one_picture_becomes_one_file_of_the_exact_size(
    call: Call, photo: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.png"
    done = call("run", photo, "--aspect", "16:9", "--resolution", "2K", "-o", out)
    assert done.returncode == 0, done.stderr
    assert size_of(out) == (2048, 1152)
    assert done.stdout == b""


def test_the_record_comes_as_json_on_stdout(call: Call, photo: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.png"
    done = call("run", photo, "-s", "160x90", "-o", out, "--json")
    record = json.loads(done.stdout)
    assert record["input"] == str(photo)
    assert record["file"] == str(out)
    assert record["engine"] == "preview"
    assert record["output"]["size"] == [160, 90]
    assert record["preservation"]["changed"] == 0


def test_several_sizes_at_once_get_a_name_each(call: Call, photo: Path, tmp_path: Path) -> None:
    out = tmp_path / "sizes"
    done = call("run", photo, "-a", "1:1,4:5", "-s", "97x9", "--format", "jpeg", "-o", out)
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in out.iterdir()) == [
        "photo_1024x1024.jpg",
        "photo_819x1024.jpg",
        "photo_97x9.jpg",
    ]


def test_a_folder_in_means_the_same_tree_out(call: Call, tmp_path: Path) -> None:
    for name in ("in/a.png", "in/deep/er/a.png", "in/deep/a.PNG", "in/.hidden/a.png"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(BLOCK)
    (tmp_path / "in/notes.txt").write_text("not a picture")
    done = call("run", tmp_path / "in", "-s", "60x60", "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    made = sorted(str(p.relative_to(tmp_path / "out")) for p in (tmp_path / "out").rglob("*.png"))
    assert made == ["a.png", "deep/a.png", "deep/er/a.png"]


def test_two_sources_with_one_stem_never_share_an_output(call: Call, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.png").write_bytes(BLOCK)
    jpeg = io.BytesIO()
    Image.open(io.BytesIO(BLOCK)).convert("RGB").save(jpeg, "JPEG")
    (folder / "a.jpg").write_bytes(jpeg.getvalue())
    call("run", folder, "-s", "60x60", "-o", tmp_path / "out")
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["a-png.png", "a.png"]


def test_stdin_and_stdout_carry_pictures() -> None:
    done = start("run", "-", "-s", "120x60", "-f", "webp", "-o", "-", stdin=BLOCK)
    assert done.returncode == 0, done.stderr
    with Image.open(io.BytesIO(done.stdout)) as picture:
        assert (picture.format, picture.size) == ("WEBP", (120, 60))


def test_a_byte_limit_is_kept(call: Call, tmp_path: Path) -> None:
    photo = tmp_path / "meadow.png"
    photo.write_bytes(to_png(draw_meadow(600, 400)))
    out = tmp_path / "ad.jpg"
    done = call("run", photo, "-s", "300x250", "--max-bytes", "15kB", "-o", out)
    assert done.returncode == 0, done.stderr
    assert out.stat().st_size <= 15_000


def test_an_expansion_keeps_the_source_exactly(call: Call, photo: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.png"
    call("run", photo, "--expand-left", "50", "--expand-bottom", "10", "-o", out)
    with Image.open(out) as picture, Image.open(photo) as source:
        assert picture.size == (135, 66)
        assert picture.crop((45, 0, 135, 60)).tobytes() == source.tobytes()


def test_a_plan_can_be_edited_and_carried_out(call: Call, photo: Path, tmp_path: Path) -> None:
    planned = call("plan", photo, "-s", "180x60", "--policy", "expand", "--json")
    plan = json.loads(planned.stdout)
    plan["place"] = [0, 0, 90, 60]
    edited = tmp_path / "plan.json"
    edited.write_text(json.dumps(plan))
    out = tmp_path / "out.png"
    done = call("run", photo, "--plan", edited, "-o", out)
    assert done.returncode == 0, done.stderr
    with Image.open(out) as picture, Image.open(photo) as source:
        assert picture.crop((0, 0, 90, 60)).tobytes() == source.tobytes()


def test_a_plan_is_drawn_and_put_in_words(call: Call, photo: Path, tmp_path: Path) -> None:
    overlay = tmp_path / "plan.png"
    done = call("plan", photo, "-a", "9:16", "--overlay", overlay, "--protect", "0.1,0.1,0.5,0.5")
    assert done.returncode == 0, done.stderr
    assert "576x1024" in done.stdout.decode()
    assert max(size_of(overlay)) == 1200


def test_a_contact_sheet_needs_nothing_from_elsewhere(
    call: Call, photo: Path, tmp_path: Path
) -> None:
    sheet = tmp_path / "out" / "index.html"
    call("run", photo, "-a", "1:1,2:1", "-o", tmp_path / "out", "--contact-sheet", sheet)
    page = sheet.read_text()
    assert page.count("<figure>") == 3  # the source and two outputs
    assert "http:" not in page
    assert "https:" not in page
    assert sheet.with_suffix(".png").exists()


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
        (["run", "missing.jpg", "-a", "1:1", "-o", "x.png"], 1, "source_unavailable"),
        (["run", "{empty}", "-a", "1:1", "-o", "x"], 1, "no pictures"),
        (["run", "{photo}", "-a", "1:1", "-o", "/proc/none/x.png"], 1, "cannot be written"),
        (["run", "{photo}", "-a", "1:1", "-o", "x.png", "--max-megapixels", "0.001"], 1, "large"),
        (["plan", "{photo}", "--expand-left", "10", "--policy", "crop"], 2, "forbids"),
        (["run", "{photo}", "--aspekt", "1:1", "-o", "x.png"], 2, "No such option"),
        (["run", "{photo}", "-a", "1:1", "-o", "x.png", "--engine", "magic"], 2, "magic"),
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
    places = {"photo": str(photo), "empty": str(tmp_path / "empty")}
    done = call(*(argument.format_map(places) for argument in arguments))
    message = done.stderr.decode()
    assert complaint in message
    assert done.returncode == code
    assert "Traceback" not in message
    assert done.stdout == b""
    assert not list(tmp_path.glob("x*"))


def test_one_bad_picture_does_not_stop_the_others(call: Call, photo: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"this is text")
    done = call("run", bad, photo, "-s", "60x60", "-o", tmp_path / "out", "--json")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 1
    assert lines[0]["error"]["code"] == "image_undecodable"
    assert lines[1]["output"]["size"] == [60, 60]


def test_the_same_call_twice_gives_the_same_bytes(call: Call, photo: Path, tmp_path: Path) -> None:
    outputs = []
    for name in ("one.png", "two.png"):
        call("run", photo, "-a", "16:9", "--seed", "5", "--fill", "generate", "-o", tmp_path / name)
        outputs.append((tmp_path / name).read_bytes())
    assert outputs[0] == outputs[1]


def test_doctor_says_what_this_machine_can_do(call: Call) -> None:
    done = call("doctor", "--json")
    findings = {finding["subject"]: finding for finding in json.loads(done.stdout)}
    assert done.returncode == 0
    assert findings["engine preview"]["good"]
    assert findings["JPEG"]["good"]
    assert "machine" in findings
    assert b"preview" in call("doctor").stdout

"""The command line as people and scripts use it: real processes, real files."""

import importlib
import io
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from pipelines import preview
from tests.drawings import draw_meadow, draw_object_on_white, to_png
from tests.server.console import Call, size_of

BLOCK = to_png(draw_object_on_white(90, 60))


def start(*arguments: str | Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """The command line in a process of its own."""
    command = [sys.executable, "-m", "server", *map(str, arguments)]
    return subprocess.run(command, input=stdin, capture_output=True, check=False, timeout=120)


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
    assert record["nsfw_detected"] is None  # this engine cannot tell


@pytest.mark.parametrize(
    ("options", "code", "detected"),
    [
        ([], 0, False),
        (["--strictness", "4"], 0, True),
        (["--nsfw", "off", "--strictness", "6"], 0, None),
        (["--nsfw", "block"], 0, False),
        (["--nsfw", "block", "--strictness", "4"], 1, None),
    ],
)
def test_what_is_not_safe_for_work_is_flagged_or_blocked(
    call: Call,
    photo: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    options: list[str],
    code: int,
    detected: bool | None,
) -> None:
    engine = replace(preview.load(), rate=lambda _: 0.6)
    command = importlib.import_module("server.cli.run")
    monkeypatch.setattr(command, "load_engine", lambda *_: engine)
    out = tmp_path / "out.png"
    done = call("run", photo, "-s", "160x90", "-o", out, "--json", *options)
    record = json.loads(done.stdout)
    assert done.returncode == code
    assert out.exists() is (code == 0)
    assert record.get("nsfw_detected") is detected
    assert record.get("error", {}).get("code") == ("content_rejected" if code else None)
    assert (b"probably not safe for work" in done.stderr) is bool(detected or code)


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


def test_a_folder_may_have_a_dot_in_its_name(call: Call, photo: Path, tmp_path: Path) -> None:
    assert call("run", photo, "-s", "60x60", "-o", tmp_path / "ads_v1.2").returncode == 0
    assert (tmp_path / "ads_v1.2" / "photo.png").exists()


def test_outputs_inside_the_folder_read_are_not_read_again(
    call: Call, photo: Path, tmp_path: Path
) -> None:
    for _ in range(2):
        assert call("run", tmp_path, "-s", "60x60", "-o", tmp_path / "out").returncode == 0
    assert [path.name for path in (tmp_path / "out").rglob("*.png")] == ["photo.png"]


def test_quality_is_ignored_where_nothing_is_lost(call: Call, photo: Path, tmp_path: Path) -> None:
    done = call("run", photo, "-s", "60x60", "--quality", "80", "-o", tmp_path / "x.png")
    assert done.returncode == 0


def test_short_and_lower_case_names_are_understood(call: Call, photo: Path, tmp_path: Path) -> None:
    done = call("run", photo, "-a", "1:1", "--resolution", "1k", "-f", "jpg", "-o", tmp_path / "o")
    assert done.returncode == 0
    assert (tmp_path / "o" / "photo.jpg").exists()


def test_the_version_is_told(call: Call) -> None:
    assert call("--version").stdout.startswith(b"smart-resize ")


def test_doctor_says_whether_somebody_could_paint_and_somebody_describe(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    doctor = importlib.import_module("server.cli.doctor")  # the room's name is the command's too
    monkeypatch.setattr(doctor, "SDXL_PACKAGES", ())
    monkeypatch.setenv("SMART_RESIZE_WEIGHTS", str(tmp_path))
    findings = json.loads(call("doctor", "--json").stdout)
    (sdxl,) = [finding for finding in findings if finding["subject"] == "engine sdxl"]
    assert not sdxl["good"]
    assert sdxl["detail"] == (
        "its weights: inpaint missing, vlm missing (smart-resize weights fetch inpaint vlm)"
    )

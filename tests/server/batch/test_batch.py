"""``smart-resize batch`` with an engine of its own: what is done is not done again."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from server.batch.ledger import Ledger
from tests.drawings import draw_meadow, draw_object_on_white, to_png
from tests.server.console import Call, Done, size_of

SIZES = ("-s", "40x30,30x40")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    for number, name in enumerate(("a.png", "deep/b.png")):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(to_png(draw_meadow(60, 40, seed=number)))
    return folder


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def read(done: Done) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def skipped(done: Done) -> dict[str, bool]:
    return {line["output"]: line["skipped"] for line in read(done)}


def rows(out: Path) -> list[dict[str, str]]:
    with (out / "report.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_folder_becomes_the_same_tree_with_a_report(call: Call, folder: Path, out: Path) -> None:
    done = call("batch", folder, out, *SIZES, "--preset", "iab/button", "--extra", "record")
    assert done.returncode == 0, done.stderr
    assert b"2 pictures, 6 outputs, about" in done.stderr
    assert b"6 made, 0 were there, 0 failed" in done.stderr
    made = {path.relative_to(out).as_posix() for path in out.rglob("*.*") if path.is_file()}
    assert {"a_40x30.png", "a_40x30.json", "a_120x60.jpg", "deep/b_30x40.png"} < made
    assert size_of(out / "deep/b_120x60.jpg") == (120, 60)
    table = rows(out)
    assert len(table) == 6
    assert {row["preset"] for row in table} == {"", "iab/button"}
    assert all(row["size"] and row["bytes"] and row["seconds"] for row in table)
    page = (out / "report.html").read_text()
    assert page.count("<img") == 8  # six outputs and two sources
    assert (out / ".smart-resize/thumbnails").is_dir()


def test_the_same_command_again_does_nothing_again(call: Call, folder: Path, out: Path) -> None:
    first = call("batch", folder, out, *SIZES, "--json")
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*.png")}
    again = call("batch", folder, out, *SIZES, "--json", "--resume")
    assert set(skipped(first).values()) == {False}
    assert set(skipped(again).values()) == {True}
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*.png")} == before
    assert len(rows(out)) == 4


def test_just_what_changed_is_done_again(call: Call, folder: Path, out: Path) -> None:
    call("batch", folder, out, *SIZES)
    (folder / "a.png").write_bytes(to_png(draw_object_on_white(60, 40)))
    (out / "deep/b_40x30.png").write_bytes(b"spoiled")
    again = skipped(call("batch", folder, out, *SIZES, "--json"))
    assert again == {
        "a_40x30.png": False,
        "a_30x40.png": False,
        "deep/b_40x30.png": False,
        "deep/b_30x40.png": True,
    }
    other = skipped(call("batch", folder, out, *SIZES, "--seed", "3", "--json"))
    assert set(other.values()) == {False}


def test_a_fresh_start_does_everything_again(call: Call, folder: Path, out: Path) -> None:
    call("batch", folder, out, *SIZES)
    again = skipped(call("batch", folder, out, *SIZES, "--json", "--fresh"))
    assert set(again.values()) == {False}


def test_one_that_fails_stops_no_other_and_is_tried_again(
    call: Call, folder: Path, out: Path
) -> None:
    (folder / "bad.png").write_bytes(b"text")
    done = call("batch", folder, out, "-s", "40x30", "--preset", "iab/button", "--json")
    assert done.returncode == 1
    failed = [line for line in read(done) if line["error"]]
    assert {line["error"]["code"] for line in failed} == {"image_undecodable"}
    assert len(failed) == 2
    assert {row["error"] for row in rows(out)} == {"", "image_undecodable"}
    (folder / "bad.png").write_bytes(to_png(draw_meadow(60, 40)))
    again = call("batch", folder, out, "-s", "40x30", "--preset", "iab/button", "--json")
    assert again.returncode == 0
    assert [name for name, was_there in skipped(again).items() if not was_there] == [
        "bad_40x30.png",
        "bad_120x60.jpg",
    ]


def test_an_output_that_cannot_be_made_leaves_its_siblings_be(
    call: Call, folder: Path, out: Path, tmp_path: Path
) -> None:
    own = tmp_path / "own.toml"
    own.write_text('[my.presets.tiny]\ntitle = "T"\nsize = "48x48"\nmax_bytes = 40')
    done = call(
        *("batch", folder, out, "--preset", "my/tiny,iab/button", "--preset-file", own, "--json")
    )
    assert done.returncode == 1
    assert [line["error"] and line["error"]["code"] for line in read(done)] == [
        "unreachable_budget",
        None,
    ] * 2
    assert size_of(out / "a_120x60.jpg") == (120, 60)


def test_a_name_in_the_way_is_that_outputs_failure(call: Call, folder: Path, out: Path) -> None:
    (out / "a.png/in the way").mkdir(parents=True)
    done = call("batch", folder, out, "-s", "40x30", "--json")
    assert done.returncode == 1
    assert [line["error"] and line["error"]["code"] for line in read(done)] == [
        "output_unwritable",
        None,
    ]
    assert not list(out.rglob(".smart-resize-*"))


def test_while_one_batch_writes_another_is_refused(call: Call, folder: Path, out: Path) -> None:
    ledger = Ledger(out)
    done = call("batch", folder, out, *SIZES)
    ledger.close()
    assert done.returncode == 1
    assert b"another batch is writing into" in done.stderr
    assert not list(out.glob("*.png"))


def test_a_series_is_placed_as_its_first_picture(call: Call, tmp_path: Path, out: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for name, x in (("1.png", 10), ("2.png", 130), ("3.png", 70)):
        picture = Image.new("RGB", (200, 100), "white")
        picture.paste((160, 30, 40), (x, 30, x + 50, 70))
        picture.save(folder / name)
    crop = ("--policy", "crop", "-s", "50x50", "--extra", "record")
    call("batch", folder, out, *crop, "--series")
    plans = [json.loads((out / f"{n}.json").read_text())["plan"]["crop"] for n in (1, 2, 3)]
    assert plans[0] == plans[1] == plans[2]
    call("batch", folder, out, *crop)
    plans = [json.loads((out / f"{n}.json").read_text())["plan"]["crop"] for n in (1, 2, 3)]
    assert plans[0] != plans[1]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["{in}"], "a folder of pictures and one for the outputs"),
        (["{in}", "{out}", "x"], "a folder of pictures and one for the outputs"),
        (["{in}", "{in}"], "another folder than that of the pictures"),
        (["{in}", "{out}"], "nothing to make"),
        (["{in}", "{out}", "--preset", "adds"], "no presets for 'adds'"),
        (["{in}", "{out}", "-s", "9x9", "--csv", "x", "--watch"], "not for --csv"),
        (["{in}", "{out}", "-s", "9x9", "--series", "--server", "x"], "--series is not available"),
        (["{in}", "{out}", "-s", "9x9", "--series", "--watch"], "--series is not available"),
        (["{in}", "{out}", "--series", "--csv", "x"], "--series is not available"),
        (["{in}", "{out}", "-s", "9x9", "--resume", "--fresh"], "either --resume or --fresh"),
        (["{in}/a.png", "{out}", "-s", "9x9", "--watch"], "no folder to watch"),
        (["{in}", "{out}", "-s", "9x9", "--prefer", "top", "--copy-space", "top"], "either"),
        (["{in}", "{out}", "-s", "9x9", "--retries", "9"], "retries"),
        (["{in}", "{out}", "-s", "9x9", "--server", "nowhere"], "not the address of a server"),
        (["{in}", "{out}", "-s", "9x9", "--server", "x", "--key-file", "none"], "cannot be read"),
    ],
)
def test_a_mistake_is_one_clear_line(
    call: Call, folder: Path, out: Path, *, arguments: list[str], complaint: str
) -> None:
    places = {"in": str(folder), "out": str(out)}
    done = call("batch", *(argument.format_map(places) for argument in arguments))
    assert done.returncode == 2, done.stderr
    assert complaint in done.stderr.decode()
    assert len(done.stderr.splitlines()) == 1
    assert not list(out.glob("[!.]*"))

"""The options that run, plan and batch share, and what becomes of them."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from typer.main import get_command

from server.cli import app
from server.cli.items_file import GROUPS
from tests.drawings import draw_meadow
from tests.server.console import Call, size_of


@pytest.fixture
def block(tmp_path: Path) -> Path:
    """A dark block on white, well left of the middle."""
    path = tmp_path / "block.png"
    picture = Image.new("RGB", (300, 200), "white")
    picture.paste((30, 40, 90), (60, 60, 120, 140))
    picture.save(path)
    return path


def record(call: Call, *arguments: str | Path) -> dict[str, Any]:
    done = call(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout.splitlines()[0]))


@pytest.mark.parametrize("command", ["run", "batch"])
def test_every_shared_option_is_an_option_of_the_command(command: str) -> None:
    names = [field.name for group in GROUPS for field in dataclasses.fields(group)]
    assert len(names) == len(set(names))
    parameters: Any = get_command(app)
    known = {option for each in parameters.commands[command].params for option in each.opts}
    assert {f"--{name.replace('_', '-')}" for name in names} <= known


@pytest.mark.parametrize(
    ("side", "prefer"),
    [("left", "right"), ("right", "left"), ("top", "bottom"), ("bottom", "top")],
)
def test_room_for_copy_puts_the_subject_opposite(
    call: Call, block: Path, side: str, prefer: str
) -> None:
    made = [
        record(call, "plan", block, "-s", "400x400", *option)
        for option in (("--copy-space", side), ("--prefer", prefer))
    ]
    assert made[0]["place"] == made[1]["place"]
    assert made[0]["crop"] == made[1]["crop"]


def test_a_mask_protects_what_is_white_in_it(call: Call, tmp_path: Path) -> None:
    source = tmp_path / "meadow.png"
    draw_meadow(300, 200).save(source)
    mask = Image.new("L", (150, 100))
    mask.paste(255, (0, 10, 20, 90))
    mask.save(tmp_path / "mask.png")
    crop = ("plan", source, "-s", "100x100", "--policy", "crop")
    free = record(call, *crop)
    kept = record(call, *crop, "--protect-mask", tmp_path / "mask.png")
    assert free["crop"][0] > 0
    assert kept["crop"][0] == 0


@pytest.mark.parametrize("command", ["run", "plan"])
def test_a_mask_of_another_ratio_keeps_no_other_picture_from_being_made(
    call: Call, block: Path, tmp_path: Path, command: str
) -> None:
    Image.new("L", (100, 100), 255).save(tmp_path / "mask.png")
    draw_meadow(90, 90).save(tmp_path / "square.png")
    where = ("-o", tmp_path / "out") if command == "run" else ()
    done = call(
        *(command, block, tmp_path / "square.png", "-s", "64x64", "--json"),
        *("--protect-mask", tmp_path / "mask.png"),
        *where,
    )
    assert done.returncode == 1
    assert b"block.png: a mask has the ratio of its picture" in done.stderr
    failed, made = map(json.loads, done.stdout.splitlines())
    assert failed["error"]["code"] == "invalid_option"
    assert made["input"] == str(tmp_path / "square.png")


def test_a_run_says_every_warning_and_every_reason_for_a_review_once(
    call: Call, tmp_path: Path
) -> None:
    stripes = Image.new("RGB", (64, 64), "black")
    stripes.paste("white", (60, 0, 64, 64))
    stripes.save(tmp_path / "a.png")
    done = call(
        *("run", tmp_path / "a.png", "-s", "128x64,192x96", "--fill", "solid", "--json"),
        *("--policy", "expand", "-o", tmp_path / "out"),
    )
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert any(record["review"] for record in records)
    for record in records:
        for words in (*record["warnings"], *record["review"]):
            assert done.stderr.decode().count(f"a.png: warning: {words}\n") == 1


def test_outputs_of_one_size_and_two_formats_each_have_their_record(
    call: Call, block: Path, tmp_path: Path
) -> None:
    rows = [
        f'{form} = {{ title = "T", size = "90x60", format = "{form}" }}' for form in ("jpeg", "png")
    ]
    (tmp_path / "own.toml").write_text("\n".join(["[acme.presets]", *rows]))
    done = call(
        *("run", block, "--preset", "acme", "--preset-file", tmp_path / "own.toml"),
        *("--extra", "record", "-o", tmp_path / "out"),
    )
    assert done.returncode == 0, done.stderr
    outputs = [path for path in (tmp_path / "out").iterdir() if path.suffix != ".json"]
    assert {path.suffix for path in outputs} == {".jpg", ".png"}
    for path in outputs:
        said = json.loads(path.with_suffix(".json").read_text())["output"]
        assert said["bytes"] == path.stat().st_size


def test_extra_files_lie_beside_their_output(call: Call, block: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    kinds = ("mask", "generated", "difference", "record")
    extras = [part for kind in kinds for part in ("--extra", kind)]
    done = call("run", block, "-s", "300x300,200x300", *extras, "-o", out)
    assert done.returncode == 0, done.stderr
    for size in ("300x300", "200x300"):
        stem = f"block_{size}"
        for kind in kinds[:3]:
            assert size_of(out / f"{stem}-{kind}.png") == size_of(out / f"{stem}.png")
        assert json.loads((out / f"{stem}.json").read_text())["engine"] == "preview"
    assert len(list(out.iterdir())) == 10


def test_a_file_beside_an_output_never_has_the_name_of_another(
    call: Call, block: Path, tmp_path: Path
) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    for name in ("a.png", "a-mask.png"):
        (folder / name).write_bytes(block.read_bytes())
    done = call("run", folder, "-s", "300x200", "--extra", "mask", "-o", out)
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in out.iterdir()) == [
        "a-mask-mask.png",
        "a-mask.png",
        "a-png-mask.png",
        "a-png.png",
    ]


def test_no_output_is_written_where_a_name_beside_it_is_taken(
    call: Call, block: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    sheet = ("--contact-sheet", out / "x-mask.html")
    done = call("run", block, "-s", "64x64", "--extra", "mask", "-o", out / "x.png", *sheet)
    assert done.returncode == 2
    assert b"x-mask.png is the name of an output" in done.stderr
    assert not out.exists()


def test_stdout_has_no_place_for_extra_files(call: Call, block: Path) -> None:
    done = call("run", block, "-s", "64x64", "--extra", "mask", "-o", "-")
    assert done.returncode == 2
    assert done.stdout == b""


def test_a_plan_is_made_for_presets_too(call: Call, block: Path) -> None:
    assert record(call, "plan", block, "--preset", "iab/billboard")["target"] == [970, 250]


def test_a_series_of_a_run_is_placed_as_its_first_picture(
    call: Call, block: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    block.rename(folder / "1.png")
    Image.open(folder / "1.png").transpose(Image.Transpose.FLIP_LEFT_RIGHT).resize((600, 400)).save(
        folder / "2.png"
    )
    done = call(
        *("run", folder, "-s", "100x100", "--policy", "crop", "--series"),
        *("-o", tmp_path / "out", "--json"),
    )
    first, second = (json.loads(line)["plan"] for line in done.stdout.splitlines())
    assert [2 * side for side in first["crop"]] == pytest.approx(second["crop"])
    assert first["place"] == second["place"]


def test_the_wishes_of_painting_and_writing_reach_the_record(
    call: Call, block: Path, tmp_path: Path
) -> None:
    options = (
        "--policy",
        "expand",
        "--fill",
        "mirror",
        "--no-xmp",
        "--metadata",
        "none",
        "--retries",
        "1",
    )
    made = record(call, "run", block, "-s", "400x200", *options, "-o", tmp_path / "x.tiff")
    assert made["fill"] == "mirror"
    assert made["output"]["format"] == "tiff"
    assert made["provenance"]["xmp"] is False

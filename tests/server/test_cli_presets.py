"""Presets on the command line: looked at, and made."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipelines.errors import InvalidOption
from pipelines.presets.preset_file import read_shipped
from server.cli.presets import app
from tests.server.console import Call, size_of

OWN = """
[acme]
format = "webp"

[acme.presets]
small = { title = "Small", size = "64x48", max_bytes = 20_000, clear = { top = 0.25 } }
wide = { title = "Wide", size = "96x48" }
tiny = { title = "Tiny", size = "48x48", max_bytes = 40 }

[iab.presets]
billboard = { max_bytes = 1_000 }
"""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "own.toml"
    path.write_text(OWN)
    return path


def show(*arguments: str | Path) -> str:
    done = CliRunner().invoke(app, list(map(str, arguments)), catch_exceptions=False)
    assert done.exit_code == 0
    return done.output


def test_the_list_has_a_line_for_every_preset() -> None:
    listed, collections = show("list").split("\n\n")
    head, *lines = listed.splitlines()
    assert collections.splitlines()[1].split()[:2] == ["ads", "6"]
    assert head.split() == ["preset", "size", "format", "limit", "grade", "title"]
    assert [line.split()[0] for line in lines] == [each.id for each in read_shipped().presets]
    assert "meta/story" in show("list", "--platform", "meta")
    assert "iab/" not in show("list", "--platform", "meta")


def test_the_list_as_json_says_all_that_is_known() -> None:
    listed = json.loads(show("list", "--json", "--platform", "print"))
    assert listed == [preset.to_json() for preset in read_shipped().of("print")]
    sheet = next(each for each in listed if each["id"] == "print/a4-bleed")
    assert (sheet["width"], sheet["height"]) == (2551, 3579)
    assert sheet["print"]["bleed_mm"] == 3


def test_one_preset_is_shown_with_its_zones_its_paper_and_its_sources() -> None:
    story = show("show", "meta/story")
    preset = read_shipped().find("meta/story")
    assert "top 14%, bottom 20%" in story
    assert all(source in story for source in preset.sources)
    assert "B: several third parties that agree" in story
    assert "paper" not in story
    assert "210 x 297 mm at 300 dpi, 3 mm bleed" in show("show", "print/a4-bleed")
    assert json.loads(show("show", "meta/story", "--json")) == preset.to_json()


def test_a_collection_is_shown_with_what_is_in_it() -> None:
    shown = show("show", "ads")
    assert "meta/story" in shown
    assert "iab/leaderboard" in shown
    listed = json.loads(show("show", "ads", "--json"))
    assert len(listed["presets"]) == 6


def test_six_ads_come_from_one_line(call: Call, photo: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = call("run", photo, "--preset", "ads", "-o", out)
    assert done.returncode == 0, done.stderr
    made = {size_of(path) for path in out.iterdir()}
    sizes = {tuple(preset.size) for preset in read_shipped().select(["ads"])}
    assert made == sizes
    assert len(made) == 6


def test_ones_own_file_adds_and_changes_presets(own: Path) -> None:
    assert "acme/small" in show("list", "--preset-file", own)
    billboard = show("show", "iab/billboard", "--preset-file", own)
    assert "1 kB" in billboard
    assert "your own file" in billboard


@pytest.mark.parametrize(
    "arguments",
    [["show", "meta/feed"], ["list", "--platform", "acme"], ["list", "--preset-file", "x"]],
)
def test_a_preset_that_is_not_there_is_the_callers_mistake(arguments: list[str]) -> None:
    done = CliRunner().invoke(app, arguments)
    assert isinstance(done.exception, InvalidOption)


def test_presets_are_made_each_with_its_size_format_and_limit(
    call: Call, photo: Path, tmp_path: Path, own: Path
) -> None:
    out = tmp_path / "out"
    names = "acme/small,iab/smartphone-banner"
    done = call("run", photo, "--preset", names, "--preset-file", own, "-o", out, "--json")
    assert done.returncode == 0, done.stderr
    small, banner = map(json.loads, done.stdout.splitlines())
    assert (small["preset"], banner["preset"]) == ("acme/small", "iab/smartphone-banner")
    assert (out / "photo_64x48.webp").stat().st_size <= 20_000
    assert size_of(out / "photo_64x48.webp") == (64, 48)
    assert size_of(out / "photo_320x50.jpg") == (320, 50)
    assert (out / "photo_320x50.jpg").stat().st_size <= 50_000


def test_presets_come_after_the_sizes_that_are_named_beside_them(
    call: Call, photo: Path, tmp_path: Path, own: Path
) -> None:
    done = call(
        *("run", photo, "-s", "40x40", "--preset", "acme/wide", "--preset-file", own),
        *("-o", tmp_path / "out", "--json"),
    )
    plain, wide = map(json.loads, done.stdout.splitlines())
    assert "preset" not in plain
    assert plain["file"].endswith("photo_40x40.png")
    assert wide["file"].endswith("photo_96x48.webp")


@pytest.mark.parametrize(
    ("output", "options", "kind"),
    [
        ("out", [], "RIFF"),
        ("out.png", [], "PNG"),
        ("out.jpg", [], "JFIF"),
        ("out", ["--format", "png"], "PNG"),
        ("out", ["--format", "avif"], "ftypavif"),
        ("-", [], "RIFF"),
    ],
)
def test_the_format_that_is_said_wins(
    call: Call,
    photo: Path,
    tmp_path: Path,
    own: Path,
    *,
    output: str,
    options: list[str],
    kind: str,
) -> None:
    target = output if output == "-" else tmp_path / output
    done = call(
        *("run", photo, "--preset", "acme/small", "--preset-file", own, "-o", target, *options)
    )
    assert done.returncode == 0, done.stderr
    made = done.stdout
    if output != "-":
        (path,) = [target] if "." in output else (tmp_path / "out").iterdir()
        made = Path(path).read_bytes()
    assert kind.encode() in made[:16]


def test_the_limit_that_is_said_wins(call: Call, photo: Path, tmp_path: Path, own: Path) -> None:
    line = ("run", photo, "--preset", "acme/tiny", "--preset-file", own, "-o", tmp_path / "out")
    refused = call(*line)
    assert refused.returncode == 1
    assert b"unreachable_budget" in refused.stderr
    assert not (tmp_path / "out").exists()
    assert call(*line, "--max-bytes", "20kB").returncode == 0


@pytest.mark.parametrize("options", [["--preset", "meta/feed"], ["--preset", ""]])
def test_an_unknown_preset_is_a_wrong_option(
    call: Call, photo: Path, tmp_path: Path, options: list[str]
) -> None:
    done = call("run", photo, *options, "-o", tmp_path / "out")
    assert done.returncode == 2
    assert b"no preset" in done.stderr


def test_a_plan_leaves_no_room_for_presets(call: Call, photo: Path, tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    plan.write_bytes(call("plan", photo, "-s", "64x48", "--json").stdout)
    done = call("run", photo, "--plan", plan, "--preset", "iab", "-o", tmp_path / "out")
    assert done.returncode == 2

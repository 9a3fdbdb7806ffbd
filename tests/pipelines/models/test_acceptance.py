"""The acceptance script accepts what keeps its promises, and nothing else."""

import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from benchmarks.acceptance import find_faults, main
from pipelines import preview
from pipelines.codec.encode import Format, encode
from pipelines.fill import Fill
from pipelines.geometry import Size
from pipelines.reframe import Reframer
from pipelines.reframed import Reframed
from pipelines.request import ReframeRequest
from pipelines.rules import Policy, Rules
from tests.drawings import draw_meadow, to_png
from tests.pipelines.models.supplies import LOCK

TARGET = Size(320, 120)


def accept(photos: Path, out: Path, *options: str | Path) -> int:
    return main([str(word) for word in (photos, "--out", out, *options)])


def from_supplies(folder: Path) -> list[str | Path]:
    """Paintings of random weights fit nowhere, and their seams say nothing."""
    return ["--weights", folder / "weights", "--lock", folder / LOCK, "--visible-seams", "1"]


def test_a_first_run_writes_what_it_made_and_what_it_found(supplies: Path, tmp_path: Path) -> None:
    photos, out = tmp_path / "photos", tmp_path / "out"
    photos.mkdir()
    draw_meadow(120, 80).save(photos / "meadow.png")
    options = [*from_supplies(supplies), "--mode", "fast", "--targets", "970x250", "grown"]
    assert accept(photos, out, *options) == 1
    record = json.loads((out / "acceptance.json").read_text())
    assert all("noise" in fault for fault in record["faults"]), "and nothing else is wrong"
    assert all(output["faults"] for output in record["outputs"])
    assert [output["engine"] for output in record["outputs"]] == ["sdxl", "sdxl"]
    with Image.open(out / "meadow_970x250.png") as picture:
        assert picture.size == (970, 250)
    with Image.open(out / "meadow_grown.png") as picture:
        assert picture.size == (216, 80)
    assert (out / "index.html").stat().st_size > 1000
    with Image.open(out / "index.png") as sheet:
        assert sheet.width > 400


def test_without_weights_it_ends_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert accept(tmp_path, tmp_path / "out", "--weights", tmp_path) == 3
    assert "weights_missing" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_photo_that_cannot_be_read_is_a_fault_and_the_others_go_on(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / "a.png").write_bytes(b"no picture")
    draw_meadow(120, 80).save(photos / "b.png")
    out = tmp_path / "out"
    options = ["--engine", "preview", "--targets", "970x250", "--visible-seams", "1"]
    assert accept(photos, out, *options) == 1
    record = json.loads((out / "acceptance.json").read_text())
    assert [fault.split(":")[:2] for fault in record["faults"]] == [["a.png", " image_undecodable"]]
    assert len(record["outputs"]) == 1


@pytest.fixture(scope="module")
def reframed() -> Reframed:
    request = ReframeRequest(TARGET, Rules(Policy.EXPAND), fill=Fill.GENERATE)
    (made,) = Reframer(preview.load())(to_png(draw_meadow(180, 120)), [request])
    return made


def change(reframed: Reframed, work: Callable[[Image.Image], Image.Image]) -> Reframed:
    """The same output with another file."""
    with Image.open(io.BytesIO(reframed.file.data)) as picture:
        return replace(reframed, file=encode(work(picture.convert("RGB")), Format.PNG))


def touch_middle(picture: Image.Image) -> Image.Image:
    picture.putpixel((160, 60), (1, 2, 3))
    return picture


def blacken(picture: Image.Image) -> Image.Image:
    """All of it but the source."""
    black = Image.new("RGB", picture.size)
    place = (70, 0, 250, 120)
    black.paste(picture.crop(place), place[:2])
    return black


def test_an_output_as_it_was_made_has_no_faults(reframed: Reframed) -> None:
    assert reframed.plan.place == (70, 0, 250, 120)
    assert list(find_faults(reframed, TARGET, "preview")) == []


@pytest.mark.parametrize(
    ("work", "fault"),
    [
        (touch_middle, "1 kept pixels differ"),
        (blacken, "all of one colour"),
        (lambda picture: picture.resize((321, 120)), "320x120 was asked for and 321x120 came"),
        (lambda picture: picture.convert("RGBA"), "RGB went in and RGBA came out"),
    ],
)
def test_what_is_wrong_with_a_file_is_found(
    reframed: Reframed, work: Callable[[Image.Image], Image.Image], fault: str
) -> None:
    faults = list(find_faults(change(reframed, work), TARGET, "preview"))
    assert any(fault in found for found in faults)


def test_an_output_of_another_engine_is_a_fault(reframed: Reframed) -> None:
    assert "painted by preview" in list(find_faults(reframed, TARGET, "sdxl"))

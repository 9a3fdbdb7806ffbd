"""Names of outputs: one each, and the same ones from run to run."""

from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.codec.encode import Format
from pipelines.errors import InvalidOption
from pipelines.export.wishes import Extra
from pipelines.geometry import Size
from pipelines.presets.preset_file import read_shipped
from pipelines.request import ReframeRequest
from pipelines.rules import Rules
from pipelines.target import Expansion
from server.batch.item import BatchItem, PlacedItem, owner_of, place
from server.batch.naming import Names
from server.batch.source import Input
from server.batch.wish import Wish

BASE = ReframeRequest(Size(64, 48))
SMALL, TALL = Wish(BASE), Wish(replace(BASE, target=Size(48, 64)))


def item(name: str, *wishes: Wish, output: str | None = None) -> BatchItem:
    source = Input(Path("in", name), Path(name))
    return BatchItem(source, name, wishes or (SMALL,), Path(output) if output else None, "line 2")


def lay(*items: BatchItem, names: Names | None = None) -> list[PlacedItem]:
    return place(items, names or Names({}), Path("out"))


def paths(items: list[PlacedItem]) -> list[str]:
    return [piece.output.as_posix() for item in items for piece in item.pieces]


def test_one_output_has_its_sources_name_and_several_their_sizes_too() -> None:
    assert paths(lay(item("deep/a.jpg"))) == ["deep/a.png"]
    assert paths(lay(item("deep/a.jpg", SMALL, TALL))) == ["deep/a_64x48.png", "deep/a_48x64.png"]
    grown = Wish(replace(BASE, target=Expansion(left=10)))
    assert paths(lay(item("a.jpg", SMALL, grown))) == ["a_64x48.png", "a_expanded.png"]


def test_outputs_of_one_size_are_told_apart_by_preset_or_number() -> None:
    presets = [
        Wish(each.request(BASE), each)
        for each in read_shipped().select(["meta/square", "meta/carousel"])
    ]
    assert paths(lay(item("a.jpg", *presets))) == [
        "a_1080x1080.jpg",
        "a_1080x1080-meta-carousel.jpg",
    ]
    assert paths(lay(item("a.jpg", SMALL, SMALL, SMALL))) == [
        "a_64x48.png",
        "a_64x48-2.png",
        "a_64x48-3.png",
    ]


def test_rows_of_one_source_are_siblings() -> None:
    assert paths(lay(item("a.jpg", SMALL), item("a.jpg", TALL))) == ["a_64x48.png", "a_48x64.png"]


def test_two_sources_of_one_stem_keep_their_names_in_whatever_order_they_come() -> None:
    first = lay(item("a.png"), item("a.jpg"))
    assert paths(first) == ["a.png", "a-jpg.png"]
    earlier = {
        piece.output: owner_of(each.origin, piece.slot) for each in first for piece in each.pieces
    }
    assert paths(lay(item("a.jpg"), item("a.png"), names=Names(earlier))) == ["a-jpg.png", "a.png"]


def test_a_file_beside_an_output_never_has_the_name_of_another_output() -> None:
    masked = Wish(replace(BASE, export=replace(BASE.export, extras=frozenset({Extra.MASK}))))
    assert paths(lay(item("a-mask.jpg", masked), item("a.jpg", masked))) == [
        "a-mask.png",
        "a-jpg.png",
    ]


def test_a_name_that_was_asked_for_comes_first_and_only_once() -> None:
    assert paths(lay(item("a.jpg"), item("b.jpg", output="a.png"))) == ["a-jpg.png", "a.png"]
    with pytest.raises(InvalidOption, match=r"line 2: another output is called x\.png"):
        lay(item("a.jpg", output="x.png"), item("b.jpg", output="x.png"))


def test_no_output_takes_the_place_of_a_source(tmp_path: Path) -> None:
    source = Input(tmp_path / "a.png", Path("a.png"))
    with pytest.raises(InvalidOption, match="not written over"):
        place([BatchItem(source, "a.png", (SMALL,))], Names({}), tmp_path)


def test_a_key_changes_with_everything_that_makes_a_difference() -> None:
    (piece,) = lay(item("a.jpg"))[0].pieces
    request = piece.wish.request
    others = [
        replace(request, seed=1),
        replace(request, target=Size(64, 49)),
        replace(request, rules=Rules(max_crop=0.5)),
        replace(request, export=replace(request.export, format=Format.WEBP)),
        replace(request, export=replace(request.export, extras=frozenset({Extra.MASK}))),
    ]
    keys = {replace(piece, wish=Wish(other)).key("s", "m") for other in others}
    keys |= {piece.key("s", "m"), piece.key("t", "m"), piece.key("s", "n")}
    keys.add(replace(piece, wish=replace(piece.wish, mask=b"m")).key("s", "m"))
    assert len(keys) == len(others) + 4
    assert replace(piece, output=Path("b.png")).key("s", "m") == piece.key("s", "m")

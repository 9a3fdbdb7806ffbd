"""Presets under one name."""

from pathlib import Path

import pytest

from pipelines.errors import InvalidOption
from pipelines.presets.collection import Collection
from pipelines.presets.preset_file import read_presets, read_shipped

OWN = """
[[collection]]
name = "launch"
title = "Everything for a launch"
presets = ["acme/hero", "meta/story"]

[[collection]]
name = "ads"
title = "Ours"
presets = ["meta/link"]

[acme.presets]
hero = { title = "Hero", size = "96x48" }
"""


def test_the_six_common_ad_sizes_have_a_name() -> None:
    sizes = [str(preset.size) for preset in read_shipped().select(["ads"])]
    assert sizes == ["1080x1080", "1080x1350", "1080x1920", "1200x628", "300x250", "728x90"]


def test_a_collection_stands_beside_presets_and_platforms_each_once() -> None:
    chosen = read_shipped().select(["meta/story", "ads", "snapchat"])
    ids = [preset.id for preset in chosen]
    assert ids[0] == "meta/story"
    assert len(ids) == len(set(ids)) == 6 + len(read_shipped().of("snapchat"))


def test_ones_own_file_adds_collections_and_replaces_those_of_the_same_name(
    tmp_path: Path,
) -> None:
    path = tmp_path / "own.toml"
    path.write_text(OWN)
    catalogue = read_presets(path)
    assert [preset.id for preset in catalogue.select(["launch"])] == ["acme/hero", "meta/story"]
    assert [preset.id for preset in catalogue.select(["ads"])] == ["meta/link"]
    assert catalogue.find_collection("launch") == Collection(
        "launch", "Everything for a launch", ("acme/hero", "meta/story")
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("collection = 1", "has a name, a title and a list"),
        ("[[collection]]\nname = 'a'", "has a name, a title and a list"),
        ("[[collection]]\nname = 'a'\ntitle = 'A'\npresets = ['meta/story']\ncolour = 1", "else"),
        ("[[collection]]\nname = 'A b'\ntitle = 'A'\npresets = ['meta/story']", "not the name"),
        ("[[collection]]\nname = 'a'\ntitle = 'A'\npresets = []", "needs a title and presets"),
        ("[[collection]]\nname = 'a'\ntitle = 'A'\npresets = ['meta/x']", "'meta/x', which is no"),
        ("[[collection]]\nname = 'iab'\ntitle = 'A'\npresets = ['x/y']", "name of a platform"),
    ],
)
def test_what_is_no_collection_is_refused_with_the_files_name(
    tmp_path: Path, text: str, reason: str
) -> None:
    path = tmp_path / "own.toml"
    path.write_text(text)
    with pytest.raises(InvalidOption, match=reason) as error:
        read_presets(path)
    assert error.value.detail.startswith(f"{path}: ")

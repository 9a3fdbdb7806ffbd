"""Presets as a file: one's own laid over those that are shipped."""

from datetime import date
from pathlib import Path

import pytest

from pipelines.codec.encode import Format
from pipelines.errors import InvalidOption
from pipelines.geometry import Box, Size
from pipelines.presets.catalogue import Catalogue
from pipelines.presets.preset import Grade
from pipelines.presets.preset_file import read_presets, read_shipped
from pipelines.presets.zones import edge_zones


def read(tmp_path: Path, text: str) -> Catalogue:
    path = tmp_path / "own.toml"
    path.write_text(text)
    return read_presets(path)


def test_a_platform_of_ones_own_stands_beside_the_others(tmp_path: Path) -> None:
    catalogue = read(
        tmp_path,
        """
        [acme]
        sources = ["brand book 2026"]
        format = "webp"
        checked = 2026-11-01
        grade = "A"

        [acme.presets]
        hero = { title = "Hero", size = "1920x600", max_bytes = 200_000, clear = { right = 0.4 } }
        card = { title = "Card", mm = [85, 55], dpi = 150, bleed = 3, format = "png", note = "!" }
        """,
    )
    assert len(catalogue.presets) == len(read_shipped().presets) + 2
    hero, card = catalogue.of("acme")
    assert (hero.size, hero.format, hero.max_bytes) == (Size(1920, 600), Format.WEBP, 200_000)
    assert hero.keep_clear == (Box(0.6, 0, 1, 1),)
    assert (hero.sources, hero.grade) == (("brand book 2026",), Grade.A)
    assert hero.checked == date(2026, 11, 1)
    assert hero.local
    assert (card.size, card.format, card.note) == (Size(537, 360), Format.PNG, "!")
    assert card.sheet is not None
    assert card.sheet.bleed == 3


def test_what_one_says_oneself_needs_no_source(tmp_path: Path) -> None:
    (preset,) = read(tmp_path, '[my.presets.wide]\ntitle = "W"\nsize = "80x40"').of("my")
    assert preset.sources == ("own.toml",)
    assert preset.checked is None
    assert preset.grade is None
    assert preset.format is Format.JPEG


def test_a_shipped_preset_changes_in_that_key_alone_and_says_that_it_is_local(
    tmp_path: Path,
) -> None:
    before = read_shipped().find("meta/story")
    catalogue = read(tmp_path, "[meta.presets.story]\nclear = { bottom = 0.35 }")
    after = catalogue.find("meta/story")
    assert after.keep_clear == edge_zones(bottom=0.35)
    assert (after.size, after.max_bytes, after.sources) == (
        before.size,
        before.max_bytes,
        before.sources,
    )
    assert after.local
    assert [preset.id for preset in catalogue.presets if preset.local] == ["meta/story"]
    assert len(catalogue.presets) == len(read_shipped().presets)


def test_a_default_of_a_platform_reaches_all_that_say_nothing_else(tmp_path: Path) -> None:
    catalogue = read(tmp_path, "[linkedin]\nmax_bytes = 1_000_000")
    limits = {preset.name: preset.max_bytes for preset in catalogue.of("linkedin")}
    assert limits == {
        "landscape": 1_000_000,
        "square": 1_000_000,
        "portrait": 1_000_000,
        "cover": None,  # its own line says that there is none
    }
    assert all(preset.local for preset in catalogue.of("linkedin"))


def test_pixels_take_the_place_of_paper_and_paper_of_pixels(tmp_path: Path) -> None:
    catalogue = read(
        tmp_path,
        """
        print.presets.a4-bleed.size = "1000x1400"
        meta.presets.story = { mm = [90, 160], dpi = 254, bleed = 5 }
        meta.presets.reels.keep_clear = [[0, 0.8, 0.5, 1]]
        """,
    )
    paperless, story = catalogue.find("print/a4-bleed"), catalogue.find("meta/story")
    assert (paperless.size, paperless.sheet, paperless.keep_clear) == (Size(1000, 1400), None, ())
    assert story.size == Size(1000, 1700)
    assert catalogue.find("meta/reels").keep_clear == (Box(0, 0.8, 0.5, 1),)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[acme", "written in TOML"),
        ("acme = 1", "acme is a table"),
        ("[acme]\npresets = []", "acme is a table"),
        ("[acme.presets]\nhero = 1", "acme is a table"),
        ('[acme]\ncolour = "red"', "'colour', which means nothing"),
        ('[acme.presets.hero]\nsize = "2x2"', "acme/hero needs a title"),
        ('[acme.presets.hero]\ntitle = "H"', "either a size in px or a sheet in mm"),
        ('[acme.presets.hero]\ntitle = "H"\nsize = "9x9"\nmm = [9, 9]', "either a size"),
        ('[acme.presets.hero]\ntitle = "H"\nsize = 9', "size of acme/hero is 9"),
        ('[acme.presets.hero]\ntitle = "H"\nsize = "nine"', "acme/hero: a size is written"),
        ('[acme.presets.hero]\ntitle = "H"\nsize = "9x9"\nformat = "bmp"', "format is one of"),
        ('[acme.presets.hero]\ntitle = "H"\nsize = "9x9"\ngrade = "D"', "'D' is not a valid Grade"),
        ('[acme.presets.hero]\ntitle = "H"\nsize = "9x9"\nmax_bytes = -1', "byte limit"),
        ('[acme.presets.hero]\ntitle = "H"\nsize = "9x9"\nmax_bytes = true', "max_bytes of"),
        ('[acme.presets.hero]\ntitle = "H"\nsize = "9x9"\nbleed = 3', "are for sheets in mm"),
        ('[acme.presets.hero]\ntitle = "H"\nsize = "9x9"\nchecked = "May"', "checked of"),
        ('[acme.presets.hero]\ntitle = "H"\nsize = "9x9"\nclear = { up = 0.1 }', "not 'up'"),
        ('[acme.presets.hero]\ntitle = "H"\nsize = "9x9"\nclear = { top = 1 }', "something"),
        ('[acme.presets.hero]\ntitle = "H"\nsize = "9x9"\nclear = { top = "x" }', "no preset"),
        ('[acme.presets.hero]\ntitle = "H"\nsize = "9x9"\nkeep_clear = [[0, 1]]', "no preset"),
        ('[acme.presets.hero]\ntitle = "H"\nsize = "9x9"\nkeep_clear = [0.5]', "no preset"),
        ('[acme.presets.hero]\ntitle = "H"\nmm = [9]', "no preset"),
        ('[acme.presets.hero]\ntitle = "H"\nmm = [9, 0]', "acme/hero: a sheet"),
        ('["ac me".presets.hero]\ntitle = "H"\nsize = "9x9"', "not the name of a preset"),
        ('[meta.presets.story]\nsize = "1x1"', "meta/story: 1x1"),
    ],
)
def test_a_wrong_file_is_refused_with_its_name_and_the_reason(
    tmp_path: Path, text: str, reason: str
) -> None:
    with pytest.raises(InvalidOption, match=reason) as error:
        read(tmp_path, text)
    assert error.value.detail.startswith(f"{tmp_path / 'own.toml'}: ")


def test_a_file_that_cannot_be_read_is_our_error(tmp_path: Path) -> None:
    with pytest.raises(InvalidOption, match=r"no\.toml: presets cannot be read"):
        read_presets(tmp_path / "no.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(InvalidOption, match="TOML"):
        read_presets(tmp_path / "binary.toml")

"""A preset and what it makes of a request."""

from dataclasses import replace
from typing import Any

import pytest

from pipelines.codec.encode import Format
from pipelines.composition import Composition
from pipelines.errors import InvalidOption
from pipelines.export.wishes import Export
from pipelines.geometry import Box, Size
from pipelines.planner import make_plan
from pipelines.presets.catalogue import Catalogue
from pipelines.presets.preset import Grade, Preset
from pipelines.presets.preset_file import read_shipped
from pipelines.presets.zones import edge_zones
from pipelines.request import ReframeRequest
from pipelines.rules import Policy, Prefer, Rules

STORY = Preset(
    id="meta/story",
    title="Story",
    size=Size(1080, 1920),
    format=Format.JPEG,
    sources=("a page",),
    grade=Grade.B,
    max_bytes=150_000,
    keep_clear=edge_zones(top=0.14, bottom=0.2),
)
BASE = ReframeRequest(Size(1, 1), Rules(policy=Policy.EXPAND), prompt="a meadow", seed=7)


def test_a_preset_sets_size_zones_format_and_limit_together() -> None:
    made = STORY.request(BASE)
    assert made.target == Size(1080, 1920)
    assert made.rules.keep_clear == STORY.keep_clear
    assert made.export.format is Format.JPEG
    assert made.export.max_bytes == 150_000


def test_all_that_is_not_a_presets_stays_as_it_was() -> None:
    made = STORY.request(BASE)
    rest = replace(made, target=BASE.target, rules=BASE.rules, export=BASE.export)
    assert rest == BASE
    assert made.rules.policy is Policy.EXPAND


def test_what_the_caller_says_wins() -> None:
    zone = Box(0, 0.9, 1, 1)
    said = replace(BASE, rules=Rules(keep_clear=(zone,)), export=Export(max_bytes=400_000))
    made = STORY.request(said, Format.PNG)
    assert made.rules.keep_clear == (zone,)
    assert made.export.max_bytes == 400_000
    assert made.export.format is Format.PNG
    assert made.target == STORY.size


def test_a_subject_comes_to_lie_outside_of_a_presets_zones() -> None:
    rules = Rules(protect=(Box(0.4, 0.55, 0.6, 0.95),), prefer=Prefer.CENTER)
    wide = Size(1600, 900)
    made = read_shipped().find("meta/reels").request(replace(BASE, rules=rules))
    plan = make_plan(wide, Composition("test"), made.target, made.rules)
    spot = plan.on_output(rules.protect[0])
    zones = [zone.scaled(1080, 1920) for zone in made.rules.keep_clear]
    assert len(zones) == 4
    assert not plan.warnings
    for zone in zones:
        overlap = spot.intersection(zone)
        assert min(overlap.width, overlap.height) <= 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"id": "story"}, "not the name of a preset"),
        ({"id": "Meta/Story"}, "not the name of a preset"),
        ({"id": "meta/story/large"}, "not the name of a preset"),
        ({"size": Size(1200, 100)}, r"meta/story: .*12\.0:1"),
        ({"size": Size(20_000, 20_000)}, "meta/story: "),
        ({"title": ""}, "a title"),
        ({"sources": ("",)}, "sources"),
        ({"max_bytes": 0}, "byte limit"),
        ({"keep_clear": (Box(0, 0, 1.2, 0.1),)}, "keep-clear"),
        ({"keep_clear": (Box(0.5, 0, 0.5, 1),)}, "keep-clear"),
    ],
)
def test_a_preset_that_cannot_be_made_is_refused(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidOption, match=reason):
        replace(STORY, **change)


@pytest.mark.parametrize(
    ("limit", "words"),
    [(None, ""), (900, "900 B"), (150_000, "150 kB"), (5_120_000, "5.12 MB")],
)
def test_a_limit_is_told_in_words(limit: int | None, words: str) -> None:
    assert replace(STORY, max_bytes=limit).limit == words


def test_names_and_platforms_choose_each_preset_once_in_their_order() -> None:
    reels = replace(STORY, id="meta/reels")
    post = replace(STORY, id="x/post")
    catalogue = Catalogue((STORY, reels, post))
    assert catalogue.platforms == ("meta", "x")
    assert catalogue.select(["x/post", " meta", "meta/story"]) == (post, STORY, reels)
    assert catalogue.select([]) == ()
    with pytest.raises(InvalidOption, match=r"'meta/feed'.*presets list"):
        catalogue.select(["x", "meta/feed"])
    with pytest.raises(InvalidOption, match="'y'; there are meta, x"):
        catalogue.select(["y"])

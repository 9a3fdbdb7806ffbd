"""What a request of fal's smart-resize asks for, and what is wrong with one."""

from datetime import UTC, datetime
from typing import Any

import pytest

from pipelines.codec.encode import Format
from pipelines.errors import UnreachableTarget
from pipelines.geometry import Size
from pipelines.rules import Policy
from pipelines.target import Tier
from server.doors.fal.preset import SIZES, find_preset
from server.doors.fal.wish import LOW, NORMAL, Preferences, parse
from server.errors import InvalidBody
from server.jobs.order import Order

URL = "https://example.com/a.png"
LEAST: dict[str, Any] = {"image_url": URL, "target_sizes": ["1024x1024", "1920x1080"]}


def order(**given: Any) -> Order:
    return Order(sources=(URL,), **{"seed": 1, **parse({**LEAST, **given}).wishes()})


def test_defaults_are_those_of_the_hosted_page() -> None:
    given = parse(LEAST)
    assert given.model_dump() == {
        **LEAST,
        "prompt": "",
        "num_images_per_size": 1,
        "resolution": "1K",
        "output_format": "png",
        "safety_tolerance": "4",
        "seed": None,
        "sync_mode": False,
    }


def test_every_size_is_made_exactly_and_may_be_cropped_for() -> None:
    wanted = order(num_images_per_size=3, resolution="4K", output_format="webp")
    sizes = [(request.target, request.seed) for request in wanted.requests()]
    assert sizes == [
        (Size(*size), seed) for size in ((1024, 1024), (1920, 1080)) for seed in (1, 2, 3)
    ]
    assert wanted.rules.policy is Policy.AUTO
    assert wanted.format is Format.WEBP


@pytest.mark.parametrize(("tolerance", "strictness"), [("1", 6), ("4", 3), ("6", 1)])
def test_more_tolerance_is_less_strictness(tolerance: str, strictness: int) -> None:
    assert order(safety_tolerance=tolerance).strictness == strictness


@pytest.mark.parametrize(("given", "seed"), [(0, 0), (7, 7), (2**32 + 7, 7), (-1, 2**32 - 1)])
def test_any_whole_number_is_a_seed(given: int, seed: int) -> None:
    assert order(seed=given).seed == seed


def test_without_a_seed_one_is_to_be_drawn() -> None:
    assert "seed" not in parse(LEAST).wishes()


def test_null_says_nothing() -> None:
    nulls = dict.fromkeys(("prompt", "num_images_per_size", "resolution", "seed", "sync_mode"))
    assert parse({**LEAST, **nulls}) == parse(LEAST)


@pytest.mark.parametrize(
    ("change", "loc", "kind"),
    [
        ({"image_url": None}, ["body", "image_url"], "missing"),
        ({"image_url": 7}, ["body", "image_url"], "string_type"),
        ({"target_sizes": []}, ["body", "target_sizes"], "too_short"),
        ({"target_sizes": "1024x1024"}, ["body", "target_sizes"], "list_type"),
        ({"target_sizes": ["1x1", "big"]}, ["body", "target_sizes", 1], "value_error"),
        ({"target_sizes": ["9000x100"]}, ["body", "target_sizes", 0], "value_error"),
        ({"num_images_per_size": 0}, ["body", "num_images_per_size"], "greater_than_equal"),
        ({"num_images_per_size": 5}, ["body", "num_images_per_size"], "less_than_equal"),
        ({"resolution": "1k"}, ["body", "resolution"], "literal_error"),
        ({"output_format": "avif"}, ["body", "output_format"], "literal_error"),
        ({"safety_tolerance": "7"}, ["body", "safety_tolerance"], "literal_error"),
        ({"safety_tolerance": 4}, ["body", "safety_tolerance"], "literal_error"),
        ({"seed": "x"}, ["body", "seed"], "int_parsing"),
        ({"sync_mode": "perhaps"}, ["body", "sync_mode"], "bool_parsing"),
        ({"prompt": "x" * 4001}, ["body", "prompt"], "string_too_long"),
        ({"target_sizes": ["9x9"] * 17, "num_images_per_size": 4}, ["body"], "value_error"),
    ],
)
def test_what_is_wrong_is_named(change: dict[str, Any], loc: list[Any], kind: str) -> None:
    with pytest.raises(InvalidBody) as caught:
        parse({**LEAST, **change})
    (error,) = caught.value.errors
    assert (error["loc"], error["type"]) == (loc, kind)


@pytest.mark.parametrize("body", [None, [], "text", 7])
def test_a_body_that_is_no_object_is_wrong(body: object) -> None:
    with pytest.raises(InvalidBody):
        parse(body)


def test_what_is_missing_is_named_and_the_unknown_is_passed_over() -> None:
    with pytest.raises(InvalidBody) as caught:
        parse({"aspect_ratio": "1:1"})
    missing = [(error["loc"][-1], error["type"]) for error in caught.value.errors]
    assert missing == [("image_url", "missing"), ("target_sizes", "missing")]


def test_a_wrong_value_is_shown_again_only_where_it_is_short() -> None:
    with pytest.raises(InvalidBody) as caught:
        parse({**LEAST, "seed": "x" * 10_000, "resolution": "9K", "sync_mode": float("nan")})
    seen = {error["loc"][-1]: error.get("input") for error in caught.value.errors}
    assert seen == {"seed": None, "resolution": "9K", "sync_mode": None}


@pytest.mark.parametrize(
    ("size", "ratio", "tier"),
    [
        ((1024, 1024), "1:1", Tier.ONE_K),
        ((1, 1), "1:1", Tier.ONE_K),
        ((1025, 1024), "1:1", Tier.TWO_K),
        ((1920, 1080), "16:9", Tier.TWO_K),
        ((768, 1344), "9:16", Tier.ONE_K),
        ((1080, 1350), "4:5", Tier.TWO_K),
        ((6336, 2688), "21:9", Tier.FOUR_K),
        ((4096, 4096), "1:1", Tier.FOUR_K),
        ((6000, 100), "21:9", Tier.FOUR_K),
    ],
)
def test_the_smallest_preset_that_covers_a_target_is_named(
    size: tuple[int, int], ratio: str, tier: Tier
) -> None:
    assert find_preset(Size(*size)) == (ratio, tier)


def test_every_preset_is_the_one_for_its_own_size() -> None:
    for name, size in SIZES.items():
        assert find_preset(size) == (name, Tier.ONE_K)
        assert find_preset(size, Tier.FOUR_K) == (name, Tier.FOUR_K)


@pytest.mark.parametrize("size", [(6337, 100), (100, 6337), (4097, 4097), (5505, 3072)])
def test_what_no_preset_covers_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(UnreachableTarget, match="4K"):
        find_preset(Size(*size))


def test_headers_say_when_in_which_order_and_how_secretly() -> None:
    wanted = Preferences.parse(
        {
            "x-fal-request-timeout": "2.5",
            "x-fal-queue-priority": "low",
            "x-fal-store-io": "0",
            "x-fal-object-lifecycle-preference": '{"expiration_duration_seconds": 3600}',
            "x-fal-runner-hint": "left",
            "x-fal-no-retry": "1",
        }
    )
    assert wanted == Preferences(timeout=2.5, priority=LOW, volatile=True, lifetime=3600)
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert wanted.deadline(now) == datetime(2026, 1, 1, 0, 0, 2, 500_000, tzinfo=UTC)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-fal-request-timeout": "soon"},
        {"x-fal-request-timeout": "nan"},
        {"x-fal-request-timeout": "inf"},
        {"x-fal-request-timeout": "-1"},
        {"x-fal-request-timeout": "1e300"},
        {"x-fal-queue-priority": "normal", "x-fal-store-io": "1"},
        {"x-fal-object-lifecycle-preference": "{"},
        {"x-fal-object-lifecycle-preference": "[" * 100_000},
        {"x-fal-object-lifecycle-preference": "[1]"},
        {"x-fal-object-lifecycle-preference": '{"expiration_duration_seconds": true}'},
        {"x-fal-object-lifecycle-preference": '{"expiration_duration_seconds": 1e400}'},
    ],
)
def test_headers_that_say_nothing_useful_are_passed_over(headers: dict[str, str]) -> None:
    assert Preferences.parse(headers) == Preferences(None, NORMAL, volatile=False, lifetime=None)
    assert Preferences.parse(headers).deadline(datetime.now(UTC)) is None

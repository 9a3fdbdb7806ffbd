"""What the inputs of FASHN's runs mean, those of older clients too."""

from typing import Any, get_args

import pytest
from pydantic import ValidationError

from pipelines.engine import Mode
from pipelines.geometry import AspectRatio
from pipelines.rules import Policy
from server.doors.fashn.inputs import LONGEST, SIZES, Ratio, ReframeInputs, RunBody
from server.jobs.order import ExpansionTarget, Order, SizeTarget

IMAGE = "https://example.com/portrait.jpg"


def read(**given: Any) -> ReframeInputs:
    return ReframeInputs(**{"image": IMAGE, **given})


def order_of(**given: Any) -> Order:
    return Order(sources=(IMAGE,), **read(**given).wishes())


def test_a_ratio_and_a_tier_give_the_documented_size() -> None:
    documented = {
        "21:9": (1568, 672),
        "1:1": (1024, 1024),
        "4:3": (1176, 880),
        "3:2": (1248, 832),
        "2:3": (832, 1248),
        "5:4": (1144, 912),
        "4:5": (912, 1144),
        "3:4": (880, 1176),
        "16:9": (1360, 760),
        "9:16": (760, 1360),
    }
    assert set(documented) == set(get_args(Ratio))
    for ratio, (width, height) in documented.items():
        for tier, scale, megapixels in (("1k", 1, 1.0), ("2k", 2, 4.0), ("4k", 4, 16.0)):
            order = order_of(aspect_ratio=ratio, resolution=tier)
            (target,) = order.targets
            assert isinstance(target, SizeTarget)
            assert (target.width, target.height) == (width * scale, height * scale)
            assert target.width * target.height / 1e6 == pytest.approx(megapixels, rel=0.06)
            assert order.requests()


def test_sizes_have_their_ratios() -> None:
    for text, size in SIZES.items():
        assert size.aspect == pytest.approx(AspectRatio.parse(text).value, rel=0.015)


def test_what_is_not_said_is_as_documented() -> None:
    order = order_of(aspect_ratio="1:1")
    assert order.seed == 42
    assert order.variants == 1
    assert order.format.value == "png"
    assert order.rules.policy is Policy.AUTO
    assert not order.volatile


@pytest.mark.parametrize(
    ("resolution", "said", "mode"),
    [
        ("1k", None, Mode.FAST),
        ("2k", None, Mode.QUALITY),
        ("4k", None, Mode.QUALITY),
        ("1k", "quality", Mode.QUALITY),
        ("4k", "fast", Mode.FAST),
        ("2k", "balanced", Mode.BALANCED),
    ],
)
def test_who_names_no_mode_gets_the_documented_one(
    resolution: str, said: str | None, mode: Mode
) -> None:
    order = order_of(aspect_ratio="1:1", resolution=resolution, generation_mode=said)
    assert order.mode is mode


@pytest.mark.parametrize(
    "given",
    [
        {"aspect_ratio": "7:3"},
        {"aspect_ratio": "16:9", "resolution": "1K"},
        {"aspect_ratio": "16:9", "resolution": "8k"},
        {"aspect_ratio": "16:9", "generation_mode": "best"},
        {"aspect_ratio": "16:9", "num_images": 0},
        {"aspect_ratio": "16:9", "num_images": 5},
        {"aspect_ratio": "16:9", "seed": -1},
        {"aspect_ratio": "16:9", "seed": 2**32},
        {"aspect_ratio": "16:9", "output_format": "webp"},
        {"aspect_ratio": "16:9", "return_base64": "perhaps"},
        {"aspect_ratio": "16:9", "image": None},
        {"aspect_ratio": "16:9", "image": 3},
        {},
        {"target_direction": None},
        {"mode": "aspect_ratio"},
        {"mode": "aspect_ratio", "target_direction": "up"},
        {"mode": "direction", "target_direction": "left"},
        {"target_aspect_ratio": "7:3"},
    ],
)
def test_what_is_outside_the_documented_values_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        read(**given)


def test_the_extremes_are_taken() -> None:
    order = order_of(aspect_ratio="9:16", num_images=4, seed=2**32 - 1, resolution="4k")
    assert [request.seed for request in order.requests()] == [2**32 - 1, 0, 1, 2]


def test_null_and_unknown_fields_say_nothing() -> None:
    known = read(aspect_ratio="1:1")
    assert read(aspect_ratio="1:1", seed=None, resolution=None, mode=None, x=1) == known
    body = RunBody.model_validate(
        {
            "model_name": "reframe",
            "inputs": {},
            "webhook_url": None,
            "pollInterval": 500,
            "timeout": 1,
            "maxRetries": 3,
        }
    )
    assert body.webhook_url == ""


@pytest.mark.parametrize(
    "url", ["ftp://example.com/", "hook", "https://", "https://e/" + "x" * 2000]
)
def test_a_webhook_is_an_address(url: str) -> None:
    with pytest.raises(ValidationError):
        RunBody(model_name="reframe", inputs={}, webhook_url=url)


@pytest.mark.parametrize(
    "given",
    [
        {"target_aspect_ratio": "4:5"},
        {"mode": "aspect_ratio", "target_aspect_ratio": "4:5"},
        {"aspect_ratio": "4:5", "target_aspect_ratio": "1:1"},
        {"aspect_ratio": "4:5", "mode": "direction", "target_direction": "up"},
        {"mode": "aspect_ratio", "target_aspect_ratio": "4:5", "target_direction": "up"},
    ],
)
def test_older_clients_name_the_ratio_otherwise(given: dict[str, Any]) -> None:
    assert order_of(**given).targets == (SizeTarget(width=912, height=1144),)
    assert read(**given).metadata == {"aspect_ratio": "4:5"}


@pytest.mark.parametrize(
    ("given", "top", "bottom"),
    [
        ({"mode": "direction"}, 25, 25),
        ({"mode": "direction", "target_direction": "both"}, 25, 25),
        ({"target_direction": "up"}, 50, 0),
        ({"mode": "direction", "target_direction": "down", "target_aspect_ratio": "1:1"}, 0, 50),
    ],
)
def test_older_clients_may_grow_a_picture_in_a_direction(
    given: dict[str, Any], top: float, bottom: float
) -> None:
    order = order_of(**given)
    assert order.targets == (ExpansionTarget(top=top, bottom=bottom, longest=LONGEST),)
    assert order.rules.policy is Policy.EXPAND
    assert read(**given).metadata == {"aspect_ratio": None}

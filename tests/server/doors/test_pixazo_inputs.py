"""What the bodies of Pixazo's requests mean."""

from typing import Any

import pytest
from pydantic import ValidationError

from pipelines.rules import Policy
from server.doors.pixazo.inputs import ResizeBody
from server.jobs.order import Order, SizeTarget

IMAGE = "https://example.com/Image.jpeg"


def read(**given: Any) -> ResizeBody:
    return ResizeBody(**{"image_url": IMAGE, "target_sizes": ["1024x1024", "1920x1080"], **given})


def order_of(**given: Any) -> Order:
    return Order(sources=(IMAGE,), **{"seed": 1, **read(**given).wishes()})


def test_sizes_are_exact_whatever_the_resolution() -> None:
    for resolution in ("1K", "2K", "4K"):
        assert order_of(resolution=resolution).targets == (
            SizeTarget(width=1024, height=1024),
            SizeTarget(width=1920, height=1080),
        )


def test_what_is_not_said_is_as_documented() -> None:
    wishes = read().wishes()
    assert "seed" not in wishes
    order = order_of()
    assert (order.prompt, order.variants, order.format.value) == ("", 1, "png")
    assert order.strictness == 4
    assert order.rules.policy is Policy.AUTO
    assert not read().sync_mode


def test_every_option_arrives() -> None:
    order = order_of(
        prompt="keep face centered",
        num_images_per_size=2,
        output_format="webp",
        safety_tolerance="5",
        seed=42,
    )
    assert (order.prompt, order.variants, order.format.value) == ("keep face centered", 2, "webp")
    assert (order.strictness, order.seed) == (5, 42)
    assert len(order.requests()) == 4


def test_more_tolerance_is_stricter() -> None:
    strictness = [order_of(safety_tolerance=str(step)).strictness for step in range(1, 7)]
    assert strictness == sorted(strictness)
    assert strictness[0] < strictness[-1]


@pytest.mark.parametrize(
    "given",
    [
        {"image_url": None},
        {"target_sizes": None},
        {"target_sizes": []},
        {"target_sizes": "1024x1024"},
        {"target_sizes": ["1024"]},
        {"target_sizes": ["0x10"]},
        {"target_sizes": [1024]},
        {"num_images_per_size": 0},
        {"num_images_per_size": 9},
        {"resolution": "8K"},
        {"output_format": "gif"},
        {"safety_tolerance": "0"},
        {"safety_tolerance": "7"},
        {"safety_tolerance": "high"},
        {"seed": 1.5},
        {"sync_mode": "perhaps"},
    ],
)
def test_what_is_outside_the_documented_values_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        read(**given)


def test_any_whole_number_is_a_seed() -> None:
    assert order_of(seed=-1).seed == 2**32 - 1
    assert order_of(seed=2**40 + 3).seed == 3


def test_null_and_unknown_fields_say_nothing() -> None:
    assert read(seed=None, prompt=None, something_new=1) == read()

"""Presets over HTTP: listed, and taken by a run as sizes with limits of their own."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from pipelines.codec.encode import Format
from pipelines.geometry import Box, Size
from pipelines.presets.preset_file import read_presets, read_shipped
from server.api import errors, presets
from server.api.door import Doors
from server.api.inputs import SmartResize
from server.api.intake import validate
from server.errors import InvalidBody
from server.jobs.order import Order, SizeTarget

Ask = Callable[[str], httpx2.Response]
Fields = dict[str, Any]

PICTURE: Fields = {"image_url": "https://example.com/a.png"}


@pytest.fixture
def ask() -> Ask:
    """The routes alone, with the errors of the real application."""
    app = FastAPI()
    errors.install(app, Doors([], errors.answer))
    app.include_router(presets.make_router(read_shipped()))

    def get(path: str) -> httpx2.Response:
        async def asking() -> httpx2.Response:
            transport = httpx2.ASGITransport(app=app)
            async with httpx2.AsyncClient(transport=transport, base_url="http://here") as client:
                return await client.get(path)

        answer: httpx2.Response = asyncio.run(asking())
        return answer

    return get


def order(**wishes: Any) -> Order:
    """What becomes of a run's input."""
    asked = SmartResize.model_validate({**PICTURE, **wishes})
    return Order(sources=tuple(asked.sources), **{"seed": 7, **asked.wishes()})


def test_all_presets_are_listed_with_the_meaning_of_their_grades(ask: Ask) -> None:
    body = ask("/v1/presets").json()
    assert [item["id"] for item in body["items"]] == [each.id for each in read_shipped().presets]
    assert body["platforms"][0] == "iab"
    assert set(body["grades"]) == {"A", "B", "C"}
    assert body["collections"] == [each.to_json() for each in read_shipped().collections]


def test_the_presets_of_one_platform_are_listed_alone(ask: Ask) -> None:
    items = ask("/v1/presets?platform=print").json()["items"]
    assert {item["platform"] for item in items} == {"print"}
    assert ask("/v1/presets?platform=acme").status_code == 404


def test_one_preset_says_size_format_limit_zones_and_source(ask: Ask) -> None:
    body = ask("/v1/presets/meta/story").json()
    assert (body["width"], body["height"]) == (1080, 1920)
    assert body["keep_clear"] == [[0, 0, 1, 0.14], [0, 0.8, 1, 1]]
    assert (body["format"], body["max_bytes"]) == ("jpeg", 30_000_000)
    assert body["sources"]
    assert body["checked"]
    assert body["grade"] == "B"


def test_a_preset_that_is_not_there_is_not_found(ask: Ask) -> None:
    answer = ask("/v1/presets/meta/feed")
    assert answer.status_code == 404
    assert answer.json()["code"] == "NOT_FOUND"
    assert "meta/feed" in answer.json()["message"]


def test_presets_become_requests_each_with_its_own_limits() -> None:
    requests = order(target_sizes=["64x48"], presets=["meta/story", "iab/billboard"]).requests()
    assert [request.target for request in requests] == [
        Size(64, 48),
        Size(1080, 1920),
        Size(970, 250),
    ]
    assert [request.export.max_bytes for request in requests] == [None, 30_000_000, 250_000]
    assert [request.export.format for request in requests] == [Format.PNG, Format.JPEG, Format.JPEG]
    assert [len(request.rules.keep_clear) for request in requests] == [0, 2, 0]


def test_what_is_said_for_all_outputs_goes_before_the_presets() -> None:
    (request,) = order(
        presets=["meta/story"],
        output_format="png",
        max_bytes=500_000,
        keep_clear=[[0, 0.9, 1, 1]],
        protect=[[0.1, 0.1, 0.2, 0.2]],
    ).requests()
    assert request.export.format is Format.PNG
    assert request.export.max_bytes == 500_000
    assert request.rules.keep_clear == (Box(0, 0.9, 1, 1),)
    assert request.rules.protect == (Box(0.1, 0.1, 0.2, 0.2),)
    (request,) = order(presets=["meta/story"], keep_clear=[], max_bytes=None).requests()
    assert request.rules.keep_clear == ()
    assert request.export.max_bytes == 30_000_000


def test_an_order_makes_the_same_as_the_preset_itself() -> None:
    (plain,) = order(target_sizes=["64x48"]).requests()
    for preset in read_shipped().presets:
        (made,) = order(presets=[preset.id]).requests()
        assert made == preset.request(plain)


def test_every_variant_of_a_preset_has_its_limits_and_a_seed_of_its_own() -> None:
    requests = order(presets=["iab/billboard"], variants=3).requests()
    assert [request.seed for request in requests] == [7, 8, 9]
    assert {request.export.max_bytes for request in requests} == {250_000}


def test_a_whole_platform_is_as_many_outputs() -> None:
    targets = order(presets=["iab"]).targets
    assert [target.preset for target in targets if isinstance(target, SizeTarget)] == [
        preset.id for preset in read_shipped().of("iab")
    ]


def test_a_collection_is_as_many_outputs_as_are_in_it() -> None:
    targets = order(presets=["ads"]).targets
    assert len(targets) == 6
    assert {target.preset for target in targets if isinstance(target, SizeTarget)} == set(
        read_shipped().collections[0].presets
    )


def test_an_order_is_the_same_after_it_was_kept_and_read() -> None:
    kept = order(presets=["meta/reels"], aspect_ratio="16:9", target_sizes=["64x48"])
    assert Order.model_validate_json(kept.model_dump_json()) == kept


def test_orders_without_presets_are_written_as_before_and_old_ones_are_read() -> None:
    target = {"kind": "size", "width": 64, "height": 48}
    old = {"sources": ["blob:a"], "targets": [target], "seed": 7}
    assert Order.model_validate(old).model_dump(mode="json")["targets"] == [target]


@pytest.mark.parametrize(
    ("wishes", "reason"),
    [
        ({"presets": ["meta/feed"]}, "there is no preset 'meta/feed'"),
        ({"presets": ["acme"]}, "no presets for 'acme'"),
        ({"presets": []}, "presets or, instead, a plan"),
        ({"presets": ["iab"], "plan": {}}, "presets or, instead, a plan"),
    ],
)
def test_presets_that_cannot_be_meant_are_refused(wishes: Fields, reason: str) -> None:
    with pytest.raises(InvalidBody, match=reason):
        validate(SmartResize, {**PICTURE, **wishes}, "input")


def test_the_operators_own_presets_are_found_where_they_are_brought_along(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text('[acme.presets]\nhero = { title = "Hero", size = "96x48", format = "webp" }')
    context = {"presets": read_presets(own)}
    asked = SmartResize.model_validate({**PICTURE, "presets": ["acme"]}, context=context)
    (target,) = asked.wishes()["targets"]
    assert (target.preset, target.width, target.format) == ("acme/hero", 96, Format.WEBP)

"""Wishes as runs: as few as can be, and nothing said that is so by default for everybody."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipelines.codec.encode import Format
from pipelines.export.wishes import Extra
from pipelines.geometry import AspectRatio, Box, PixelBox, Size
from pipelines.plan import Plan
from pipelines.presets.preset_file import read_shipped
from pipelines.request import ReframeRequest
from pipelines.rules import Policy, Rules
from pipelines.target import Expansion, Frame
from server.access.defaults import apply_defaults
from server.api.inputs import Outpaint, SmartResize
from server.api.intake import validate
from server.batch.item import Piece
from server.batch.maker import Pending
from server.batch.wire import RunInput, make_run_inputs
from server.batch.wish import Wish
from server.jobs.order import Order

CATALOGUE = read_shipped()
KNOWN = {preset.id: preset.to_json() for preset in CATALOGUE.presets}
BASE = ReframeRequest(Size(64, 48))
SAID = {"extras": [], "metadata": "copyright", "xmp": True, "seed": 0}
"""What goes along always: a key may have defaults of its own for it."""


def sort(wishes: Sequence[Wish], known: dict[str, Any] = KNOWN) -> list[RunInput]:
    pending = [
        (Pending(Piece(wish, Path(str(number)), ""), str(number)), wish.request)
        for number, wish in enumerate(wishes)
    ]
    return make_run_inputs(pending, known)


def take(made: RunInput, defaults: dict[str, Any] | None = None) -> list[ReframeRequest]:
    """What the server makes of it for a key with these defaults."""
    kind: type[Outpaint | SmartResize] = Outpaint if made.model == "local/outpaint" else SmartResize
    fields = {**made.fields, "image_url": "https://example.com/a.png"}
    asked = validate(kind, fields, "input")
    wished = apply_defaults(defaults, asked.wishes(), hosted=False)
    return Order(sources=("x",), **{"seed": 99, **wished}).requests()


def test_a_whole_platform_is_one_run_that_names_it() -> None:
    presets = CATALOGUE.select(["iab", "meta/story"])
    (made,) = sort([Wish(each.request(BASE), each) for each in presets])
    assert made.fields == {"presets": [each.id for each in presets], **SAID}
    assert take(made) == [each.request(BASE) for each in presets]


def test_a_preset_that_the_server_means_otherwise_is_said_in_full() -> None:
    presets = CATALOGUE.select(["iab/button", "meta/story"])
    known = {**KNOWN, "meta/story": {**KNOWN["meta/story"], "max_bytes": 1}}
    by_name, in_full = sort([Wish(each.request(BASE), each) for each in presets], known)
    assert by_name.fields["presets"] == ["iab/button"]
    assert in_full.fields["target_sizes"] == ["1080x1920"]
    assert take(in_full) == [replace(presets[1].request(BASE), target=Size(1080, 1920))]


def test_sizes_and_presets_share_a_run_and_each_output_finds_its_place() -> None:
    presets = CATALOGUE.select(["iab/button", "meta/story"])
    named = [Wish(each.request(BASE), each) for each in presets]
    (made,) = sort([named[0], Wish(BASE), named[1]])
    assert made.fields["target_sizes"] == ["64x48"]
    assert made.fields["presets"] == ["iab/button", "meta/story"]
    assert [each.piece.wish.request for each in made.pending] == take(made)
    webp = replace(BASE, export=replace(BASE.export, format=Format.WEBP))
    assert len(sort([named[0], Wish(webp)])) == 2


def test_what_the_caller_said_himself_goes_along() -> None:
    said = replace(BASE, export=replace(BASE.export, max_bytes=20_000))
    preset = CATALOGUE.find("iab/billboard")
    (made,) = sort([Wish(preset.request(said, Format.WEBP), preset)])
    assert take(made) == [preset.request(said, Format.WEBP)]


def test_sizes_and_ratios_share_a_run_where_all_else_is_the_same() -> None:
    frame = Wish(replace(BASE, target=Frame(AspectRatio(16, 9))))
    (made,) = sort([Wish(BASE), frame])
    assert made.fields == {"target_sizes": ["64x48", "1024x576"], **SAID}
    other = Wish(replace(BASE, seed=5))
    assert len(sort([Wish(BASE), frame, other])) == 2


def test_every_rule_and_wish_arrives_as_it_was_meant() -> None:
    request = replace(
        BASE,
        rules=Rules(
            Policy.EXPAND, 0.5, (Box(0, 0, 0.5, 0.5),), (Box(0, 0.8, 1, 1),), feather=4, strict=True
        ),
        prompt="a meadow",
        retries=2,
        export=replace(
            BASE.export, format=Format.AVIF, quality=70, extras=frozenset({Extra.MASK}), xmp=False
        ),
    )
    (made,) = sort([Wish(request)])
    assert take(made) == [request]


def test_no_default_of_a_key_goes_before_what_a_batch_means() -> None:
    defaults = {"xmp": False, "metadata": "none", "extras": ["mask", "record"], "c2pa": False}
    signed = replace(BASE, export=replace(BASE.export, c2pa=True))
    grown = replace(signed, target=Expansion(left=10))
    preset = CATALOGUE.find("meta/story")
    for wish in (Wish(signed), Wish(grown), Wish(preset.request(signed), preset)):
        (made,) = sort([wish])
        assert take(made, defaults)[0].export == wish.request.export
    (unsaid,) = sort([Wish(BASE)])
    assert take(unsaid, defaults)[0].export == replace(BASE.export, c2pa=False)


def test_expansions_and_plans_are_runs_of_their_own() -> None:
    grown = Wish(replace(BASE, target=Expansion(left=10, bottom=5)))
    plan = Plan(Size(60, 40), Size(64, 48), Box(0, 0, 60, 40), PixelBox(2, 4, 62, 44))
    planned = Wish(replace(BASE, plan=plan))
    made = sort([grown, grown, planned])
    assert [each.model for each in made] == ["local/outpaint"] * 2 + ["local/smart-resize"]
    assert take(made[0])[0].target == Expansion(left=10, bottom=5)
    assert take(made[2])[0].plan == plan


def test_many_outputs_are_as_many_runs_as_a_server_takes() -> None:
    wishes = [Wish(replace(BASE, target=Size(64, 48 + number))) for number in range(70)]
    made = sort(wishes)
    assert sum(len(each.pending) for each in made) == 70
    for each in made:
        take(each)

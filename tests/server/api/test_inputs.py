"""What a run's input becomes, field by field, and what its key says where it says nothing."""

import base64
from typing import Any

import pytest

from pipelines.composition import SubjectKind
from pipelines.errors import InvalidOption
from pipelines.export.wishes import Alpha, Export, Extra, Metadata
from pipelines.fill import Fill
from pipelines.request import ReframeRequest
from pipelines.rules import Prefer
from server.api.inputs import Outpaint, SmartResize
from server.api.intake import validate
from server.api.models import MODELS
from server.errors import InvalidBody
from server.images.stores import open_store
from server.jobs.order import Order
from server.jobs.stored_order import read_order, write_order
from tests.drawings import draw_meadow, to_png
from tests.server.api.conftest import RUNS, Api

PICTURE: dict[str, Any] = {"image_url": "https://example.com/a.png"}
MASK = to_png(draw_meadow(30, 20))
MASK_URI = "data:image/png;base64," + base64.b64encode(MASK).decode()

EVERYTHING: dict[str, Any] = {
    "retries": 2,
    "fallback": "blur",
    "protect_kinds": ["text", "face", "face"],
    "copy_space": "left",
    "alpha": "flatten",
    "background": "#ff8800",
    "extras": ["record", "mask", "mask"],
    "metadata": "none",
    "xmp": False,
    "c2pa": False,
    "output_format": "psd",
}


def order(kind: type[SmartResize] | type[Outpaint] = SmartResize, **wishes: Any) -> Order:
    asked = kind.model_validate({**PICTURE, **wishes})
    return Order(sources=tuple(asked.sources), **{"seed": 7, **asked.wishes()})


def request(
    kind: type[SmartResize] | type[Outpaint] = SmartResize, **wishes: Any
) -> ReframeRequest:
    (made,) = order(kind, **wishes).requests()
    return made


def test_every_field_reaches_the_request() -> None:
    made = request(aspect_ratio="1:1", **EVERYTHING)
    assert (made.retries, made.fallback) == (2, Fill.BLUR)
    assert made.rules.protect_kinds == {SubjectKind.FACE, SubjectKind.TEXT}
    assert made.rules.prefer is Prefer.RIGHT
    export = made.export
    assert (export.format.value, export.alpha, export.background) == (
        "psd",
        Alpha.FLATTEN,
        "#ff8800",
    )
    assert export.extras == {Extra.MASK, Extra.RECORD}
    assert (export.metadata, export.xmp, export.c2pa) == (Metadata.NONE, False, False)


def test_who_wishes_nothing_gets_what_was_always_made() -> None:
    assert request(aspect_ratio="1:1") == ReframeRequest(
        target=request(aspect_ratio="1:1").target, seed=7, export=Export()
    )


def test_outpainting_takes_what_makes_sense_there() -> None:
    known = Outpaint.model_fields
    made = request(Outpaint, **{name: EVERYTHING[name] for name in EVERYTHING if name in known})
    assert (made.retries, made.fallback, made.export.xmp) == (2, Fill.BLUR, False)
    assert not {"copy_space", "protect_mask", "series"} & known.keys()


@pytest.mark.parametrize(
    ("side", "place"), [("left", "right"), ("right", "left"), ("top", "bottom"), ("bottom", "top")]
)
def test_space_for_text_is_opposite_the_subject(side: str, place: str) -> None:
    assert request(aspect_ratio="1:1", copy_space=side).rules.prefer == place


@pytest.mark.parametrize(
    ("wishes", "reason"),
    [
        ({"retries": 5}, "retries"),
        ({"fallback": "generate"}, "a fallback is one of solid, edge, blur, mirror"),
        ({"fallback": "auto"}, "a fallback is one of"),
        ({"protect_kinds": ["ghost"]}, "protect_kinds"),
        ({"copy_space": "left", "prefer": "right"}, "give copy_space or prefer"),
        ({"background": "orange"}, "background"),
        ({"extras": ["soup"]}, "extras"),
        ({"metadata": "all"}, "metadata"),
        ({"xmp": "maybe"}, "xmp"),
        ({"output_format": "bmp"}, "output_format"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_words(wishes: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidBody, match=reason):
        validate(SmartResize, {**PICTURE, "aspect_ratio": "1:1", **wishes}, "input")


def test_an_anchor_leaves_no_choice_of_a_side() -> None:
    with pytest.raises(InvalidOption):
        request(aspect_ratio="1:1", anchor="left", copy_space="right")


def test_an_order_is_the_same_after_its_row_and_says_nothing_that_is_not_new() -> None:
    kept = order(aspect_ratio="1:1", series=True, protect_mask="https://e.com/m.png", **EVERYTHING)
    assert read_order(write_order(kept)) == (kept, True)
    plain = write_order(order(aspect_ratio="1:1"))
    assert not plain.keys() & (EVERYTHING.keys() | {"task", "series", "protect_mask"})


@pytest.mark.parametrize("model", MODELS)
def test_every_field_of_every_model_is_described(model: str) -> None:
    properties = MODELS[model].model_json_schema()["properties"]
    assert not [name for name, field in properties.items() if not field.get("description")]


def test_a_keys_defaults_hold_where_the_caller_says_nothing(api: Api) -> None:
    defaults = {"xmp": False, "metadata": "none", "extras": ["record"], "store": False}
    _, secret = api.keys.create("careful", defaults=defaults)

    def submit(model: str = "local/smart-resize", **wishes: Any) -> Any:
        body = {"input": {**PICTURE, "aspect_ratio": "1:1", **wishes}}
        answer = api("POST", f"/v1/models/{model}/runs", json=body, secret=secret)
        assert answer.status_code == 201, answer.text
        return answer.json()["input"]

    silent = submit()
    assert (silent["xmp"], silent["metadata"], silent["extras"]) == (False, "none", ["record"])
    assert silent["volatile"] is True
    assert submit(xmp=None)["xmp"] is False
    said = submit(xmp=True, metadata="copyright", extras=[], store=True)
    assert (said["xmp"], said["metadata"], said["extras"]) == (True, "copyright", [])
    assert said["volatile"] is False
    hosted = submit("runflow/smart-resize", resolution="1K")
    assert (hosted["xmp"], hosted["extras"], hosted["volatile"]) == (False, [], True)
    assert api.submit()["input"]["xmp"] is True


def test_a_mask_is_kept_like_a_picture(api: Api) -> None:
    store = open_store(api.data)
    run = api.submit(protect_mask=MASK_URI)
    assert store.read(run["input"]["protect_mask"].removeprefix("blob:")) == MASK
    files = {"image": ("a.png", MASK), "protect_mask": ("m.png", MASK + b" ")}
    headers = {"Idempotency-Key": "masked"}
    answer = api("POST", RUNS, files=files, data={"aspect_ratio": "1:1"}, headers=headers)
    assert answer.status_code == 201, answer.text
    run = answer.json()
    assert len(run["input"]["sources"]) == 1
    assert store.read(run["input"]["protect_mask"].removeprefix("blob:")) == MASK + b" "
    other = {**files, "protect_mask": ("m.png", MASK)}
    again = api("POST", RUNS, files=other, data={"aspect_ratio": "1:1"}, headers=headers)
    assert again.json()["code"] == "IDEMPOTENCY_CONFLICT"
    address = api.submit(protect_mask="https://example.com/m.png")["input"]["protect_mask"]
    assert address == "https://example.com/m.png"


@pytest.mark.parametrize("mask", ["blob:form", "blob:sources/1/0", "file:///etc/passwd", "m.png"])
def test_a_mask_is_no_way_to_other_files(api: Api, mask: str) -> None:
    body = {"input": {**PICTURE, "aspect_ratio": "1:1", "protect_mask": mask}}
    answer = api("POST", RUNS, json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "SOURCE_UNAVAILABLE")


def test_outpainting_takes_no_mask(api: Api) -> None:
    files = {"image": ("a.png", MASK), "protect_mask": ("m.png", MASK)}
    answer = api("POST", "/v1/models/local/outpaint/runs", files=files, data={"expand_left": "9"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["loc"] == ["input", "protect_mask"]


def test_in_a_form_both_kinds_of_metadata_are_told_apart(api: Api) -> None:
    files = {"image": ("a.png", MASK)}
    fields = {"aspect_ratio": "1:1", "metadata": ["none", '{"campaign": "spring"}']}
    run = api("POST", RUNS, files=files, data=fields).json()
    assert run["input"]["metadata"] == "none"
    assert run["metadata"] == {"campaign": "spring"}

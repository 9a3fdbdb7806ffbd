"""What may come in: the models' inputs, forms and pictures, and what is wrong said by name."""

import base64
from typing import Any

import pytest

from server.images.gather import label_of
from tests.drawings import draw_meadow, to_png
from tests.server.api.conftest import RUNS, Api

PICTURE = to_png(draw_meadow(30, 20))
DATA_URI = "data:image/png;base64," + base64.b64encode(PICTURE).decode()


@pytest.mark.parametrize(
    ("model", "given"),
    [
        (
            "runflow/smart-resize",
            {"image_url": "https://e.com/a.zip", "aspect_ratio": "21:9", "resolution": "4K"},
        ),
        (
            "runflow/outpaint",
            {
                "image_url": "https://e.com/a.png",
                "expand_top": 0,
                "expand_bottom": 80,
                "expand_left": 0,
                "expand_right": 5,
                "a_field_of_tomorrow": True,
            },
        ),
        ("local/outpaint", {"image_url": "https://e.com/a.png", "expand_left": 12.5}),
        (
            "local/smart-resize",
            {
                "image_urls": ["https://e.com/a.png", DATA_URI],
                "aspect_ratios": ["1:1", "1.91:1"],
                "protect": [[0.1, 0.1, 0.4, 0.9]],
                "seed": 7,
                "variants": 2,
                "nsfw": "off",
            },
        ),
    ],
)
def test_every_model_takes_its_own_input(api: Api, model: str, given: dict[str, Any]) -> None:
    answer = api("POST", f"/v1/models/{model}/runs", json={"input": given})
    assert answer.status_code == 201, answer.text
    assert answer.json()["model_id"] == model


@pytest.mark.parametrize(
    ("model", "given", "field"),
    [
        (
            "runflow/smart-resize",
            {"image_url": "https://e.com/a", "resolution": "1K"},
            "aspect_ratio",
        ),
        (
            "runflow/smart-resize",
            {"image_url": "https://e.com/a", "aspect_ratio": "wide", "resolution": "1K"},
            "aspect_ratio",
        ),
        (
            "runflow/smart-resize",
            {"image_url": "https://e.com/a", "aspect_ratio": "1:1", "resolution": "8K"},
            "resolution",
        ),
        (
            "runflow/outpaint",
            {
                "image_url": "https://e.com/a",
                "expand_top": 81,
                "expand_bottom": 0,
                "expand_left": 0,
                "expand_right": 0,
            },
            "expand_top",
        ),
        ("local/smart-resize", {"aspect_ratio": "1:1"}, "image_url"),
        (
            "local/smart-resize",
            {"image_url": "https://e.com/a", "aspect_ratio": "1:1", "aspct": 1},
            "aspct",
        ),
        (
            "local/smart-resize",
            {"image_url": "https://e.com/a", "target_sizes": ["big"]},
            "target_sizes",
        ),
    ],
)
def test_what_is_wrong_is_named(api: Api, model: str, given: dict[str, Any], field: str) -> None:
    answer = api("POST", f"/v1/models/{model}/runs", json={"input": given})
    assert answer.status_code == 422
    body = answer.json()
    assert set(body) == {"code", "message", "errors"}
    assert body["code"] == "VALIDATION_ERROR"
    assert field in body["message"]
    assert field in body["errors"][0]["loc"]
    assert api("GET", "/v1/runs").json()["items"] == []


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"target_sizes": ["20000x20"]}, "UNREACHABLE_TARGET"),
        ({"plan": {"source": [1]}}, "INVALID_PLAN"),
        ({"aspect_ratio": "1:1", "image_url": "file:///etc/passwd"}, "SOURCE_UNAVAILABLE"),
        ({"aspect_ratio": "1:1", "image_url": "data:text/html,hello"}, "SOURCE_UNAVAILABLE"),
        ({"aspect_ratio": "1:1", "image_url": "runflow://assets/none"}, "ASSET_NOT_FOUND"),
    ],
)
def test_what_nothing_could_make_possible_is_refused_at_once(
    api: Api, given: dict[str, Any], code: str
) -> None:
    given = {"image_url": "https://e.com/a", **given}
    answer = api("POST", RUNS, json={"input": given})
    assert answer.json()["code"] == code
    assert api("GET", "/v1/runs").json()["items"] == []


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000])
def test_a_body_that_is_no_object_is_refused(api: Api, body: bytes) -> None:
    answer = api("POST", RUNS, content=body)
    assert answer.status_code == 400
    assert answer.json()["code"] == "BAD_REQUEST"


def test_a_missing_input_is_a_field_of_the_body(api: Api) -> None:
    answer = api("POST", RUNS, json={"image_url": "https://e.com/a"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["loc"] == ["body", "input"]


def test_an_unknown_model_is_named(api: Api) -> None:
    answer = api("POST", "/v1/models/local/magic/runs", json={"input": {}})
    assert (answer.status_code, answer.json()["code"]) == (404, "MODEL_NOT_FOUND")


def test_pictures_that_come_along_are_stored_before_the_answer(api: Api) -> None:
    run = api.submit(image_url=DATA_URI)
    (source,) = run["input"]["sources"]
    assert source.startswith("blob:sources/")
    stored = api.data / "pictures" / source.removeprefix("blob:").removesuffix("?image")
    assert stored.read_bytes() == PICTURE


def test_pictures_without_a_name_are_called_images(api: Api) -> None:
    address = "https://example.com/a.png"
    run = api.submit(image_url=None, image_urls=[DATA_URI, address, DATA_URI])
    assert [label_of(source) for source in run["input"]["sources"]] == [
        "image-1",
        "a.png",
        "image-2",
    ]
    (alone,) = api.submit(image_url=DATA_URI)["input"]["sources"]
    assert label_of(alone) == "image"


def test_a_form_brings_its_pictures_along(api: Api) -> None:
    answer = api(
        "POST",
        RUNS,
        files=[("image", ("a.png", PICTURE, "image/png")), ("image", ("b.png", PICTURE))],
        data={
            "aspect_ratios": '["1:1", "9:16"]',
            "resolution": "2K",
            "seed": "5",
            "metadata": '{"a": 1}',
            "client_ref": "form",
        },
    )
    assert answer.status_code == 201, answer.text
    run = answer.json()
    assert [source.partition("?")[2] for source in run["input"]["sources"]] == ["a.png", "b.png"]
    assert len(run["input"]["targets"]) == 2
    assert run["input"]["seed"] == 5
    assert run["metadata"] == {"a": 1}


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", b"--x"),
        ("multipart/form-data; boundary=x", b"nothing of the kind"),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data\r\n\r\n1\r\n"),
        ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="a"'),
    ],
)
def test_a_broken_form_is_refused(api: Api, kind: str, body: bytes) -> None:
    answer = api("POST", RUNS, content=body, headers={"Content-Type": kind})
    assert answer.status_code in {400, 422}
    assert api("GET", "/v1/runs").json()["items"] == []


def test_a_large_picture_in_a_form_touches_no_temporary_file(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/nowhere")
    large = PICTURE + bytes(3_000_000)
    answer = api("POST", RUNS, files={"image": ("a.png", large)}, data={"aspect_ratio": "1:1"})
    assert answer.status_code == 201


@pytest.mark.parametrize(
    "more",
    [
        b'"metadata": {"a": NaN}',
        b'"metadata": {"a": 1e999}',
        b'"metadata": ' + b'{"a":' * 260 + b"1" + b"}" * 260,
        b'"client_ref": "\\u0000"',
        b'"metadata": {"\\udfff": 1}',
    ],
)
def test_what_no_database_keeps_is_refused(api: Api, more: bytes) -> None:
    given = b'"input": {"image_url": "https://e.com/a", "aspect_ratio": "1:1"}'
    assert api("POST", RUNS, content=b"{" + given + b", " + more + b"}").status_code == 400
    assert api("POST", RUNS, content=b"{" + given + b"}").status_code == 201
    assert api("GET", "/v1/runs?q=%00").status_code == 422


def test_a_deadline_beyond_the_calendar_is_refused(api: Api) -> None:
    given = {"image_url": "https://e.com/a", "aspect_ratio": "1:1"}
    body = {"input": given, "deadline": "9999-12-31T23:59:59-12:00"}
    assert api("POST", RUNS, json=body).status_code == 422


def test_thousands_of_wrong_targets_are_answered_at_once_and_briefly(api: Api) -> None:
    given = {"image_url": "https://e.com/a", "target_sizes": ["big"] * 200_000}
    answer = api("POST", RUNS, json={"input": given})
    assert answer.status_code == 422
    assert len(answer.content) < 10_000


def test_an_empty_idempotency_key_is_none(api: Api) -> None:
    headers = {"Idempotency-Key": ""}
    body = {"input": {"image_url": "https://e.com/a", "aspect_ratio": "1:1"}}
    first, second = (api("POST", RUNS, json=body, headers=headers).json() for _ in range(2))
    assert first["id"] != second["id"]

"""What careless and hostile callers send is met with a short, typed answer, and costs nothing."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from starlette.types import Message

from tests.server.api.conftest import RUNS, Api, open_api

LONG = "x" * 100_000


def form(api: Api, **fields: str) -> Any:
    given = {"image_url": "https://example.com/a.png", "aspect_ratio": "16:9", **fields}
    parts = [(name, (None, value)) for name, value in given.items()]
    return api("POST", RUNS, files=parts)


@pytest.mark.parametrize("prompt", ["[sunny]", "{", '["a", "b"]', "[", "{}"])
def test_text_in_a_form_stays_text_whatever_it_begins_with(shared: Api, prompt: str) -> None:
    answer = form(shared, prompt=prompt)
    assert answer.status_code == 201, answer.text
    assert answer.json()["input"]["prompt"] == prompt


@pytest.mark.parametrize("field", ["client_ref", "callback_url", "prompt", "file_input", "new"])
def test_text_in_a_form_that_no_database_keeps_is_refused(shared: Api, field: str) -> None:
    answer = form(shared, **{field: "https://example.com/\0"})
    assert (answer.status_code, answer.json()["code"]) == (400, "BAD_REQUEST")


def test_a_file_name_that_no_database_keeps_is_refused(shared: Api) -> None:
    body = (
        b'--B\r\nContent-Disposition: form-data; name="image"; filename="a\0.png"\r\n\r\nx\r\n'
        b'--B\r\nContent-Disposition: form-data; name="aspect_ratio"\r\n\r\n16:9\r\n--B--\r\n'
    )
    headers = {"Content-Type": "multipart/form-data; boundary=B"}
    assert shared("POST", RUNS, content=body, headers=headers).status_code == 400


@pytest.mark.parametrize("text", ["a\\u0000b", "\\ud800", "\\r\\nSet-Cookie: a=b"])
def test_names_of_uploads_and_secrets_are_one_line_of_text(shared: Api, text: str) -> None:
    upload = f'{{"filename": "{text}", "mime_type": "image/png", "size_bytes": 1}}'
    kind = f'{{"filename": "a", "mime_type": "{text}", "size_bytes": 1}}'
    for path, body in (
        ("/v1/asset-uploads", upload),
        ("/v1/asset-uploads", kind),
        ("/v1/callback-secrets", f'{{"label": "{text}"}}'),
    ):
        headers = {"Content-Type": "application/json"}
        answer = shared("POST", path, content=body.encode(), headers=headers)
        assert answer.status_code in {400, 422}, answer.text
        assert len(answer.content) < 1000


@pytest.mark.parametrize(
    "given",
    [
        {"image_url": f"https://example.com/{LONG}", "aspect_ratio": "16:9"},
        {"image_url": f"runflow://assets/{LONG}", "aspect_ratio": "16:9"},
        {"image_url": LONG, "aspect_ratio": "16:9"},
        {"image_url": "https://example.com/a.png", "aspect_ratio": LONG},
        {"image_url": "https://example.com/a.png", "aspect_ratio": "16:9", "file_input": LONG},
        {"image_url": "https://example.com/a.png", "aspect_ratio": "16:9", "prompt": LONG},
        {"image_url": "https://example.com/a.png", "target_sizes": [LONG]},
        {"image_url": "https://example.com/a.png", "presets": [LONG]},
        {"image_url": "https://example.com/a.png", "aspect_ratio": "16:9", LONG: 1},
        {"image_url": "https://example.com/a.png", "plan": {LONG: 1}},
        {"image_url": "https://example.com/a.png", "aspect_ratio": "16:9", "fill": LONG},
        {"image_url": f"data:{LONG}", "aspect_ratio": "16:9"},
    ],
    ids=range(12),
)
def test_a_long_text_is_refused_and_not_repeated(shared: Api, given: dict[str, Any]) -> None:
    answer = shared("POST", RUNS, json={"input": given})
    assert answer.status_code in {400, 404, 422}
    assert len(answer.content) < 2500


def test_a_long_path_is_refused_and_not_repeated(shared: Api) -> None:
    long = LONG[:50_000]
    for path in (f"/v1/models/{long}/b/runs", f"/v1/presets/{long}/x", f"/v1/runs?status={long}"):
        answer = shared("POST" if "models" in path else "GET", path, json=None)
        assert answer.status_code in {400, 404, 422}
        assert len(answer.content) < 2500


def test_a_repeated_request_is_answered_where_no_new_one_would_be(api: Api) -> None:
    _, secret = api.keys.create("small", concurrency=1)
    body = {"input": {"image_url": "https://example.com/a.png", "aspect_ratio": "16:9"}}
    first = api("POST", RUNS, secret=secret, json=body, headers={"Idempotency-Key": "one"})
    assert first.status_code == 201
    again = api("POST", RUNS, secret=secret, json=body, headers={"Idempotency-Key": "one"})
    assert again.status_code == 201
    assert again.json()["id"] == first.json()["id"]
    assert again.headers["Idempotent-Replayed"] == "true"
    other = api("POST", RUNS, secret=secret, json=body, headers={"Idempotency-Key": "two"})
    assert other.status_code == 429
    body["input"]["aspect_ratio"] = "1:1"
    contradicted = api("POST", RUNS, secret=secret, json=body, headers={"Idempotency-Key": "one"})
    assert contradicted.status_code == 409


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/",
        "https://",
        "https:///path",
        "https://user:secret@example.com/",
        "https://example.com:0/",
        "https://example.com:99999/",
        "https://127.0.0.1/",
        "http://[::1]:8000/",
        "https://169.254.169.254/latest/meta-data",
        "https://10.1.2.3/hook",
        "https://[::ffff:10.0.0.1]/",
    ],
)
def test_a_callback_that_could_never_arrive_is_refused_at_once(api: Api, url: str) -> None:
    given = {"image_url": "https://example.com/a.png", "aspect_ratio": "16:9"}
    answer = api("POST", RUNS, json={"input": given, "callback_url": url})
    assert answer.status_code == 422, answer.text
    assert not api("GET", "/v1/runs").json()["items"]


def test_a_body_with_two_lengths_is_refused(shared: Api) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"{}"

    headers = {"Content-Length": "2", "Transfer-Encoding": "chunked"}
    answer = shared("POST", RUNS, content=chunks(), headers=headers)
    assert answer.status_code == 400


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/v1/health"])
def test_health_can_be_asked_for_its_head(shared: Api, path: str) -> None:
    got, head = shared("GET", path), shared("HEAD", path)
    assert head.status_code == got.status_code
    assert head.content == b""


def test_nobody_is_redirected_to_a_host_of_his_own(shared: Api) -> None:
    answer = shared("GET", "/v1/runs/", headers={"Host": "evil.example"})
    assert answer.status_code == 404
    assert "location" not in answer.headers


def test_uploads_stop_where_the_disk_is_nearly_full(tmp_path: Path) -> None:
    crowded = open_api(tmp_path, min_free=2**60)
    given = {"filename": "a.png", "mime_type": "image/png", "size_bytes": 4}
    answer = crowded("POST", "/v1/asset-uploads", json=given)
    assert (answer.status_code, answer.json()["code"]) == (507, "STORAGE_FULL")


def test_a_caller_who_hangs_up_is_no_defect(shared: Api) -> None:
    messages: list[Message] = [
        {"type": "http.request", "body": b'{"input"', "more_body": True},
        {"type": "http.disconnect"},
    ]
    sent: list[Message] = []

    async def receive() -> Message:
        return messages.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": RUNS,
        "raw_path": RUNS.encode(),
        "query_string": b"",
        "headers": [
            (b"authorization", f"Bearer {shared.secret}".encode()),
            (b"content-type", b"application/json"),
            (b"host", b"here"),
        ],
        "scheme": "http",
        "server": ("here", 80),
        "client": ("127.0.0.1", 1),
        "root_path": "",
        "http_version": "1.1",
    }
    with structlog.testing.capture_logs() as lines:
        asyncio.run(shared.app(scope, receive, send))
    (line,) = [line for line in lines if line["event"] == "answered"]
    assert line["status"] == 499
    assert not [line for line in lines if line["event"] == "defect"]
    assert sent == []
    seen = json.dumps(shared("GET", "/metrics").text)
    assert "499" in seen


def test_a_signature_that_cannot_be_had_is_refused_at_once(tmp_path: Path) -> None:
    for name in ("bare", "signing"):
        (tmp_path / name).mkdir()
    bare = open_api(tmp_path / "bare")
    signing = open_api(tmp_path / "signing", c2pa_certificate=Path("chain.pem"))
    given = {"image_url": "https://example.com/a.png", "aspect_ratio": "16:9", "c2pa": True}

    def submit(api: Api, **wishes: str) -> tuple[int, str]:
        answer = api("POST", RUNS, json={"input": {**given, **wishes}})
        return answer.status_code, answer.json().get("message", "")

    status, words = submit(bare)
    assert (status, "needs a certificate" in words) == (422, True), words
    status, words = submit(signing, output_format="psd")
    assert (status, "no place for a signature in psd" in words) == (422, True), words
    assert submit(signing) == (201, "")
    assert len(signing("GET", "/v1/runs").json()["items"]) == 1
    assert not bare("GET", "/v1/runs").json()["items"]

"""fal's door from the outside: hosts, mounts, the proxy, errors, keys."""

import json
from typing import Any

import httpx2
import pytest

from tests.server.api.conftest import Api
from tests.server.api.test_runs import PICTURE
from tests.server.api.transcripts.fal.scene import (
    BARE,
    GIVEN,
    QUEUE,
    RUN,
    carry_out_soon,
    find_job,
    submit,
)


@pytest.mark.parametrize(
    ("path", "headers", "base"),
    [
        (QUEUE, {}, f"http://here{QUEUE}"),
        (BARE, {"Host": "queue.fal.run"}, f"http://queue.fal.run{BARE}"),
        (BARE, {"Host": "queue.fal.run:8443"}, f"http://queue.fal.run:8443{BARE}"),
        (BARE, {"Host": "queue.studio.lan"}, f"http://queue.studio.lan{QUEUE}"),
        (
            "/api/fal/proxy",
            {"x-fal-target-url": f"https://queue.fal.run{BARE}?fal_webhook=https%3A%2F%2Fe.com"},
            f"http://here{QUEUE}",
        ),
    ],
)
def test_the_queue_is_found_by_host_mount_and_proxy(
    shared: Api, path: str, headers: dict[str, str], base: str
) -> None:
    made = submit(shared, path, headers=headers)
    assert made["status_url"] == f"{base}/requests/{made['request_id']}/status"
    host = {"Host": httpx2.URL(base).netloc.decode()}
    local = httpx2.URL(made["status_url"]).path
    assert shared("GET", local, headers=host).status_code == 202
    proxied = f"https://queue.fal.run{BARE}/requests/{made['request_id']}"
    target = {"x-fal-target-url": f"{proxied}/status?logs=0"}
    assert shared("GET", "/api/fal/proxy", headers=target).status_code == 202
    target = {"x-fal-target-url": f"{proxied}/cancel"}
    assert shared("PUT", "/api/fal/proxy", headers=target).status_code == 202
    hook = find_job(shared, made).callback_url
    assert hook == ("https://e.com" if "proxy" in path else None)


def test_their_hosts_get_links_by_their_names(fal: Api) -> None:
    worker = carry_out_soon(fal)
    answer = fal("POST", BARE, json=GIVEN, headers={"Host": "fal.run"})
    worker.join()
    url = httpx2.URL(answer.json()["images"][0]["url"])
    assert url.host == "v3.fal.media"
    assert fal("GET", url.path, headers={"Host": url.host}, secret="none").content == PICTURE


@pytest.mark.parametrize(
    "target",
    [
        "",
        "https://example.com/fal-ai/smart-resize",
        "http://queue.fal.run/fal-ai/smart-resize",
        "https://fal.run.example.com/",
        "https://example.com@/",
        "https://[",
        "file:///etc/passwd",
    ],
)
def test_the_proxy_leads_nowhere_else(shared: Api, target: str) -> None:
    answer = shared("POST", "/api/fal/proxy", json=GIVEN, headers={"x-fal-target-url": target})
    assert answer.status_code == 400
    assert answer.json()["error_type"] == "bad_request"


def test_the_proxy_needs_a_key_and_cannot_reach_the_rest_of_the_house(shared: Api) -> None:
    target = {"x-fal-target-url": "https://fal.run/../../v1/runs"}
    assert shared("GET", "/api/fal/proxy", headers=target).status_code == 404
    target = {"x-fal-target-url": f"https://queue.fal.run{BARE}"}
    assert shared("POST", "/api/fal/proxy", headers=target, secret="none").status_code == 401


@pytest.mark.parametrize(
    ("method", "path", "rest", "status", "kind"),
    [
        ("POST", BARE, {"json": GIVEN, "secret": "sr_wrong"}, 401, None),
        ("POST", BARE, {"content": b"{"}, 400, "bad_request"),
        ("POST", QUEUE, {"content": b"[" * 100_000}, 400, "bad_request"),
        ("POST", QUEUE, {"content": b""}, 400, "bad_request"),
        ("POST", f"{QUEUE}?fal_webhook=ftp://e.com", {"json": GIVEN}, 422, "url_parsing"),
        ("POST", f"{QUEUE}?fal_max_queue_length=x", {"json": GIVEN}, 422, "int_parsing"),
        ("POST", "/fal-ai/other", {"json": GIVEN}, 404, None),
        ("GET", "/fal/nothing", {}, 404, None),
        ("POST", BARE, {"content": b" " * 75_000_001}, 413, "bad_request"),
    ],
)
def test_errors_are_in_their_words(
    shared: Api, method: str, path: str, rest: Any, status: int, kind: str | None
) -> None:
    answer = shared(method, path, **rest)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-fal-request-id"]
    assert answer.headers.get("x-fal-error-type") == kind
    assert answer.headers["x-fal-needs-retry"] == "0"
    assert answer.json()["detail"]


@pytest.mark.parametrize("path", [BARE, QUEUE])
def test_text_that_is_none_does_no_harm(shared: Api, path: str) -> None:
    given = {**GIVEN, "seed": "\ud800", "prompt": "\ud800\x00", "target_sizes": ["\udfff"]}
    answer = shared("POST", path, content=json.dumps(given).encode())
    if path == QUEUE:
        answer = shared("GET", answer.json()["response_url"])
    assert answer.status_code == 422
    assert len(answer.json()["detail"]) == 3
    hook = shared("POST", f"{QUEUE}?fal_webhook=https://e.com/%00", json=GIVEN)
    assert hook.status_code == 422


def test_both_ways_to_write_a_key_open(shared: Api) -> None:
    for scheme in ("Key", "Bearer"):
        headers = {"Authorization": f"{scheme} {shared.secret}"}
        assert submit(shared, headers=headers)


def test_the_keys_of_webhooks_are_everybodys(shared: Api) -> None:
    answer = shared("GET", "/fal/rest/.well-known/jwks.json", secret="none")
    (key,) = answer.json()["keys"]
    assert (key["kty"], key["crv"]) == ("OKP", "Ed25519")
    by_name = shared("GET", "/.well-known/jwks.json", headers={"Host": "rest.fal.ai"})
    assert by_name.json() == answer.json()


def test_the_schema_shows_the_door_once_for_each_mount(shared: Api) -> None:
    paths = shared("GET", "/openapi.json").json()["paths"]
    assert {RUN, QUEUE, f"{QUEUE}/requests/{{job_id}}/status"} <= set(paths)
    assert BARE not in paths
    body = paths[RUN]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert set(body["required"]) == {"image_url", "target_sizes"}

"""fal's own Python client, as it is published, against this server."""

import asyncio
import base64
import io
import json
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fal_client
import httpx
import httpx2
import pytest
from cryptography.exceptions import InvalidSignature
from fal_client import client as settings
from PIL import Image

from server.access.key_store import KeyStore
from server.jobs.durable_queue import DurableQueue
from server.jobs.job import Status
from server.jobs.queue import JobQuery
from tests.clients.fal.conftest import HERE, Secure
from tests.clients.fal.house import House
from tests.clients.fal.receiver import PICTURE, Receiver, Webhook

pytestmark = pytest.mark.clients

MODEL = "fal-ai/smart-resize"


def call(script: str, *arguments: str, **environment: str) -> Any:
    """What a script says, in a process that knows nothing but this environment."""
    ended = subprocess.run(
        [sys.executable, str(HERE / script), *arguments],
        env={"PATH": "", "HOME": str(HERE), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def sizes_of(result: Any, **rest: Any) -> list[tuple[int, int]]:
    """Of the pictures themselves, fetched by their addresses, without a key."""
    fetched = [httpx2.get(image["url"], **rest).raise_for_status() for image in result["images"]]
    return [Image.open(io.BytesIO(answer.content)).size for answer in fetched]


@pytest.fixture
def client(house: House, monkeypatch: pytest.MonkeyPatch) -> Iterator[fal_client.SyncClient]:
    """The client in this process, by http: that way needs its addresses overwritten."""
    monkeypatch.setattr(settings, "RUN_URL_FORMAT", f"{house.url}/fal/run/")
    monkeypatch.setattr(settings, "QUEUE_URL_FORMAT", f"{house.url}/fal/queue/")
    monkeypatch.setattr(settings, "REST_URL", f"{house.url}/fal/rest")
    monkeypatch.setattr(settings, "CDN_URL", f"{house.url}/fal/cdn")
    client = fal_client.SyncClient(key=house.secret)
    opened: list[httpx.Client] = []
    open_usual = fal_client.SyncClient._get_cdn_client

    def open_uploading(self: fal_client.SyncClient) -> httpx.Client:
        opened.append(open_usual(self))
        return opened[-1]

    monkeypatch.setattr(fal_client.SyncClient, "_get_cdn_client", open_uploading)
    yield client
    for each in (client._client, *opened):  # nobody else closes them
        each.close()


@pytest.fixture
def wish(receiver: Receiver) -> dict[str, Any]:
    return {"image_url": receiver.picture, "target_sizes": ["96x96", "160x90"], "seed": 3}


def fail(client: fal_client.SyncClient, wish: Any, **rest: Any) -> fal_client.FalClientHTTPError:
    """The client's own error, which is the same whichever way was gone."""
    with pytest.raises(fal_client.FalClientHTTPError) as by_queue:
        client.subscribe(MODEL, wish, **rest)
    with pytest.raises(fal_client.FalClientHTTPError) as by_run:
        client.run(MODEL, wish, **rest)
    assert by_queue.value.status_code == by_run.value.status_code
    assert by_queue.value.error_type == by_run.value.error_type
    return by_queue.value


def test_its_environment_leads_it_here_over_https(
    house: House, secure: Secure, wish: dict[str, Any]
) -> None:
    seen = call(
        "by_environment.py",
        json.dumps(wish),
        FAL_KEY=house.secret,
        FAL_RUN_HOST=f"localhost:{secure.port}/fal/run",
        FAL_QUEUE_RUN_HOST=f"localhost:{secure.port}/fal/queue",
        SSL_CERT_FILE=str(secure.authority),
    )
    assert seen["heard"][-1] == "Completed"
    assert set(seen["heard"]) <= {"Queued", "InProgress", "Completed"}
    assert (seen["logs"][0], seen["logs"][-1]) == ("started", "done")
    tls = ssl.create_default_context(cafile=secure.authority)
    for way in ("subscribe", "run", "submit", "again"):
        assert sizes_of(seen[way], verify=tls) == [(96, 96), (160, 90)]
        assert all(image["url"].startswith(secure.url) for image in seen[way]["images"])


def test_it_needs_no_change_where_their_names_lead_here(
    house: House, secure: Secure, tmp_path: Path
) -> None:
    picture = tmp_path / "cat.png"
    picture.write_bytes(PICTURE)
    environment = {"FAL_KEY": house.secret, "SSL_CERT_FILE": str(secure.authority)}
    seen = call("by_name.py", secure.port, str(picture), **environment)
    assert seen["upload"].startswith("https://v3.fal.media/")
    assert seen["first"]["images"][0]["url"].startswith("https://v3.fal.media/")
    assert seen["first"]["images"][0]["file_name"] == "cat-96x96.png"
    assert seen["second"]["results"][0]["height"] == 96


def test_what_is_asked_for_is_made(client: fal_client.SyncClient, wish: dict[str, Any]) -> None:
    wish |= {"num_images_per_size": 2, "output_format": "webp", "resolution": "2K"}
    result = client.subscribe(MODEL, wish)
    assert sizes_of(result) == [(96, 96)] * 2 + [(160, 90)] * 2
    assert {image["content_type"] for image in result["images"]} == {"image/webp"}
    shown = [(each["aspect_ratio"], each["resolution"]) for each in result["results"]]
    assert shown == [("1:1", "2K"), ("16:9", "2K")]
    assert result["seed"] == 3


def test_sync_mode_brings_the_pictures_along(
    client: fal_client.SyncClient, wish: dict[str, Any]
) -> None:
    result = client.run(MODEL, {**wish, "sync_mode": True})
    head, _, data = result["images"][1]["url"].partition(",")
    assert head == "data:image/png;base64"
    assert Image.open(io.BytesIO(base64.b64decode(data))).size == (160, 90)


def test_the_asynchronous_client_works_alike(
    client: fal_client.SyncClient, house: House, wish: dict[str, Any]
) -> None:
    async def ask() -> Any:
        other = fal_client.AsyncClient(key=house.secret)
        try:
            handle = await other.submit(MODEL, wish)
            heard = [status async for status in handle.iter_events(with_logs=True)]
            return heard, await handle.get()
        finally:
            await (await other._client).aclose()

    heard, result = asyncio.run(ask())
    assert isinstance(heard[-1], fal_client.Completed)
    assert sizes_of(result) == [(96, 96), (160, 90)]


def test_what_waits_can_be_cancelled(
    client: fal_client.SyncClient, house: House, wish: dict[str, Any]
) -> None:
    with house.rest():
        first = client.submit(MODEL, wish, priority="normal")
        second = client.submit(MODEL, wish, priority="low")
        assert isinstance(second.status(), fal_client.Queued)
        second.cancel()
        status = second.status(with_logs=True)
        assert isinstance(status, fal_client.Completed)
        assert status.error_type == "client_cancelled"
        with pytest.raises(fal_client.FalClientHTTPError) as caught:
            second.get()
        assert (caught.value.status_code, caught.value.error_type) == (499, "client_cancelled")
        with pytest.raises(fal_client.FalClientHTTPError) as caught:
            second.cancel()
        assert caught.value.response.json() == {"status": "ALREADY_COMPLETED"}
    assert sizes_of(first.get()) == [(96, 96), (160, 90)]


def test_who_does_not_begin_in_time_fails_once(
    client: fal_client.SyncClient, house: House, wish: dict[str, Any]
) -> None:
    with house.rest():
        since = time.monotonic()
        error = fail(client, wish, start_timeout=1.01)
        assert time.monotonic() - since < 6
    assert (error.status_code, error.error_type) == (504, "request_timeout")
    assert error.response_headers["x-fal-request-timeout-type"] == "user"


def test_who_gives_up_waiting_cancels_the_run(
    client: fal_client.SyncClient, house: House, wish: dict[str, Any]
) -> None:
    queue, (owner,) = DurableQueue(house.engine), KeyStore(house.engine).list()
    with house.rest():
        with pytest.raises(httpx.ReadTimeout):
            client.run(MODEL, wish, timeout=2.0, start_timeout=60)
        deadline = time.monotonic() + 30
        while queue.list(JobQuery(owner.id, limit=1)).jobs[0].status is not Status.CANCELLED:
            assert time.monotonic() < deadline
            time.sleep(0.05)


@pytest.mark.parametrize(
    ("change", "status", "kind"),
    [
        ({"target_sizes": "96x96"}, 422, "list_type"),
        ({"target_sizes": ["9000x9000"]}, 422, "value_error"),
        ({"num_images_per_size": 9}, 422, "less_than_equal"),
        ({"image_url": "http://127.0.0.1:1/a.png"}, 422, "file_download_error"),
        ({"image_url": "data:image/png;base64,bm90aGluZw=="}, 422, "image_load_error"),
    ],
)
def test_errors_are_the_clients_own(
    client: fal_client.SyncClient, wish: dict[str, Any], change: Any, status: int, kind: str
) -> None:
    error = fail(client, {**wish, **change})
    assert (error.status_code, error.error_type) == (status, kind)
    (field,) = change
    assert field in error.response.json()["detail"][0]["loc"]


def test_a_wrong_key_and_a_request_of_nobody_are_told_at_once(
    client: fal_client.SyncClient, wish: dict[str, Any]
) -> None:
    with pytest.raises(fal_client.FalClientHTTPError) as caught:
        client.status(MODEL, "0199c0de-0000-7000-8000-000000000001")
    assert caught.value.status_code == 404
    stranger = fal_client.SyncClient(key="sr_wrong")
    with pytest.raises(fal_client.FalClientHTTPError) as caught:
        stranger.run(MODEL, wish)
    assert caught.value.status_code == 401
    stranger._client.close()


def upload(client: fal_client.SyncClient, way: str) -> str:
    """Every way that the client has."""
    match way:
        case "token":
            return client.upload(PICTURE, "image/png", "cat.png")
        case "place":
            return client.upload(PICTURE, "image/png", "cat.png", repository="fal")
        case "image":
            return client.upload_image(Image.open(io.BytesIO(PICTURE)), "png")
        case _:
            return str(
                settings.MultipartUpload.save(
                    client=client._get_cdn_client(),
                    token_manager=client._token_manager,
                    file_name="cat.png",
                    data=PICTURE,
                    content_type="image/png",
                    chunk_size=1 + len(PICTURE) // 4,
                )
            )


@pytest.mark.parametrize("way", ["token", "place", "image", "parts"])
def test_uploads_are_sources(client: fal_client.SyncClient, wish: dict[str, Any], way: str) -> None:
    url = upload(client, way)
    kept = httpx2.get(url).content
    assert way == "image" or kept == PICTURE
    result = client.subscribe(MODEL, {**wish, "image_url": url})
    assert sizes_of(result) == [(96, 96), (160, 90)]


def test_what_was_made_is_a_source(client: fal_client.SyncClient, wish: dict[str, Any]) -> None:
    first = client.run(MODEL, wish)
    again = client.run(MODEL, {**wish, "image_url": first["images"][0]["url"]})
    assert sizes_of(again) == [(96, 96), (160, 90)]


def test_webhooks_tell_the_result_and_the_error_and_are_signed(
    client: fal_client.SyncClient, house: House, receiver: Receiver, wish: dict[str, Any]
) -> None:
    good = client.submit(MODEL, wish, webhook_url=receiver.hook)
    bad = client.submit(MODEL, {"target_sizes": ["96x96"]}, webhook_url=receiver.hook)
    keys = httpx2.get(f"{house.url}/fal/rest/.well-known/jwks.json").json()
    told = receiver.wait(good.request_id)
    told.verify(keys)
    assert (told.told["status"], told.told["gateway_request_id"]) == ("OK", good.request_id)
    assert sizes_of(told.told["payload"]) == [(96, 96), (160, 90)]
    failed = receiver.wait(bad.request_id)
    failed.verify(keys)
    assert (failed.told["status"], failed.told["error"]) == ("ERROR", "Invalid status code: 422")
    assert failed.told["payload"]["detail"][0]["type"] == "missing"
    with pytest.raises(InvalidSignature):
        Webhook(told.headers, told.body + b" ").verify(keys)

"""fal's own JavaScript client, as it is published, against this server."""

import base64
import io
import json
import shutil
import ssl
import subprocess
from pathlib import Path
from typing import Any

import httpx2
import pytest
from PIL import Image

from tests.clients.fal.conftest import Secure
from tests.clients.fal.house import House
from tests.clients.fal.receiver import PICTURE, Receiver

pytestmark = pytest.mark.clients

ENCODED = base64.b64encode(PICTURE).decode()


class Client:
    """Asks by the proxy, each time in a process of its own."""

    def __init__(self, packages: Path, house: House) -> None:
        self._packages = packages
        self._node = shutil.which("node") or "node"
        self._asked: dict[str, Any] = {
            "secret": house.secret,
            "proxy": f"{house.url}/api/fal/proxy",
        }

    def __call__(self, act: str, environment: dict[str, str] | None = None, **given: Any) -> Any:
        ended = subprocess.run(
            [self._node, "client.mjs"],
            cwd=self._packages,
            input=json.dumps({**self._asked, "act": act, **given}),
            env=environment or {},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        return json.loads(ended.stdout)


@pytest.fixture
def client(packages: Path, house: House) -> Client:
    return Client(packages, house)


@pytest.fixture
def wish(receiver: Receiver) -> dict[str, Any]:
    return {"image_url": receiver.picture, "target_sizes": ["96x96", "160x90"], "seed": 3}


def sizes_of(data: Any, **rest: Any) -> list[tuple[int, int]]:
    """Of the pictures themselves, fetched by their addresses, without a key."""
    fetched = [httpx2.get(image["url"], **rest).raise_for_status() for image in data["images"]]
    return [Image.open(io.BytesIO(answer.content)).size for answer in fetched]


@pytest.mark.parametrize("mode", ["polling", "streaming"])
def test_subscribe_hears_of_it_until_it_is_done(client: Client, wish: Any, mode: str) -> None:
    seen = client("subscribe", wish=wish, mode=mode)
    assert sizes_of(seen["result"]["data"]) == [(96, 96), (160, 90)]
    assert seen["enqueued"] == [seen["result"]["requestId"]]
    assert seen["heard"][-1] == "COMPLETED"
    assert set(seen["heard"]) <= {"IN_QUEUE", "IN_PROGRESS", "COMPLETED"}
    assert seen["last"]["logs"][-1]["message"] == "done"


def test_a_stream_gathers_every_line_of_the_log_once(client: Client, wish: Any) -> None:
    seen = client("stream", wish=wish)
    assert seen["last"]["status"] == "COMPLETED"
    assert (seen["logs"][0], seen["logs"][-1]) == ("started", "done")
    assert len(set(seen["logs"])) == len(seen["logs"])


def test_run_gives_the_result_and_its_id(client: Client, wish: Any) -> None:
    seen = client("run", wish={**wish, "num_images_per_size": 2, "output_format": "jpeg"})
    assert sizes_of(seen["data"]) == [(96, 96)] * 2 + [(160, 90)] * 2
    assert {image["content_type"] for image in seen["data"]["images"]} == {"image/jpeg"}
    again = client("result", requestId=seen["requestId"])
    assert again["data"]["results"][1]["aspect_ratio"] == "16:9"
    assert again["requestId"] == seen["requestId"]


def test_what_waits_can_be_cancelled(client: Client, house: House, wish: Any) -> None:
    with house.rest():
        seen = client("cancel", wish=wish)
    assert seen["before"]["status"] == "IN_QUEUE"
    assert (seen["after"]["status"], seen["after"]["error_type"]) == (
        "COMPLETED",
        "client_cancelled",
    )
    assert seen["error"]["status"] == 499
    assert seen["error"]["error"] == "ApiError"
    assert seen["error"]["requestId"] == seen["before"]["request_id"]


def test_who_does_not_begin_in_time_knows_that_it_was_the_own_wish(
    client: Client, house: House, wish: Any
) -> None:
    with house.rest():
        seen = client("run", wish=wish, startTimeout=1.01)
    assert (seen["status"], seen["isUserTimeout"]) == (504, True)


@pytest.mark.parametrize("act", ["run", "subscribe"])
@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"target_sizes": ["wide"]}, "value_error"),
        ({"safety_tolerance": "9"}, "literal_error"),
        ({"image_url": "http://127.0.0.1:1/a.png"}, "file_download_error"),
    ],
)
def test_errors_are_the_clients_own(
    client: Client, wish: Any, act: str, change: Any, kind: str
) -> None:
    seen = client(act, wish={**wish, **change})
    assert (seen["error"], seen["isValidation"], seen["status"]) == ("ValidationError", True, 422)
    (field,) = change
    assert seen["fields"][0]["type"] == kind
    assert field in seen["fields"][0]["loc"]
    assert seen["requestId"]


def test_a_wrong_key_is_told(client: Client, wish: Any) -> None:
    seen = client("run", wish=wish, secret="sr_wrong")
    assert (seen["error"], seen["status"]) == ("ApiError", 401)
    assert seen["body"]["detail"]


@pytest.mark.parametrize("act", ["upload", "uploadParts"])
def test_uploads_are_sources(client: Client, wish: Any, act: str) -> None:
    url = client(act, picture=ENCODED)["url"]
    assert httpx2.get(url).content == PICTURE
    seen = client("run", wish={**wish, "image_url": url})
    assert sizes_of(seen["data"]) == [(96, 96), (160, 90)]


def test_a_file_in_the_input_is_uploaded_by_the_way(client: Client, wish: Any) -> None:
    seen = client("bring", wish=wish, picture=ENCODED)
    assert seen["data"]["images"][0]["file_name"].startswith("cat-96x96")


def test_webhooks_are_signed(client: Client, house: House, receiver: Receiver, wish: Any) -> None:
    submitted = client("submit", wish=wish, hook=receiver.hook)
    told = receiver.wait(submitted["request_id"])
    told.verify(httpx2.get(f"{house.url}/fal/rest/.well-known/jwks.json").json())
    assert sizes_of(told.told["payload"]) == [(96, 96), (160, 90)]


def test_it_needs_no_change_where_their_names_lead_here(
    client: Client, secure: Secure, wish: Any
) -> None:
    environment = {"NODE_EXTRA_CA_CERTS": str(secure.authority)}
    by_name: dict[str, Any] = {"environment": environment, "port": int(secure.port)}
    seen = client("bring", wish=wish, picture=ENCODED, **by_name)
    url = httpx2.URL(seen["data"]["images"][0]["url"])
    assert (url.scheme, url.host) == ("https", "v3.fal.media")
    again = client("subscribe", wish={**wish, "image_url": str(url)}, mode="streaming", **by_name)
    assert again["heard"][-1] == "COMPLETED"
    tls = ssl.create_default_context(cafile=secure.authority)
    here = url.copy_with(host="localhost", port=int(secure.port))
    headers = {"Host": "v3.fal.media"}
    assert httpx2.get(here, headers=headers, verify=tls).status_code == 200

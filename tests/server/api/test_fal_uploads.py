"""Uploads as fal's clients send them, and links of this server given back to it as sources."""

import time
from pathlib import Path
from typing import Any

import httpx2
import pytest

from server.images.links import FILE, Links, load_secret
from server.images.stores import open_store
from server.jobs.durable_queue import DurableQueue
from tests.server.api.conftest import Api, open_api
from tests.server.api.test_runs import PICTURE
from tests.server.api.transcripts.fal.scene import QUEUE

REST = "/fal/rest/storage"
CDN = "/fal/cdn"
NAMED = {"file_name": "a b.png", "content_type": "image/png"}


@pytest.fixture
def fal(tmp_path: Path) -> Api:
    return open_api(tmp_path, max_source=100_000)


def ask(fal: Api, method: str, url: str, **rest: Any) -> httpx2.Response:
    """Without a key, unless the headers say otherwise."""
    return fal(method, url, **{"secret": "none", **rest})


def fetch_token(fal: Api, **rest: Any) -> dict[str, str]:
    answer = fal("POST", f"{REST}/auth/token?storage_type=fal-cdn-v3", json={}, **rest)
    told = answer.json()
    return {"Authorization": f"{told['token_type']} {told['token']}"}


def find_sources(fal: Api, url: str, **rest: Any) -> tuple[list[bytes], list[str]]:
    """What a request would be made of, and what its sources are called."""
    answer = fal("POST", QUEUE, json={"image_url": url, "target_sizes": ["64x64"]}, **rest)
    order = DurableQueue(fal.engine).get(answer.json()["request_id"]).order
    names = [source.removeprefix("blob:") for source in order.sources]
    store = open_store(fal.data)
    return [store.read(name.partition("?")[0]) for name in names], names


def test_a_token_uploads_in_one_request(fal: Api) -> None:
    headers = {**fetch_token(fal), "X-Fal-File-Name": "cat.png", "Content-Type": "image/png"}
    answer = ask(fal, "POST", f"{CDN}/files/upload", content=PICTURE, headers=headers)
    assert answer.status_code == 200
    url = answer.json()["access_url"]
    assert url.startswith(f"http://here{CDN}/uploads/")
    assert url.endswith("/cat.png")
    got = ask(fal, "GET", url)
    assert (got.content, got.headers["content-type"]) == (PICTURE, "image/png")
    pictures, names = find_sources(fal, url)
    assert pictures == [PICTURE]
    assert names[0].startswith("assets/")
    assert names[0].endswith("?cat.png")


def test_a_token_is_for_an_hour_and_for_nothing_else(fal: Api) -> None:
    told = fal("POST", f"{REST}/auth/token", json={}).json()
    assert told["base_url"] == f"http://here{CDN}"
    assert told["expires_at"].endswith("+00:00")
    headers = {"Authorization": f"Bearer {told['token']}"}
    assert fal("POST", QUEUE, json={}, headers=headers).status_code == 401
    links = Links(load_secret(fal.data / FILE), 3600)
    late = links.sign(f"falkeys/0/local.{int(time.time()) - 1}")
    other = links.sign("outputs/0/a.png")
    for wrong in (late, other, "none", fal.secret, ""):
        headers = {"Authorization": f"Bearer {wrong}"}
        answer = ask(fal, "POST", f"{CDN}/files/upload", content=PICTURE, headers=headers)
        assert answer.status_code == 401
        assert answer.headers["x-fal-request-id"]
    assert ask(fal, "POST", f"{REST}/auth/token", json={}).status_code == 401
    assert ask(fal, "POST", f"{REST}/upload/initiate", json=NAMED).status_code == 401


def test_a_place_takes_everything_without_a_key_and_once(fal: Api) -> None:
    told = fal("POST", f"{REST}/upload/initiate?storage_type=gcs", json=NAMED).json()
    assert ask(fal, "GET", told["file_url"]).status_code == 404
    assert ask(fal, "PUT", told["upload_url"], content=PICTURE).status_code == 200
    assert ask(fal, "PUT", told["upload_url"], content=PICTURE).status_code == 200
    assert ask(fal, "PUT", told["upload_url"], content=b"another").status_code == 404
    assert ask(fal, "GET", told["file_url"]).content == PICTURE
    assert find_sources(fal, told["file_url"])[0] == [PICTURE]


def test_who_may_read_may_not_write(fal: Api) -> None:
    told = fal("POST", f"{REST}/upload/initiate", json=NAMED).json()
    url = httpx2.URL(told["file_url"])
    link = url.path.split("/")[-2]
    for place in (f"{url.path}/whole/{link}", f"/uploads/{link}", f"{url.path}/multipart/{link}/1"):
        assert ask(fal, "PUT", place, content=PICTURE).status_code == 404
    place = told["upload_url"].rpartition("/")[2]
    assert ask(fal, "GET", f"{CDN}/uploads/{place}/a.png").status_code == 404
    assert ask(fal, "GET", f"/files/{link}/a.png").status_code == 404


def send_parts(fal: Api, place: str, parts: list[bytes]) -> list[dict[str, Any]]:
    """The last one first, for they may come as they like."""
    sent = []
    for number in range(len(parts), 0, -1):
        answer = ask(fal, "PUT", f"{place}/{number}", content=parts[number - 1])
        assert answer.headers["etag"] == answer.json()["etag"]
        sent.append(answer.json())
    return sent


def test_parts_become_a_whole_whichever_way_they_were_begun(fal: Api) -> None:
    by_key = fal("POST", f"{REST}/upload/initiate-multipart", json=NAMED).json()
    headers = {**fetch_token(fal), "X-Fal-File-Name": "b.png", "Content-Type": "image/png"}
    by_token = ask(fal, "POST", f"{CDN}/files/upload/multipart", headers=headers).json()
    places = {
        by_key["file_url"]: by_key["upload_url"],
        by_token["access_url"]: f"{by_token['access_url']}/multipart/{by_token['uploadId']}",
    }
    for url, place in places.items():
        parts = [PICTURE[:100], PICTURE[100:200], PICTURE[200:]]
        sent = send_parts(fal, place, parts)
        for _ in range(2):  # a lost answer is asked for again
            answer = ask(fal, "POST", f"{place}/complete", json={"parts": sent})
            assert (answer.status_code, answer.json()["access_url"]) == (200, url)
        assert find_sources(fal, url)[0] == [PICTURE]
        assert ask(fal, "PUT", f"{place}/1", content=b"more").status_code == 404
    assert [path.name for path in (fal.data / "pictures/assets").glob("*/*")] == ["0", "0"]


def test_parts_that_are_missing_or_changed_become_nothing(fal: Api) -> None:
    told = fal("POST", f"{REST}/upload/initiate-multipart", json=NAMED).json()
    place = told["upload_url"]
    (sent,) = send_parts(fal, place, [PICTURE])
    for wrong in ([{**sent, "etag": "x"}], [sent, {**sent, "partNumber": 2}], []):
        assert ask(fal, "POST", f"{place}/complete", json={"parts": wrong}).status_code == 422
    assert ask(fal, "PUT", f"{place}/0", content=b"x").status_code == 422
    assert ask(fal, "GET", told["file_url"]).status_code == 404


def test_no_upload_is_empty_or_too_large(fal: Api) -> None:
    large = b"x" * 100_001
    told = fal("POST", f"{REST}/upload/initiate", json=NAMED).json()
    assert ask(fal, "PUT", told["upload_url"], content=b"").status_code == 422
    assert ask(fal, "PUT", told["upload_url"], content=large).status_code == 413
    told = fal("POST", f"{REST}/upload/initiate-multipart", json=NAMED).json()
    place = told["upload_url"]
    sent = send_parts(fal, place, [large[:60_000], large[60_000:]])
    answer = ask(fal, "POST", f"{place}/complete", json={"parts": sent})
    assert answer.status_code == 413
    headers = fetch_token(fal)
    answer = ask(fal, "POST", f"{CDN}/files/upload", content=large, headers=headers)
    assert answer.status_code == 413


def test_what_is_no_picture_is_never_shown_by_a_browser(fal: Api) -> None:
    page = {"file_name": "../a.html", "content_type": "text/html"}
    told = fal("POST", f"{REST}/upload/initiate", json=page).json()
    ask(fal, "PUT", told["upload_url"], content=b"<script>")
    got = ask(fal, "GET", told["file_url"])
    assert got.headers["content-type"] == "application/octet-stream"
    assert got.headers["content-disposition"] == "attachment"
    assert "sandbox" in got.headers["content-security-policy"]


def test_a_strange_name_does_no_harm(fal: Api) -> None:
    strange = {"file_name": "a/\x00\n\u202eb?.png", "content_type": "image/png\r\nX: y"}
    told = fal("POST", f"{REST}/upload/initiate", json=strange).json()
    assert ask(fal, "PUT", told["upload_url"], content=PICTURE).status_code == 200
    assert told["file_url"].endswith("/b.png")
    assert ask(fal, "GET", told["file_url"]).headers["content-type"].endswith("octet-stream")
    assert find_sources(fal, told["file_url"])[0] == [PICTURE]


def test_by_their_hosts_uploads_go_to_their_hosts(fal: Api) -> None:
    rest = {"Host": "rest.fal.ai"}
    told = fal("POST", "/storage/upload/initiate", json=NAMED, headers=rest).json()
    place, url = httpx2.URL(told["upload_url"]), httpx2.URL(told["file_url"])
    assert {place.host, url.host} == {"v3.fal.media"}
    cdn = {"Host": "v3.fal.media"}
    assert ask(fal, "PUT", place.path, content=PICTURE, headers=cdn).status_code == 200
    assert find_sources(fal, str(url))[0] == [PICTURE]


def test_the_proxy_begins_uploads(fal: Api) -> None:
    target = "https://rest.fal.ai/storage/upload/initiate?storage_type=fal-cdn-v3"
    told = fal("POST", "/api/fal/proxy", json=NAMED, headers={"x-fal-target-url": target}).json()
    assert ask(fal, "PUT", told["upload_url"], content=PICTURE).status_code == 200
    assert find_sources(fal, told["file_url"])[0] == [PICTURE]


def test_whoever_has_a_link_may_use_what_it_is_for(fal: Api) -> None:
    told = fal("POST", f"{REST}/upload/initiate", json=NAMED).json()
    ask(fal, "PUT", told["upload_url"], content=PICTURE)
    _, other = fal.keys.create("another")
    pictures, names = find_sources(fal, told["file_url"], secret=other)
    assert pictures == [PICTURE]
    assert names[0].startswith("sources/")


def test_an_output_is_a_source_too_and_under_any_host(fal: Api) -> None:
    open_store(fal.data).put("outputs/0/a.png", PICTURE)
    links = Links(load_secret(fal.data / FILE), 3600)
    path = links.path("outputs/0/a.png", "my picture.png")
    for base in ("http://here", f"http://here{CDN}", "https://v3.fal.media"):
        pictures, names = find_sources(fal, base + path)
        assert pictures == [PICTURE]
        assert names[0].endswith("?my picture.png")


@pytest.mark.parametrize("kind", ["gone", "nothing yet"])
def test_a_source_that_is_not_here_is_an_error_of_the_image(fal: Api, kind: str) -> None:
    told = fal("POST", f"{REST}/upload/initiate", json=NAMED).json()
    if kind == "gone":
        ask(fal, "PUT", told["upload_url"], content=PICTURE)
        for path in (fal.data / "pictures/assets").glob("*/0"):
            open_store(fal.data).delete(f"assets/{path.parent.name}/0")
        _, secret = fal.keys.create("another")
    else:
        secret = fal.secret
    given = {"image_url": told["file_url"], "target_sizes": ["64x64"]}
    answer = fal("POST", "/fal-ai/smart-resize", json=given, secret=secret)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["type"] == "file_download_error"


def test_a_link_of_somebody_elses_is_only_a_url(fal: Api) -> None:
    foreign = Links(b"x" * 32, 3600).path("outputs/0/a.png", "a.png")
    given = {"image_url": f"https://e.com{foreign}", "target_sizes": ["64x64"]}
    answer = fal("POST", QUEUE, json=given)
    order = DurableQueue(fal.engine).get(answer.json()["request_id"]).order
    assert order.sources == (f"https://e.com{foreign}",)

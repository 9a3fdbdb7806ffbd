"""What a run was given, as the server keeps it: whose it is, how long it is there, what it is."""

import base64
import hashlib
from typing import Any

import pytest

from server.images.gather import fetched_blob, gather, shelf_of
from server.images.stores import open_store
from server.jobs.durable_queue import DurableQueue
from tests.drawings import draw_meadow, to_png
from tests.server.api.conftest import RUNS, Api
from tests.server.images.zips import make_zip

PICTURE = to_png(draw_meadow(30, 20))
DATA_URI = "data:image/png;base64," + base64.b64encode(PICTURE).decode()
PAGE = b"<!doctype html><script>alert(1)</script>"


def begin(api: Api, files: list[tuple[str, bytes]], **wishes: Any) -> str:
    """A run of pictures that came along, as far as a worker has gathered them."""
    fields = {name: (None, str(value)) for name, value in wishes.items()}
    sent = [("image", file) for file in files]
    answer = api("POST", RUNS, files=[*sent, ("aspect_ratio", (None, "1:1")), *fields.items()])
    assert answer.status_code == 201, answer.text
    bring(api, answer.json()["id"])
    return str(answer.json()["id"])


def bring(api: Api, job_id: str) -> None:
    gather(DurableQueue(api.engine).get(job_id).order, job_id, open_store(api.data))


def forget(api: Api, job_id: str) -> None:
    """As retention does, and the end of a run that stores nothing."""
    order = DurableQueue(api.engine).get(job_id).order
    assert open_store(api.data).delete(shelf_of(order, job_id))


def sources(api: Api, job_id: str) -> Any:
    answer = api("GET", f"/v1/runs/{job_id}/sources")
    assert answer.status_code == 200
    return answer.json()["items"]


def test_a_source_is_the_very_file_that_was_given(api: Api) -> None:
    (source,) = sources(api, begin(api, [("my photo.png", PICTURE)]))
    assert source == {
        "source": 0,
        "url": source["url"],
        "file_name": "my photo.png",
        "content_type": "image/png",
        "file_size": len(PICTURE),
        "sha256": hashlib.sha256(PICTURE).hexdigest(),
    }
    answer = api("GET", source["url"].removeprefix("http://here"), headers={"Authorization": ""})
    assert (answer.content, answer.headers["content-type"]) == (PICTURE, "image/png")
    assert "sandbox" in answer.headers["content-security-policy"]


def test_the_pictures_of_a_zip_are_numbered_as_outputs_have_them(api: Api) -> None:
    zipped = make_zip({"b/one.png": PICTURE + b"b", "a.png": PICTURE + b"a"})
    found = sources(api, begin(api, [("first.png", PICTURE), ("all.zip", zipped)]))
    assert [(each["source"], each["file_name"]) for each in found] == [
        (0, "first.png"),
        (1, "a.png"),
        (2, "one.png"),
    ]
    asked = [api("GET", each["url"].removeprefix("http://here")) for each in found]
    assert [each.content for each in asked] == [PICTURE, PICTURE + b"a", PICTURE + b"b"]


def test_a_source_has_no_link_until_the_server_has_it_and_once_it_is_gone(api: Api) -> None:
    run = api.submit(image_url="https://example.com/a%20b.png")
    absent = {
        "source": 0,
        "url": None,
        "file_name": "a b.png",
        "content_type": None,
        "file_size": None,
        "sha256": None,
    }
    assert sources(api, run["id"]) == [absent]
    order = DurableQueue(api.engine).get(run["id"]).order
    open_store(api.data).put(fetched_blob(shelf_of(order, run["id"]), 0), PICTURE)
    bring(api, run["id"])
    (there,) = sources(api, run["id"])
    forget(api, run["id"])
    assert sources(api, run["id"]) == [absent]
    gone = api("GET", there["url"].removeprefix("http://here"))
    assert gone.status_code == 404


def test_what_must_not_be_stored_has_a_link_while_it_is_there_and_no_cache(api: Api) -> None:
    job_id = begin(api, [("a.png", PICTURE)], store="false")
    (source,) = sources(api, job_id)
    answer = api("GET", source["url"].removeprefix("http://here"))
    assert (answer.content, answer.headers["cache-control"]) == (PICTURE, "no-store")
    forget(api, job_id)
    assert [each["url"] for each in sources(api, job_id)] == [None]
    assert not list((api.data / "pictures").rglob("inventory"))


def test_another_key_gets_no_link(api: Api) -> None:
    job_id = begin(api, [("a.png", PICTURE)])
    _, secret = api.keys.create("another")
    answer = api("GET", f"/v1/runs/{job_id}/sources", secret=secret)
    assert (answer.status_code, answer.json()["code"]) == (404, "RUN_NOT_FOUND")


@pytest.mark.parametrize(
    ("data", "content_type", "shown"),
    [
        (b"\xff\xd8\xff\xe0", "image/jpeg", "inline"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp", "inline"),
        (b"\0\0\0\x1cftypavif\0\0\0\0mif1avif", "image/avif", "inline"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1", "image/heic", "inline"),
        (b"GIF89a", "image/gif", "inline"),
        (b"MM\0*", "image/tiff", "inline"),
        (PAGE, "application/octet-stream", "attachment"),
        (b"", "application/octet-stream", "attachment"),
    ],
)
def test_a_source_is_told_by_its_bytes_and_never_by_its_name(
    api: Api, data: bytes, content_type: str, shown: str
) -> None:
    (source,) = sources(api, begin(api, [("photo.html", data)]))
    answer = api("GET", source["url"].removeprefix("http://here"))
    assert (source["content_type"], answer.headers["content-type"]) == (content_type, content_type)
    assert answer.headers["content-disposition"].startswith(shown)
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_the_record_itself_says_nothing_new(api: Api) -> None:
    job_id = begin(api, [("a.png", PICTURE)])
    run = api("GET", f"/v1/runs/{job_id}").json()
    assert "sources" not in run
    assert set(run["links"]) == {"self", "logs", "events", "callback", "cancel"}

"""fal's run from the outside: one request that waits for its pictures."""

import asyncio
import json

import pytest
from starlette.types import Message

from server.images.stores import open_store
from server.jobs.durable_queue import DurableQueue
from server.jobs.job import Status
from server.jobs.queue import JobQuery
from tests.server.api.conftest import Api
from tests.server.api.test_runs import DATA_URI
from tests.server.api.transcripts.fal.scene import (
    BARE,
    GIVEN,
    QUEUE,
    RUN,
    carry_out_soon,
)


@pytest.mark.parametrize("path", [BARE, RUN])
def test_a_run_answers_with_the_result(fal: Api, path: str) -> None:
    worker = carry_out_soon(fal)
    answer = fal("POST", path, json={**GIVEN, "target_sizes": ["1024x1024", "640x480"]})
    worker.join()
    assert answer.status_code == 200
    body = answer.json()
    assert [(each["width"], each["height"]) for each in body["results"]] == [
        (1024, 1024),
        (640, 480),
    ]
    assert body["description"] == "a meadow"
    found = DurableQueue(fal.engine).get(answer.headers["x-fal-request-id"])
    assert found.outputs[0].file_name == body["images"][0]["file_name"]


def test_sync_mode_brings_the_pictures_along(fal: Api) -> None:
    worker = carry_out_soon(fal)
    answer = fal("POST", RUN, json={**GIVEN, "sync_mode": True})
    worker.join()
    assert answer.json()["images"][0]["url"] == DATA_URI
    open_store(fal.data).delete(f"outputs/{answer.headers['x-fal-request-id']}/")
    later = fal("GET", f"{QUEUE}/requests/{answer.headers['x-fal-request-id']}")
    assert (later.status_code, later.json()["detail"]) == (
        404,
        "the images of this request are gone",
    )


def test_a_run_of_somebody_who_leaves_is_cancelled(fal: Api) -> None:
    body = json.dumps(GIVEN).encode()
    sent: list[Message] = []
    coming: list[Message] = [
        {"type": "http.request", "body": body, "more_body": False},
        {"type": "http.disconnect"},
    ]

    async def receive() -> Message:
        await asyncio.sleep(0.1)
        return coming.pop(0) if coming else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": RUN,
        "raw_path": RUN.encode(),
        "query_string": b"",
        "headers": [(b"authorization", f"Key {fal.secret}".encode()), (b"host", b"here")],
        "scheme": "http",
        "server": ("here", 80),
        "client": ("there", 1),
        "http_version": "1.1",
        "root_path": "",
    }
    asyncio.run(fal.app(scope, receive, send))
    (owner,) = fal.keys.list()
    (job,) = DurableQueue(fal.engine).list(JobQuery(owner.id)).jobs
    assert job.status is Status.CANCELLED
    assert sent[0]["status"] == 499


def test_a_wrong_body_fails_a_run_at_once(shared: Api) -> None:
    answer = shared("POST", BARE, json={"image_url": "https://e.com/a.png"})
    assert answer.status_code == 422
    (error,) = answer.json()["detail"]
    assert (error["loc"], error["type"]) == (["body", "target_sizes"], "missing")
    assert answer.headers["x-fal-error-type"] == "missing"
    assert answer.headers["content-type"] == "application/json"

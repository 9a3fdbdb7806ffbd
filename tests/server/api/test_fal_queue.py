"""fal's queue from the outside, without any worker."""

import json
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from server.images.memory_folder import SHARED_MEMORY, memory_folder_of
from server.images.stores import FOLDER
from server.jobs.durable_queue import DurableQueue
from server.jobs.job import Stage, Status
from tests.server.api.conftest import Api, open_api
from tests.server.api.test_runs import DATA_URI, PICTURE
from tests.server.api.transcripts.fal.scene import (
    GIVEN,
    QUEUE,
    RUN,
    carry_out,
    find_job,
    submit,
)

WAYS = [("GET", ""), ("GET", "/response"), ("GET", "/status"), ("PUT", "/cancel")]


@pytest.fixture
def fal(tmp_path: Path) -> Iterator[Api]:
    yield open_api(tmp_path)
    shutil.rmtree(memory_folder_of(tmp_path / FOLDER, SHARED_MEMORY), ignore_errors=True)


def test_a_request_goes_through_the_queue(fal: Api) -> None:
    made = submit(fal)
    assert made["status"] == "IN_QUEUE"
    own = f"http://here{QUEUE}/requests/{made['request_id']}"
    assert [made[f"{name}_url"] for name in ("response", "status", "cancel")] == [
        own,
        f"{own}/status",
        f"{own}/cancel",
    ]
    waiting = fal("GET", made["status_url"])
    assert (waiting.status_code, waiting.json()["status"]) == (202, "IN_QUEUE")
    early = fal("GET", made["response_url"])
    assert (early.status_code, early.json()) == (400, {"detail": "Request is still in progress"})
    queue = DurableQueue(fal.engine)
    queue.begin(made["request_id"], "worker-1")
    queue.report(made["request_id"], Stage("outpaint", 0.5))
    running = fal("GET", made["status_url"])
    assert (running.status_code, running.json()["logs"]) == (202, [])
    for yes in ("true", "1", "True"):
        logs = fal("GET", f"{made['status_url']}?logs={yes}").json()["logs"]
        assert [line["message"] for line in logs] == ["started", "outpaint, 50% done"]
    carry_out(fal, find_job(fal, made))
    done = fal("GET", made["status_url"])
    assert (done.status_code, done.json()["status"]) == (200, "COMPLETED")
    assert "error" not in done.json()
    for end in ("", "/response"):
        result = fal("GET", made["response_url"] + end)
        assert result.status_code == 200
        assert result.headers["x-fal-request-id"] == made["request_id"]
        assert result.json()["results"][0]["aspect_ratio"] == "1:1"
        assert fal("GET", result.json()["images"][0]["url"], secret="none").content == PICTURE


def test_a_stream_tells_every_line_of_the_log_once(fal: Api) -> None:
    made = submit(fal)
    job = find_job(fal, made)

    def work() -> None:
        time.sleep(0.2)
        carry_out(fal, job)

    thread = threading.Thread(target=work)
    thread.start()
    answer = fal("GET", f"{made['status_url']}/stream?logs=1")
    thread.join()
    assert answer.headers["content-type"].startswith("text/event-stream")
    lines = [line for line in answer.text.splitlines() if line.startswith("data: ")]
    told = [json.loads(line.removeprefix("data: ")) for line in lines]
    assert told[0]["status"] == "IN_QUEUE"
    assert told[-1]["status"] == "COMPLETED"
    logs = [line["message"] for status in told for line in status["logs"]]
    assert logs == ["started", "done"]


@pytest.mark.parametrize(
    ("given", "kind", "field"),
    [
        ({}, "missing", "image_url"),
        ({**GIVEN, "target_sizes": ["9000x9000"]}, "value_error", "target_sizes"),
        ({**GIVEN, "target_sizes": ["4000x100"]}, "value_error", "target_sizes"),
        ({**GIVEN, "image_url": "ftp://e.com/a"}, "file_download_error", "image_url"),
        ({**GIVEN, "image_url": "data:text/html,x"}, "file_download_error", "image_url"),
        ({**GIVEN, "image_url": "data:text/html;base64,eA=="}, "image_load_error", "image_url"),
        ([], "model_type", "body"),
    ],
)
def test_a_wrong_body_fails_in_the_queue_later(
    shared: Api, given: Any, kind: str, field: str
) -> None:
    made = submit(shared, f"{QUEUE}?fal_webhook=https://e.com/hook", given=given)
    status = shared("GET", made["status_url"])
    assert status.status_code == 200
    assert status.json()["status"] == "COMPLETED"
    assert status.json()["error_type"] == kind
    result = shared("GET", made["response_url"])
    assert result.status_code == 422
    assert result.json()["detail"][0]["type"] == kind
    assert field in result.json()["detail"][0]["loc"]
    job = find_job(shared, made)
    assert job.status is Status.FAILED
    assert job.callback_url == "https://e.com/hook"
    assert not list((shared.data / "pictures").rglob("given*"))


def test_a_request_is_cancelled_once(shared: Api) -> None:
    made = submit(shared)
    answer = shared("PUT", made["cancel_url"])
    assert (answer.status_code, answer.json()) == (202, {"status": "CANCELLATION_REQUESTED"})
    answer = shared("PUT", made["cancel_url"])
    assert (answer.status_code, answer.json()) == (400, {"status": "ALREADY_COMPLETED"})
    status = shared("GET", made["status_url"])
    assert (status.json()["status"], status.json()["error_type"]) == (
        "COMPLETED",
        "client_cancelled",
    )
    result = shared("GET", made["response_url"])
    assert (result.status_code, result.json()["error_type"]) == (499, "client_cancelled")


@pytest.mark.parametrize(("method", "end"), [*WAYS, ("GET", "/status/stream")])
def test_another_ones_request_is_not_there(shared: Api, method: str, end: str) -> None:
    made = submit(shared)
    run = shared.submit()
    _, other = shared.keys.create("another")
    for request_id, secret in (
        (made["request_id"], other),
        ("nothing", shared.secret),
        (run["id"], shared.secret),
    ):
        answer = shared(method, f"{QUEUE}/requests/{request_id}{end}", secret=secret)
        assert (answer.status_code, answer.json()["status"]) == (404, "NOT_FOUND")
    assert shared("GET", made["status_url"]).status_code == 202


def test_who_does_not_begin_in_time_has_failed(fal: Api) -> None:
    made = submit(fal, headers={"X-Fal-Request-Timeout": "0.05"})
    time.sleep(0.06)
    status = fal("GET", made["status_url"]).json()
    assert (status["status"], status["error_type"]) == ("COMPLETED", "request_timeout")
    result = fal("GET", made["response_url"])
    assert result.status_code == 504
    assert result.headers["x-fal-request-timeout-type"] == "user"
    run = fal("POST", RUN, json=GIVEN, headers={"X-Fal-Request-Timeout": "0.05"})
    assert (run.status_code, run.headers["x-fal-request-timeout-type"]) == (504, "user")


def test_who_begins_in_time_may_take_longer(fal: Api) -> None:
    made = submit(fal, headers={"X-Fal-Request-Timeout": "0.3"})
    DurableQueue(fal.engine).begin(made["request_id"], "worker-1")
    time.sleep(0.31)
    assert fal("GET", made["status_url"]).json()["status"] == "IN_PROGRESS"


def test_headers_reach_the_order(fal: Api) -> None:
    usual = submit(fal)
    headers = {
        "X-Fal-Queue-Priority": "low",
        "X-Fal-Store-IO": "0",
        "X-Fal-Object-Lifecycle-Preference": '{"expiration_duration_seconds": 60}',
        "X-Fal-Runner-Hint": "left",
        "X-Fal-No-Retry": "1",
    }
    special = submit(fal, given={**GIVEN, "image_url": DATA_URI}, headers=headers)
    later = submit(fal, headers={"X-Fal-Queue-Priority": "normal"})
    job = find_job(fal, special)
    assert job.order.volatile
    assert job.order.sources[0].startswith("blob:volatile/")
    assert job.metadata == {"resolution": "1K", "sync_mode": False, "lifetime": 60}
    positions = [find_job(fal, each).position for each in (usual, later, special)]
    assert positions == [0, 1, 2]
    assert not list((fal.data / "pictures").rglob("given*"))


def test_a_long_line_may_be_refused(fal: Api) -> None:
    submit(fal, f"{QUEUE}?fal_max_queue_length=0")
    answer = fal("POST", f"{QUEUE}?fal_max_queue_length=0", json=GIVEN)
    assert answer.status_code == 429
    assert answer.headers["x-fal-needs-retry"] == "1"
    assert answer.headers["x-fal-retryable"] == "true"
    assert int(answer.headers["retry-after"]) >= 1
    submit(fal, f"{QUEUE}?fal_max_queue_length=1")


def test_a_key_has_so_many_unfinished_requests_and_no_more(fal: Api) -> None:
    _, secret = fal.keys.create("small", concurrency=1)
    submit(fal, secret=secret)
    answer = fal("POST", QUEUE, json=GIVEN, secret=secret)
    assert (answer.status_code, answer.json()["error_type"]) == (429, "concurrent_requests_limit")

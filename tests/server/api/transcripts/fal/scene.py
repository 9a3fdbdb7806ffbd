"""An application with fal's door, and what its tests do with it."""

import threading
import time
from typing import Any

from fastapi import FastAPI

from server.api.door import Doors
from server.images.stores import open_store
from server.jobs.durable_queue import DurableQueue
from server.jobs.job import Job, Output, Status
from server.jobs.queue import JobQuery
from tests.server.api.conftest import Api
from tests.server.api.test_runs import PICTURE

QUEUE = "/fal/queue/fal-ai/smart-resize"
RUN = "/fal/run/fal-ai/smart-resize"
BARE = "/fal-ai/smart-resize"
GIVEN: dict[str, Any] = {"image_url": "https://e.com/a.png", "target_sizes": ["1024x1024"]}


def find_doors(app: FastAPI) -> Doors:
    """Those of an application."""
    found = next(each for each in app.user_middleware if "doors" in each.kwargs).kwargs["doors"]
    assert isinstance(found, Doors)
    return found


def submit(fal: Api, path: str = QUEUE, *, given: Any = GIVEN, **rest: Any) -> Any:
    answer = fal("POST", path, json=given, **rest)
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-fal-request-id"] == answer.json()["request_id"]
    return answer.json()


def find_job(fal: Api, submission: Any) -> Job:
    return DurableQueue(fal.engine).get(submission["request_id"])


def carry_out(fal: Api, job: Job) -> None:
    """Make an output of every target, without looking at the source."""
    queue = DurableQueue(fal.engine)
    queue.begin(job.id, "worker-1")
    outputs = []
    for number, target in enumerate(job.order.targets):
        prefix = "volatile/" if job.order.volatile else ""
        blob = f"{prefix}outputs/{job.id}/{number}-a.png"
        open_store(fal.data).put(blob, PICTURE)
        size = target.target()
        assert isinstance(size, tuple)
        record = {"prompt": "a meadow", "warnings": []}
        outputs.append(
            Output(
                *(blob, f"a-{number}.png", "image/png", *size, len(PICTURE), "0" * 64),
                *(0, number, 0),
                record=record,
            )
        )
    queue.finish(job.id, outputs, gpu_seconds=1.0, seconds={})


def carry_out_soon(fal: Api) -> threading.Thread:
    """As soon as there is a job, which this waits for."""

    def work() -> None:
        until = time.monotonic() + 10
        while time.monotonic() < until:
            for owner in fal.keys.list():
                page = DurableQueue(fal.engine).list(JobQuery(owner.id, status=Status.QUEUED))
                for job in page.jobs:
                    carry_out(fal, job)
                    return
            time.sleep(0.01)

    thread = threading.Thread(target=work)
    thread.start()
    return thread

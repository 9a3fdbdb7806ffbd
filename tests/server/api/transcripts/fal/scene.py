"""An application with fal's door, and what its tests do with it."""

import threading
import time
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from fastapi import FastAPI

from server.access.key_store import KeyStore
from server.api.app import create_app
from server.api.door import Doors
from server.api.fal.door import make_door
from server.api.links import Linker
from server.api.reception import Reception
from server.database.engine import database_url, open_database
from server.doors.fal.signing_key import find_signing_key
from server.images.assets import Assets
from server.images.links import Links, find_secret
from server.images.stores import open_store
from server.jobs.durable_queue import DurableQueue
from server.jobs.job import Job, Output, Status
from server.jobs.queue import JobQuery
from server.jobs.selection import count_unfinished
from server.settings import Settings
from server.work.preparation import prepare_database
from tests.server.api.conftest import Api
from tests.server.api.test_runs import PICTURE

QUEUE = "/fal/queue/fal-ai/smart-resize"
RUN = "/fal/run/fal-ai/smart-resize"
BARE = "/fal-ai/smart-resize"
GIVEN: dict[str, Any] = {"image_url": "https://e.com/a.png", "target_sizes": ["1024x1024"]}


def open_api(data: Path, **given: Any) -> Api:
    """An application in this process with a database of its own; ``given`` are settings."""
    url = database_url(data, None)
    prepare_database(url)
    engine = open_database(url)
    keys = KeyStore(engine)
    _, secret = keys.create("studio")
    settings = Settings(**{"data": data, "min_free": 0, **given})
    app = create_app(settings)
    hang_door(app, settings)
    return Api(app, engine, keys, data, secret)


def hang_door(app: FastAPI, settings: Settings) -> None:
    """Give an application the door, unless it has it."""
    doors = find_doors(app)
    if any(door.name == "fal" for door in doors._doors):
        return
    engine = open_database(database_url(settings.data, None))
    store = open_store(settings.data, min_free=settings.min_free)
    queue = DurableQueue(engine, bound=settings.max_queue)
    links = Links(find_secret(settings.data, settings.link_secret), settings.link_lifetime)
    linker = Linker(links, settings.public_url)
    count = partial(_count_unfinished, engine)
    reception = Reception(queue, store, Assets(engine, store), settings.max_source, count)
    door = make_door(
        reception, linker, engine, find_signing_key(settings.data, settings.link_secret)
    )
    app.include_router(door.router)
    doors._doors = [*doors._doors, door]
    doors._hosts = {**doors._hosts, **door.hosts}


def find_doors(app: FastAPI) -> Doors:
    """Those of an application."""
    found = next(each for each in app.user_middleware if "doors" in each.kwargs).kwargs["doors"]
    assert isinstance(found, Doors)
    return found


def _count_unfinished(engine: sa.Engine, owner: str) -> int:
    with engine.connect() as connection:
        return count_unfinished(connection, owner)


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

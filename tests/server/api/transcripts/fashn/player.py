"""Replays conversations with a hosted API that were written down, against this server.

A conversation is a list of exchanges, ``request`` and ``response``, and of what a worker does in
between, ``worker``. What differs each time has a name in angle brackets.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from server.images.local_store import LocalStore
from server.jobs.durable_queue import DurableQueue
from server.jobs.job import Failure, Job, Output
from server.jobs.queue import JobQuery
from tests.server.api.conftest import Api

FOLDER = Path(__file__).parents[1]

CHANGING = (
    (r"http://[a-z.]+/files/[A-Za-z0-9_.-]+/", "<files>/"),
    (r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}", "<uuid>"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", "<time>"),
)


class House:
    """A queue and a store over the test's database and folder; and a worker moved by hand."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.queue = DurableQueue(api.engine, bound=20)
        self.store = LocalStore(api.data / "pictures")

    def jobs(self) -> list[Job]:
        """All of the test's key, the newest first."""
        (key,) = (key for key in self.api.keys.list() if key.name == "studio")
        return list(self.queue.list(JobQuery(key.id)).jobs)

    def begin(self) -> None:
        """The newest job is on its way."""
        self.queue.begin(self.jobs()[0].id, "worker-1")

    def finish(self, source: tuple[int, int] = (300, 200), picture: bytes = b"a picture") -> Job:
        """The newest job has made everything of a source of this size."""
        job = self.jobs()[0]
        self.queue.begin(job.id, "worker-1")
        prefix, form = "volatile/" if job.order.volatile else "", job.order.format
        outputs = []
        for number, target in enumerate(job.order.targets):
            for variant in range(job.order.variants):
                width, height = getattr(target, "width", 300), getattr(target, "height", 450)
                blob = f"{prefix}outputs/{job.id}/{number}-{variant}{form.extension}"
                self.store.put(blob, picture)
                record = {"plan": {"source": list(source)}}
                what = (form.media_type, width, height, len(picture), "0" * 64)
                outputs.append(Output(blob, "a.png", *what, 0, number, variant, record))
        return self.queue.finish(job.id, outputs, gpu_seconds=1.25, seconds={})

    def fail(self, code: str, message: str) -> None:
        """The newest job has ended so."""
        self.begin()
        self.queue.fail(self.jobs()[0].id, Failure(code, message))

    def forget(self) -> None:
        """The newest job's pictures are gone."""
        for prefix in ("", "volatile/"):
            self.store.delete(f"{prefix}outputs/{self.jobs()[0].id}/")


def find_transcripts(name: str) -> list[str]:
    """All conversations with one API, as ``NAME/CONVERSATION``."""
    return sorted(f"{name}/{path.stem}" for path in (FOLDER / name).glob("*.json"))


def play(house: House, transcript: str) -> Iterator[tuple[Any, Any]]:
    """Have the conversation once more: each answer, and as it was written down."""
    for step in json.loads((FOLDER / f"{transcript}.json").read_text()):
        if "worker" in step:
            getattr(house, step.pop("worker"))(**step)
            continue
        jobs = house.jobs()
        known = {"<uuid>": jobs[0].id if jobs else "", "<key>": house.api.secret}
        asked, expected = _fill_in(step["request"], known), step["response"]
        headers = {"Authorization": "", **asked.pop("headers", {})}
        answer = house.api(asked.pop("method"), asked.pop("path"), headers=headers, **asked)
        seen: dict[str, Any] = {"status": answer.status_code, "json": answer.json()}
        if "headers" in expected:
            seen["headers"] = {name: answer.headers.get(name) for name in expected["headers"]}
        yield _leave_out(seen), expected


def _fill_in(asked: Any, known: dict[str, str]) -> Any:
    text = json.dumps(asked)
    for name, value in known.items():
        text = text.replace(name, value)
    return json.loads(text)


def _leave_out(seen: Any) -> Any:
    """With a name for everything that differs each time."""
    text = json.dumps(seen)
    for pattern, name in CHANGING:
        text = re.sub(pattern, name, text)
    return json.loads(text)

"""A folder, a database and workers in it, as a test needs them."""

import itertools
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Sequence
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import uuid_utils
from pydantic import SecretStr

from pipelines.fill import Fill
from server.database.engine import open_database
from server.images.stores import open_store
from server.jobs.durable_queue import DurableQueue
from server.jobs.job import Job
from server.jobs.order import Order, SizeTarget
from server.settings import Settings
from tests.drawings import draw_coordinates, to_png
from tests.server.jobs.house import make_draft
from tests.server.work.small_worker import Habits, start_worker

PICTURE = to_png(draw_coordinates(24, 24))


class Workshop:
    """Everything of one test; ``close`` ends what still runs."""

    def __init__(self, folder: Path, url: str, **settings: Any) -> None:
        """``url`` is a database that is ready."""
        self.folder = folder
        address = None if url.startswith("sqlite") else SecretStr(url)
        self.settings = Settings(data=folder, database_url=address, min_free=0, **settings)
        self.engine = open_database(url)
        self.queue = DurableQueue(self.engine)
        self.store = open_store(folder)
        self._workers: list[ForkServerProcess] = []
        self._seeds = itertools.count(1)

    def submit(
        self, prompt: str = "", *, sizes: Sequence[int] = (32,), sources: int = 1, **given: Any
    ) -> Job:
        """A job of which the engine paints every output; no two have the same seed."""
        return self._submit("", prompt, sizes, sources, given)

    def submit_volatile(self) -> Job:
        """A job that leaves nothing on a disk."""
        return self._submit("volatile/", "", (32,), 1, {})

    def _submit(
        self, prefix: str, prompt: str, sizes: Sequence[int], sources: int, given: dict[str, Any]
    ) -> Job:
        job_id = str(uuid_utils.uuid7())
        names = [f"{prefix}sources/{job_id}/given{number}" for number in range(sources)]
        for name in names:
            self.store.put(name, PICTURE)
        order = Order(
            sources=tuple(f"blob:{name}" for name in names),
            targets=tuple(SizeTarget(width=24, height=size) for size in sizes),
            seed=next(self._seeds),
            prompt=prompt,
            fill=Fill.GENERATE,
            volatile=bool(prefix),
        )
        return self.queue.submit(make_draft(id=job_id, order=order, **given)).job

    def start(self, device: str = "cpu", **habits: Any) -> ForkServerProcess:
        """A worker."""
        worker = start_worker(self.settings, Habits(device, **habits))
        self._workers.append(worker)
        return worker

    def wait(
        self, jobs: Sequence[Job], until: Callable[[Job], bool] | None = None, seconds: float = 30
    ) -> list[Job]:
        """The jobs when they are all final, or as ``until`` wants them."""
        wanted = until or (lambda job: job.status.is_final)
        deadline = time.monotonic() + seconds
        while True:
            seen = [self.queue.get(job.id) for job in jobs]
            if all(map(wanted, seen)):
                return seen
            late = [f"{job.id} {job.status}" for job in seen if not wanted(job)]
            assert time.monotonic() < deadline, f"{late}\n{self.log()}"
            time.sleep(0.02)

    def wait_for(self, condition: Callable[[], bool], seconds: float = 20) -> None:
        """Return when ``condition`` is true."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.02)

    def renders(self, word: str) -> Counter[int]:
        """How often painting with each seed has begun, or ended."""
        lines = (line.split() for line in self.lines("renders.log"))
        return Counter(int(seed) for kind, seed, *_ in lines if kind == word)

    def deliveries(self) -> list[str]:
        """The jobs whose callbacks were sent, once for each time."""
        return [line.split()[0] for line in self.lines("deliveries.log")]

    def published(self, job: Job) -> list[str]:
        """The blobs that lie under the job's name."""
        folder = self.folder / "pictures" / "outputs" / job.id
        return sorted(f"outputs/{job.id}/{path.name}" for path in folder.iterdir())

    def lines(self, name: str) -> list[str]:
        """A file's lines, none if it is not there."""
        path = self.folder / name
        return path.read_text().splitlines() if path.exists() else []

    def log(self, name: str = "worker.log") -> str:
        """What workers said."""
        return "\n".join(self.lines(name)[-60:])

    def workflows(self) -> dict[str, str]:
        """What is in DBOS's books: status by id."""
        schema = "dbos." if self.engine.dialect.name == "postgresql" else ""
        query = sa.text(f"SELECT workflow_uuid, status FROM {schema}workflow_status")
        with self.engine.connect() as connection:
            return {row.workflow_uuid: row.status for row in connection.execute(query)}

    def close(self) -> None:
        """End every worker at once."""
        for worker in self._workers:
            kill(worker)
        self.engine.dispose()


def kill(worker: ForkServerProcess, number: int = signal.SIGKILL) -> None:
    """Send a signal to a worker that runs, and wait for the end of one that is killed."""
    if worker.is_alive() and worker.pid:
        os.kill(worker.pid, number)
    if number == signal.SIGKILL:
        worker.join(30)

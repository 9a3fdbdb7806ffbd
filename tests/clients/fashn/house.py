"""A live server on loopback with FASHN's door, the preview engine behind it, and a receiver."""

import hashlib
import json
import os
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import uvicorn

from pipelines.errors import ReframeError
from pipelines.reframe import Reframer
from pipelines.reframed import Reframed
from server.access.key_store import KeyStore
from server.api.app import create_app
from server.callbacks.history import History
from server.callbacks.own_style import make_style
from server.callbacks.secret_store import CallbackSecrets
from server.callbacks.sender import CallbackSender
from server.database.engine import database_url, open_database
from server.doors.fashn import MODEL
from server.doors.fashn.prediction import STYLE
from server.engines import load_engine
from server.images.address import EgressPolicy
from server.images.fetch import Fetcher
from server.images.fetches import fetch_sources
from server.images.gather import gather
from server.images.links import Links, load_secret
from server.images.memory_folder import SHARED_MEMORY, memory_folder_of
from server.jobs.job import Failure, Job, Output, Status
from server.jobs.table import JOBS
from server.settings import EngineName, Settings
from server.work.preparation import prepare_database
from tests.drawings import draw_meadow, to_png
from tests.server.api.conftest import Api
from tests.server.api.transcripts.fashn.player import House

CLIENTS = Path(__file__).parent
PORTRAIT = to_png(draw_meadow(60, 90))


def require_node() -> None:
    """Leave a test out where there is no JavaScript client; never in CI."""
    found = shutil.which("node") is not None and (CLIENTS / "node_modules").is_dir()
    if not found and os.environ.get("CI") != "true":  # noqa: TID251  CI says so there
        pytest.skip("Node or the client is not installed: npm ci in tests/clients/fashn")
    assert found, "Node or the client is not installed"


@dataclass
class Receiver:
    """Serves pictures, and takes webhooks in: to each it answers with the next of ``answers``."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    answers: list[int] = field(default_factory=list)
    got: list[tuple[str, Any]] = field(default_factory=list)

    def wait(self, count: int) -> Sequence[tuple[str, Any]]:
        """What has come, as soon as it is so much."""
        deadline = time.monotonic() + 15
        while len(self.got) < count:
            assert time.monotonic() < deadline, self.got
            time.sleep(0.02)
        return self.got

    def handler(self) -> type[BaseHTTPRequestHandler]:
        """What the standard library calls for each request."""
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = receiver.files.get(self.path)
                self._answer(404 if body is None else 200, body or b"")

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append((self.path, json.loads(body)))
                self._answer(receiver.answers.pop(0) if receiver.answers else 200, b"")

            def _answer(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  its name there
                pass

        return Handler


@dataclass(frozen=True, slots=True)
class Worker:
    """Carries out what is queued, with the queue's own verbs."""

    house: House
    reframer: Reframer
    fetcher: Fetcher
    tell: CallbackSender
    free: threading.Lock

    def work(self, stop: threading.Event) -> None:
        """One job after the other, until told to stop."""
        while not stop.wait(0.02):
            query = sa.select(JOBS.c.id).where(JOBS.c.status == Status.QUEUED.value)
            with self.house.api.engine.connect() as connection:
                ids = list(connection.execute(query.order_by(JOBS.c.created_at)).scalars())
            for job_id in ids:
                with self.free:
                    ended = self._carry_out(job_id)
                again = self.tell(ended)
                while again is not None:  # at once: nobody waits for the pauses here
                    again = self.tell(ended, past=again.past)

    def _carry_out(self, job_id: str) -> Job:
        queue = self.house.queue
        try:
            job = queue.begin(job_id, "worker-1")
            outputs = self._reframe(job)
        except ReframeError as error:
            return queue.fail(job_id, Failure(error.code, error.detail))
        return queue.finish(job_id, outputs, gpu_seconds=0.5, seconds={})

    def _reframe(self, job: Job) -> list[Output]:
        store, requests = self.house.store, job.order.requests()
        fetch_sources(job.order, job.id, lambda: None, store, self.fetcher)
        (source,) = gather(job.order, job.id, store)
        made = self.reframer(store.read(source.blob), requests)
        return [self._publish(job, number, reframed) for number, reframed in enumerate(made)]

    def _publish(self, job: Job, number: int, reframed: Reframed) -> Output:
        file, size = reframed.file, reframed.plan.target
        prefix = "volatile/" if job.order.volatile else ""
        blob = f"{prefix}outputs/{job.id}/{number}{file.format.extension}"
        self.house.store.put(blob, file.data)
        return Output(
            blob=blob,
            file_name="portrait.png",
            media_type=file.format.media_type,
            width=size.width,
            height=size.height,
            bytes=len(file.data),
            sha256=hashlib.sha256(file.data).hexdigest(),
            source=0,
            target=0,
            variant=number,
            record=reframed.to_json(),
        )


@dataclass(frozen=True, slots=True)
class Live:
    """The server's address, a key, more keys, and the receiver."""

    url: str
    secret: str
    keys: KeyStore
    receiver: Receiver
    house: House
    rest: Callable[[], AbstractContextManager[Any]]
    """While this is entered, nothing that is queued begins."""

    def inputs(self, **given: Any) -> dict[str, Any]:
        """The inputs of a run whose picture the receiver serves."""
        return {"image": f"{self.receiver.url}/portrait.png", "aspect_ratio": "16:9", **given}


@contextmanager
def open_house(folder: Path) -> Iterator[Live]:
    """Everything, until the end of the block."""
    url = database_url(folder, None)
    prepare_database(url)
    engine = open_database(url)
    keys = KeyStore(engine)
    _, secret = keys.create("studio")
    settings = Settings(data=folder, min_free=0, allow_private_hosts=True, allow_http=True)
    house = House(Api(create_app(settings), engine, keys, folder, secret))
    with _receiving() as receiver, _serving(house) as address, _working(house, address) as free:
        receiver.files["/portrait.png"] = PORTRAIT
        receiver.files["/words.png"] = b"no picture at all"
        yield Live(address, secret, keys, receiver, house, lambda: free)
    shutil.rmtree(memory_folder_of(folder / "pictures", SHARED_MEMORY), ignore_errors=True)
    engine.dispose()


@contextmanager
def _receiving() -> Iterator[Receiver]:
    receiver = Receiver()
    with ThreadingHTTPServer(("127.0.0.1", 0), receiver.handler()) as server:
        receiver.url = f"http://127.0.0.1:{server.server_port}"
        with _thread(partial(server.serve_forever, 0.05), server.shutdown):
            yield receiver


@contextmanager
def _serving(house: House) -> Iterator[str]:
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(house.api.app, log_config=None, access_log=False)
    server = uvicorn.Server(config)
    with _thread(partial(server.run, [listener]), partial(setattr, server, "should_exit", True)):
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@contextmanager
def _working(house: House, address: str) -> Iterator[threading.Lock]:
    fetcher = Fetcher(EgressPolicy.parse(private=True, http=True), 1_000_000, 5)
    engine = house.api.engine
    links = Links(load_secret(house.api.data / "links.secret"), 60)
    tell = CallbackSender(
        History(engine),
        make_style(CallbackSecrets(engine)),
        fetcher.post,
        lambda output: address + links.path(output.blob, output.file_name),
        sleep=lambda _: None,
        styles={MODEL: STYLE},
    )
    stop, free = threading.Event(), threading.Lock()
    worker = Worker(house, Reframer(load_engine(EngineName.PREVIEW)), fetcher, tell, free)
    with _thread(partial(worker.work, stop), stop.set):
        yield free


@contextmanager
def _thread(work: Callable[[], object], stop: Callable[[], object]) -> Iterator[None]:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop()
        thread.join(10)

"""The whole house with the door of fal in it: the API in a thread, a real worker in a process."""

import multiprocessing
import os
import shutil
import signal
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import sqlalchemy as sa
import uvicorn
from fastapi import FastAPI
from pysqlite3 import OperationalError

from pipelines import preview
from server.access.key_store import KeyStore
from server.api.app import SILENCE, create_app
from server.callbacks.sender import CallbackSender
from server.database.engine import database_url, open_database
from server.doors.fal.signing_key import find_signing_key
from server.doors.fal.webhook import make_style
from server.doors.fal.wish import MODEL
from server.images.memory_folder import SHARED_MEMORY, memory_folder_of
from server.images.stores import FOLDER
from server.jobs.workers import live_workers
from server.settings import Settings
from server.work.__main__ import probe
from server.work.fittings import Fittings, open_fittings
from server.work.preparation import prepare_database
from server.work.worker import Equipment, Worker


@dataclass(frozen=True, slots=True)
class House:
    """A running one, and the secret of a key to it."""

    app: FastAPI
    url: str
    secret: str
    engine: sa.Engine
    worker: int

    @contextmanager
    def rest(self) -> Iterator[None]:
        """During the block, nothing that is queued begins, and all else goes on."""
        os.kill(self.worker, signal.SIGSTOP)
        while not self._is_writable():  # the worker was about to write: give it its time
            os.kill(self.worker, signal.SIGCONT)
            time.sleep(0.02)
            os.kill(self.worker, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.worker, signal.SIGCONT)

    def _is_writable(self) -> bool:
        connection = self.engine.raw_connection()
        try:
            cursor = connection.cursor()
            cursor.execute("PRAGMA busy_timeout=100")
            cursor.execute("BEGIN IMMEDIATE")
            cursor.execute("ROLLBACK")
        except OperationalError:
            return False
        else:
            return True
        finally:
            connection.invalidate()


@contextmanager
def open_house(data: Path) -> Iterator[House]:
    """Open until the block ends; pictures and webhooks of this machine are reached, too."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        settings = Settings(
            data=data, port=port, min_free=0, allow_private_hosts=True, allow_http=True
        )
        url = database_url(data, None)
        prepare_database(url)
        engine = open_database(url)
        _, secret = KeyStore(engine).create("studio")
        app = create_app(settings)
        with _working(settings) as worker, serve(app, listener) as address:
            _wait_for_worker(engine)
            yield House(app, address, secret, engine, worker)
        engine.dispose()
    shutil.rmtree(memory_folder_of(data / FOLDER, SHARED_MEMORY), ignore_errors=True)


@contextmanager
def serve(
    app: FastAPI, listener: socket.socket, tls: ssl.SSLContext | None = None
) -> Iterator[str]:
    """The application, until the block ends; its address."""
    config = uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=1)
    config.load()
    config.ssl = tls
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    try:
        yield f"{'https' if tls else 'http'}://localhost:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


@contextmanager
def _working(settings: Settings) -> Iterator[int]:
    """A worker's process; its id."""
    process = multiprocessing.get_context("spawn").Process(target=work, args=(settings,))
    process.start()
    assert process.pid
    try:
        yield process.pid
    finally:
        process.terminate()
        process.join(10)
        process.kill()


def work(settings: Settings) -> None:
    """Be the worker, and one that tells of the end of a request as fal does."""
    log = os.open(settings.data / "worker.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.dup2(log, 1)
    os.dup2(log, 2)
    style = make_style(find_signing_key(settings.data, settings.link_secret))

    def fit(settings: Settings, database: sa.Engine) -> Fittings:
        fittings = open_fittings(settings, database)
        assert isinstance(fittings.deliver, CallbackSender)
        styles = {**fittings.deliver.styles, MODEL: style}
        return replace(fittings, deliver=replace(fittings.deliver, styles=styles))

    Worker(settings, "cpu").run(Equipment(preview.load, fit, probe))


def _wait_for_worker(engine: sa.Engine) -> None:
    deadline = time.monotonic() + 30
    while not live_workers(engine, SILENCE):
        assert time.monotonic() < deadline, "the worker does not come"
        time.sleep(0.05)

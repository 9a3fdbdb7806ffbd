"""A whole server in processes of its own, as an operator starts it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from server.access.key_store import KeyStore
from server.database.engine import database_url, open_database
from server.work.preparation import prepare_database
from tests.house.house import ROOT

READY = "Smart Resize is ready at "


@contextmanager
def serve(data: Path, *options: str) -> Iterator[tuple[str, str]]:
    """Its address and the secret of a key, once it is ready."""
    url = database_url(data, None)
    prepare_database(url)
    engine = open_database(url)
    _, secret = KeyStore(engine).create("tests")
    engine.dispose()
    command = [sys.executable, "-m", "server", "serve", "--port", "0", "--data", str(data)]
    surroundings = {"SMART_RESIZE_MIN_FREE": "0", "SMART_RESIZE_DRAIN": "5"}
    with (data / "log").open("w") as log:
        process = subprocess.Popen(
            [*command, "--allow-private-hosts", *options],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            cwd=ROOT,
            env={**os.environ, **surroundings},  # noqa: TID251  a child needs its surroundings
        )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith(READY), (data / "log").read_text()
        yield line.removeprefix(READY).strip(), secret
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)
        if process.stdout is not None:
            process.stdout.close()

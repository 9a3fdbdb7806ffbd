"""The image and its compose file keep what they promise, as far as no container engine can tell."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.house.dockerfile import PATH, read_environment, read_instructions
from tests.house.house import ROOT

LINTERS = Path(sys.executable).parent
needs_linters = pytest.mark.skipif(
    not (LINTERS / "hadolint").exists() or not (LINTERS / "check-jsonschema").exists(),
    reason="the linters come with make check",
)

COMPOSE = sorted((ROOT / "deploy").glob("compose*.yaml"))


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)


@needs_linters
def test_the_linter_has_nothing_against_the_image() -> None:
    done = run(LINTERS / "hadolint", "--no-color", PATH)
    assert done.returncode == 0, done.stdout


@needs_linters
@pytest.mark.parametrize("path", COMPOSE, ids=lambda path: path.name)
def test_a_compose_file_fits_its_schema(path: Path) -> None:
    done = run(LINTERS / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", "--", path)
    assert done.returncode == 0, done.stdout


def test_nothing_is_copied_into_the_image_but_what_is_named() -> None:
    """A list of what may come in cannot let weights, pictures or the history through."""
    first, *rest = [
        line
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    let_in = {line.removeprefix("!") for line in rest if line.startswith("!")}
    copied = {
        source for step in read_instructions() if step.name == "COPY" for source in step.words[:-1]
    }
    assert first == "*"
    assert let_in == copied
    assert all((ROOT / name).exists() for name in copied)
    assert not any(step.name == "ADD" for step in read_instructions())


def test_the_image_runs_as_a_numbered_nobody_who_shadows_nothing_and_downloads_nothing() -> None:
    steps = read_instructions()
    user = next(step.text for step in reversed(steps) if step.name == "USER")
    assert user == "10001:10001"
    environment = read_environment()
    assert environment["PYTHONSAFEPATH"] == "1"
    assert environment["HF_HUB_OFFLINE"] == environment["TRANSFORMERS_OFFLINE"] == "1"


def test_weights_and_data_lie_in_volumes() -> None:
    (volumes,) = [step.words for step in read_instructions() if step.name == "VOLUME"]
    assert volumes == ["/weights", "/data"]
    environment = read_environment()
    assert environment["SMART_RESIZE_WEIGHTS"] == "/weights"
    assert environment["SMART_RESIZE_DATA"] == "/data"
    for name in ("TORCHINDUCTOR_CACHE_DIR", "TRITON_CACHE_DIR"):
        assert environment[name].startswith("/data/")


def test_every_base_image_has_a_version() -> None:
    bases = [step.words[0] for step in read_instructions() if step.name == "FROM"]
    stages = [step.words[2] for step in read_instructions() if "AS" in step.words]
    outside = [base for base in bases if base not in stages]
    assert outside
    assert all(base.rpartition(":")[2][0].isdigit() for base in outside)


@contextmanager
def serve(status: int) -> Iterator[int]:
    """A server that answers GET /healthz with ``status``; its port."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/healthz" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def probe(port: int) -> int:
    """The image's own health check, asked of ``port``; a proxy in the environment is no way."""
    (check,) = [step.text for step in read_instructions() if step.name == "HEALTHCHECK"]
    _, _, command = check.partition("CMD ")
    python, *arguments = json.loads(command.replace(":8000/", f":{port}/"))
    assert python == "python"
    environment = {"http_proxy": "http://127.0.0.1:9", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [sys.executable, *arguments], env=environment, check=False, capture_output=True
    )
    return done.returncode


@pytest.mark.parametrize(("status", "healthy"), [(200, True), (503, False), (404, False)])
def test_the_health_check_believes_only_a_good_answer(status: int, *, healthy: bool) -> None:
    with serve(status) as port:
        assert (probe(port) == 0) is healthy


def test_nobody_there_is_not_healthy() -> None:
    with serve(200) as port:
        pass
    assert probe(port) == 1

"""A command line in this process, and a picture to give it."""

import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from server.cli import main
from tests.drawings import draw_object_on_white, to_png
from tests.server.console import Call, Done


@pytest.fixture
def call(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> Iterator[Call]:
    """The command line in this process: starting one costs more than most of its work.

    What it says of its logs does not outlive the test, nor the streams that it says it to.
    """
    root = logging.getLogger()
    handlers, level, known = root.handlers, root.level, structlog.get_config()

    def run(*arguments: str | Path) -> Done:
        monkeypatch.setattr(sys, "argv", ["smart-resize", *map(str, arguments)])
        code = 0
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        streams = capfdbinary.readouterr()
        return Done(code, streams.out, streams.err)

    yield run
    root.handlers = handlers
    root.setLevel(level)
    structlog.configure(**known)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    path.write_bytes(to_png(draw_object_on_white(90, 60)))
    return path

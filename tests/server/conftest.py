"""A command line in this process, and a picture to give it."""

import sys
from pathlib import Path

import pytest

from server.cli import main
from tests.drawings import draw_object_on_white, to_png
from tests.server.console import Call, Done


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]) -> Call:
    """The command line in this process: starting one costs more than most of its work."""

    def run(*arguments: str | Path) -> Done:
        monkeypatch.setattr(sys, "argv", ["smart-resize", *map(str, arguments)])
        code = 0
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        streams = capfdbinary.readouterr()
        return Done(code, streams.out, streams.err)

    return run


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    path.write_bytes(to_png(draw_object_on_white(90, 60)))
    return path

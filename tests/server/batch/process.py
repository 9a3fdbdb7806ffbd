"""A batch in a process of its own, heard by its records."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.house.house import ROOT


class Process:
    """One that runs; its records come as they are printed."""

    def __init__(self, popen: subprocess.Popen[str]) -> None:
        self._popen = popen

    def read(self, count: int) -> list[dict[str, Any]]:
        """The next records; fewer where it ends."""
        assert self._popen.stdout is not None
        lines = (self._popen.stdout.readline() for _ in range(count))
        return [json.loads(line) for line in lines if line]

    def kill(self) -> None:
        self._popen.kill()
        self._popen.wait(30)

    def tell(self, number: signal.Signals) -> int:
        """Send a signal; the exit code that follows."""
        self._popen.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        assert self._popen.stdout is not None
        for _ in self._popen.stdout:
            pass
        return self._popen.wait(60)


@contextmanager
def start(*arguments: str | Path, **surroundings: str) -> Iterator[Process]:
    """``smart-resize batch ... --json``; killed at the end, if it still runs."""
    command = [sys.executable, "-m", "server", "batch", *map(str, arguments), "--json"]
    environment: Mapping[str, str] = {**os.environ, **surroundings}  # noqa: TID251  a child needs it
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    ) as popen:
        try:
            yield Process(popen)
        finally:
            popen.kill()

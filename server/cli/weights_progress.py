"""How far a command of ``smart-resize weights`` is: bars on a terminal, lines elsewhere."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from pipelines.weights.digest import Meter
from server.cli.report import open_stderr


class Gauge:
    """Gives out meters; each has a bar of its own, or the lines of all follow one another."""

    def __init__(self, console: Console, bars: Progress) -> None:
        self._console, self._bars = console, bars
        self._begun: tuple[str, str] | None = None
        self._since, self._count = 0.0, 0

    def measure(self, verb: str, total: int | None) -> Meter:
        """A meter of ``total`` bytes, or of nobody knows how many."""
        if not self._console.is_terminal:
            return lambda path, count: self._tell(verb, path, count)
        task = self._bars.add_task(verb, total=total)
        return lambda path, count: self._bars.update(
            task, advance=count, description=f"{verb} {path}"
        )

    def end(self) -> None:
        """The file that was begun last is done."""
        if self._begun:
            seconds = time.monotonic() - self._since
            self._say(f"{' '.join(self._begun)}: {format_bytes(self._count)} in {seconds:.0f} s")
        self._begun = None

    def _tell(self, verb: str, path: str, count: int) -> None:
        if count == 0 and self._begun != (verb, path):
            self.end()
            self._begun, self._since, self._count = (verb, path), time.monotonic(), 0
            self._say(f"{verb} {path} ...")
        elif self._begun == (verb, path):
            self._count += count

    def _say(self, text: str) -> None:
        self._console.print(text, markup=False)


@contextmanager
def show_progress() -> Iterator[Gauge]:
    """Progress is shown within, on stderr; a file that failed has no second line."""
    console = open_stderr()
    text = TextColumn("{task.description}")
    columns = (text, BarColumn(), DownloadColumn(), TransferSpeedColumn())
    quiet = not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=quiet) as bars:
        gauge = Gauge(console, bars)
        yield gauge
        gauge.end()


def format_bytes(count: int) -> str:
    """As people say it, like 6.94 GB."""
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            return f"{count / size:.2f} {unit}"
    return f"{count} B"

"""What a batch says while it works, and at its end."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from server.batch.ledger import Entry
from server.cli.report import open_stderr, printable

QUIET = 10.0
"""Seconds between two lines where nobody sees a bar."""


class BatchReport:
    """Hears of every output, from several threads; records go to stdout, words to stderr."""

    def __init__(self, *, json_lines: bool) -> None:
        """``json_lines``: one JSON object a line on stdout."""
        self.made = self.skipped = self.failed = self.doubtful = 0
        self._json_lines = json_lines
        self._console = open_stderr()
        self._turn = threading.Lock()
        self._bar: Progress | None = None
        self._total = 0
        self._since = self._told = time.monotonic()

    def __call__(self, entry: Entry, *, skipped: bool) -> None:
        """One output is done, was done before, or failed."""
        with self._turn:
            self.made += not (skipped or entry.error)
            self.skipped += skipped
            self.failed += bool(entry.error)
            self.doubtful += bool(entry.needs_review)
            if self._json_lines:
                typer.echo(json.dumps({**_record(entry), "skipped": skipped}))
            if entry.error:
                self.say(f"{entry.input}: {entry.output}: {entry.detail} ({entry.error})")
            self._advance(entry)

    def say(self, words: str) -> None:
        """A line on stderr."""
        self._console.print(printable(words), markup=False)

    def begin_more(self, outputs: int) -> None:
        """So many outputs more are to be done."""
        self._total += outputs
        if self._bar:
            self._bar.update(self._bar.task_ids[0], total=self._total)

    @contextmanager
    def bar(self) -> Iterator[None]:
        """Show how far it is and the time left: a bar on a terminal, else a line at times."""
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
        )
        console = self._console
        quiet = not console.is_terminal
        with Progress(*columns, console=console, transient=True, disable=quiet) as bar:
            bar.add_task("", total=self._total or None)
            self._bar = bar
            yield
        self._bar = None

    def summarise(self) -> str:
        """What was done, in one line."""
        minutes, seconds = divmod(round(time.monotonic() - self._since), 60)
        took = f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
        words = [f"{self.made} made", f"{self.skipped} were there", f"{self.failed} failed"]
        words += [f"{self.doubtful} to be reviewed"] if self.doubtful else []
        return f"{', '.join(words)} in {took}"

    def _advance(self, entry: Entry) -> None:
        done = self.made + self.skipped + self.failed
        if self._bar:
            self._bar.update(self._bar.task_ids[0], advance=1, description=entry.input)
        now = time.monotonic()
        if not self._console.is_terminal and now - self._told > QUIET and done < self._total:
            self._told = now
            worked = self.made + self.failed
            left = (now - self._since) / worked * (self._total - done) if worked else 0
            self.say(f"{done} of {self._total}, about {left / 60:.0f} min left")


def _record(entry: Entry) -> dict[str, object]:
    record = asdict(entry)
    record["extras"] = [path for path, _ in entry.extras]
    error = {"code": entry.error, "detail": entry.detail} if entry.error else None
    del record["detail"], record["failures"]
    return {**record, "preset": entry.preset or None, "error": error}

"""What a command says while it works: records on stdout, words and errors on stderr."""

import json
from typing import Any

import typer
from rich.console import Console

from pipelines.errors import ReframeError


def open_stderr() -> Console:
    """Where words go, for stdout may carry a picture; printed as they are."""
    return Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)


def printable(text: str) -> str:
    """``text`` in which a terminal finds nothing to obey: names of files hold anything."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape", "replace").decode()
        for letter in text
    )


class Report:
    """Says everything once, in the way that was asked for; counts the failures."""

    def __init__(self, *, json_lines: bool, words_are_the_result: bool = False) -> None:
        """``json_lines``: one JSON object a line on stdout instead of words.

        Words go to stderr, for stdout may carry a picture, unless they are what was asked for.
        """
        self.console = open_stderr()
        self.failures = 0
        self._warned: set[tuple[str, str]] = set()
        self._json_lines = json_lines
        self._words_are_the_result = words_are_the_result

    def tell(self, words: str, record: dict[str, Any]) -> None:
        """One thing is done: ``words`` for people or ``record`` for programs."""
        lines = "\n".join(map(printable, words.split("\n")))
        if self._json_lines:
            typer.echo(json.dumps(record))
        elif self._words_are_the_result:
            typer.echo(lines)
        else:
            self.console.print(lines, markup=False)

    def warn(self, name: str, warning: str) -> None:
        """Something did not go as wished; what is true of several outputs is said once."""
        if (name, warning) not in self._warned:
            self._warned.add((name, warning))
            self.console.print(printable(f"{name}: warning: {warning}"), markup=False)

    def fail(self, name: str, error: ReframeError) -> None:
        """One source could not be used; the others go on."""
        self.failures += 1
        if self._json_lines:
            problem = {"code": error.code, "detail": error.detail}
            typer.echo(json.dumps({"input": name, "error": problem}))
        self.console.print(printable(f"{name}: {error.detail} ({error.code})"), markup=False)

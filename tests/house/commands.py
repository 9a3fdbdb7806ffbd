"""Command lines as the program reads them, without doing what they say."""

from collections.abc import Sequence

from typer.testing import CliRunner

from server.cli import app


def is_command(words: Sequence[str]) -> bool:
    """Whether the program has such a command with such options; their values are not looked at."""
    return CliRunner().invoke(app, [*words, "--help"]).exit_code == 0

"""Writes the pages that are made from the code: ``python -m docs.generate``.

``docs/cli.md`` is the command line's own help, ``docs/errors.md`` the error tree with its codes,
``docs/settings.md`` the server's settings.
A test compares the pages with what this would write.
"""

import inspect
from pathlib import Path

from typer.testing import CliRunner

from docs.presets_page import write_presets
from pipelines import errors
from pipelines.errors import ReframeError
from server import errors as server_errors
from server.answers import ANSWERS
from server.cli import app, exit_code
from server.settings import Settings

COMMANDS = (
    "run",
    "batch",
    "plan",
    "serve",
    "work",
    "doctor",
    "weights list",
    "weights lock",
    "weights fetch",
    "weights verify",
    "weights licence",
    "weights bundle export",
    "weights bundle import",
    "presets list",
    "presets show",
    "keys create",
    "keys list",
    "keys revoke",
)
FOLDER = Path(__file__).parent


def write_cli() -> str:
    """The help of every command."""
    parts = [
        "# Command line",
        "Made by `make docs` from the program's own help.",
        *(f"## {name}\n\n```text\n{_help(name)}\n```" for name in COMMANDS),
        inspect.cleandoc(
            """
            ## Exit codes

            | code | meaning |
            |---|---|
            | 0 | all done |
            | 1 | a picture could not be read, reframed or written |
            | 2 | an option is wrong |
            | 3 | the engine or its weights are not available, or failed |
            | 130 | interrupted |
            """
        ),
    ]
    return "\n\n".join(parts) + "\n"


def _help(name: str) -> str:
    environment = {"COLUMNS": "96", "TERM": "dumb"}
    result = CliRunner().invoke(
        app, [*name.split(), "--help"], prog_name="smart-resize", env=environment
    )
    return "\n".join(line.rstrip() for line in result.output.strip().splitlines())


def write_errors() -> str:
    """Every error with its code, exit code and text."""
    rows = []
    for kind in all_errors():
        again = "yes" if kind.retryable else "no"
        status, wire = ANSWERS[kind.code]
        code, words = f"`{kind.code}`", (inspect.getdoc(kind) or "").partition("\n")[0]
        cells = (code, kind.__name__, exit_code(kind()), f"{status} `{wire}`", again, words)
        rows.append("| " + " | ".join(map(str, cells)) + " |")
    head = [
        "# Errors",
        "",
        "Made by `make docs` from the trees in `pipelines/errors.py` and `server/errors.py`.",
        "Codes are stable; the text of an error says more about the case at hand.",
        "",
        "| code | class | exit code | HTTP | another try may help | meaning |",
        "|---|---|---|---|---|---|",
    ]
    return "\n".join(head + rows) + "\n"


def write_settings() -> str:
    """Every setting of the server with its variable, default and meaning."""
    rows = []
    for name, field in Settings.model_fields.items():
        default = "" if field.default in {None, ()} else f"`{field.default}`"
        rows.append(f"| `SMART_RESIZE_{name.upper()}` | {default} | {field.description} |")
    head = [
        "# Settings of the server",
        "",
        "Made by `make docs` from `server/settings.py`.",
        "A flag of `serve` or `work` goes before the environment, that before the default.",
        "",
        "| variable | default | meaning |",
        "|---|---|---|",
    ]
    return "\n".join(head + rows) + "\n"


def all_errors() -> list[type[ReframeError]]:
    """Every class of both trees, in the order of the source."""
    found = [*vars(errors).values(), *vars(server_errors).values()]
    kinds = [kind for kind in found if inspect.isclass(kind) and issubclass(kind, ReframeError)]
    return list(dict.fromkeys(kinds))


def main() -> None:
    """Write the pages."""
    (FOLDER / "cli.md").write_text(write_cli(), "utf-8")
    (FOLDER / "errors.md").write_text(write_errors(), "utf-8")
    (FOLDER / "settings.md").write_text(write_settings(), "utf-8")
    (FOLDER / "presets.md").write_text(write_presets(), "utf-8")


if __name__ == "__main__":
    main()

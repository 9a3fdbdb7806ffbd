"""The command line: parse, call one thing, print."""

import importlib.metadata
import os
import sys
from typing import Annotated

import typer

from pipelines.errors import InvalidOption, ModelError, ReframeError, WeightsError
from server.cli import keys, presets, weights
from server.cli.batch import batch
from server.cli.doctor import doctor
from server.cli.plan import plan
from server.cli.report import open_stderr, printable
from server.cli.run import run
from server.cli.serve import serve
from server.cli.work import work

app = typer.Typer(
    name="smart-resize",
    no_args_is_help=True,
    invoke_without_command=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def smart_resize(
    *,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and end.", is_eager=True)
    ] = False,
) -> None:
    """Reframe pictures: what was given is kept, only what is new is painted."""
    if version:
        typer.echo(f"smart-resize {importlib.metadata.version('smart-resize')}")
        raise typer.Exit


app.command()(run)
app.command()(batch)
app.command()(plan)
app.command()(serve)
app.command()(work)
app.command()(doctor)
app.add_typer(weights.app, name="weights")
app.add_typer(keys.app, name="keys")
app.add_typer(presets.app, name="presets")


def main() -> None:
    """Run one command; an error is one line on stderr and an exit code.

    0: all done. 1: a picture could not be reframed. 2: an option is wrong. 3: the engine or its
    weights are not available. 130: interrupted.
    """
    try:
        ended = app(standalone_mode=False)
    except ReframeError as error:
        _complain(f"{error.detail} ({error.code})")
        sys.exit(exit_code(error))
    except typer.TyperException as error:
        # the parser's own errors name the option only here
        words = getattr(error, "format_message", error.__str__)()
        if words:  # help that nobody asked for has none
            _complain(" ".join(words.replace("Value error, ", "").split()))
        sys.exit(2)
    except (KeyboardInterrupt, typer.Abort):
        sys.exit(130)
    except OSError as error:  # a stream that closed, a name that no file can have
        _complain((error.strerror or "failed").lower())
        os._exit(1)  # flushing what cannot be written would fail once more
    sys.exit(ended if isinstance(ended, int) else 0)


def _complain(words: str) -> None:
    open_stderr().print(printable(f"smart-resize: {words}"), markup=False)


def exit_code(error: ReframeError) -> int:
    """The process's answer to an error."""
    match error:
        case InvalidOption():
            return 2
        case ModelError() | WeightsError():
            return 3
        case _:
            return 1

"""What ``smart-resize weights`` says of models on stdout: a table, lines, or JSON."""

import json
from collections.abc import Sequence

import typer

from pipelines.weights.licences import licence_of, read_acceptances
from pipelines.weights.store import Store
from pipelines.weights.verify import Report, State
from server.cli.weights_progress import format_bytes


def print_table(reports: Sequence[Report], store: Store) -> None:
    """A line per model, with what stands between it and this machine."""
    accepted = read_acceptances(store)
    rows = [("role", "model", "licence", "size", "state")]
    for report in reports:
        model = report.model
        state = report.summary + " (optional)" * model.optional
        licence = model.licence
        if not licence_of(model).is_free_of_conditions:
            licence += " (accepted)" if licence in accepted else " (to be accepted)"
        rows.append((model.role, model.repository, licence, format_bytes(model.size), state))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        typer.echo("  ".join(cells).rstrip())


def print_json(reports: Sequence[Report], store: Store) -> None:
    """Every fact of every model."""
    accepted = read_acceptances(store)
    lines = []
    for report in reports:
        licence = licence_of(report.model)
        facts = {
            "accepted": licence.is_free_of_conditions or licence.id in accepted,
            "folder": str(store.folder_of(report.model)),
        }
        lines.append(report.to_json() | facts)
    typer.echo(json.dumps(lines, indent=2))


def print_report(report: Report, store: Store) -> None:
    """A line for a model, and one for each file that is not as it should be."""
    model = report.model
    size = format_bytes(model.size)
    typer.echo(f"{model.role}: {report.summary}, {count_of(model.files, 'file')}, {size}")
    if report.summary != "missing":
        for finding in report.problems:
            words = f"  {finding.path}: {finding.state.value}"
            if finding.state in (State.EXTRA, State.FOLDER):
                words += f"; delete {store.folder_of(model) / finding.path}"
            typer.echo(words)


def count_of(things: Sequence[object], noun: str) -> str:
    """As in ``1 file`` and ``2 files``."""
    return f"{len(things)} {noun}" + "s" * (len(things) != 1)

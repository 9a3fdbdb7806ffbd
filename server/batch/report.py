"""What a batch made, to look at: ``report.csv``, and ``report.html`` in pages with thumbnails."""

import html
from collections.abc import Iterator, Sequence
from importlib.resources import files
from itertools import groupby
from pathlib import Path
from string import Template
from urllib.parse import quote

from server.batch.ledger import HOUSE, Entry
from server.batch.table import write_table
from server.batch.thumbnails import THUMBNAILS, name_of
from server.batch.whole_file import write_whole

PER_PAGE = 300
"""Outputs, unless one source has more."""


def write_report(folder: Path, entries: Sequence[Entry], summary: str) -> None:
    """Write both into the output folder; raises OutputUnwritable.

    A page asks for nothing but the thumbnails beside it, and for those only when they are seen.
    """
    write_whole(folder / "report.csv", write_table(entries))
    pages = list(_paginate(entries)) or [[]]
    names = ["report.html", *(f"report-{number}.html" for number in range(2, len(pages) + 1))]
    template = Template(files("server.batch").joinpath("report.html").read_text("utf-8"))
    for number, page in enumerate(pages, 1):
        text = template.substitute(
            number=number,
            count=len(pages),
            summary=html.escape(summary),
            pages=_navigation(names, number) if len(names) > 1 else "",
            sections="\n".join(_section(folder, group) for group in _by_input(page)),
        )
        write_whole(folder / names[number - 1], text.encode("utf-8", "replace"))
    for old in folder.glob("report-*.html"):
        if old.name not in names:
            old.unlink()


def _paginate(entries: Sequence[Entry]) -> Iterator[list[Entry]]:
    page: list[Entry] = []
    for group in _by_input(entries):
        if page and len(page) + len(group) > PER_PAGE:
            yield page
            page = []
        page = page + group
    if page:
        yield page


def _by_input(entries: Sequence[Entry]) -> Iterator[list[Entry]]:
    for _, group in groupby(entries, key=lambda entry: entry.input):
        yield list(group)


def _navigation(names: Sequence[str], here: int) -> str:
    links = (
        f"<b>{number}</b>" if number == here else f'<a href="{name}">{number}</a>'
        for number, name in enumerate(names, 1)
    )
    return " ".join(links)


def _section(folder: Path, group: Sequence[Entry]) -> str:
    name = _text(group[0].input)
    source = next((entry.source for entry in group if entry.source), "")
    figures = [_figure(folder, "source", source, "", [])] if source else []
    figures += [_output(folder, entry) for entry in group]
    return f"<h2>{name}</h2>\n<section>\n" + "\n".join(figures) + "\n</section>"


def _output(folder: Path, entry: Entry) -> str:
    if entry.error:
        words = [f"failed: {entry.detail} ({entry.error})"]
        return _figure(folder, entry.output, "", "failed", words)
    words = [entry.size + (f", {entry.preset}" if entry.preset else "")]
    words.append(f"{entry.painted or 0:.0%} painted, {entry.cropped or 0:.0%} cropped")
    words.append(f"{entry.bytes / 1000:.0f} kB, {entry.seconds:.2f} s")
    words += ["needs review"] if entry.needs_review else []
    words += [f"warning: {warning}" for warning in entry.warnings]
    return _figure(folder, entry.output, entry.sha256, "review" * bool(entry.needs_review), words)


def _figure(folder: Path, title: str, digest: str, kind: str, words: Sequence[str]) -> str:
    """Title and words are escaped here; a title that is a file is a link to it."""
    thumbnail = Path(HOUSE, THUMBNAILS, name_of(digest)) if digest else None
    picture = ""
    if thumbnail and (folder / thumbnail).exists():
        picture = f'<img src="{thumbnail.as_posix()}" alt="" loading="lazy">'
    named = f'<a href="{_address(title)}">{_text(title)}</a>' if kind != "failed" else _text(title)
    if title == "source":
        named = title
    lines = "".join(f"<li>{_text(line)}</li>" for line in words)
    start = f'<figure class="{kind}">' if kind else "<figure>"
    return f"{start}{picture}<figcaption>{named}<ul>{lines}</ul></figcaption></figure>"


def _text(text: str) -> str:
    """A file name may hold bytes that are no text."""
    return html.escape(text.encode("utf-8", "replace").decode())


def _address(path: str) -> str:
    """Relative, also where a name looks like a scheme."""
    return "./" + quote(path.encode("utf-8", "surrogateescape"))

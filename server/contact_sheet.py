"""All outputs on one page to look at: an HTML file that needs nothing else, and a PNG beside it."""

import base64
import html
import io
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template

from PIL import Image, ImageDraw, ImageFont

from pipelines.reframed import Reframed

THUMBNAIL = (420, 420)
COLUMNS = 5
GAP = 20
CAPTION = 44
INK = (34, 36, 40)
PAPER = (246, 246, 244)


@dataclass(frozen=True, slots=True)
class _Tile:
    title: str
    lines: tuple[str, ...]
    thumbnail: Image.Image


class ContactSheet:
    """Collects outputs; nothing is written until one asks for the page or the picture."""

    def __init__(self) -> None:
        """Start empty."""
        self._tiles: list[_Tile] = []
        self._sources: set[str] = set()

    def add(self, name: str, path: Path, reframed: Reframed) -> None:
        """Add an output under its file name, after its source ``name`` where that is new."""
        source = reframed.source
        if source.sha256 not in self._sources:
            self._sources.add(source.sha256)
            lines = (f"source, {reframed.plan.source}", *source.notes)
            self._tiles.append(_Tile(_readable(name), lines, _shrink(source.picture)))
        with Image.open(io.BytesIO(reframed.file.data)) as picture:
            self._tiles.append(_Tile(_readable(path.name), _captions(reframed), _shrink(picture)))

    def to_html(self) -> bytes:
        """A page that holds everything it shows."""
        template = Template(files("server").joinpath("contact_sheet.html").read_text("utf-8"))
        figures = "\n".join(_figure(tile) for tile in self._tiles)
        return template.substitute(figures=figures).encode("utf-8", "replace")

    def to_png(self) -> bytes:
        """The same as one picture."""
        file = io.BytesIO()
        self._draw().save(file, "PNG")
        return file.getvalue()

    def _draw(self) -> Image.Image:
        columns = min(COLUMNS, max(1, len(self._tiles)))
        rows = [
            self._tiles[start : start + columns] for start in range(0, len(self._tiles), columns)
        ]
        heights = [max(tile.thumbnail.height for tile in row) + CAPTION for row in rows]
        width = columns * (THUMBNAIL[0] + GAP) + GAP
        sheet = Image.new("RGB", (width, sum(heights) + GAP * (len(rows) + 1)), PAPER)
        pen, font, y = ImageDraw.Draw(sheet), ImageFont.load_default(14), GAP
        for row, height in zip(rows, heights, strict=True):
            for column, tile in enumerate(row):
                x = GAP + column * (THUMBNAIL[0] + GAP)
                sheet.paste(tile.thumbnail, (x, y))
                caption = "\n".join((tile.title, tile.lines[0]))
                pen.text((x, y + tile.thumbnail.height + 4), caption, fill=INK, font=font)
            y += height + GAP
        return sheet


def _readable(name: str) -> str:
    """A file name may hold bytes that are no text."""
    return name.encode("utf-8", "replace").decode()


def _shrink(picture: Image.Image) -> Image.Image:
    """At most 420 px either way, transparency on white."""
    small = picture.convert("RGBA")
    small.thumbnail(THUMBNAIL)
    white = Image.new("RGB", small.size, "white")
    white.paste(small, mask=small)
    return white


def _captions(reframed: Reframed) -> tuple[str, ...]:
    plan = reframed.plan
    return (
        f"{plan.target}  {plan.painted_fraction:.0%} painted, {plan.lost_fraction:.0%} cropped",
        f"engine {reframed.engine}, fill {reframed.fill or 'none'}, seed {reframed.seed}",
        f"{len(reframed.file.data) / 1000:.0f} kB, {sum(reframed.seconds.values()):.2f} s",
        *plan.reasons,
        *(f"warning: {warning}" for warning in reframed.warnings),
    )


def _figure(tile: _Tile) -> str:
    data = io.BytesIO()
    tile.thumbnail.save(data, "JPEG", quality=88)
    source = base64.b64encode(data.getvalue()).decode("ascii")
    lines = "".join(f"<li>{html.escape(line)}</li>" for line in tile.lines)
    title = html.escape(tile.title)
    width, height = tile.thumbnail.size
    return (
        f'<figure><img src="data:image/jpeg;base64,{source}" alt="{title}" width="{width}" '
        f'height="{height}"><figcaption><b>{title}</b><ul>{lines}</ul></figcaption></figure>'
    )

"""The options of run, plan and batch: what to paint, what to write, and who works."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from pipelines.codec.encode import Format
from pipelines.codec.limits import Limits
from pipelines.engine import Mode
from pipelines.export.wishes import Alpha, Extra, Metadata
from pipelines.fill import Fill
from pipelines.request import MOST_RETRIES
from pipelines.safety import THRESHOLDS, Safety, SafetyAction
from pipelines.weights.store import DEFAULT_FOLDER
from server.cli.options import OUTPUT, PAINT, option
from server.engines import Supplies
from server.settings import EngineName, Settings

DEFAULT_MEGAPIXELS = Limits().max_pixels / 1e6
DEFAULT_STRICTNESS = Safety().strictness


@dataclass(frozen=True, slots=True)
class PaintOptions:
    """What to paint."""

    fill: Annotated[
        Fill, option("What fills the new area; auto is solid on flat backgrounds.", PAINT)
    ] = Fill.AUTO
    prompt: Annotated[
        str,
        option(
            "What the new area should show; the preview engine cannot read it.",
            PAINT,
            metavar="TEXT",
        ),
    ] = ""
    seed: Annotated[
        int,
        typer.Option(
            min=0,
            max=2**32 - 1,
            metavar="NUMBER",
            help="The same seed gives the same picture.",
            rich_help_panel=PAINT,
        ),
    ] = 0
    mode: Annotated[
        Mode, option("How hard engine sdxl tries; the preview engine has one mode.", PAINT)
    ] = Mode.BALANCED
    retries: Annotated[
        int,
        typer.Option(
            min=0,
            max=MOST_RETRIES,
            help="Paint so often again, where the seam shows or a subject appears twice.",
            rich_help_panel=PAINT,
        ),
    ] = 0
    fallback: Annotated[
        Fill | None, option("What fills instead, where no painting was good.", PAINT)
    ] = None


@dataclass(frozen=True, slots=True)
class FileOptions:
    """What to write."""

    format: Annotated[
        Format | None,
        typer.Option(
            "--format",
            "-f",
            parser=Format.parse,
            metavar="|".join(Format),
            help="As the output's name says, else PNG.",
            rich_help_panel=OUTPUT,
        ),
    ] = None
    quality: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=100,
            metavar="1..100",
            help="Of JPEG, WebP and AVIF.",
            rich_help_panel=OUTPUT,
        ),
    ] = None
    max_bytes: Annotated[
        str | None,
        option("Largest file, like 150kB; quality is lowered to fit.", OUTPUT, metavar="BYTES"),
    ] = None
    alpha: Annotated[Alpha, option("What becomes of transparency.", OUTPUT)] = Alpha.KEEP
    background: Annotated[
        str | None,
        option("What transparency is laid on, like #ffffff.", OUTPUT, metavar="COLOUR"),
    ] = None
    extra: Annotated[
        list[Extra] | None, option("Files beside each output; repeat for more.", OUTPUT)
    ] = None
    metadata: Annotated[
        Metadata, option("What of the source's own metadata goes along.", OUTPUT)
    ] = Metadata.COPYRIGHT
    xmp: Annotated[
        bool,
        option("Say in the file how it was made, in IPTC's words.", OUTPUT, "--xmp/--no-xmp"),
    ] = True
    c2pa: Annotated[
        bool | None,
        option("Sign that, where there is a certificate.", OUTPUT, "--c2pa/--no-c2pa"),
    ] = None
    nsfw: Annotated[
        SafetyAction,
        option(
            "What is done where source or output is not safe for work; the preview engine "
            "cannot tell, so it flags nothing and refuses to block.",
            OUTPUT,
        ),
    ] = SafetyAction.FLAG
    strictness: Annotated[
        int,
        typer.Option(
            min=min(THRESHOLDS),
            max=max(THRESHOLDS),
            metavar="1..6",
            help="How soon a picture counts as not safe for work.",
            rich_help_panel=OUTPUT,
        ),
    ] = DEFAULT_STRICTNESS


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """Who works, and what sources may be."""

    engine: Annotated[EngineName, option("Who describes and paints.", PAINT)] = EngineName.PREVIEW
    weights: Annotated[
        Path, option("Where the weights of engine sdxl are.", PAINT, metavar="DIR")
    ] = DEFAULT_FOLDER
    lock: Annotated[
        Path | None,
        option("Another weights.lock than this installation's.", PAINT, metavar="FILE"),
    ] = None
    max_megapixels: Annotated[
        float,
        typer.Option(
            min=0.001,
            max=10_000,
            metavar="MP",
            help="Refuse sources with more megapixels than this.",
        ),
    ] = DEFAULT_MEGAPIXELS

    def supplies(self, settings: Settings) -> Supplies:
        """What the engine is loaded with; an option goes before the setting."""
        return Supplies(self.weights, self.lock or settings.lock)

"""Files beside an output: what was painted, what was kept, and how it was made."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from PIL import Image, ImageChops

from pipelines.codec.colour import make_srgb_profile
from pipelines.codec.encode import Format
from pipelines.codec.png import encode_png
from pipelines.export.material import Material
from pipelines.export.wishes import Export, Extra
from pipelines.proof import map_difference


@dataclass(frozen=True, slots=True)
class ExtraFile:
    """A file beside an output; ``extension`` has its dot."""

    kind: Extra
    data: bytes
    extension: str
    media_type: str

    def to_json(self) -> dict[str, Any]:
        """What it is, without its bytes, as plain JSON values."""
        sha256 = hashlib.sha256(self.data).hexdigest()
        return {"kind": self.kind.value, "bytes": len(self.data), "sha256": sha256}


def draw_extras(material: Material, wishes: Export) -> Iterator[ExtraFile]:
    """The pictures that are wished for; none is made that is not."""
    if Extra.MASK in wishes.extras:
        yield _save(Extra.MASK, material.composed.mask)
    if Extra.GENERATED in wishes.extras:
        yield _save(Extra.GENERATED, _cut_generated(material))
    if Extra.DIFFERENCE in wishes.extras:
        difference = map_difference(material.composed.output, material.kept, material.plan)
        yield _save(Extra.DIFFERENCE, difference)


def write_record(record: dict[str, Any]) -> ExtraFile:
    """The record of an output as a file, for people as much as for programs."""
    text = json.dumps(record, indent=2, ensure_ascii=False) + "\n"
    return ExtraFile(Extra.RECORD, text.encode(), ".json", "application/json")


def _cut_generated(material: Material) -> Image.Image:
    """As transparent as the mask says, and as the output itself; nothing lies below what is not."""
    composed = material.composed
    cut = Image.new("RGBA", composed.output.size)
    if layer := composed.generated:
        mask = alpha = composed.mask
        if composed.output.mode == "RGBA":
            alpha = ImageChops.multiply(mask, composed.output.getchannel("A"))
        layer.putalpha(alpha)
        cut.paste(layer, mask=mask.point(lambda level: 255 * bool(level)))
    return cut


def _save(kind: Extra, picture: Image.Image) -> ExtraFile:
    profile = None if picture.mode == "L" else make_srgb_profile()
    data = encode_png(picture, profile)
    return ExtraFile(kind, data, Format.PNG.extension, Format.PNG.media_type)

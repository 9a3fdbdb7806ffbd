"""Finished outputs to export, made by the real steps."""

from PIL import Image

from pipelines.canvas import lay_out, resample
from pipelines.codec.decode import Source, decode
from pipelines.compose import compose
from pipelines.export.files import Material
from pipelines.fill import Fill
from pipelines.geometry import Size
from tests.drawings import NOTHING_SEEN, center, draw_meadow, to_png

WEIGHTS = ("maker/model@1a2b3c",)


def draw_cut_out(width: int = 90, height: int = 60) -> Image.Image:
    """A meadow that fades out downward."""
    picture = draw_meadow(width, height)
    picture.putalpha(Image.linear_gradient("L").resize((width, height)).transpose(_UPSIDE))
    return picture


def finish(
    picture: Image.Image | None = None,
    target: Size | None = None,
    *,
    source: Source | None = None,
    fill: Fill | None = Fill.GENERATE,
    models: tuple[str, ...] = (),
) -> Material:
    """A picture in the middle of a larger one, another meadow around it."""
    picture = picture or (source.picture if source else draw_meadow(90, 60))
    size = Size(*picture.size)
    plan = center(size, target or Size(size.width + 60, size.height), feather=8)
    kept = resample(picture, plan)
    canvas = lay_out(kept, plan, NOTHING_SEEN)
    painted = draw_meadow(*plan.canvas, seed=2) if plan.painted else None
    composed = compose(kept, painted, canvas, plan, seed=0)
    source = source or decode(to_png(picture))
    return Material(composed, kept, plan, fill if painted else None, source, "test", models)


_UPSIDE = Image.Transpose.FLIP_TOP_BOTTOM

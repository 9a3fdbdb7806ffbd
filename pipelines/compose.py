"""The generated layer and the source become one picture.

The layer is painted on a canvas of at most 1 MP. Its colours are bent to meet the source's, it is
enlarged to the output, given back the grain that enlarging took, and the source goes on top with
a feathered seam inside its own border. How much of the source shows is a mask of eight bits, and
the blend is Pillow's: whoever has the two layers and the mask gets the same bytes.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageChops

from pipelines.canvas import Canvas, extend_alpha
from pipelines.geometry import Edge, PixelBox, Size
from pipelines.plan import Plan

Floats = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]

FIELD = 96
"""Long side of the coarse grids that tone and grain are measured on."""

SEAM_BAND = 0.06
"""Share of the canvas's short side, inside the source's border, whose colours steer the tone."""

NOTICEABLE = 0.5
"""Tone offsets below this many levels are left alone."""

MOST_GRAIN = 6.0
"""Standard deviation in levels beyond which grain would look like dirt."""


@dataclass(frozen=True, slots=True)
class Composed:
    """A finished output, RGB or RGBA, and what can be taken apart again.

    ``below`` is the generated layer under the source, RGB, and ``share`` how much of the source
    lies over it, mode L, 255 = nothing but the source; both have the size of ``place``, and are
    None where nothing was painted.
    """

    output: Image.Image
    place: PixelBox
    below: Image.Image | None = None
    share: Image.Image | None = None

    @property
    def mask(self) -> Image.Image:
        """Of the output's size, mode L: 255 was painted, 0 is the source, between was blended."""
        if self.share is None:
            return Image.new("L", self.output.size)
        mask = Image.new("L", self.output.size, 255)
        mask.paste(ImageChops.invert(self.share), self.place[:2])
        return mask

    @property
    def generated(self) -> Image.Image | None:
        """The generated layer at the output's size, RGB; None where nothing was painted."""
        if self.below is None:
            return None
        layer = self.output.convert("RGB")
        layer.paste(self.below, self.place[:2])
        return layer


def compose(
    kept: Image.Image, painted: Image.Image | None, canvas: Canvas, plan: Plan, seed: int
) -> Composed:
    """Lay ``kept`` (output px) over ``painted`` (canvas px, RGB); None where nothing is painted.

    The output is RGB, or RGBA when ``kept`` has alpha, of the plan's target size. Outside the seam
    band the pixels inside ``place`` are those of ``kept``.
    """
    if painted is None:
        assert kept.size == plan.target
        return Composed(kept, plan.place)
    assert painted.size == canvas.size
    output = Image.fromarray(_enlarge(_match_tone(painted, canvas), kept, plan, seed))
    below, share = output.crop(plan.place), _measure_share(plan)
    output.paste(kept.convert("RGB"), plan.place[:2], share)
    if kept.mode == "RGBA":
        output.putalpha(extend_alpha(kept, plan))
    return Composed(output, plan.place, below, share)


def make_draft(painted: Image.Image, canvas: Canvas, large: Canvas) -> Image.Image:
    """``painted`` at the size of ``large``, the output's canvas, with the source on top; RGB."""
    layer = cv2.resize(_match_tone(painted, canvas), large.size, interpolation=cv2.INTER_CUBIC)
    draft = Image.fromarray(np.asarray(layer, np.uint8))
    draft.paste(large.picture.crop(large.place), large.place[:2])
    return draft


def _match_tone(painted: Image.Image, canvas: Canvas) -> Pixels:
    """Shift the layer's low-frequency colours by what it got wrong along the source's border."""
    layer = np.asarray(painted)
    left, top, right, bottom = canvas.place
    error = np.asarray(canvas.picture, np.float32)[top:bottom, left:right]
    error = error - layer[top:bottom, left:right]
    weight = _band_weight(canvas)
    if not weight.any() or np.abs(error[weight > 0]).mean() < NOTICEABLE:
        return layer
    field = np.zeros((*layer.shape[:2], 4), np.float32)
    field[top:bottom, left:right, :3] = error * weight[..., None]
    field[top:bottom, left:right, 3] = weight
    offset = _spread(field, canvas.size)
    return _to_pixels(layer + offset)


def _band_weight(canvas: Canvas) -> Floats:
    """1 along the sides of the place that are extended, 0 deeper inside; (h, w) of the place."""
    width, height = canvas.place.size
    gaps = canvas.place.gaps(canvas.size)
    band = max(2, round(SEAM_BAND * canvas.size.short_side))
    weight = np.zeros((height, width), np.float32)
    if gaps[Edge.LEFT]:
        weight[:, :band] = 1
    if gaps[Edge.RIGHT]:
        weight[:, -band:] = 1
    if gaps[Edge.TOP]:
        weight[:band] = 1
    if gaps[Edge.BOTTOM]:
        weight[-band:] = 1
    return weight


def _spread(field: Floats, size: Size) -> Floats:
    """Average of the weighted values nearby, further away of those farther off; (H, W, 3)."""
    shrink = FIELD / size.long_side
    coarse = (max(1, round(size.width * shrink)), max(1, round(size.height * shrink)))
    values = np.asarray(cv2.resize(field, coarse, interpolation=cv2.INTER_AREA), np.float32)
    total = np.zeros_like(values)
    sigma = 1.5
    while sigma < FIELD:
        # narrow blurs weigh more: near the seam its own offset counts, far away the mean
        total += np.asarray(cv2.GaussianBlur(values, (0, 0), sigma), np.float32) / np.float32(sigma)
        sigma *= 2
    offset = total[..., :3] / np.maximum(total[..., 3:], 1e-6)
    return np.asarray(cv2.resize(offset, size, interpolation=cv2.INTER_CUBIC), np.float32)


def _enlarge(layer: Pixels, kept: Image.Image, plan: Plan, seed: int) -> Pixels:
    """To the output's size, with the grain that the source has and enlarging took away."""
    if layer.shape[1::-1] == plan.target:
        return layer.copy()
    large = np.asarray(cv2.resize(layer, plan.target, interpolation=cv2.INTER_CUBIC), np.uint8)
    lost = _grain(kept) - _grain(Image.fromarray(large).crop(plan.place))
    strength = np.sqrt(np.clip(lost, 0, MOST_GRAIN**2))
    rng = np.random.default_rng(seed)
    for region in plan.painted:
        _add_grain(large, region, _grain_beyond(strength, plan, region), rng)
    return large


def _grain(picture: Image.Image) -> Floats:
    """Local energy of the finest detail, levels squared, on a coarse grid."""
    grey = np.asarray(picture.convert("L"), np.float32)
    fine = grey - cv2.GaussianBlur(grey, (0, 0), 1.0)
    width, height = picture.size
    coarse = (max(1, width // 32), max(1, height // 32))
    energy = cv2.resize(fine * fine, coarse, interpolation=cv2.INTER_AREA)
    return np.asarray(energy, np.float32).reshape(coarse[::-1])


def _grain_beyond(strength: Floats, plan: Plan, region: PixelBox) -> Floats:
    """The border's strength carried straight outward over ``region``, (h, w) of the region."""
    rows, columns = strength.shape
    width, height = plan.place.size
    x = (np.arange(region.left, region.right) - plan.place.left) * columns // width
    y = (np.arange(region.top, region.bottom) - plan.place.top) * rows // height
    return strength[np.ix_(np.clip(y, 0, rows - 1), np.clip(x, 0, columns - 1))]


def _add_grain(
    picture: Pixels, region: PixelBox, strength: Floats, rng: np.random.Generator
) -> None:
    spot = picture[region.top : region.bottom, region.left : region.right]
    soft = cv2.blur(strength, (65, 65), borderType=cv2.BORDER_REPLICATE)
    noise = rng.standard_normal(strength.shape, np.float32) * soft
    spot[:] = _to_pixels(spot + noise[..., None])


def _measure_share(plan: Plan) -> Image.Image:
    """How much of the source shows, mode L: inside the seam band it fades in from the layer."""
    width, height = plan.place.size
    down = _fade(height, plan, Edge.TOP, Edge.BOTTOM)
    across = _fade(width, plan, Edge.LEFT, Edge.RIGHT)
    return Image.fromarray(_to_pixels(np.outer(down * 255, across)))


def _fade(length: int, plan: Plan, first: Edge, last: Edge) -> Floats:
    """How much shows along one axis, 0 to 1: it fades beside those edges that are extended."""
    share = np.ones(length, np.float32)
    # 0 across the rim, then rising; where there is no rim the outermost pixel shows through
    depth = np.arange(plan.feather, dtype=np.float32) + 1 - plan.rim
    rise = np.clip(depth / (plan.feather + 1 - plan.rim), 0, 1)
    if plan.gaps[first]:
        share[: plan.feather] *= rise
    if plan.gaps[last]:
        share[::-1][: plan.feather] *= rise
    return share


def _to_pixels(levels: Floats) -> Pixels:
    return np.asarray(np.clip(levels + 0.5, 0, 255), np.uint8)

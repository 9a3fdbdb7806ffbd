"""Numbers that say whether the source was kept and whether the seam shows.

Measured on the finished picture before it is encoded; a lossy format changes pixels after that.
"""

import hashlib
from dataclasses import asdict, dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from pipelines.geometry import Edge
from pipelines.plan import Plan

SEAM_VISIBLE = 2.0
"""Seam scores above this are seen: real photos reach 1.8 at their 95th percentile."""

CONTEXT = 48
"""Px of photo beside the seam that it is compared with."""

LEAST_CONTRAST = 0.35
"""Lab units per px assumed in the flattest surroundings, so that a smooth sky divides well."""


@dataclass(frozen=True, slots=True)
class Preservation:
    """How the kept area compares with the source resampled once.

    ``kept_fraction`` is the share of the output that shows the source, ``seam`` the width in px
    of the band inside it that may be blended. ``changed`` counts differing pixels outside the
    band and ``difference`` is the largest one in levels: both are 0 unless something is broken.
    ``blended`` counts differing pixels inside the band. ``resampled`` is False where the source
    was copied pixel by pixel. ``sha256`` is of the kept pixels outside the band.
    """

    kept_fraction: float
    resampled: bool
    seam: int
    changed: int
    difference: int
    blended: int
    sha256: str

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return asdict(self)


def measure_preservation(output: Image.Image, kept: Image.Image, plan: Plan) -> Preservation:
    """Compare the output's kept area with ``kept``, the source at its size in the output."""
    shown = np.asarray(output.crop(plan.place))
    inner = _inside_band(plan)
    worst = _compare(output, kept, plan)
    changed = int(np.count_nonzero(worst[inner]))
    return Preservation(
        kept_fraction=round(plan.place.size.area / plan.target.area, 6),
        resampled=not plan.copied,
        seam=plan.feather,
        changed=changed,
        difference=int(worst[inner].max(initial=0)),
        blended=int(np.count_nonzero(worst)) - changed,
        sha256=hashlib.sha256(shown[inner].tobytes()).hexdigest(),
    )


def map_difference(output: Image.Image, kept: Image.Image, plan: Plan) -> Image.Image:
    """How far each kept pixel is from ``kept``, in levels of its worst channel.

    Mode L, of the output's size; 0, black, is untouched, and so is all that was not the source's.
    What is not black outside the seam band is what ``changed`` counts.
    """
    levels = Image.new("L", plan.target)
    levels.paste(Image.fromarray(_compare(output, kept, plan)), plan.place[:2])
    return levels


def _compare(output: Image.Image, kept: Image.Image, plan: Plan) -> npt.NDArray[np.uint8]:
    """The largest difference over the channels, (h, w) of the place."""
    shown, given = np.asarray(output.crop(plan.place)), np.asarray(kept)
    worst: npt.NDArray[np.uint8] = (np.maximum(shown, given) - np.minimum(shown, given)).max(axis=2)
    return worst


def _inside_band(plan: Plan) -> tuple[slice, slice]:
    """Rows and columns of the place that lie beyond the reach of the seam."""
    width, height = plan.place.size
    band = {edge: plan.feather if gap else 0 for edge, gap in plan.gaps.items()}
    return (
        slice(band[Edge.TOP], height - band[Edge.BOTTOM]),
        slice(band[Edge.LEFT], width - band[Edge.RIGHT]),
    )


def score_seam(output: Image.Image, plan: Plan) -> dict[Edge, float]:
    """Per extended side: the colour jump at the seam over the usual jump in the photo beside it.

    1 is as smooth as the photo itself; above 2 the seam is seen.
    """
    pixels = np.asarray(output.convert("RGB"))
    return {
        edge: _ratio(_jumps(_strip(pixels, plan, edge)), plan.feather)
        for edge, gap in plan.gaps.items()
        if gap
    }


def _strip(pixels: npt.NDArray[np.uint8], plan: Plan, edge: Edge) -> npt.NDArray[np.uint8]:
    """The photo beside the seam and three px of fill, (rows, columns, 3), seam to the right."""
    left, top, right, bottom = plan.place
    depth = CONTEXT + plan.feather
    match edge:
        case Edge.RIGHT:
            return pixels[top:bottom, max(left, right - depth) : right + 3]
        case Edge.LEFT:
            return pixels[top:bottom, max(0, left - 3) : min(right, left + depth)][:, ::-1]
        case Edge.BOTTOM:
            return pixels[max(top, bottom - depth) : bottom + 3, left:right].swapaxes(0, 1)
        case Edge.TOP:
            strip = pixels[max(0, top - 3) : min(bottom, top + depth), left:right]
            return strip[::-1].swapaxes(0, 1)


def _jumps(strip: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Mean colour distance between neighbouring columns, Lab units."""
    lab = cv2.cvtColor(np.ascontiguousarray(strip, np.float32) / 255, cv2.COLOR_RGB2Lab)
    steps = np.sqrt(np.square(np.diff(lab, axis=1)).sum(axis=2))
    return np.asarray(steps.mean(axis=0), np.float32)


def _ratio(jumps: npt.NDArray[np.float32], feather: int) -> float:
    reach = feather + 4
    photo = jumps[:-reach] if len(jumps) > reach else jumps[:1]
    usual = max(float(np.median(photo)), LEAST_CONTRAST)
    return round(float(jumps[-reach:].max()) / usual, 3)

"""How much every place of a picture stands out, and the box around all that does.

Three signals vote and the loudest wins: fine-grained saliency, sharp detail and colour unlike
its surroundings. The box is meant to lose nothing; it is often the whole picture, for a subject
cannot be told from a busy background. Only a thing on an even ground gets a tight box.
"""

import cv2
import numpy as np
import numpy.typing as npt

from pipelines.geometry import UNIT, Box
from pipelines.preview.lab import to_lab

WORKING_SIDE = 320  # the blurs below are measured in pixels of a picture this long
CALM = 0.23  # below this part of the loudest place a place is background; .3 loses subjects
HALO = 0.5  # weight of fine-grained saliency, which bleeds far beyond an outline
STRAY = 0.003  # of all that stands out, what may lie beyond each side of the box
BREATH = 0.015  # the blurs place an outline no better than this
FRAME = 0.03  # of each side: where the ground of a picture shows, if it has one
UNLIKE_GROUND = 3.0  # CIE76; a soft shadow differs less, a white bottle on white just so
CLEAR_THING = 12.0  # CIE76; where nothing differs more, it may be grain
SPECK = 4  # pixels; smaller parts are dust and stars
FAIR_GROUND = 0.75  # of the frame; the rest may be a thing that runs out of the picture
CENTRE = 0.33  # spread of the prior that subjects lie in the middle, of each side
LIKELY = 0.35  # of the loudest place; what stands out less is left out of a likely subject
MASS = 0.93  # of what stands out along each side, inside a likely subject
ROOM = 0.05  # of each side; the guess is a little too small rather than too large
CLOSE_TO_BORDER = 0.03  # a side this near the border gains nothing


def measure_saliency(rgb: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Return a map of 0 to 1, WORKING_SIDE long; all zero when nothing stands out."""
    small = _shrink(rgb)
    grey = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.uint8)
    lab = to_lab(small)
    clear = np.maximum(_normalize(_measure_detail(grey)), _normalize(_measure_contrast(lab)))
    return np.asarray(np.maximum(clear, HALO * _normalize(_measure_fine_grain(grey))), np.float32)


def enclose(saliency: npt.NDArray[np.float32]) -> Box:
    """Return the box around all that stands out; the whole picture when nothing does."""
    standing_out = np.where(saliency > CALM, np.minimum(saliency, 4 * CALM), 0.0)
    if not standing_out.any():
        return UNIT
    left, right = _enclose_line(standing_out.sum(axis=0))
    top, bottom = _enclose_line(standing_out.sum(axis=1))
    return Box(left, top, right, bottom)


def guess_subject(saliency: npt.NDArray[np.float32]) -> tuple[Box, ...]:
    """Return where the subject probably is; nothing when nothing stands out.

    On annotated photos three quarters of the subject lie inside and three quarters of the box
    are subject: good enough not to copy it, far too little to crop to it.
    """
    height, width = saliency.shape
    across, down = np.linspace(-0.5, 0.5, width)[None], np.linspace(-0.5, 0.5, height)[:, None]
    prior = np.exp(-(across**2 + down**2) / (2 * CENTRE**2))
    likely = saliency * (0.35 + 0.65 * prior)
    likely = np.where(likely > LIKELY * likely.max(), likely**2, 0)
    if not likely.any():
        return ()
    left, right = _find_middle(likely.sum(axis=0))
    top, bottom = _find_middle(likely.sum(axis=1))
    return (Box(left, top, right, bottom).grown(ROOM).intersection(UNIT),)


def enclose_on_ground(rgb: npt.NDArray[np.uint8]) -> Box | None:
    """Return the tight box around all that differs from an even or smoothly shaded ground.

    None when the frame of the picture shows no such ground, or nothing clear lies on it.
    """
    lab = _blur(to_lab(_shrink(rgb)), 1)
    across, down = np.meshgrid(*(np.linspace(-1, 1, count) for count in lab.shape[1::-1]))
    shades = np.stack([np.ones_like(across), across, down, across**2, across * down, down**2], 2)
    frame = np.maximum(abs(across), abs(down)) > 1 - 2 * FRAME
    ground = _fit(shades[frame], lab[frame].astype(np.float64))
    if ground is None:
        return None
    distance = np.linalg.norm(lab - np.einsum("ijk,kc->ijc", shades, ground), axis=2)
    if distance.max() < CLEAR_THING:
        return None
    unlike = np.asarray(distance > UNLIKE_GROUND, np.uint8)
    _, _, parts, _ = cv2.connectedComponentsWithStats(unlike)
    parts = parts[1:]  # (n, left top width height area), the ground itself left out
    left, top, wide, tall, _ = np.asarray(parts[parts[:, 2:4].max(axis=1) > SPECK]).T
    if not left.size:
        return None
    height, width = unlike.shape
    first, last = _breathe(int(left.min()), int((left + wide).max()), width)
    upper, lower = _breathe(int(top.min()), int((top + tall).max()), height)
    return Box(first, upper, last, lower)


def _fit(
    shades: npt.NDArray[np.float64], lab: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64] | None:
    """Fit a quadratic shading to most of the pixels; None when they are no even ground."""
    fair = np.linalg.norm(lab - np.median(lab, axis=0), axis=1) < 10 * UNLIKE_GROUND
    ground = np.zeros((shades.shape[1], 3))
    for _ in range(4):
        if fair.mean() < FAIR_GROUND:
            return None
        square = np.einsum("ni,nj->ij", shades[fair], shades[fair])
        product = np.einsum("ni,nc->ic", shades[fair], lab[fair])
        ground, *_ = np.linalg.lstsq(square, product, rcond=None)
        distance = np.linalg.norm(lab - np.einsum("ni,ic->nc", shades, ground), axis=1)
        fair = distance < max(UNLIKE_GROUND, float(np.quantile(distance, 0.5)))
    return ground if fair.mean() >= FAIR_GROUND else None


def _shrink(rgb: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    height, width = rgb.shape[:2]
    scale = WORKING_SIDE / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(rgb, size, interpolation=method), np.uint8)


def _measure_fine_grain(grey: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    # Montabone and Soto, 2010: differences from the surroundings on many scales
    _, found = cv2.saliency.StaticSaliencyFineGrained.create().computeSaliency(grey)
    return _blur(np.asarray(found, np.float32), 3)


def _measure_detail(grey: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    bright = grey.astype(np.float32)
    return np.asarray(np.sqrt(_blur((bright - _blur(bright, 1.2)) ** 2, 4)), np.float32)


def _measure_contrast(lab: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return np.asarray(np.linalg.norm(_blur(lab, 4) - _blur(lab, 20), axis=2), np.float32)


def _blur(values: npt.NDArray[np.float32], sigma: float) -> npt.NDArray[np.float32]:
    return np.asarray(cv2.GaussianBlur(values, (0, 0), sigma), np.float32)


def _normalize(signal: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    strongest = max(float(np.quantile(signal, 0.995)), 1e-3)
    return np.asarray(np.minimum(signal / strongest, 1), np.float32)


def _enclose_line(line: npt.NDArray[np.float64]) -> tuple[float, float]:
    share = np.cumsum(line) / line.sum()
    first = np.searchsorted(share, STRAY, side="right")
    return _breathe(int(first), int(np.searchsorted(share, 1 - STRAY)) + 1, line.size)


def _find_middle(line: npt.NDArray[np.float64]) -> tuple[float, float]:
    share = np.cumsum(line) / line.sum()
    first, last = np.searchsorted(share, [(1 - MASS) / 2, (1 + MASS) / 2])
    return float(first / line.size), float(last / line.size)


def _breathe(first: int, end: int, count: int) -> tuple[float, float]:
    """Return a stretch of ``count`` pixels as fractions, a little wider."""
    near, far = first / count - BREATH, end / count + BREATH
    return (
        0.0 if near < CLOSE_TO_BORDER else near,
        1.0 if far > 1 - CLOSE_TO_BORDER else far,
    )

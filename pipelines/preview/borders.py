"""What runs along the four borders of a picture: an even colour, or a subject cut in two.

Both answers are given only when quite sure; most borders are neither. A smooth gradient is not
even, for a solid colour beside it would show.
"""

import cv2
import numpy as np
import numpy.typing as npt

from pipelines.geometry import Edge
from pipelines.preview.lab import to_lab
from pipelines.preview.saliency import CALM

STRIP = 0.03  # how deep to look, as part of the side that is followed inward
VISIBLE = 2.0  # CIE76 difference that an eye sees where two areas meet
UNEVEN = 0.002  # part of a strip's outer half that may differ visibly: specks, compression
DRIFT = 0.4  # difference between a strip's ends that betrays a gradient
LOUD = 0.5  # saliency of a subject's outline
UNLIKE = 10.0  # CIE76 difference between two materials rather than two shades of one
SHORTEST_CUT = 0.1  # of an edge; less is a twig, a cable, an ear
LONGEST_CUT = 0.7  # of an edge; more is a busy picture
CORNER = 0.1  # of an edge, at each end; what starts there belongs to two edges
FADE = 0.05  # of an edge; the blurs of saliency reach that far beyond an outline


def find_flat_edges(rgb: npt.NDArray[np.uint8]) -> frozenset[Edge]:
    """Return the edges that a solid colour continues invisibly."""
    lab = to_lab(rgb)
    return frozenset(edge for edge in Edge if _is_flat(_take_strip(lab, edge)))


def find_cut_edges(
    rgb: npt.NDArray[np.uint8], saliency: npt.NDArray[np.float32]
) -> frozenset[Edge]:
    """Return the edges whose middle part is loud while all the rest of them is calm."""
    size = saliency.shape[1], saliency.shape[0]
    lab = to_lab(np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8))
    return frozenset(
        edge for edge in Edge if _is_cut(_take_strip(saliency, edge), _take_strip(lab, edge))
    )


def _take_strip(values: npt.NDArray[np.float32], edge: Edge) -> npt.NDArray[np.float32]:
    turns = {Edge.TOP: 0, Edge.RIGHT: 1, Edge.BOTTOM: 2, Edge.LEFT: 3}
    turned = np.rot90(values, turns[edge])
    return turned[: max(2, round(STRIP * len(turned)))]  # (from outside in, along, ...)


def _is_flat(strip: npt.NDArray[np.float32]) -> bool:
    outer = strip[: (len(strip) + 1) // 2]
    ground = np.median(outer.reshape(-1, 3), axis=0)
    even = np.linalg.norm(strip - ground, axis=2) <= VISIBLE
    if float(even[: len(outer)].mean()) < 1 - UNEVEN:
        return False
    return not (_drifts(strip, even) or _drifts(strip.swapaxes(0, 1), even.T))


def _drifts(strip: npt.NDArray[np.float32], even: npt.NDArray[np.bool_]) -> bool:
    """Compare the first third of ``strip`` with its last; specks do not count."""
    third = max(1, len(strip) // 3)
    ends = strip[:third][even[:third]], strip[-third:][even[-third:]]
    if not all(map(len, ends)):
        return True
    first, last = (end.mean(axis=0, dtype=np.float64) for end in ends)
    return float(np.linalg.norm(first - last)) > DRIFT


def _is_cut(saliency: npt.NDArray[np.float32], lab: npt.NDArray[np.float32]) -> bool:
    """Tell a thing on one ground from a horizon, which parts two grounds."""
    along, colours = saliency.mean(axis=0), lab.mean(axis=0)
    loud = np.flatnonzero(along > LOUD)
    if not loud.size:
        return False
    count, first, last = along.size, int(loud[0]), int(loud[-1]) + 1
    before, after = first - round(FADE * count), last + round(FADE * count)
    if before < CORNER * count or after > (1 - CORNER) * count:
        return False
    if max(along[:before].max(), along[after:].max()) > CALM:
        return False
    left, thing, right = (part.mean(axis=0) for part in np.split(colours, [before, after]))
    same_ground = np.linalg.norm(left - right) < UNLIKE
    stands_out = np.linalg.norm(thing - (left + right) / 2) > UNLIKE
    fits = SHORTEST_CUT <= (last - first) / count <= LONGEST_CUT
    return bool(fits and same_ground and stands_out)

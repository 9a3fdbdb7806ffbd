"""Every way to put a source into a frame, as a grid of candidates and their costs.

One number moves between *contain* (expand only) and *cover* (crop only): the scale. Two more,
0 to 1, place the source along each axis: 0 at the left (top), 1 at the right (bottom). Where the
source is larger than the frame they choose what is kept, where it is smaller they choose where
it sits. Pure arithmetic on arrays.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipelines.composition import Subject, SubjectKind
from pipelines.geometry import Box, Edge, Size

Floats = npt.NDArray[np.float64]
Spot = tuple[Floats, Floats, Floats, Floats]
"""Left, top, right and bottom of a box in each candidate, output px."""

STEPS = 25
"""Positions tried along each axis; exact ones for the must-keep box come on top."""

MARGIN = 0.02
"""Space wanted around a must-keep box, as a share of the frame's short side."""

EPSILON = 1e-9
"""Below this, px and shares are rounding."""

EYE_LINE = 0.4
"""Height at which the middle of a face looks right, as a share of the frame's height."""

HARD = 1000.0
"""Cost of breaking a hard rule: more than all wishes together."""

CUT = 1e-4
"""A share of a subject below this is rounding, not a cut."""

LOSS = 0.4
"""Cost of losing all of the background; painting the whole frame costs 1 with a model."""

WISH = 6.0
"""Cost of the subject lying a whole frame away from where the caller prefers it."""

SMALLNESS = 0.3
"""Cost of a trusted subject that fills nothing of the frame it could fill."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the costs are about, in fractions of the source or the frame.

    ``at`` is where the main subject should be in the frame, (x, y), each any of these shares,
    free where there are none; ``price`` is what painting the whole frame costs; ``largest`` is the
    scale at which the subjects just fit, None where nobody is sure of them.
    """

    subjects: tuple[Subject, ...]
    keep_clear: tuple[Box, ...]
    cut_edges: frozenset[Edge]
    at: tuple[tuple[float, ...], tuple[float, ...]]
    price: float
    largest: float | None = None


@dataclass(frozen=True, slots=True)
class Candidates:
    """Placements: S scales (output px per source px), each with P by Q positions.

    The shapes are (S, 1, 1), (S, P, 1) and (S, 1, Q), so that what concerns one axis alone is
    computed along that axis alone.
    """

    scale: Floats
    across: Floats
    down: Floats

    def pick(self, index: int) -> tuple[float, float, float]:
        """Scale and positions of one candidate of the flattened (S, P, Q) grid."""
        shape = (self.scale.shape[0], self.across.shape[1], self.down.shape[2])
        scale, across, down = np.unravel_index(index, shape)
        return (
            float(self.scale[scale, 0, 0]),
            float(self.across[scale, across, 0]),
            float(self.down[scale, 0, down]),
        )


def margins(box: Box, source: Size, frame: Size) -> Box:
    """Output px wanted beyond each side of ``box``; none where it touches the source's border."""
    margin = MARGIN * frame.short_side
    near = 0.5 / source.short_side + 0.004
    return Box(
        margin * (box.left > near),
        margin * (box.top > near),
        margin * (box.right < 1 - near),
        margin * (box.bottom < 1 - near),
    )


def largest_scale(box: Box, source: Size, frame: Size) -> float:
    """The largest scale at which ``box`` and its margins fit into the frame."""
    space = margins(box, source, frame)
    return min(
        (frame.width - space.left - space.right) / max(1e-9, box.width * source.width),
        (frame.height - space.top - space.bottom) / max(1e-9, box.height * source.height),
    )


def lay_grid(source: Size, frame: Size, scales: list[float], box: Box | None) -> Candidates:
    """All combinations of scale and position; with ``box``, also those that just hold it."""
    scale = np.unique(np.array(scales, np.float64))
    across = _positions(scale, source.width, frame.width, _span(box, source, frame, across=True))
    down = _positions(scale, source.height, frame.height, _span(box, source, frame, across=False))
    return Candidates(scale[:, None, None], across[:, :, None], down[:, None, :])


def _span(
    box: Box | None, source: Size, frame: Size, *, across: bool
) -> tuple[float, float, float, float] | None:
    """Start, end and margins of the box along one axis."""
    if box is None:
        return None
    space = margins(box, source, frame)
    if across:
        return box.left, box.right, space.left, space.right
    return box.top, box.bottom, space.top, space.bottom


def _positions(
    scale: Floats, source: int, frame: int, span: tuple[float, float, float, float] | None
) -> Floats:
    """Positions to try, shape (S, P): an even grid, and where the box just fits or is centred."""
    slack = frame - source * scale
    positions = np.broadcast_to(np.linspace(0, 1, STEPS), (len(scale), STEPS))
    if span is None:
        return positions
    start, end, before, after = span
    size = source * scale
    wished = np.stack(
        [before - start * size, frame - after - end * size, frame / 2 - (start + end) / 2 * size], 1
    )
    exact = wished / np.where(np.abs(slack) < EPSILON, EPSILON, slack)[:, None]
    return np.concatenate([positions, np.clip(exact, 0, 1)], 1)


def cost(tried: Candidates, source: Size, frame: Size, wanted: Wanted) -> Floats:
    """What each candidate costs, (S, P, Q); HARD and more where a hard rule is broken."""
    width, height = source.width * tried.scale, source.height * tried.scale
    x = (frame.width - width) * tried.across
    y = (frame.height - height) * tried.down
    total = _area_cost(x, y, width, height, frame, wanted)
    for subject in wanted.subjects:
        left, right = x + subject.box.left * width, x + subject.box.right * width
        top, bottom = y + subject.box.top * height, y + subject.box.bottom * height
        spot = (left, top, right, bottom)
        total = total + _subject_cost(spot, subject, source, frame, wanted)
    if wanted.largest:
        total = total + SMALLNESS * np.maximum(0, 1 - tried.scale / wanted.largest)
    return total + _place_cost(x, y, width, height, frame, wanted)


def _area_cost(
    x: Floats, y: Floats, width: Floats, height: Floats, frame: Size, wanted: Wanted
) -> Floats:
    """Painting, losing, painting deep, and painting beyond an edge that cuts a subject."""
    gap = {
        Edge.LEFT: np.maximum(0, x) / frame.width,
        Edge.TOP: np.maximum(0, y) / frame.height,
        Edge.RIGHT: np.maximum(0, frame.width - x - width) / frame.width,
        Edge.BOTTOM: np.maximum(0, frame.height - y - height) / frame.height,
    }
    kept_across = 1 - gap[Edge.LEFT] - gap[Edge.RIGHT]
    kept_down = 1 - gap[Edge.TOP] - gap[Edge.BOTTOM]
    painted = 1 - kept_across * kept_down
    kept = np.minimum(1, frame.width / width) * np.minimum(1, frame.height / height)
    total: Floats = wanted.price * painted + LOSS * (1 - kept)
    for edge, depth in gap.items():
        # what lies far from the photo is the hardest to paint
        total = total + 0.5 * wanted.price * depth**2
        if edge in wanted.cut_edges:
            total = total + HARD / 2 * depth
    return total


def _subject_cost(
    spot: Spot, subject: Subject, source: Size, frame: Size, wanted: Wanted
) -> Floats:
    """Cutting a subject, crowding it against the border, hiding it under a keep-clear zone."""
    left, top, right, bottom = spot
    area = np.maximum(1e-9, (right - left) * (bottom - top))
    inside = _overlap(spot, Box(0, 0, frame.width, frame.height))
    cut = np.clip(1 - inside / area, 0, 1)
    total: Floats = 3.0 * subject.weight * cut
    space = margins(subject.box, source, frame)
    crowded = (
        np.maximum(0, space.left - left)
        + np.maximum(0, space.top - top)
        + np.maximum(0, space.right - (frame.width - right))
        + np.maximum(0, space.bottom - (frame.height - bottom))
    ) / frame.short_side
    hidden: Floats = np.zeros(1)
    for zone in wanted.keep_clear:
        hidden = hidden + _overlap(spot, zone.scaled(frame.width, frame.height)) / area
    if subject.must_keep:
        total = total + np.where(cut > CUT, HARD * (1 + cut), 0)
        # a bound covers far more than the subject: it must stay whole, but may be covered
        total = total + 20 * crowded + (HARD if subject.trusted else 0.3) * hidden
    else:
        total = total + subject.weight * (crowded + 3.0 * hidden)
    if subject.kind is SubjectKind.FACE:
        total = total + 0.15 * subject.weight * np.abs((top + bottom) / 2 / frame.height - EYE_LINE)
    return total


def _overlap(spot: Spot, box: Box) -> Floats:
    left, top, right, bottom = spot
    across = np.minimum(right, box.right) - np.maximum(left, box.left)
    down = np.minimum(bottom, box.bottom) - np.maximum(top, box.top)
    overlap: Floats = np.maximum(0, across) * np.maximum(0, down)
    return overlap


def _place_cost(
    x: Floats, y: Floats, width: Floats, height: Floats, frame: Size, wanted: Wanted
) -> Floats:
    """Departure of the main subject from where it should be, or from the middle and the thirds."""
    center_x, center_y = _main_center(wanted.subjects)
    across = (x + center_x * width) / frame.width
    down = (y + center_y * height) / frame.height
    want_x, want_y = wanted.at
    thirds = np.minimum(np.abs(across - 1 / 3), np.abs(across - 2 / 3)) + 0.02
    total: Floats = (
        WISH * _nearest(across, want_x)
        if want_x
        else 0.1 * np.minimum(np.abs(across - 0.5), thirds)
    )
    return total + (WISH * _nearest(down, want_y) if want_y else 0.1 * np.abs(down - 0.5))


def _nearest(places: Floats, wished: tuple[float, ...]) -> Floats:
    """How far each place is from the nearest of those wished for."""
    distance: Floats = np.min([np.abs(places - wish) for wish in wished], axis=0)
    return distance


def _main_center(subjects: tuple[Subject, ...]) -> tuple[float, float]:
    """The middle of what matters most, in fractions of the source."""
    if not subjects:
        return 0.5, 0.5
    main = max(subjects, key=lambda subject: (subject.trusted, subject.weight, subject.box.area))
    return main.box.center

"""Describes a picture without weights: what stands out, faces, text and what the borders show.

It has no words, so caption and scene stay empty. The box around what stands out is a guess made
to lose nothing: when a picture is busy all over, it is the whole picture.
"""

from functools import reduce

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from pipelines.composition import Composition, Subject, SubjectKind
from pipelines.geometry import UNIT, Box, Edge
from pipelines.preview.borders import find_cut_edges, find_flat_edges
from pipelines.preview.faces import FaceFinder, enclose_head, enclose_person, find_cut_people
from pipelines.preview.saliency import enclose, enclose_on_ground, guess_subject, measure_saliency
from pipelines.preview.scan_border import find_content
from pipelines.preview.text_lines import find_text

LOOKING_SIDE = 800  # small faces of a group are still found; more only costs time
READING_SIDE = 640
SMALLEST_SIDE = 32  # narrower pictures hold nothing that could be told apart
TRANSPARENT = 16  # alpha up to which nothing is seen
SOLID = 250  # alpha from which nothing shines through
TONE = 64  # two greys that differ by this are easily told apart
SHARE_OF_CUT_OUT = 0.005  # of the picture, transparent as well as solid; a soft mask has neither


class PreviewDescriber:
    """Guesses subjects from signals; the same picture always gets the same answer."""

    def __init__(self) -> None:
        """Load the face cascade; raises EngineUnavailable without it."""
        self._faces = FaceFinder()

    def __call__(self, picture: Image.Image) -> Composition:
        """Describe ``picture``, RGB or RGBA, upright."""
        look = _shrink(picture)
        cut_out = _find_cut_out(look)
        rgb = _flatten(look)
        flat = find_flat_edges(rgb)
        if min(look.size) < SMALLEST_SIDE:
            return _compose((_bound(cut_out or UNIT, cut_out),), flat, frozenset(), UNIT)
        grey = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.uint8)
        faces = self._faces.find(grey)
        lines = _clip(find_text(_limit(grey)), cut_out or UNIT)
        saliency = measure_saliency(rgb)
        people = [enclose_person(face) for face in faces]
        around = cut_out or reduce(
            Box.union, [*people, *lines], enclose_on_ground(rgb) or enclose(saliency)
        )
        likely = () if cut_out else guess_subject(saliency)
        subjects = (
            _bound(around, cut_out),
            *(Subject(box, "likely subject", weight=0.4, must_keep=False) for box in likely),
            *(
                Subject(enclose_head(face), "face", SubjectKind.FACE, trusted=True)
                for face in faces
            ),
            *(
                Subject(box, "person", SubjectKind.PERSON, 0.6, must_keep=False, trusted=True)
                for box in people
            ),
            *(Subject(box, "text", SubjectKind.TEXT, 0.8) for box in lines),
        )
        cut = find_cut_edges(rgb, saliency) | find_cut_people(faces)
        content = UNIT if cut_out else find_content(picture.convert("RGB"))
        return _compose(subjects, flat, cut, content)


def _compose(
    subjects: tuple[Subject, ...], flat: frozenset[Edge], cut: frozenset[Edge], content: Box
) -> Composition:
    return Composition(
        describer="preview",
        subjects=subjects,
        cut_edges=cut - flat,
        flat_edges=flat,
        content=content,
        warnings=("described without a model: subjects are guesses",),
    )


def _bound(box: Box, cut_out: Box | None) -> Subject:
    if cut_out is None:
        return Subject(box, "what stands out")
    return Subject(box, "cut-out", trusted=box != UNIT)


def _shrink(picture: Image.Image) -> Image.Image:
    upright = picture if picture.mode in ("RGB", "RGBA") else picture.convert("RGB")
    scale = LOOKING_SIDE / max(upright.size)
    if scale >= 1:
        return upright
    size = max(1, round(upright.width * scale)), max(1, round(upright.height * scale))
    return upright.resize(size, Image.Resampling.BOX, reducing_gap=2.0)


def _find_cut_out(look: Image.Image) -> Box | None:
    """Return the box around all that is not transparent, when the alpha cuts something out."""
    if look.mode != "RGBA":
        return None
    alpha = np.asarray(look.getchannel("A"))
    visible = alpha > TRANSPARENT
    if min((~visible).mean(), (alpha >= SOLID).mean()) < SHARE_OF_CUT_OUT:
        return None
    columns, rows = np.flatnonzero(visible.any(axis=0)), np.flatnonzero(visible.any(axis=1))
    box = Box(float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1))
    # shrinking may have swallowed a hairline
    return box.grown(1).scaled(1 / look.width, 1 / look.height).intersection(UNIT)


def _flatten(look: Image.Image) -> npt.NDArray[np.uint8]:
    """Lay a transparent picture on a grey that is unlike it."""
    if look.mode != "RGBA":
        return np.asarray(look, np.uint8)
    alpha = np.asarray(look.getchannel("A"), np.float64)
    brightness = float((np.asarray(look.convert("L")) * alpha).sum() / max(1.0, alpha.sum()))
    ground = 128 if abs(brightness - 128) > TONE else 255
    under = Image.new("RGBA", look.size, (ground, ground, ground, 255))
    return np.asarray(Image.alpha_composite(under, look).convert("RGB"), np.uint8)


def _limit(grey: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    scale = READING_SIDE / max(grey.shape)
    if scale >= 1:
        return grey
    small = cv2.resize(grey, (0, 0), fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8)


def _clip(boxes: tuple[Box, ...], frame: Box) -> tuple[Box, ...]:
    clipped = (box.intersection(frame) for box in boxes)
    return tuple(box for box in clipped if box.width > 0 and box.height > 0)

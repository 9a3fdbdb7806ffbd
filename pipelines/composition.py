"""What the describer saw in a picture; never raw model text.

Boxes are fractions of the upright source, 0 to 1.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self

from pipelines.geometry import UNIT, Box, Edge


class SubjectKind(StrEnum):
    """What a subject is; decides how carefully it is treated."""

    PERSON = "person"
    FACE = "face"
    TEXT = "text"
    LOGO = "logo"
    PRODUCT = "product"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Subject:
    """Something that the picture is about.

    ``weight`` from 0 to 1 says how much it matters; a ``must_keep`` subject is never cut unless
    nothing else is possible. ``trusted`` means that the box is tight enough to crop up to it. A
    ``must_keep`` box that is not trusted is a bound: it surely holds the subject but may be far
    too large.
    """

    box: Box
    label: str
    kind: SubjectKind = SubjectKind.OTHER
    weight: float = 1.0
    must_keep: bool = True
    trusted: bool = False


@dataclass(frozen=True, slots=True)
class Composition:
    """A picture in words and boxes.

    ``scene`` describes the surroundings, as the prompt for what is added. ``cut_edges`` are the
    source edges that run through a subject; ``flat_edges`` are those along which the background
    is so even that a solid colour continues it. ``describer`` names who looked.
    """

    describer: str
    caption: str = ""
    scene: str = ""
    subjects: tuple[Subject, ...] = ()
    cut_edges: frozenset[Edge] = frozenset()
    flat_edges: frozenset[Edge] = frozenset()
    content: Box = UNIT
    warnings: tuple[str, ...] = ()

    def protecting(self, boxes: tuple[Box, ...]) -> Self:
        """With the caller's boxes as subjects; who names what matters replaces all bounds."""
        if not boxes:
            return self
        protected = tuple(
            Subject(box, "protected area", SubjectKind.OTHER, 1.0, must_keep=True, trusted=True)
            for box in boxes
        )
        located = tuple(seen for seen in self.subjects if seen.trusted or not seen.must_keep)
        return replace(self, subjects=protected + located)

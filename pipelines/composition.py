"""What the describer saw in a picture; never raw model text.

Boxes are fractions of the upright source, 0 to 1.
"""

import math
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Self

from pipelines.errors import InvalidOption
from pipelines.geometry import UNIT, Box, Edge

MOST_SUBJECTS = 100
MOST_WARNINGS = 100
LONGEST_TEXT = 4000
"""Characters of a caption, a label or a warning that is read from JSON."""

_NO_COMPOSITION = (ValueError, TypeError, LookupError, AttributeError, OverflowError)
"""What reading JSON that is not a composition may raise."""


class SubjectKind(StrEnum):
    """What a subject is; decides how carefully it is treated."""

    PERSON = "person"
    FACE = "face"
    TEXT = "text"
    LOGO = "logo"
    PRODUCT = "product"
    OTHER = "other"


class Finder(StrEnum):
    """Who said where a subject is."""

    DESCRIBER = "describer"
    CALLER = "caller"


@dataclass(frozen=True, slots=True)
class Subject:
    """Something that the picture is about.

    ``weight`` from 0 to 1 says how much it matters; a ``must_keep`` subject is never cut unless
    nothing else is possible. ``trusted`` means that the box is tight enough to crop up to it. A
    ``must_keep`` box that is not trusted is a bound: it surely holds the subject but may be far
    too large. ``by`` says whether the caller named it or the describer found it.
    """

    box: Box
    label: str
    kind: SubjectKind = SubjectKind.OTHER
    weight: float = 1.0
    must_keep: bool = True
    trusted: bool = False
    by: Finder = Finder.DESCRIBER

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {
            "box": [round(side, 6) for side in self.box],
            "label": self.label,
            "kind": self.kind.value,
            "weight": round(self.weight, 6),
            "must_keep": self.must_keep,
            "trusted": self.trusted,
            "by": self.by.value,
        }

    @classmethod
    def from_fields(cls, fields: Any) -> Self:
        """Read what ``to_json`` gave; raises one of ``_NO_COMPOSITION``."""
        weight = float(fields.get("weight", 1.0))
        if not 0 <= weight <= 1:
            raise ValueError
        return cls(
            box=_box(fields["box"]),
            label=_text(fields.get("label", "")),
            kind=SubjectKind(fields.get("kind", "other")),
            weight=weight,
            must_keep=_flag(fields.get("must_keep", True)),
            trusted=_flag(fields.get("trusted", False)),
            by=Finder(fields.get("by", "describer")),
        )


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

    def protecting(
        self, boxes: tuple[Box, ...], kinds: frozenset[SubjectKind] = frozenset()
    ) -> Self:
        """With the caller's boxes as subjects, and all subjects of these kinds kept whole.

        Who names boxes knows what matters: they replace all bounds. Who names kinds leaves the
        rest to the describer, and bounds of other kinds stay.
        """
        protected = tuple(
            Subject(box, "protected area", trusted=True, by=Finder.CALLER) for box in boxes
        )
        found = (
            replace(seen, must_keep=True, trusted=True) if seen.kind in kinds else seen
            for seen in self.subjects
        )
        kept = (seen for seen in found if not boxes or seen.trusted or not seen.must_keep)
        return replace(self, subjects=(*protected, *kept))

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {
            "describer": self.describer,
            "caption": self.caption,
            "scene": self.scene,
            "subjects": [subject.to_json() for subject in self.subjects],
            "cut_edges": [edge.value for edge in Edge if edge in self.cut_edges],
            "flat_edges": [edge.value for edge in Edge if edge in self.flat_edges],
            "content": list(self.content),
            "warnings": list(self.warnings),
        }

    @classmethod
    def from_fields(cls, fields: Any) -> Self:
        """Read what ``to_json`` gave, also an edited one; what is missing has its default.

        Raises:
            InvalidOption: not a composition, or a larger one than any picture has.
        """
        try:
            return cls(
                describer=_text(fields["describer"]),
                caption=_text(fields.get("caption", "")),
                scene=_text(fields.get("scene", "")),
                subjects=tuple(
                    Subject.from_fields(each)
                    for each in _list(fields.get("subjects", []), MOST_SUBJECTS)
                ),
                cut_edges=frozenset(map(Edge, _list(fields.get("cut_edges", []), len(Edge)))),
                flat_edges=frozenset(map(Edge, _list(fields.get("flat_edges", []), len(Edge)))),
                content=_box(fields.get("content", UNIT)),
                warnings=tuple(map(_text, _list(fields.get("warnings", []), MOST_WARNINGS))),
            )
        except _NO_COMPOSITION as error:
            msg = (
                "a composition is a JSON object as a plan's answer has it: a describer, at most "
                f"{MOST_SUBJECTS} subjects with boxes in fractions from 0 to 1, texts of at most "
                f"{LONGEST_TEXT} characters"
            )
            raise InvalidOption(msg) from error


def _box(values: Any) -> Box:
    box = Box(*map(float, values))
    if not (all(map(math.isfinite, box)) and box.area > 0 and box.inside(UNIT)):
        raise ValueError
    return box


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > LONGEST_TEXT:
        raise ValueError
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _list(values: Any, most: int) -> list[Any]:
    if not isinstance(values, list) or len(values) > most:
        raise ValueError
    return values

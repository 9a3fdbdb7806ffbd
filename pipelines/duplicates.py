"""Subjects that a painting has added: a second face, one more bottle, lettering from nowhere.

The output is looked at by whoever looked at the source. Arithmetic on boxes, no pixels.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from pipelines.composition import Composition, Subject, SubjectKind
from pipelines.geometry import Box
from pipelines.plan import Plan

COUNTED = tuple(kind for kind in SubjectKind if kind is not SubjectKind.OTHER)
"""Kinds of which one more is a mistake; anything else may be part of the surroundings."""

PAINTED = 0.5
"""Share of a subject that lies in the painted area from which on it was painted."""

SAME = 0.5
"""Share of the smaller of two boxes that both have in common when they show one thing."""


@dataclass(frozen=True, slots=True)
class Duplicate:
    """More subjects of one kind in the ``output`` than in the ``source``."""

    kind: SubjectKind
    source: int
    output: int

    @property
    def count(self) -> int:
        """How many were added, at least 1."""
        return self.output - self.source

    @property
    def words(self) -> str:
        """What is wrong, for people."""
        return f"{self.kind} was invented: {self.output} in the output, {self.source} in the source"

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {"kind": self.kind.value, "source": self.source, "output": self.output}


def find_duplicates(source: Composition, output: Composition, plan: Plan) -> tuple[Duplicate, ...]:
    """What lies in the painted area of the output and is not in the source, by kind.

    A subject of the source that is seen again in its own place, also where it now goes on beyond
    the source's border, is no duplicate. Text counts too: where there was none it was made up.
    Nothing is found where two describers looked, each of whom sees other things.
    """
    if output.describer != source.describer:
        return ()
    added = Counter(seen.kind for seen in output.subjects if _is_added(seen, source, plan))
    there = Counter(seen.kind for seen in source.subjects)
    return tuple(
        Duplicate(kind, there[kind], there[kind] + added[kind]) for kind in COUNTED if added[kind]
    )


def _is_added(seen: Subject, source: Composition, plan: Plan) -> bool:
    spot = seen.box.scaled(*plan.target)
    kept = spot.intersection(Box(*plan.place)).area
    if not spot.area or kept > (1 - PAINTED) * spot.area:
        return False
    places = (plan.on_output(known.box) for known in source.subjects if known.kind is seen.kind)
    return not any(
        spot.intersection(place).area >= SAME * min(spot.area, place.area) for place in places
    )

"""An answer of the model, taken at its word only where it makes sense."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from pipelines.composition import Composition, Subject, SubjectKind
from pipelines.geometry import Box, Edge
from pipelines.models.vlm.grammar import CAPTION, EDGES, GRID, HEAVIEST, SCENE

NAME = "qwen3-vl"
"""Who looked, in the record of a reframing."""

THINNEST = 5
"""Parts of ``GRID`` that a box must have on each side; less is a slip, not a thing."""

SURE = 0.5
"""From this weight on a subject must be kept whole, unless it is of no kind in particular."""

KINDS = frozenset(SubjectKind)

LETTERS = dict(zip(EDGES, (Edge.LEFT, Edge.TOP, Edge.RIGHT, Edge.BOTTOM), strict=True))


class UnusableAnswer(ValueError):
    """The model's answer says nothing that could be used."""


class Answer(NamedTuple):
    """What the model saw, in fractions of the picture; its words are cleaned."""

    caption: str
    scene: str
    subjects: tuple[Subject, ...]
    cut_edges: frozenset[Edge]

    def join(self, seen: Composition) -> Composition:
        """These words and subjects with the pixel facts of ``seen``."""
        return replace(
            seen,
            describer=NAME,
            caption=self.caption,
            scene=self.scene,
            subjects=self.subjects,
            # an even edge cuts through nothing, whoever says so
            cut_edges=(seen.cut_edges | self.cut_edges) - seen.flat_edges,
            warnings=(),
        )


def read_answer(text: str) -> Answer:
    """Turn an answer into values; that there are no subjects at all is an answer too.

    Raises:
        UnusableAnswer: it is broken off, all its boxes are empty, or it is silent.
    """
    try:
        content = json.loads(text)
    except ValueError as error:
        msg = "the answer is no JSON"
        raise UnusableAnswer(msg) from error
    match content:
        case {"c": str(caption), "s": str(scene), "e": str(edges), "o": list(told)}:
            return _check(_clean(caption, CAPTION), _clean(scene, SCENE), edges, told)
        case _:
            msg = "the answer has another shape"
            raise UnusableAnswer(msg)


def _check(caption: str, scene: str, edges: str, told: list[object]) -> Answer:
    # a model that repeats itself has seen one thing
    subjects = dict.fromkeys(subject for subject in map(_read_subject, told) if subject)
    if told and not subjects:
        msg = "all boxes are empty"
        raise UnusableAnswer(msg)
    if not (subjects or caption or scene):
        msg = "the answer is silent"
        raise UnusableAnswer(msg)
    cut = frozenset(LETTERS[letter] for letter in edges if letter in LETTERS)
    return Answer(caption, scene, tuple(subjects), cut)


def _read_subject(told: object) -> Subject | None:
    """The subject, or None if its box is empty."""
    match told:
        case [str(name), int(grade), [int(), int(), int(), int()] as sides] if name in KINDS:
            box = _read_box(sides)
        case _:
            msg = "a subject has another shape"
            raise UnusableAnswer(msg)
    if box is None:
        return None
    kind, weight = SubjectKind(name), min(max(grade / HEAVIEST, 0.0), 1.0)
    must_keep = kind is not SubjectKind.OTHER and weight >= SURE
    return Subject(box, name, kind, weight, must_keep=must_keep, trusted=True)


def _read_box(sides: Sequence[int]) -> Box | None:
    left, top, right, bottom = (min(max(side, 0), GRID) for side in sides)
    left, right = sorted((left, right))
    top, bottom = sorted((top, bottom))
    if min(right - left, bottom - top) < THINNEST:
        return None
    return Box(left, top, right, bottom).scaled(1 / GRID)


def _clean(words: str, most: int) -> str:
    """Without stray spaces, and without the word that the end of the room has torn."""
    if len(words) >= most:
        words = words.rpartition(" ")[0]
    return " ".join(words.split()).strip(" ,;")

"""What callers may insist on, and what the planner makes of it."""

from dataclasses import replace

import pytest

from pipelines.composition import Composition, Subject, SubjectKind
from pipelines.errors import UnreachablePlan
from pipelines.geometry import Box, Size
from pipelines.planner import make_plan
from pipelines.rules import Policy, Prefer, Rules

PHOTO = Size(768, 512)
TRUSTED = Subject(
    Box(0.3, 0.1, 0.5, 0.8), "couple", SubjectKind.PERSON, must_keep=True, trusted=True
)


def see(*subjects: Subject) -> Composition:
    return Composition("test", subjects=subjects)


@pytest.mark.parametrize(
    ("left", "line"), [(0.05, 1 / 3), (0.2, 1 / 3), (0.7, 2 / 3), (0.8, 2 / 3)]
)
def test_thirds_puts_the_main_subject_on_the_nearer_line(left: float, line: float) -> None:
    face = Subject(Box(left, 0.2, left + 0.15, 0.4), "face", SubjectKind.FACE, trusted=True)
    plan = make_plan(PHOTO, see(face), Size(1200, 512), Rules(Policy.EXPAND, prefer=Prefer.THIRDS))
    assert plan.on_output(face.box).center[0] / 1200 == pytest.approx(line, abs=0.03)


def test_thirds_leaves_the_height_to_the_eye_line() -> None:
    face = Subject(Box(0.4, 0.6, 0.6, 0.8), "face", SubjectKind.FACE, trusted=True)
    free, thirds = (
        make_plan(PHOTO, see(face), Size(600, 900), Rules(prefer=prefer))
        for prefer in (None, Prefer.THIRDS)
    )
    assert thirds.on_output(face.box).center[1] == pytest.approx(
        free.on_output(face.box).center[1], abs=20
    )


LETTERING = Subject(Box(0.02, 0.4, 0.3, 0.5), "text", SubjectKind.TEXT, 0.1, must_keep=False)


def test_a_subject_of_a_protected_kind_is_not_cut() -> None:
    rules = Rules(protect_kinds=frozenset({SubjectKind.TEXT}))
    seen = see(TRUSTED, LETTERING)
    assert not LETTERING.box.scaled(*PHOTO).inside(make_plan(PHOTO, seen, Size(300, 512)).crop, 1)
    plan = make_plan(PHOTO, seen, Size(300, 512), rules)
    assert LETTERING.box.scaled(*PHOTO).inside(plan.crop, 1)
    assert not plan.warnings


def test_a_strict_request_is_refused_where_a_protected_kind_would_be_cut() -> None:
    rules = Rules(
        Policy.CROP, protect_kinds=frozenset({SubjectKind.TEXT, SubjectKind.PERSON}), strict=True
    )
    with pytest.raises(UnreachablePlan, match="text is cut"):
        make_plan(PHOTO, see(TRUSTED, LETTERING), Size(128, 512), rules)
    apart = replace(rules, protect_kinds=frozenset({SubjectKind.LOGO}))
    assert make_plan(PHOTO, see(LETTERING), Size(128, 512), apart).lost_fraction > 0.5


def test_protected_kinds_leave_the_guess_of_what_else_matters_alone() -> None:
    everything = Subject(Box(0, 0, 1, 1), "what stands out")
    face = Subject(Box(0.4, 0.2, 0.5, 0.4), "face", SubjectKind.FACE, trusted=True)
    rules = Rules(protect_kinds=frozenset({SubjectKind.FACE}))
    assert make_plan(PHOTO, see(everything, face), Size(512, 512), rules).lost_fraction < 0.001

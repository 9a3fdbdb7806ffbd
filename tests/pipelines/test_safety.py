"""From a rating to what is done about it."""

import pytest
from hypothesis import given, strategies as st

from pipelines.errors import ContentRejected, InvalidOption
from pipelines.safety import THRESHOLDS, Safety, SafetyAction

ratings = st.floats(0, 1)


def test_the_scale_runs_from_1_to_6_and_its_thresholds_fall() -> None:
    assert list(THRESHOLDS) == [1, 2, 3, 4, 5, 6]
    thresholds = list(THRESHOLDS.values())
    assert thresholds == sorted(set(thresholds), reverse=True)
    assert all(0 < threshold < 1 for threshold in thresholds)


@given(ratings, ratings, st.integers(1, 6), st.integers(1, 6))
def test_what_is_worse_or_judged_more_strictly_is_never_let_off(
    one: float, other: float, loose: int, strict: int
) -> None:
    low, high = sorted((one, other))
    loose, strict = sorted((loose, strict))
    assert Safety(strictness=strict).judge(high) >= Safety(strictness=loose).judge(low)


@pytest.mark.parametrize("strictness", THRESHOLDS)
def test_certainty_is_judged_alike_by_all(strictness: int) -> None:
    safety = Safety(strictness=strictness)
    assert safety.judge(1.0)
    assert not safety.judge(0.0)
    assert not safety.judge(safety.threshold)


@pytest.mark.parametrize("strictness", [0, 7, -1])
def test_what_is_not_on_the_scale_is_refused(strictness: int) -> None:
    with pytest.raises(InvalidOption, match="1 to 6"):
        Safety(strictness=strictness)


def test_pictures_are_flagged_at_3_unless_somebody_asks_otherwise() -> None:
    assert Safety() == Safety(SafetyAction.FLAG, 3)


@pytest.mark.parametrize(
    ("source", "output", "score", "named"),
    [
        (0.1, None, 0.1, []),
        (0.1, 0.2, 0.2, []),
        (0.9, None, 0.9, ["source"]),
        (0.9, 0.1, 0.9, ["source"]),
        (0.1, 0.9, 0.9, ["output"]),
        (0.9, 0.95, 0.95, ["source", "output"]),
    ],
)
def test_the_worse_of_source_and_output_decides_and_is_named(
    source: float, output: float | None, score: float, named: list[str]
) -> None:
    verdict = Safety().admit(source, output)
    assert verdict.score == score
    assert verdict.detected is bool(named)
    assert [warning.split()[1] for warning in verdict.warnings] == named
    blocking = Safety(SafetyAction.BLOCK)
    if named:
        with pytest.raises(ContentRejected) as caught:
            blocking.admit(source, output)
        assert all(name in caught.value.detail for name in named)
    else:
        assert blocking.admit(source, output).detected is False


def test_nobody_looked_is_not_the_same_as_nothing_found() -> None:
    verdict = Safety().admit(None)
    assert verdict.score is None
    assert verdict.detected is None
    assert verdict.warnings == ()


@pytest.mark.parametrize(("action", "told"), [("flag", ("no classifier",)), ("off", ())])
def test_why_nobody_looked_is_told_to_who_wants_to_know(action: str, told: tuple[str, ...]) -> None:
    verdict = Safety(SafetyAction(action)).admit(None, unrated="no classifier")
    assert verdict.warnings == told


def test_who_does_not_want_to_know_is_told_nothing() -> None:
    verdict = Safety(SafetyAction.OFF).admit(1.0, 1.0)
    assert verdict.detected is None
    assert verdict.warnings == ()

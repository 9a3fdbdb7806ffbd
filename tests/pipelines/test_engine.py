"""What an engine says of itself."""

import pytest

from pipelines import preview
from pipelines.engine import Engine
from tests.pipelines.test_reframe import Brush, Eye


@pytest.mark.parametrize(("batch", "callers"), [(1, 2), (2, 3), (4, 6), (8, 12)])
def test_half_of_the_next_batch_waits_beside_the_one_that_is_painted(
    batch: int, callers: int
) -> None:
    assert Engine("test", Eye(), Brush(), batch=batch).callers == callers


def test_the_preview_engine_paints_one_picture_at_a_time() -> None:
    assert preview.load().batch == 1

"""Nothing is lost and nothing is double, whatever is killed."""

import pytest

from tests.server.work.api_kills import ApiTally, endure_at_the_door
from tests.server.work.kills import endure
from tests.server.work.workshop import Workshop


@pytest.mark.slow
def test_jobs_survive_a_worker_that_is_killed_again_and_again(workshop: Workshop) -> None:
    tally = endure(workshop, kills=25)
    assert tally.is_clean, tally
    assert tally.outputs >= 5
    assert tally.begun > tally.done, "no kill met a job at work"
    assert tally.repeated <= 2, tally


def check_door(tally: ApiTally) -> None:
    assert tally.is_clean, tally
    assert tally.accepted >= 5
    assert tally.cut > 0, "no kill met a request on its way"


@pytest.mark.slow
def test_what_was_accepted_survives_an_api_that_is_killed(workshop: Workshop) -> None:
    check_door(endure_at_the_door(workshop, kills=8))


@pytest.mark.slow
def test_what_was_accepted_survives_an_api_that_is_killed_on_postgres(
    far_workshop: Workshop,
) -> None:
    check_door(endure_at_the_door(far_workshop, kills=8))

"""Nothing is lost and nothing is double, whatever is killed."""

from tests.server.work.kills import endure
from tests.server.work.workshop import Workshop


def test_jobs_survive_a_worker_that_is_killed_again_and_again(workshop: Workshop) -> None:
    tally = endure(workshop, kills=25)
    assert tally.is_clean, tally
    assert tally.outputs >= 12
    assert tally.begun > tally.done, "no kill met a job at work"
    assert tally.repeated <= 2, tally

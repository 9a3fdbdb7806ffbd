"""Workers that are killed at random moments, and the count of what became of the jobs."""

import random
import time
from collections import Counter
from dataclasses import dataclass
from functools import partial

from server.jobs.contract import callback_id
from server.jobs.job import Job, Status
from server.jobs.selection import count_waiting
from tests.server.work.workshop import Workshop, kill

LINE = 3
"""Jobs that wait at any time, so that a kill always meets work."""

HOOK = "https://example.com/hook"


@dataclass(frozen=True, slots=True)
class Tally:
    """What was counted; ``repeated`` callbacks were sent, and cut off before that was noted."""

    kills: int
    jobs: int
    succeeded: int
    begun: int
    done: int
    outputs: int
    strays: int
    callbacks: int
    told: int
    repeated: int
    seconds: float

    @property
    def is_clean(self) -> bool:
        """Nothing lost, nothing double."""
        whole = self.jobs == self.succeeded == self.callbacks == self.told
        return whole and self.strays == 0


def endure(
    workshop: Workshop,
    *,
    kills: int,
    devices: tuple[str, ...] = ("cpu",),
    seed: int = 1,
    longest: float = 0.3,
) -> Tally:
    """Kill one of the workers after another, as often as asked; then let the rest be done.

    Each has up to ``longest`` seconds, every other one from the end of a picture, the others from
    their start: however slow the machine is, something is done between two kills.
    """
    chance = random.Random(seed)
    since = time.monotonic()
    # who is killed from outside is not to blame
    running = {device: workshop.start(device, most_tries=10 * kills) for device in devices}
    jobs: list[Job] = []
    for number in range(kills):
        while _count_waiting(workshop) < LINE:
            prompt = f"sleep {chance.uniform(0.01, 0.15):.3f}"
            jobs.append(
                workshop.submit(prompt, sources=chance.choice((1, 1, 2)), callback_url=HOOK)
            )
        if number % 2:
            workshop.wait_for(partial(_has_ended, workshop, workshop.renders("end").total()), 60)
        time.sleep(chance.uniform(0, longest) / len(devices))
        device = chance.choice(devices)
        kill(running[device])
        running[device] = workshop.start(device, most_tries=10 * kills)
    workshop.wait(jobs, seconds=120)
    workshop.wait_for(lambda: set(workshop.workflows().values()) == {"SUCCESS"}, 60)
    return _count(workshop, jobs, kills, time.monotonic() - since)


def _count(workshop: Workshop, jobs: list[Job], kills: int, seconds: float) -> Tally:
    ended = [workshop.queue.get(job.id) for job in jobs]
    named = {output.blob for job in ended for output in job.outputs}
    stored = {blob for job in jobs for blob in workshop.published(job)}
    workflows = workshop.workflows()
    told = Counter(workshop.deliveries())
    return Tally(
        kills=kills,
        jobs=len(jobs),
        succeeded=sum(
            job.status is Status.SUCCEEDED and len(job.outputs) == len(job.order.sources)
            for job in ended
        ),
        begun=workshop.renders("begin").total(),
        done=workshop.renders("end").total(),
        outputs=len(named),
        strays=len(stored ^ named),
        callbacks=sum(callback_id(job.id) in workflows for job in jobs),
        told=len(told),
        repeated=told.total() - len(told),
        seconds=round(seconds, 1),
    )


def _has_ended(workshop: Workshop, before: int) -> bool:
    return workshop.renders("end").total() > before


def _count_waiting(workshop: Workshop) -> int:
    with workshop.engine.connect() as connection:
        return count_waiting(connection)

"""An engine as it is loaded for work, its models watched, and the kinds of jobs that it is given.

Everything is an eighth of what it is in life, on a side: the tiny model was made for 128 px where
the real one was for 1024, so a picture of 1 MP has 128x128 px here.
"""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pipelines.engine import Mode
from pipelines.fill import Fill
from pipelines.geometry import Size
from pipelines.models.device import Device
from pipelines.reframe import Reframer
from pipelines.request import ReframeRequest
from pipelines.rules import Anchor, Policy, Rules
from pipelines.target import Expansion, Target
from server.engines import Supplies, load_engine
from server.settings import EngineName
from tests.drawings import draw_meadow, to_png
from tests.pipelines.models.ledger.ledger import Ledger
from tests.pipelines.models.ledger.spending import Spending
from tests.pipelines.models.supplies import LOCK

NATIVE = 128
"""Side of the square that the tiny model was made for, px."""


@dataclass(frozen=True, slots=True)
class Job:
    """One source of a size and what is to become of it.

    The whole source is kept, and where it lies does not depend on what the describer sees: random
    weights may see something else on another machine.
    """

    source: Size
    targets: tuple[Target, ...]
    mode: Mode = Mode.BALANCED
    fill: Fill = Fill.GENERATE
    anchor: Anchor = Anchor.CENTER

    def write_requests(self, prompt: str, seed: int) -> list[ReframeRequest]:
        """One for each target."""
        rules = Rules(Policy.EXPAND, anchor=self.anchor)
        return [
            ReframeRequest(target, rules, fill=self.fill, prompt=prompt, seed=seed, mode=self.mode)
            for target in self.targets
        ]


UPRIGHT, SQUARE = Size(96, 128), Size(128, 128)
"""A source of 3:4, and the target that takes a third as much again beside it."""

JOBS = {
    "fast": Job(UPRIGHT, (SQUARE,), Mode.FAST),
    "balanced": Job(UPRIGHT, (SQUARE,)),
    "quality": Job(UPRIGHT, (SQUARE,), Mode.QUALITY),
    "eight": Job(UPRIGHT, tuple(Size(128 - 2 * n, 128 - n) for n in range(8))),
    "growth": Job(Size(40, 40), (Expansion(100, 100, 100, 100),), Mode.FAST),
    "banner": Job(Size(224, 64), (Size(256, 64),), Mode.FAST, anchor=Anchor.LEFT),
    "2k": Job(Size(192, 192), (Size(256, 192),), Mode.FAST, anchor=Anchor.LEFT),
    "4k-quarter-new": Job(Size(384, 288), (Size(512, 288),), Mode.FAST),
    "resize": Job(UPRIGHT, (Size(48, 64),)),
    "solid": Job(UPRIGHT, (SQUARE,), fill=Fill.SOLID),
}


@dataclass(frozen=True, slots=True)
class Studio:
    """A watched engine; every job that it is given is one that it has never seen."""

    reframer: Reframer
    ledger: Ledger = field(default_factory=Ledger)
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def spend(self, job: Job, times: int = 1) -> list[Spending]:
        """What a job costs, each further time with another seed."""
        number = next(self.numbers)
        data = to_png(draw_meadow(*job.source, seed=number))
        spent = []
        for seed in range(times):
            with self.ledger.page() as page:
                list(self.reframer(data, job.write_requests(f"the red sky, {number}", seed)))
            spent.append(Spending.add_up(page))
        return spent


@contextmanager
def open_studio(folder: Path) -> Iterator[Studio]:
    """The engine in a folder of supplies, watched from the moment that a model is loaded."""
    ledger, settle = Ledger(), Device.settle

    def settle_watched(device: Device, model: object) -> object:
        settled = settle(device, model)
        ledger.watch(settled)
        return settled

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipelines.plan.CANVAS_AREA", NATIVE**2)
        patch.setattr(Device, "settle", settle_watched)
        engine = load_engine(EngineName.SDXL, Supplies(folder / "weights", folder / LOCK))
        yield Studio(Reframer(engine), ledger)

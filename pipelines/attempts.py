"""Several paintings of one output, each with a seed of its own, of which the best is kept."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from pipelines.fill import Fill
from pipelines.rendering import Rendering

STRIDE = 1_000_003
"""Between the seeds of two attempts; those of a job's variants lie side by side."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """How one painting turned out; ``duplicates`` counts subjects that it added."""

    seed: int
    seam_worst: float
    duplicates: int
    chosen: bool = False

    @classmethod
    def judge(cls, rendering: Rendering) -> "Attempt":
        """What counts when paintings are compared."""
        added = sum(duplicate.count for duplicate in rendering.duplicates)
        return cls(rendering.seed, rendering.worst_seam, added)

    @property
    def rank(self) -> tuple[int, float]:
        """The lower, the better."""
        return self.duplicates, self.seam_worst

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {
            "seed": self.seed,
            "seam_worst": self.seam_worst,
            "duplicates": self.duplicates,
            "chosen": self.chosen,
        }


@dataclass(frozen=True, slots=True)
class Choice:
    """What is handed out, and the paintings that it was chosen from.

    ``fallback`` is what filled instead of them, None where one of them was kept.
    """

    rendering: Rendering
    attempts: tuple[Attempt, ...] = ()
    fallback: Fill | None = None

    @property
    def review(self) -> tuple[str, ...]:
        """Why a person should look; nobody need where the caller's own fallback stands in."""
        return () if self.fallback else self.rendering.flaws


def list_seeds(seed: int, retries: int) -> list[int]:
    """The seed itself and one for each retry, 0 to 2^32 - 1."""
    return [(seed + number * STRIDE) % 2**32 for number in range(1 + retries)]


def attempt(paint: Callable[[int], Rendering], seeds: Iterable[int]) -> Choice:
    """Paint with one seed after the other until no review is needed, and keep the best.

    Fewer duplicates are better, then the less visible seam; of equals the first is kept.
    """
    best: Rendering | None = None
    judged: list[Attempt] = []
    for seed in seeds:
        rendering = paint(seed)
        judged.append(Attempt.judge(rendering))
        if best is None or judged[-1].rank < Attempt.judge(best).rank:
            best = rendering
        if not rendering.flaws:
            break
    assert best
    chosen = min(judged, key=lambda tried: tried.rank)
    return Choice(best, tuple(replace(tried, chosen=tried is chosen) for tried in judged))


def fall_back(failed: Choice, rendering: Rendering) -> Choice:
    """``rendering`` instead of all that was tried."""
    tried = tuple(replace(tried, chosen=False) for tried in failed.attempts)
    return Choice(rendering, tried, rendering.fill)

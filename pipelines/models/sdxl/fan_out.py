"""Several patches of one job, painted side by side and reporting with one voice."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from PIL import Image

from pipelines.models.audience import Tick
from pipelines.models.sdxl.outpainter import Paint
from pipelines.models.sdxl.patch import Patch


def fan_out(
    paint: Paint, patches: Sequence[Patch], tick: Tick, workers: int = 1
) -> list[Image.Image]:
    """Paint all of them, ``workers`` at a time; one alone works in the caller's thread.

    ``tick`` hears the share done of the whole, never less than before, one call at a time. When
    it raises, or a patch fails, the others stop at their next step and the reason is raised.
    """
    report = _Report(len(patches), tick)

    def work(number: int) -> Image.Image:
        report.check()
        try:
            return paint(patches[number], partial(report.tell, number))
        except Exception as error:
            report.stop(error)
            raise

    if workers == 1 or len(patches) == 1:
        return [work(number) for number in range(len(patches))]
    with ThreadPoolExecutor(workers, thread_name_prefix="fan-out") as pool:
        return list(pool.map(work, range(len(patches))))


class _Report:
    """How far each patch is, and why they should stop."""

    def __init__(self, patches: int, tick: Tick) -> None:
        self._tick = tick
        self._done = [0.0] * patches
        self._lock = threading.Lock()
        self._reason: Exception | None = None

    def tell(self, number: int, fraction: float) -> None:
        with self._lock:
            self.check()
            # a patch that has to begin anew is heard again when it is farther than before
            self._done[number] = max(self._done[number], fraction)
            try:
                self._tick(sum(self._done) / len(self._done))
            except Exception as error:
                self.stop(error)
                raise

    def check(self) -> None:
        if self._reason:
            raise self._reason

    def stop(self, reason: Exception) -> None:
        self._reason = self._reason or reason

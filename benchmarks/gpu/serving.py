"""Refining at 2K and 4K, and a queue that never runs dry: callers in threads share the batches."""

import io
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from statistics import median
from time import perf_counter

import torch
from PIL import Image

from benchmarks.gpu.bench import Bench, draw_canvas, ignore
from benchmarks.gpu.compiling import count_new_graphs
from benchmarks.gpu.report import Reading
from pipelines.composition import Composition
from pipelines.engine import Engine, Mode, Painting
from pipelines.fill import Fill
from pipelines.geometry import Size
from pipelines.models.audience import Audience
from pipelines.models.batcher import Batcher
from pipelines.models.compiling import count_graphs
from pipelines.models.lane import Lane
from pipelines.models.sdxl.outpainter import Paint, SdxlOutpainter
from pipelines.models.sdxl.painter import Painter
from pipelines.models.sdxl.patch import Kind, Patch
from pipelines.models.sdxl.recipe import Recipe, choose_refinements
from pipelines.models.sdxl.refiner import SdxlRefiner
from pipelines.progress import ignore_progress
from pipelines.reframe import Reframer
from pipelines.request import ReframeRequest
from pipelines.rules import Policy, Rules
from tests.drawings import draw_meadow

SIZES = ((1024, 1024), (1344, 768), (768, 1344), (1152, 896))
"""Outputs of the closed loop, one bucket each."""


@dataclass(slots=True)
class Meter:
    """Paints, and notes from when to when; a painter returns when the device is done."""

    painter: Painter
    spans: list[tuple[float, float]] = field(default_factory=list)

    def __call__(
        self, patches: Sequence[Patch], audience: Audience, *, thrifty: bool
    ) -> dict[int, Image.Image]:
        """As the painter would."""
        start = perf_counter()
        pictures = self.painter(patches, audience, thrifty=thrifty)
        self.spans.append((start, perf_counter()))
        return pictures

    def measure_gaps(self) -> float:
        """Share of the time from the first batch to the last that lies between batches."""
        whole = self.spans[-1][1] - self.spans[0][0]
        return 1 - sum(end - start for start, end in self.spans) / whole


@contextmanager
def watch_card(hardware: torch.device) -> Iterator[list[float]]:
    """Gather the shares of time in which a kernel was running on the card, ten times a second.

    The driver's own numbers: what the program sees of its batches does not show when the card
    waits inside one.
    """
    busy: list[float] = []
    tool = shutil.which("nvidia-smi")
    if hardware.type != "cuda" or tool is None:
        yield busy
        return
    command = [tool, "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits"]
    with subprocess.Popen([*command, "--loop-ms=100"], stdout=subprocess.PIPE, text=True) as smi:  # noqa: S603
        try:
            yield busy
        finally:
            smi.terminate()
            shown, _ = smi.communicate()
            busy += [float(line) / 100 for line in shown.splitlines() if line.strip().isdigit()]


@contextmanager
def _share(bench: Bench) -> Iterator[tuple[Paint, Meter]]:
    """A painter behind a batcher, for callers in many threads."""
    meter = Meter(bench.make_painter())
    lane: Lane[Patch, Image.Image] = Lane(meter, _tell_kind, bench.rows)
    cell = bench.components.cell
    with Batcher() as batcher:
        yield lambda patch, tick: batcher.call(lane, patch.grounded(cell), tick), meter


def _tell_kind(patch: Patch) -> Kind:
    return patch.kind


def time_refining(bench: Bench) -> Iterator[Reading]:
    """Painting at 1 MP and refining at the output's size, by how much of it is new."""
    bench.equip()
    parts, seeds, graphs = bench.components, count(), count_graphs()
    with _share(bench) as (paint, _):
        outpaint = SdxlOutpainter(
            paint, native=parts.native, cell=parts.cell, recipes=bench.recipes()
        )
        refine = SdxlRefiner(
            paint,
            native=parts.native,
            cell=parts.cell,
            recipes=choose_refinements(has_few_step=parts.has_few_step),
            workers=bench.rows,
        )

        def work(size: Size, new: float) -> None:
            seed = next(seeds)
            small = draw_canvas(bench.scale(1344, 768), seed)
            outpaint(Painting(small, "a meadow", seed, Mode.BALANCED), ignore_progress)
            large = draw_canvas(size, seed, new)
            refine(Painting(large, "a meadow", seed, Mode.BALANCED), ignore_progress)

        cases = (("2K, all new", 2048, 1.0), ("4K, all new", 3840, 1.0))
        for key, width, new in (*cases, ("4K, a quarter new", 3840, 0.25)):
            size = bench.scale(width, width * 9 // 16)
            timing = bench.clock.measure(partial(work, size, new))
            yield Reading(key, timing.seconds, "s", timing.spread)
    yield count_new_graphs("refining", graphs)


def time_serving(bench: Bench) -> Iterator[Reading]:
    """Jobs from bytes to PNG, four sizes, as many callers as keep the batches full."""
    bench.equip()
    jobs, callers = (4, 4) if bench.tiny else (64, 32)
    parts, graphs = bench.components, count_graphs()
    with _share(bench) as (paint, meter):
        outpaint = SdxlOutpainter(
            paint, native=parts.native, cell=parts.cell, recipes=bench.recipes()
        )
        reframer = Reframer(Engine("bench", see_nothing, outpaint))
        work = [
            (_encode(bench.scale(896, 768), number), bench.scale(*SIZES[number % len(SIZES)]))
            for number in range(jobs)
        ]

        def reframe(job: tuple[bytes, Size]) -> float:
            start = perf_counter()
            source, target = job
            request = ReframeRequest(target, Rules(Policy.EXPAND), fill=Fill.GENERATE)
            list(reframer(source, [request]))
            return perf_counter() - start

        _warm_up(bench, paint)
        reframe(work[0])
        meter.spans.clear()
        with watch_card(bench.device.hardware) as busy, ThreadPoolExecutor(callers) as pool:
            start = perf_counter()
            times = sorted(pool.map(reframe, work))
            seconds = perf_counter() - start
    yield Reading("closed loop: images", jobs / seconds, "images/s")
    yield Reading("closed loop: between batches", meter.measure_gaps(), "of the time")
    if busy:
        yield Reading("closed loop: idle", 1 - sum(busy) / len(busy), "of the time")
    yield Reading("closed loop: p50", median(times), "s")
    yield Reading("closed loop: p95", times[int(0.95 * (jobs - 1))], "s")
    yield Reading("closed loop: batches", len(meter.spans), "batches")
    yield count_new_graphs("serving", graphs)


def _warm_up(bench: Bench, paint: Paint) -> None:
    """Paint each size alone and in a full batch: libraries plan for each, thread by thread."""
    recipe = Recipe(steps=2, guidance=6.0, interval=(0.0, 0.5))
    for width, height in SIZES:
        # the first is taken up at once; those who come while it is painted fill a batch
        patches = [
            bench.make_patch(bench.scale(width, height), recipe, seed)
            for seed in range(1 + bench.rows)
        ]
        with ThreadPoolExecutor(len(patches)) as pool:
            list(pool.map(lambda patch: paint(patch, ignore), patches))


def see_nothing(picture: Image.Image) -> Composition:  # noqa: ARG001  a describer's argument
    """Describe nothing, at no cost."""
    return Composition("bench", scene="a meadow")


def _encode(size: Size, seed: int) -> bytes:
    file = io.BytesIO()
    draw_meadow(*size, seed=seed).save(file, "JPEG", quality=92)
    return file.getvalue()

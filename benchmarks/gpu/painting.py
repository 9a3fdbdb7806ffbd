"""Our painter at batch 1 and 8, in the modes that callers choose from."""

import warnings
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import count

import torch

from benchmarks.gpu.bench import Bench, nobody
from benchmarks.gpu.compiling import count_new_graphs
from benchmarks.gpu.flops import count_unet
from benchmarks.gpu.report import Reading
from pipelines.codec.encode import Format, encode
from pipelines.engine import Mode
from pipelines.geometry import Size
from pipelines.models.compiling import count_graphs
from pipelines.models.sdxl.painter import Painter
from pipelines.models.sdxl.recipe import Recipe

SAME = Recipe(steps=20, guidance=6.0)
"""The stock pipeline's maths: twenty steps, all of them guided."""

BUCKETS = ((1024, 1024), (1344, 768), (832, 1216), (1152, 896))


def time_painting(bench: Bench) -> Iterator[Reading]:
    """Every picture and prompt is new, so that nothing remembered makes it faster."""
    bench.equip()
    graphs, seeds = count_graphs(), count(1000)
    whole, usual = bench.make_painter(windows=False), bench.make_painter()
    size = bench.scale(1024, 1024)

    def paint(painter: Painter, recipe: Recipe, rows: int, bucket: Size = size) -> None:
        patches = [bench.make_patch(bucket, recipe, next(seeds)) for _ in range(rows)]
        for picture in painter(patches, nobody(rows)).values():
            encode(picture, Format.PNG)

    seconds, spread = bench.clock.measure(lambda: paint(whole, SAME, 1))
    yield Reading("ours 1: 20 CFG steps", seconds, "s", spread)
    for mode in Mode:
        recipe = bench.recipes()[mode]
        seconds, spread = bench.clock.measure(partial(paint, usual, recipe, 1))
        yield Reading(f"ours 1: {mode}", seconds, "s", spread)
        if mode is Mode.BALANCED:
            yield Reading("ours 1: images", 1 / seconds, "images/s", spread)
    yield from _time_batch(bench, whole)
    if bench.device.hardware.type == "cuda":
        yield Reading("waits in the loop", _find_waits(bench, whole), "waits")
    for bucket in BUCKETS:
        for rows in (1, bench.rows):
            paint(
                usual,
                Recipe(steps=2, guidance=6.0, interval=(0.0, 0.5)),
                rows,
                bench.scale(*bucket),
            )
    yield count_new_graphs("painting", graphs)


def _time_batch(bench: Bench, painter: Painter) -> Iterator[Reading]:
    size, rows = bench.scale(1024, 1024), bench.rows
    seeds, cell = count(9000), bench.components.cell
    # as they come to the device: what needs none was done by those who wait
    batches = iter(
        [
            [bench.make_patch(size, SAME, next(seeds)).grounded(cell) for _ in range(rows)]
            for _ in range(1 + bench.clock.rounds)
        ]
    )
    seconds, spread = bench.clock.measure(lambda: painter(next(batches), nobody(rows)))
    yield Reading("ours 8: images", rows / seconds, "images/s", spread)
    with bench.device.working():
        ready = painter.prepare([bench.make_patch(size, SAME, seed) for seed in range(rows)])
    timing = bench.time(lambda: painter.denoise(ready, SAME, nobody(rows)))
    yield Reading("ours 8: denoising", timing.seconds, "s", timing.spread)
    with bench.device.working():
        _, latents = painter.denoise(ready, SAME, nobody(rows))
    assert bool(latents.isfinite().all()), "overflowed numbers may be faster than others"
    work = rows * SAME.evaluations * count_unet(bench.components, size)
    yield Reading("ours 8: work", work / 1e12, "TFLOP")
    if rate := bench.values.get("card: matmul"):
        share = work / timing.seconds / (rate * 1e12)
        yield Reading("ours 8: efficiency", share, "of matmul", timing.spread)


def _find_waits(bench: Bench, painter: Painter) -> int:
    """How often the loop made the program wait for the device; torch warns of each."""
    recipe = Recipe(steps=4, guidance=6.0)
    with bench.device.working():
        rows = painter.prepare([bench.make_patch(bench.scale(1024, 1024), recipe, 7)])
        painter.denoise(rows, recipe, nobody())  # the schedule's tables are made once
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            torch.cuda.set_sync_debug_mode("warn")
            try:
                painter.denoise(rows, recipe, nobody())
            finally:
                torch.cuda.set_sync_debug_mode("default")
    return count_waits(str(warning.message) for warning in caught)


def count_waits(messages: Iterable[str]) -> int:
    """How many of these warnings are of a wait; the first only says that more may go unseen."""
    return sum("synchroniz" in message and "prototype" not in message for message in messages)

"""What compiling costs and brings, and whether a second start is spared of it."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import torch

from benchmarks.gpu.bench import Bench, nobody
from benchmarks.gpu.report import Reading
from pipelines.models.compiling import (
    GraphCache,
    compile_regions,
    compile_unet,
    count_graphs,
    prefers_compiling,
)
from pipelines.models.eight_bits import can_use_eight_bits, use_eight_bits
from pipelines.models.sdxl.recipe import Recipe

SHORT = Recipe(steps=4, guidance=6.0)
"""Enough steps for their time to drown what is before and after them."""

LONGEST = 120
"""Seconds after which a process that starts again is given up."""


def time_compiling(bench: Bench) -> Iterator[Reading]:
    """Denoising a full batch before and after; from here on the UNet is compiled, on a card."""
    bench.equip()
    yield _time_steps(bench, "steps, eager")
    if prefers_compiling(bench.device):
        start = time.perf_counter()
        graphs = compile_unet(bench.components, bench.device, _find_cache(bench))
        assert graphs, "the compiler failed"
        yield Reading("cold start", time.perf_counter() - start, "s")
        yield Reading("graphs", graphs, "graphs")
        yield _time_steps(bench, "steps, compiled")


def time_restart(bench: Bench) -> Iterator[Reading]:
    """The same in a process of its own that is given the graphs of this one."""
    if "cold start" not in bench.values:
        return
    command = [sys.executable, "-m", "benchmarks.gpu", "--restart", str(bench.folder / "graphs")]
    if bench.device.hardware.type == "cuda":
        torch.cuda.empty_cache()  # the other process has the same models
    done = subprocess.run(  # noqa: S603  our own program; what it complains of is seen
        command, check=True, stdout=subprocess.PIPE, text=True, timeout=LONGEST
    )
    yield Reading("warm start", float(done.stdout.split()[-1]), "s")


def restart(bench: Bench, folder: Path) -> float:
    """How long a process takes that finds the graphs compiled, in s."""
    bench.equip()
    start = time.perf_counter()
    graphs = compile_unet(bench.components, bench.device, GraphCache(folder, bench.device))
    assert graphs, "the compiler failed"
    bench.clock.wait()
    return time.perf_counter() - start


def time_eight_bits(bench: Bench) -> Iterator[Reading]:
    """The same steps with linear layers in eight bits; from here on there is no way back."""
    bench.equip()
    if not (bench.tiny or can_use_eight_bits(bench.device)):
        return
    use_eight_bits(bench.components.unet)
    if prefers_compiling(bench.device):
        compile_regions(bench.components.unet)  # blocks that changed are compiled anew
    yield _time_steps(bench, "steps, eight bits")


def _find_cache(bench: Bench) -> GraphCache:
    return GraphCache(bench.folder / "graphs", bench.device)


def count_new_graphs(before: int) -> Reading:
    """Those that were not compiled by ``before``."""
    return Reading("graphs after warm-up", count_graphs() - before, "graphs")


def _time_steps(bench: Bench, key: str) -> Reading:
    size, painter = bench.scale(1024, 1024), bench.make_painter()
    patches = [bench.make_patch(size, SHORT, seed) for seed in range(bench.rows)]
    with bench.device.working():
        rows = painter.prepare(patches)
    timing = bench.time(lambda: painter.denoise(rows, SHORT, nobody(len(rows))))
    return Reading(f"{key}", timing.seconds / SHORT.taken, "s/step", timing.spread)

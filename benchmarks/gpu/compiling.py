"""What compiling costs and brings, and whether a second start is spared of it."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import torch

from benchmarks.gpu.bench import Bench, nobody
from benchmarks.gpu.report import Reading
from pipelines.geometry import Size
from pipelines.models.compiling import (
    LEADS,
    GraphCache,
    compile_regions,
    compile_unet,
    count_graphs,
)
from pipelines.models.eight_bits import can_use_eight_bits, use_eight_bits
from pipelines.models.sdxl.recipe import Recipe

SHORT = Recipe(steps=4, guidance=6.0)
"""Enough steps for their time to drown what is before and after them."""

TINY = Size(28, 12)
"""Latents that tiny models are warmed up with: neither square nor as wide as they are."""

LONGEST = 120
"""Seconds after which a process that starts again is given up."""


def time_compiling(bench: Bench) -> Iterator[Reading]:
    """Denoising a full batch before and after; from here on the UNet is compiled, on a card."""
    bench.equip()
    yield _time_steps(bench, "steps, eager")
    if bench.compiles:
        start = time.perf_counter()
        graphs = _compile(bench, bench.folder / "graphs")
        yield Reading("cold start", time.perf_counter() - start, "s")
        yield Reading("graphs", graphs, "graphs")
        yield _time_steps(bench, "steps, compiled")


def time_restart(bench: Bench) -> Iterator[Reading]:
    """The same in a process of its own that is given the graphs of this one."""
    if "cold start" not in bench.values:
        return
    command = [sys.executable, "-m", "benchmarks.gpu", "--restart", str(bench.folder / "graphs")]
    if bench.tiny:
        command.append("--tiny")
    if bench.device.hardware.type == "cuda":
        torch.cuda.empty_cache()  # the other process has the same models
    done = subprocess.run(  # noqa: S603  our own program; what it complains of is seen
        command, check=True, stdout=subprocess.PIPE, text=True, timeout=LONGEST
    )
    yield Reading("warm start", float(done.stdout.split()[-1]), "s")


def restart(bench: Bench, folder: Path) -> float:
    """How long a process takes that finds the graphs compiled, in s; half of them for tiny ones."""
    if not bench.tiny:
        bench.equip()
    start = time.perf_counter()
    _compile(bench, folder)
    bench.clock.wait()
    return time.perf_counter() - start


def _compile(bench: Bench, folder: Path) -> int:
    """As at every start, with the graphs in ``folder``; how many there are.

    Tiny models are traced and not compiled: that shows as well whether any graph is made later.
    """
    with GraphCache(folder, bench.device).kept():
        graphs = compile_unet(
            bench.components,
            bench.device,
            rows=bench.rows,
            latents=(TINY,) if bench.tiny else LEADS,
            backend="eager" if bench.tiny else "inductor",
        )
    assert graphs, "the compiler failed"
    return graphs


def time_eight_bits(bench: Bench) -> Iterator[Reading]:
    """The same steps with linear layers in eight bits; from here on there is no way back."""
    bench.equip()
    if not (bench.tiny or can_use_eight_bits(bench.device)):
        return
    use_eight_bits(bench.components.unet)
    if bench.compiles:
        compile_regions(
            bench.components.unet, "eager" if bench.tiny else "inductor"
        )  # blocks that changed are compiled anew
    yield _time_steps(bench, "steps, eight bits")


def count_new_graphs(part: str, before: int) -> Reading:
    """Those beyond ``before``, the number that there was when all was warmed up."""
    return Reading(f"graphs after warm-up: {part}", count_graphs() - before, "graphs")


def _time_steps(bench: Bench, key: str) -> Reading:
    size, painter = bench.scale(1024, 1024), bench.make_painter()
    patches = [bench.make_patch(size, SHORT, seed) for seed in range(bench.rows)]
    with bench.device.working():
        rows = painter.prepare(patches)
    timing = bench.time(lambda: painter.denoise(rows, SHORT, nobody(len(rows))))
    return Reading(f"{key}", timing.seconds / SHORT.taken, "s/step", timing.spread)

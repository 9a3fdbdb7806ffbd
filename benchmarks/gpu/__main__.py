"""``python -m benchmarks.gpu``: at most eight minutes on an H200, one table, and JSON in a file.

What does not fit into one call is asked for in several, and ``--join`` makes one table of them.
"""

import argparse
import logging
import math
import os
import tempfile
import time
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import torch
from diffusers.utils import logging as diffusers_logging
from transformers.utils import logging as transformers_logging

from benchmarks.gpu.autoencoding import time_autoencoding
from benchmarks.gpu.bench import Bench, Part, choose, set_up
from benchmarks.gpu.card import rate_card
from benchmarks.gpu.clock import Clock
from benchmarks.gpu.compiling import restart, time_compiling, time_eight_bits, time_restart
from benchmarks.gpu.describing import time_describing
from benchmarks.gpu.join import join
from benchmarks.gpu.painting import time_painting
from benchmarks.gpu.planned import find_absent
from benchmarks.gpu.report import Report
from benchmarks.gpu.serving import time_refining, time_serving
from benchmarks.gpu.stock import time_stock


class Slot(NamedTuple):
    """A part, and for how many seconds it may begin another measurement."""

    measure: Part
    seconds: float


PARTS: Mapping[str, Slot] = MappingProxyType(
    {
        "card": Slot(rate_card, 10),
        "stock": Slot(time_stock, 40),
        "compiling": Slot(time_compiling, 120),
        "painting": Slot(time_painting, 70),
        "autoencoding": Slot(time_autoencoding, 20),
        "restart": Slot(time_restart, 40),
        "refining": Slot(time_refining, 40),
        "serving": Slot(time_serving, 50),
        "eight bits": Slot(time_eight_bits, 30),
        "describing": Slot(time_describing, 240),
    }
)
"""In this order; the describer is compiled, too, and comes last because that takes minutes."""

LIMIT = 430.0
"""Seconds after which nothing more is begun, so that the whole ends within 480."""


def main(arguments: Sequence[str] | None = None) -> int:
    """0 where every reading is there that the parts that were asked for are to give."""
    options = _read(arguments)
    if options.join:
        return join(options.join, options.out)
    if not options.tiny and not torch.cuda.is_available():
        print("a CUDA device is needed; --tiny runs the same script without one")
        return 2
    for talker in (diffusers_logging, transformers_logging):
        talker.set_verbosity_error()
    began = time.monotonic()
    limit = math.inf if options.tiny else began + LIMIT
    if options.tiny:
        torch.set_num_threads(1)  # more would wait for one another all the time
    torch.manual_seed(0)
    device = choose(tiny=options.tiny)
    clock = Clock(device.hardware, 1 if options.tiny else 3, limit)
    with tempfile.TemporaryDirectory() as folder:
        start_cold(Path(folder))
        bench = set_up(Path(folder), clock, device, tiny=options.tiny)
        if options.restart:
            print(restart(bench, options.restart))
            return 0
        report = Report(options.tiny, device.hardware)
        print(f"models ready after {time.monotonic() - began:.0f} s", flush=True)
        for name in options.parts:
            report.parts[name] = run_part(bench, PARTS[name], report, limit)
            print(f"{name}: {report.parts[name]}", flush=True)
            if options.out:
                report.write(options.out)
    report.print()
    absent = find_absent(bench, options.parts)
    print(f"\nABSENT: {', '.join(absent)}" if absent else "\nevery planned reading is there")
    return int(bool(absent) or any(end.startswith("failed") for end in report.parts.values()))


def start_cold(folder: Path) -> None:
    """Have the compilers keep their work where nothing is yet, or a cold start would not be one."""
    # both are told in no other way
    os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(folder / "inductor")  # noqa: TID251
    os.environ["TRITON_CACHE_DIR"] = str(folder / "triton")  # noqa: TID251


def run_part(bench: Bench, slot: Slot, report: Report, limit: float) -> str:
    """Measure until the part is done or its time is up; how it ended."""
    start = time.monotonic()
    if start >= limit:
        return "left out: no time was left"
    bench.clock.until = min(limit, math.inf if bench.tiny else start + slot.seconds)
    known = len(report.readings)
    try:
        for reading in slot.measure(bench):
            report.readings.append(reading)
            bench.values = report.values
            if time.monotonic() >= bench.clock.until:
                return f"its {slot.seconds:.0f} s were up after {reading.key!r}"
    except Exception as error:  # noqa: BLE001  one part that fails must not cost the others
        traceback.print_exc()
        return f"failed: {type(error).__name__}: {str(error).partition(chr(10))[0]}"
    if len(report.readings) == known:
        return "left out: there was nothing to measure"
    return f"done in {time.monotonic() - start:.1f} s"


def _read(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__)
    parser.add_argument("--tiny", action="store_true", help="tiny models, on any machine")
    parser.add_argument("--out", type=Path, help="also write everything here, as JSON")
    parser.add_argument(
        "--parts", nargs="+", choices=PARTS, default=list(PARTS), help="only these, in this order"
    )
    parser.add_argument(
        "--join", nargs="+", type=Path, metavar="JSON", help="measure nothing: one table of these"
    )
    parser.add_argument("--restart", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    raise SystemExit(main())

"""The two rates of a card that everything else is divided by."""

from collections.abc import Iterator

import torch

from benchmarks.gpu.bench import Bench, draw_numbers
from benchmarks.gpu.report import Reading

PRODUCTS = 20
"""Matrix products, or copies, that are timed as one."""


def rate_card(bench: Bench) -> Iterator[Reading]:
    """Products of random matrices in bfloat16, and copies counted as bytes read and written.

    Zeros would be faster: a card that has nothing to switch draws less power.
    """
    side = 256 if bench.tiny else 8192
    left, right = (draw_numbers(bench.device, side, side, dtype=torch.bfloat16) for _ in range(2))
    out = torch.empty_like(left)

    def multiply() -> None:
        for _ in range(PRODUCTS):
            torch.mm(left, right, out=out)

    seconds, spread = bench.clock.measure(multiply, 5)
    yield Reading("card: matmul", 2 * side**3 * PRODUCTS / seconds / 1e12, "TFLOP/s", spread)

    source = draw_numbers(bench.device, (1 << 20) if bench.tiny else (1 << 31))
    target = torch.empty_like(source)

    def copy() -> None:
        for _ in range(PRODUCTS):
            target.copy_(source)

    seconds, spread = bench.clock.measure(copy, 5)
    moved = 2 * source.nbytes * PRODUCTS
    yield Reading("card: copy", moved / seconds / 1e12, "TB/s", spread)

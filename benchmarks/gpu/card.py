"""The two rates of a card that everything else is divided by."""

from collections.abc import Iterator

import torch
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel

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
    yield from _rate_attention(bench)
    yield from _rate_convolution(bench)


def _rate_attention(bench: Bench) -> Iterator[Reading]:
    """The UNet's by each kernel, 8 guided pictures: its rate, and what a new shape costs."""
    shape = (2, 2, 64, 64) if bench.tiny else (16, 10, 4096, 64)
    query, key, value = (draw_numbers(bench.device, *shape) for _ in range(3))
    rows, heads, tokens, width = shape
    for kernel in bench.device.attention:
        if kernel == SDPBackend.MATH:
            continue

        def attend() -> None:
            for _ in range(PRODUCTS):
                functional.scaled_dot_product_attention(query, key, value)

        with torch.inference_mode(), sdpa_kernel(kernel):
            first = bench.clock.once(attend)
            seconds, spread = bench.clock.measure(attend, 3)
        done = 4 * rows * heads * tokens**2 * width * PRODUCTS
        name = f"card: attention by {kernel.name.partition('_')[0].lower()}"
        yield Reading(name, done / seconds / 1e12, "TFLOP/s", spread)
        yield Reading(f"{name}, a new shape", max(0.0, first - seconds), "s")


def _rate_convolution(bench: Bench) -> Iterator[Reading]:
    """The UNet's widest, with channels first, as it has them, and last."""
    rows, width, side = (2, 8, 16) if bench.tiny else (16, 320, 128)
    for name, layout in (("first", torch.contiguous_format), ("last", torch.channels_last)):
        given = draw_numbers(bench.device, rows, width, side, side).to(memory_format=layout)
        weight = draw_numbers(bench.device, width, width, 3, 3).to(memory_format=layout)

        def convolve(given: torch.Tensor = given, weight: torch.Tensor = weight) -> None:
            for _ in range(PRODUCTS):
                functional.conv2d(given, weight, padding=1)

        with torch.inference_mode():
            seconds, spread = bench.clock.measure(convolve, 3)
        done = 2 * rows * side**2 * width**2 * 9 * PRODUCTS
        rate = done / seconds / 1e12
        yield Reading(f"card: convolution, channels {name}", rate, "TFLOP/s", spread)

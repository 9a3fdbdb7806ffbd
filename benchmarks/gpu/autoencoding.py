"""The VAE, at 1 MP and in tiles at 4K, ours and the library's."""

from collections.abc import Iterator

import torch

from benchmarks.gpu.bench import Bench, draw_numbers
from benchmarks.gpu.flops import count_decode
from benchmarks.gpu.report import Reading
from pipelines.geometry import Size
from pipelines.models.sdxl.autoencoder import Autoencoder


def time_autoencoding(bench: Bench) -> Iterator[Reading]:
    """Encoding and decoding a full batch, and 4K by tiles."""
    vae, device, rows = bench.components.vae, bench.device, bench.rows
    size = bench.scale(1024, 1024)
    pixels = draw_numbers(device, rows, 3, size.height, size.width, dtype=vae.dtype)
    latents = _draw_latents(bench, rows, size)
    autoencoder = Autoencoder(bench.components, device)
    seconds, spread = bench.time(lambda: vae.encode(pixels))
    yield Reading("vae: encode 8", seconds, "s", spread)
    seconds, spread = bench.time(lambda: autoencoder.decode(latents))
    yield Reading("vae: decode 8", seconds, "s", spread)
    if rate := bench.values.get("card: matmul"):
        share = rows * count_decode(bench.components, size) / seconds / (rate * 1e12)
        yield Reading("vae: decode 8, efficiency", share, "of matmul", spread)
    large = _draw_latents(bench, 1, bench.scale(4096, 2304))
    seconds, spread = bench.time(lambda: autoencoder.decode(large, thrifty=True))
    yield Reading("vae: 4K in our tiles", seconds, "s", spread)
    vae.enable_tiling()
    try:
        seconds, spread = bench.time(lambda: vae.decode(large.to(vae.dtype)))
    finally:
        vae.disable_tiling()
    yield Reading("vae: 4K in the library's tiles", seconds, "s", spread)


def _draw_latents(bench: Bench, rows: int, size: Size) -> torch.Tensor:
    cell = bench.components.cell
    return draw_numbers(bench.device, rows, 4, size.height // cell, size.width // cell).float()

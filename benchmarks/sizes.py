"""What eight sizes of one source cost together, against eight runs of one size each.

Run as ``python -m benchmarks.sizes [PHOTO...]``; it prints a markdown table. Without photos it
draws one. Both sides make the same files with the preview engine, in turn; the goal is a ratio of
at most 0.8.
"""

import os
import platform
import sys
import time
from pathlib import Path

import numpy as np
from PIL import Image

from pipelines import preview
from pipelines.codec.encode import Format, encode
from pipelines.export.wishes import Export
from pipelines.geometry import Size
from pipelines.reframe import Reframer
from pipelines.request import ReframeRequest

ROUNDS = 3
SIZES = (
    Size(1080, 1080),
    Size(1080, 1350),
    Size(1080, 1920),
    Size(1920, 1080),
    Size(1200, 628),
    Size(970, 250),
    Size(300, 600),
    Size(728, 90),
)


def main() -> None:
    reframer = Reframer(preview.load())
    requests = [ReframeRequest(size, export=Export(Format.JPEG)) for size in SIZES]
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    print(f"{machine}, load average {os.getloadavg()[0]:.1f} before the start")
    print(f"{', '.join(map(str, SIZES))}; JPEG; median of {ROUNDS} rounds\n")
    print("| Source | together s | one by one s | ratio |")
    print("|---|---:|---:|---:|")
    for name, data in read_sources(sys.argv[1:]).items():
        print(compare(reframer, requests, name, data), flush=True)


def read_sources(paths: list[str]) -> dict[str, bytes]:
    if paths:
        return {Path(path).stem: Path(path).read_bytes() for path in paths}
    return {"drawn, 12 MP": encode(draw_photo(4000, 3000), Format.JPEG).data}


def draw_photo(width: int, height: int) -> Image.Image:
    """Structure at every scale above a darker ground, and a thing that stands on it."""
    rng = np.random.default_rng(7)
    total = np.zeros((height, width, 3), np.float32)
    for cells in (3, 9, 27, 81, 243):
        coarse = rng.integers(0, 256, (cells, cells * 4 // 3, 3), np.uint8)
        smooth = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
        total += np.asarray(smooth, np.float32) / cells
    total *= 200 / total.max()
    total[height * 2 // 3 :] *= 0.6
    y, x = np.mgrid[:height, :width]
    total[np.hypot(x - width * 0.6, y - height * 0.55) < height * 0.18] = (220, 60, 30)
    total += 3 * rng.standard_normal(total.shape, np.float32)
    return Image.fromarray(total.clip(0, 255).astype(np.uint8))


def compare(reframer: Reframer, requests: list[ReframeRequest], name: str, data: bytes) -> str:
    """One row: both sides in turn, that a busy moment hits both."""
    together: list[float] = []
    apart: list[float] = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        first = [made.file.data for made in reframer(data, requests)]
        together.append(time.perf_counter() - start)
        start = time.perf_counter()
        second = [next(iter(reframer(data, [request]))).file.data for request in requests]
        apart.append(time.perf_counter() - start)
        assert first == second
    middle = ROUNDS // 2
    shared, single = sorted(together)[middle], sorted(apart)[middle]
    return f"| {name} | {shared:.2f} | {single:.2f} | {shared / single:.2f} |"


if __name__ == "__main__":
    main()

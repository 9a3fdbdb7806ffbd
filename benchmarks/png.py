"""How the banded PNG encoder compares with Pillow's default, in time and bytes.

Run as ``python -m benchmarks.png``; it prints a markdown table. Both sides encode the same
picture in turn, the best of a few runs of each counts, and pictures are drawn here, so that only
the machine differs between two runs.
"""

import io
import os
import platform
import time
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from pipelines.codec.colour import make_srgb_profile
from pipelines.codec.png import encode_png

SIZE = (4096, 2304)
RUNS = 3


def main() -> None:
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    print(f"{machine}, load average {os.getloadavg()[0]:.1f} before the start")
    print(f"{SIZE[0]}x{SIZE[1]} = {SIZE[0] * SIZE[1] / 1e6:.1f} MP, best of {RUNS}\n")
    print("| Picture | Pillow ms | ours ms | time ratio | Pillow MB | ours MB | bytes ratio |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for name, picture in draw_pictures().items():
        print(compare(name, picture), flush=True)


def draw_pictures() -> dict[str, Image.Image]:
    graphics = draw_graphics()
    mixed = graphics.copy()
    mixed.paste(draw_photo(1.5).resize((1800, 1200)), (1200, 600))
    alpha = draw_photo(1.5)
    alpha.putalpha(Image.linear_gradient("L").resize(SIZE))
    return {
        "photo, fine grain": draw_photo(1.5),
        "photo, coarse grain": draw_photo(4),
        "photo, no grain": draw_photo(0),
        "photo with alpha": alpha,
        "graphics": graphics,
        "graphics with a photo": mixed,
        "one colour": Image.new("RGB", SIZE, "navy"),
    }


def draw_photo(grain: float) -> Image.Image:
    """Structure at every scale, as in photographs, and grain of that standard deviation."""
    random = np.random.default_rng(20)
    total = np.zeros((SIZE[1], SIZE[0], 3), np.float32)
    for cells in (3, 9, 27, 81, 243):
        coarse = random.integers(0, 256, (cells, cells * 16 // 9, 3), np.uint8)
        smooth = Image.fromarray(coarse).resize(SIZE, Image.Resampling.BICUBIC)
        total += np.asarray(smooth, np.float32) / cells**0.8
    total = 255 * (total - total.min()) / (total.max() - total.min())
    total += grain * random.standard_normal(total.shape, np.float32)
    return Image.fromarray(total.clip(0, 255).astype(np.uint8))


def draw_graphics() -> Image.Image:
    random = np.random.default_rng(1)
    picture = Image.new("RGB", SIZE, (245, 245, 248))
    pen = ImageDraw.Draw(picture)
    for number in range(60):
        left, top = (int(random.integers(0, side)) for side in SIZE)
        width, height, red, green, blue = (int(value) for value in random.integers(50, 250, 5))
        draw = pen.ellipse if number % 2 else pen.rectangle
        draw((left, top, left + 3 * width, top + 3 * height), fill=(red, green, blue))
    font = ImageFont.load_default(28)
    for line in range(20, SIZE[1], 90):
        pen.text((40, line), "The quick brown fox jumps over the lazy dog. " * 4, "black", font)
    return picture


def compare(name: str, picture: Image.Image) -> str:
    profile = make_srgb_profile()

    def encode_by_pillow() -> bytes:
        file = io.BytesIO()
        picture.save(file, "PNG", icc_profile=profile)
        return file.getvalue()

    theirs = ours = float("inf")
    their_data = our_data = b""
    for _ in range(RUNS):
        seconds, their_data = measure(encode_by_pillow)
        theirs = min(theirs, seconds)
        seconds, our_data = measure(lambda: encode_png(picture, profile))
        ours = min(ours, seconds)
    return (
        f"| {name} | {1000 * theirs:.0f} | {1000 * ours:.0f} | {ours / theirs:.3f} "
        f"| {len(their_data) / 1e6:.2f} | {len(our_data) / 1e6:.2f} "
        f"| {len(our_data) / len(their_data):.3f} |"
    )


def measure(encode: Callable[[], bytes]) -> tuple[float, bytes]:
    start = time.perf_counter()
    data = encode()
    return time.perf_counter() - start, data


if __name__ == "__main__":
    main()

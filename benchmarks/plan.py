"""How long a plan takes, against a decode of the picture it is for: ``python -m benchmarks.plan``.

The planner must vanish beside everything else: its share is printed, not its time alone.
"""

import time
from collections.abc import Callable

import numpy as np
from PIL import Image

from pipelines.codec.decode import decode
from pipelines.codec.encode import Format, encode
from pipelines.composition import Composition, Subject, SubjectKind
from pipelines.geometry import Box, Size
from pipelines.planner import make_plan
from pipelines.rules import Rules

ROUNDS = 9


def median_seconds(work: Callable[[], object]) -> float:
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return sorted(times)[ROUNDS // 2]


def main() -> None:
    noise = np.random.default_rng(1).integers(0, 255, (2000, 3000, 3), np.uint8)
    photo = encode(Image.fromarray(noise), Format.JPEG).data
    faces = tuple(
        Subject(Box(x / 12, 0.2, x / 12 + 0.06, 0.4), "face", SubjectKind.FACE, trusted=True)
        for x in range(10)
    )
    seen = Composition("benchmark", subjects=faces)
    rules = Rules(keep_clear=(Box(0, 0, 1, 0.14), Box(0, 0.8, 1, 1)))
    source = Size(3000, 2000)
    planning = median_seconds(lambda: make_plan(source, seen, Size(970, 250), rules))
    decoding = median_seconds(lambda: decode(photo))
    print(f"plan, 10 subjects, 2 keep-clear zones: {planning * 1000:.1f} ms")
    print(f"decode of a 6 MP JPEG: {decoding * 1000:.1f} ms; ratio {planning / decoding:.3f}")


if __name__ == "__main__":
    main()

"""The describer against the library's plain ``generate``, alone and in company."""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import count
from typing import Any

from PIL import Image

from benchmarks.gpu.bench import Bench, nobody
from benchmarks.gpu.compiling import count_new_graphs
from benchmarks.gpu.models import make_vlm
from benchmarks.gpu.report import Reading
from pipelines.models.compiling import count_graphs
from pipelines.models.vlm.prompt import Prompt
from pipelines.models.vlm.writer import Writer
from tests.drawings import draw_meadow

BUDGET = 48
"""Tokens of an answer before it hurries to its end: random weights have nothing to say."""


def time_describing(bench: Bench) -> Iterator[Reading]:
    """As many tokens for both; ours are held to the grammar, and all end when the last one does."""
    vlm = make_vlm(bench.folder / "vlm", bench.device, tiny=bench.tiny)
    write = Writer(vlm, bench.device, 4 if bench.tiny else BUDGET)
    prompt, seeds = Prompt(vlm, bench.device), count()
    decoder: Any = vlm.model.model.language_model
    weights = sum(weight.nbytes for weight in decoder.parameters())
    yield Reading("vlm: warm-up", bench.clock.once(partial(write.warm_up, bench.rows)), "s")
    graphs = count_graphs()
    for name, rows in (("vlm 1", 1), ("vlm 8", bench.rows)):
        pictures = [draw_meadow(1024, 768, seed=next(seeds)) for _ in range(rows)]
        answers: list[str] = []

        def ours(given: Sequence[Image.Image], answers: list[str]) -> None:
            answers[:] = write(given, nobody(len(given))).values()

        def plain(given: Sequence[Image.Image], tokens: int) -> None:
            vlm.model.generate(**prompt(given), max_new_tokens=tokens, min_new_tokens=tokens)

        timing = bench.clock.measure(partial(ours, pictures, answers))
        tokens = 1 + max(len(vlm.tokenizer.encode(answer)) for answer in answers)
        # both before the time is looked at: compiling may have taken all of it
        with bench.device.for_any_length().working():
            eager = bench.clock.measure(partial(plain, pictures, tokens), 2)
        yield Reading(f"{name}: ours", timing.seconds, "s", timing.spread)
        yield Reading(f"{name}: tokens", tokens, "tokens")
        yield Reading(f"{name}: eager generate", eager.seconds, "s", eager.spread)
        if rate := bench.values.get("card: copy"):
            least = tokens * weights / (rate * 1e12 / 2)
            yield Reading(f"{name}: reading the weights", least, "s")
    yield count_new_graphs("describing", graphs)

"""Which readings a run is to give, so that one that is absent does not go unnoticed."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from torch.nn.attention import SDPBackend

from benchmarks.gpu.bench import Bench
from pipelines.engine import Mode
from pipelines.models.eight_bits import can_use_eight_bits


def _always(bench: Bench) -> bool:  # noqa: ARG001  it is asked as the others are
    return True


def _on_a_card(bench: Bench) -> bool:
    return bench.device.hardware.type == "cuda"


def _compiles(bench: Bench) -> bool:
    return bench.compiles


def _has_eight_bits(bench: Bench) -> bool:
    return bench.tiny or can_use_eight_bits(bench.device)


class Planned(NamedTuple):
    """Readings that a part gives where ``where`` holds and another part was asked for, too."""

    keys: tuple[str, ...]
    where: Callable[[Bench], bool] = _always
    after: str = ""


PLANNED: Mapping[str, tuple[Planned, ...]] = MappingProxyType(
    {
        "card": (
            Planned(
                (
                    "card: matmul",
                    "card: copy",
                    "card: convolution, channels first",
                    "card: convolution, channels last",
                )
            ),
        ),
        "stock": (Planned(("stock: 20 CFG steps", "stock: 30 CFG steps")),),
        "compiling": (
            Planned(("steps, eager",)),
            Planned(("cold start", "graphs", "steps, compiled"), _compiles),
        ),
        "painting": (
            Planned(("ours 1: 20 CFG steps", *(f"ours 1: {mode}" for mode in Mode))),
            Planned(("ours 1: images", "ours 8: images", "ours 8: denoising", "ours 8: work")),
            Planned(("ours 8: efficiency",), after="card"),
            Planned(("waits in the loop",), _on_a_card),
            Planned(("graphs after warm-up: painting",)),
        ),
        "autoencoding": (
            Planned(("vae: encode 8", "vae: decode 8")),
            Planned(("vae: decode 8, efficiency",), after="card"),
            Planned(("vae: 4K in our tiles", "vae: 4K in the library's tiles")),
        ),
        "restart": (Planned(("warm start",), _compiles, after="compiling"),),
        "refining": (
            Planned(("2K, all new", "4K, all new", "4K, a quarter new")),
            Planned(("graphs after warm-up: refining",)),
        ),
        "serving": (
            Planned(("closed loop: images", "closed loop: between batches")),
            Planned(("closed loop: idle",), _on_a_card),
            Planned(("closed loop: p50", "closed loop: p95", "closed loop: batches")),
            Planned(("graphs after warm-up: serving",)),
        ),
        "eight bits": (Planned(("steps, eight bits",), _has_eight_bits),),
        "describing": (
            Planned(("vlm: warm-up",)),
            Planned(("vlm 1: ours", "vlm 1: tokens", "vlm 1: eager generate")),
            Planned(("vlm 8: ours", "vlm 8: tokens", "vlm 8: eager generate")),
            Planned(("vlm 1: reading the weights", "vlm 8: reading the weights"), after="card"),
            Planned(("graphs after warm-up: describing",)),
        ),
    }
)
"""By part."""


def plan_readings(bench: Bench, parts: Sequence[str]) -> Iterator[str]:
    """The keys that these parts are to give on this machine, in no special order."""
    for part in parts:
        for planned in PLANNED[part]:
            if planned.where(bench) and (not planned.after or planned.after in parts):
                yield from planned.keys
        if part == "card":
            for kernel in bench.device.attention:
                if kernel != SDPBackend.MATH:
                    name = f"card: attention by {kernel.name.partition('_')[0].lower()}"
                    yield from (name, f"{name}, a new shape")


def find_absent(bench: Bench, parts: Sequence[str]) -> list[str]:
    """Those of them that ``bench`` has no value of."""
    return [key for key in plan_readings(bench, parts) if key not in bench.values]

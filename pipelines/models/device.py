"""Where the models run, in which numbers and with which attention: decided once, here."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Self

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from pipelines.errors import DeviceFailed, OutOfMemory
from pipelines.models.turns import Turns

SHORTAGES = ("out of memory", "status_alloc_failed", "can't allocate memory")
"""How cuBLAS, cuDNN, the driver and the host say that memory ran out, where no type says so."""


BEST_WITH_CUDNN = (9, 10)
"""Generations of cards, by compute capability, on which cuDNN's attention beats all others."""

SOUND_CUDNN = 91501
"""The first version whose attention is right for every number of tokens."""


@dataclass(frozen=True, slots=True)
class Device:
    """A processor, the numbers that it works in, and its attention kernels, best first.

    ``memory`` is all that a card has, in bytes; None where the models live in the host's memory.
    With ``turns`` the models that settle here are on it one at a time.
    """

    hardware: torch.device
    dtype: torch.dtype
    attention: tuple[SDPBackend, ...]
    memory: int | None = None
    turns: Turns | None = None

    def in_turns(self) -> Self:
        """The same device for models that do not fit onto it together."""
        return replace(self, turns=Turns(self.hardware))

    def for_any_length(self) -> Self:
        """The same device for sequences of which hardly two are of one length.

        cuDNN makes a plan for each length that it has not seen, which takes longer than a prompt.
        """
        kernels = [kernel for kernel in self.attention if kernel != SDPBackend.CUDNN_ATTENTION]
        return replace(self, attention=tuple(kernels))

    def upload(self, values: torch.Tensor) -> torch.Tensor:
        """The same values on the device."""
        return values.to(self.hardware)

    def settle(self, model: Any) -> Any:
        """Give a model its place on the device, or a turn on it; there only to infer."""
        model = model.eval().requires_grad_(requires_grad=False)
        return model.to(self.hardware) if self.turns is None else self.turns.admit(model)

    @contextmanager
    def working(self) -> Iterator[None]:
        """Run models inside: no gradients, this attention, torch's failures turned into ours.

        Raises:
            OutOfMemory: the device's memory is too small for it.
            DeviceFailed: the device failed, and nothing more can be expected of it.
        """
        try:
            with torch.inference_mode(), sdpa_kernel(list(self.attention), set_priority=True):
                yield
        except (RuntimeError, MemoryError) as error:
            if _is_shortage(error):
                self._forget(error)
                msg = f"the models do not fit into the memory of {self.hardware}"
                raise OutOfMemory(msg) from error
            if isinstance(error, torch.AcceleratorError):
                msg = f"{self.hardware} failed; this process must be started anew"
                raise DeviceFailed(msg) from error
            raise

    def _forget(self, error: Exception) -> None:
        """Give back what an abandoned job had reserved, so that a smaller one finds room."""
        traceback.clear_frames(error.__traceback__)  # their locals are the job's tensors
        if self.hardware.type == "cuda":
            torch.cuda.empty_cache()


def _is_shortage(error: Exception) -> bool:
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    words = str(error).lower()
    return any(shortage in words for shortage in SHORTAGES)


def choose_device() -> Device:
    """The first CUDA card, else the processor.

    A card works in float16, as the weights are published: their VAE is the one whose activations
    fit, and bfloat16 would blur colours by two binary digits for the same speed.
    """
    if not torch.cuda.is_available():
        return CPU
    generation, _ = torch.cuda.get_device_capability()
    cudnn: int | None = torch.backends.cudnn.version()  # type: ignore[no-untyped-call]
    kernels = choose_attention(generation, cudnn)
    memory = torch.cuda.get_device_properties("cuda").total_memory
    return Device(torch.device("cuda"), torch.float16, kernels, memory)


def choose_attention(generation: int, cudnn: int | None) -> tuple[SDPBackend, ...]:
    """A card's kernels, best first, by the same rule as torch's own; ``cudnn`` is its version."""
    kernels = (SDPBackend.FLASH_ATTENTION, SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH)
    if generation in BEST_WITH_CUDNN and (cudnn or 0) >= SOUND_CUDNN:
        return (SDPBackend.CUDNN_ATTENTION, *kernels)
    return kernels


CPU = Device(torch.device("cpu"), torch.float32, (SDPBackend.FLASH_ATTENTION, SDPBackend.MATH))
"""Exact and slow."""

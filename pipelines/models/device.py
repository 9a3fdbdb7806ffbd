"""Where the models run, in which numbers and with which attention: decided once, here."""

import traceback
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any, Self

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from pipelines.errors import DeviceFailed, EngineUnavailable, OutOfMemory
from pipelines.models.turns import Turns

SHORTAGES = ("out of memory", "status_alloc_failed", "can't allocate memory")
"""How cuBLAS, cuDNN, the driver and the host say that memory ran out, where no type says so."""

LEAST_CAPABILITY = (8, 0)
"""Cards below have no bfloat16, which the describer was trained in."""

BEST_WITH_CUDNN = (9, 10)
"""Generations of cards, by compute capability, on which cuDNN's attention beats all others."""

SOUND_CUDNN = 91501
"""The first version whose attention is right for every number of tokens."""


@dataclass(frozen=True, slots=True)
class Device:
    """A processor, the numbers that it works in, and its attention kernels, best first.

    The describer works in ``wide``, all other models in ``dtype``. ``memory`` is all that a card
    has, in bytes; None where the models live in the host's memory. With ``turns`` the models that
    settle here are on it one at a time.
    """

    hardware: torch.device
    dtype: torch.dtype
    attention: tuple[SDPBackend, ...]
    memory: int | None = None
    turns: Turns | None = None
    wide: torch.dtype = torch.float32

    def in_turns(self) -> Self:
        """The same device for models that do not fit onto it together."""
        return replace(self, turns=Turns(self.hardware))

    def for_any_length(self) -> Self:
        """The same device for sequences, or batches, of which hardly two are of one length.

        It leaves cuDNN out, which makes a plan for each shape that it has not seen, and takes
        longer for that than for the attention itself.
        """
        kernels = [kernel for kernel in self.attention if kernel != SDPBackend.CUDNN_ATTENTION]
        return replace(self, attention=tuple(kernels))

    def upload(self, values: torch.Tensor) -> torch.Tensor:
        """The same values on the device."""
        return values.to(self.hardware)

    def answer(self) -> None:
        """Have the device compute something, beside whatever else it does.

        Raises:
            OutOfMemory: there is no room for a single number.
            DeviceFailed: it does not, and nothing more can be expected of it.
        """
        with self.translating(), ExitStack() as stack:
            if self.hardware.type == "cuda":
                # a stream of its own: on the usual one it would wait for a whole batch
                own = torch.cuda.Stream(self.hardware)  # type: ignore[no-untyped-call]
                stack.enter_context(torch.cuda.stream(own))
            torch.ones(1, device=self.hardware).item()

    def settle(self, model: Any) -> Any:
        """Give a model its place on the device, or a turn on it; there only to infer."""
        model = model.eval().requires_grad_(requires_grad=False)
        return model.to(self.hardware) if self.turns is None else self.turns.admit(model)

    @contextmanager
    def translating(self) -> Iterator[None]:
        """Turn torch's failures inside, of models that load or work, into ours.

        Raises:
            OutOfMemory: the device's memory is too small for it.
            DeviceFailed: the device failed, and nothing more can be expected of it.
        """
        try:
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

    @contextmanager
    def working(self) -> Iterator[None]:
        """Run models inside: no gradients, this attention, torch's failures turned into ours.

        Raises:
            OutOfMemory: the device's memory is too small for it.
            DeviceFailed: the device failed, and nothing more can be expected of it.
        """
        attention = sdpa_kernel(list(self.attention), set_priority=True)
        with self.translating(), torch.inference_mode(), attention:
            yield

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

    Raises:
        EngineUnavailable: the card is too old.
    """
    if not torch.cuda.is_available():
        return CPU
    cudnn: int | None = torch.backends.cudnn.version()  # type: ignore[no-untyped-call]
    memory = torch.cuda.get_device_properties("cuda").total_memory
    return suit_card(torch.cuda.get_device_capability(), cudnn, memory)


def suit_card(capability: tuple[int, int], cudnn: int | None, memory: int) -> Device:
    """What suits a card of this compute capability, version of cuDNN and memory in bytes.

    It works in float16, as the weights are published: their VAE is the one whose activations fit,
    and bfloat16 would blur colours by three binary digits for the same speed. The describer was
    published in bfloat16; nobody promises that its activations fit into float16.

    Raises:
        EngineUnavailable: the card is too old.
    """
    if capability < LEAST_CAPABILITY:
        least, found = (".".join(map(str, pair)) for pair in (LEAST_CAPABILITY, capability))
        msg = (
            f"the SDXL engine needs a card of compute capability {least}; this one has {found}. "
            "The preview engine needs no card"
        )
        raise EngineUnavailable(msg)
    kernels = choose_attention(capability[0], cudnn)
    card = torch.device("cuda")
    return Device(card, torch.float16, kernels, memory, wide=torch.bfloat16)


def choose_attention(generation: int, cudnn: int | None) -> tuple[SDPBackend, ...]:
    """A card's kernels, best first.

    ``generation`` is the first number of its compute capability, ``cudnn`` the version, None where
    there is none.
    """
    kernels = (SDPBackend.FLASH_ATTENTION, SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH)
    if generation in BEST_WITH_CUDNN and (cudnn or 0) >= SOUND_CUDNN:
        return (SDPBackend.CUDNN_ATTENTION, *kernels)
    return kernels


CPU = Device(torch.device("cpu"), torch.float32, (SDPBackend.FLASH_ATTENTION, SDPBackend.MATH))
"""Exact and slow."""

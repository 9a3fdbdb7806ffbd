"""Where the models run, in which numbers and with which attention: decided once, here."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from pipelines.errors import ModelError, OutOfMemory


@dataclass(frozen=True, slots=True)
class Device:
    """A processor, the numbers that it works in, and its attention kernels, best first."""

    hardware: torch.device
    dtype: torch.dtype
    attention: tuple[SDPBackend, ...]

    def upload(self, values: torch.Tensor) -> torch.Tensor:
        """The same values on the device."""
        return values.to(self.hardware)

    def settle(self, model: Any) -> Any:
        """Move a model onto the device, there only to infer."""
        return model.to(self.hardware).eval().requires_grad_(requires_grad=False)

    @contextmanager
    def working(self) -> Iterator[None]:
        """Run models inside: no gradients, this attention, torch's failures turned into ours.

        Raises:
            OutOfMemory: the device's memory is too small for it.
            ModelError: the device failed.
        """
        try:
            with torch.inference_mode(), sdpa_kernel(list(self.attention), set_priority=True):
                yield
        except torch.OutOfMemoryError as error:
            self._forget(error)
            msg = f"the models do not fit into the memory of {self.hardware}"
            raise OutOfMemory(msg) from error
        except torch.AcceleratorError as error:
            msg = f"{self.hardware} failed; this process must be started anew"
            raise ModelError(msg) from error

    def _forget(self, error: Exception) -> None:
        """Give back what an abandoned job had reserved, so that a smaller one finds room."""
        traceback.clear_frames(error.__traceback__)  # their locals are the job's tensors
        if self.hardware.type == "cuda":
            torch.cuda.empty_cache()


def choose_device() -> Device:
    """The first CUDA card, else the processor.

    A card works in float16, as the weights are published: their VAE is the one whose activations
    fit, and bfloat16 would blur colours by two binary digits for the same speed.
    """
    if not torch.cuda.is_available():
        return CPU
    kernels = [SDPBackend.FLASH_ATTENTION, SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH]
    if torch.cuda.get_device_capability() >= (9, 0):
        kernels.insert(0, SDPBackend.CUDNN_ATTENTION)
    return Device(torch.device("cuda"), torch.float16, tuple(kernels))


CPU = Device(torch.device("cpu"), torch.float32, (SDPBackend.FLASH_ATTENTION, SDPBackend.MATH))
"""Exact and slow."""

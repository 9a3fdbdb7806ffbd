"""A device that fails while models are loaded is never taken for damaged files."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch

from pipelines.errors import DeviceFailed, ModelError, OutOfMemory
from pipelines.models.device import CPU, Device
from pipelines.models.nsfw import load_nsfw
from pipelines.models.sdxl.components import load_components
from pipelines.models.vlm.components import load_vlm

LOADERS: dict[str, Callable[[Path, Device], object]] = {
    "inpaint": load_components,
    "vlm-light": load_vlm,
    "nsfw": load_nsfw,
}
"""By role."""


@dataclass(frozen=True, slots=True)
class FailingDevice(Device):
    """No model finds a place on it."""

    failure: Exception | None = None

    def settle(self, model: Any) -> Any:
        assert self.failure
        raise self.failure


@pytest.mark.parametrize("role", LOADERS)
@pytest.mark.parametrize(
    ("failure", "ours"),
    [
        (torch.OutOfMemoryError("CUDA out of memory"), OutOfMemory),
        (RuntimeError("[enforce fail] can't allocate memory: you tried 8 GB"), OutOfMemory),
        (MemoryError(), OutOfMemory),
        (torch.AcceleratorError("CUDA error: unspecified launch failure"), DeviceFailed),
    ],
    ids=repr,
)
def test_what_fails_is_told_as_the_devices(
    supplies: Path, role: str, failure: Exception, ours: type[ModelError]
) -> None:
    (folder,) = (supplies / "weights" / f"tiny--{role}").glob("*/")
    device = FailingDevice(CPU.hardware, CPU.dtype, CPU.attention, failure=failure)
    with pytest.raises(ours) as caught:
        LOADERS[role](folder, device)
    assert caught.value.__cause__ is failure

"""Linear layers that multiply in eight bits, for cards whose matrix units do: twice the rate.

Weights and inputs become float8 (e4m3) with a scale of their own for each row, so that a picture's
result does not depend on its neighbours in a batch. A product is then off by about 4 %, which the
model has not been taught to bear; what that does to paintings nobody has looked at yet. An option,
and off unless asked for.
"""

import torch
from diffusers.models.attention import BasicTransformerBlock
from torch import nn
from torch.nn.functional import ScalingType, scaled_mm

from pipelines.models.device import Device

EIGHT_BITS = torch.float8_e4m3fn
LARGEST: float = torch.finfo(EIGHT_BITS).max

OLDEST = (9, 0)
"""Compute capability from which on products with a scale for each row are made; Hopper's."""

MULTIPLE = 16
"""What both sides of a weight must be multiples of."""


class EightBitLinear(nn.Module):
    """A linear layer with its weight in eight bits; the bias stays as it was."""

    weight: torch.Tensor
    scale: torch.Tensor
    bias: nn.Parameter | None

    def __init__(self, linear: nn.Linear) -> None:
        """Keep the weight of ``linear`` in eight bits, on the same device."""
        super().__init__()
        weight, scale = round_rows(linear.weight.detach())
        self.register_buffer("weight", weight)  # (N, K)
        self.register_buffer("scale", scale.T.contiguous())  # (1, N)
        self.bias = linear.bias

    def forward(self, given: torch.Tensor) -> torch.Tensor:
        """The product (..., N) of ``given`` (..., K), in the numbers of ``given``."""
        rows, scale = round_rows(given.flatten(0, -2))
        product = scaled_mm(
            rows,
            self.weight.T,
            scale,
            ScalingType.RowWise,
            self.scale,
            ScalingType.RowWise,
            output_dtype=torch.bfloat16,  # the only one that cards give with scales for rows
        )
        made = product.to(given.dtype).view(*given.shape[:-1], -1)
        return made if self.bias is None else made + self.bias


def round_rows(values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """``values`` (R, C) in eight bits, and the scale (R, 1), float32, to multiply each row by."""
    most = values.abs().amax(dim=1, keepdim=True).float()
    scale = (most / LARGEST).clamp(min=torch.finfo(torch.float32).tiny)  # a row may be all zeros
    return (values.float() / scale).to(EIGHT_BITS), scale


def can_use_eight_bits(device: Device) -> bool:
    """Whether the device multiplies in eight bits by itself, and has the model for good."""
    cuda = device.hardware.type == "cuda" and device.turns is None
    return cuda and torch.cuda.get_device_capability(device.hardware) >= OLDEST


def use_eight_bits(unet: nn.Module) -> int:
    """Put the linear layers of the transformer blocks into eight bits; how many there were.

    To be called when the few-step adapter is loaded, which stays as it is, and before anything is
    compiled. There is no way back.
    """
    changed = 0
    for block in unet.modules():
        if isinstance(block, BasicTransformerBlock):
            for path, layer in list(block.named_modules()):
                if "lora_" not in path and _fits(layer):
                    block.set_submodule(path, EightBitLinear(layer))
                    changed += 1
    return changed


def _fits(layer: nn.Module) -> bool:
    return (
        type(layer) is nn.Linear
        and not layer.in_features % MULTIPLE
        and not layer.out_features % MULTIPLE
    )

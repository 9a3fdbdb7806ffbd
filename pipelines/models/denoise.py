"""The denoising loop: rows of a batch are different pictures that share only the steps.

A row's result does not depend on its neighbours. Inside the loop nothing waits for the device.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from diffusers import UNet2DConditionModel

from pipelines.geometry import Size
from pipelines.models.prompt import Words
from pipelines.models.recipe import Recipe
from pipelines.models.schedule import Schedule


@dataclass(frozen=True, slots=True)
class Row:
    """What one picture brings into the loop: float32 on the device, without a batch axis.

    ``masked`` (4, h, w) are the latents of the picture with the new area grey, ``mask`` (1, h, w)
    is 1 where to paint. ``hold`` (1, h, w) is the share of the steps, 0 to 1, during which a cell
    is put back to ``masked``; ``tint`` (4, h, w) is added to the first ``noise`` (4, h, w).
    ``sizes`` (6,) is what ``tell_sizes`` says of the picture.
    """

    noise: torch.Tensor
    sizes: torch.Tensor
    prompt: Words
    negative: Words
    masked: torch.Tensor
    mask: torch.Tensor
    hold: torch.Tensor
    tint: torch.Tensor


class _Sides(NamedTuple):
    """What the UNet is told beside the latents, row by row."""

    words: torch.Tensor  # (B, 77, D)
    pooled: torch.Tensor  # (B, P)
    sizes: torch.Tensor  # (B, 6)


def make_noise(seed: int, shape: Sequence[int]) -> torch.Tensor:
    """Standard normal noise that is the same on every machine; on the CPU, float32."""
    generator = torch.Generator("cpu").manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float32)


def tell_sizes(size: Size) -> torch.Tensor:
    """What the model was told of each training picture: its first size, crop and final size."""
    return torch.tensor([size.height, size.width, 0, 0, size.height, size.width]).float()


def denoise(
    unet: UNet2DConditionModel,
    rows: Sequence[Row],
    schedule: Schedule,
    recipe: Recipe,
    tick: Callable[[float], None],
) -> torch.Tensor:
    """The painted latents (B, 4, h, w), float32; ``tick`` hears the share done and may raise."""
    noise = torch.stack([row.noise for row in rows])
    masked = torch.stack([row.masked for row in rows])
    hold = torch.stack([row.hold for row in rows])
    canvas = torch.cat([torch.stack([row.mask for row in rows]), masked], 1)  # (B, 5, h, w)
    positive = _gather(rows, [row.prompt for row in rows])
    negative = _gather(rows, [row.negative for row in rows])
    both = _Sides(*(torch.cat(pair) for pair in zip(negative, positive, strict=True)))

    latents = noise * schedule.start + torch.stack([row.tint for row in rows])
    for step in range(len(schedule)):
        tick(step / len(schedule))
        view = torch.cat([latents * schedule.scales[step], canvas], 1).to(unet.dtype)
        if recipe.guides(step):
            pair = _predict(unet, torch.cat([view, view]), schedule.timesteps[step], both)
            without, given = pair.chunk(2)
            error = without + recipe.guidance * (given - without)
        else:
            error = _predict(unet, view, schedule.timesteps[step], positive)
        latents = latents + schedule.strides[step] * error
        known = masked + schedule.sigmas[step + 1] * noise
        latents = torch.where(hold >= (step + 1) / len(schedule), known, latents)
    tick(1.0)
    return latents


def _gather(rows: Sequence[Row], words: Sequence[Words]) -> _Sides:
    return _Sides(
        torch.stack([word.tokens for word in words]),
        torch.stack([word.pooled for word in words]),
        torch.stack([row.sizes for row in rows]),
    )


def _predict(
    unet: UNet2DConditionModel, view: torch.Tensor, time: torch.Tensor, sides: _Sides
) -> torch.Tensor:
    """The noise that the model sees in ``view`` (B, 9, h, w), float32 (B, 4, h, w)."""
    seen: torch.Tensor = unet(
        view,
        time,
        encoder_hidden_states=sides.words,
        added_cond_kwargs={"text_embeds": sides.pooled, "time_ids": sides.sizes},
        return_dict=False,
    )[0]
    return seen.float()

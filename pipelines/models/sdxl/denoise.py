"""The denoising loop: rows of a batch are different pictures that share only the steps.

A row's result does not depend on its neighbours. Inside the loop nothing waits for the device.
Each step asks the model for the noise in the latents, goes to the next lower noise level by the
schedule's numbers, and puts the source back, in as much noise, where it is still held.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

import torch
from diffusers import UNet2DConditionModel

from pipelines.geometry import Size
from pipelines.models.audience import Audience
from pipelines.models.sdxl.lora import adapted
from pipelines.models.sdxl.prompt import Words
from pipelines.models.sdxl.recipe import Recipe
from pipelines.models.sdxl.schedule import Schedule


@dataclass(frozen=True, slots=True)
class Row:
    """What one picture brings into the loop: float32 on the device, without a batch axis.

    ``masked`` (4, h, w) are the latents of the picture with the new area grey, ``mask`` (1, h, w)
    is 1 where to paint. ``hold`` (1, h, w) is the share of the steps taken, 0 to 1, during which a
    cell is put back to ``masked``. ``tint`` (4, h, w) is added to the first noise: broad colours,
    or the picture itself where a recipe has less than full strength. ``noise`` (N, 4, h, w) has as
    many noises as the recipe wants. ``sizes`` (6,) is what ``tell_sizes`` says of the picture.
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
    audience: Audience,
) -> tuple[list[int], torch.Tensor]:
    """Who of the audience stayed to the end, and their painted latents (B, 4, h, w), float32.

    Between the steps the audience is told the share done, and the rows of those who leave are
    dropped.
    """
    present = list(range(len(rows)))
    batch = _Batch.gather(rows)
    latents = batch.noise(0) * schedule.start + torch.stack([row.tint for row in rows])
    with adapted(unet, wanted=recipe.few_step):
        for step in range(len(schedule)):
            staying = audience.tell(step / len(schedule))
            if not staying:
                return [], latents[:0]
            if staying != present:
                latents = _pick(latents, present, staying)
                present, batch = staying, _Batch.gather([rows[number] for number in staying])
            error = _predict(unet, latents, batch, schedule, recipe, step)
            latents = _advance(latents, error, batch, schedule, step)
    staying = audience.tell(1.0)
    return staying, _pick(latents, present, staying)


def _pick(latents: torch.Tensor, present: list[int], staying: list[int]) -> torch.Tensor:
    """The rows of those who stay; one by one, for a list of places would have to be uploaded."""
    if staying == present:
        return latents
    rows = [latents[present.index(number)] for number in staying]
    return torch.stack(rows) if rows else latents[:0]


class _Batch(NamedTuple):
    """The rows side by side, in the order of ``Row``."""

    noises: torch.Tensor  # (B, N, 4, h, w)
    masked: torch.Tensor
    hold: torch.Tensor
    canvas: torch.Tensor  # (B, 5, h, w), the mask and the masked picture
    given: _Sides
    both: _Sides  # (2 B), first without the prompt, then with it

    @classmethod
    def gather(cls, rows: Sequence[Row]) -> Self:
        masked = torch.stack([row.masked for row in rows])
        given = _gather(rows, [row.prompt for row in rows])
        without = _gather(rows, [row.negative for row in rows])
        return cls(
            noises=torch.stack([row.noise for row in rows]),
            masked=masked,
            hold=torch.stack([row.hold for row in rows]),
            canvas=torch.cat([torch.stack([row.mask for row in rows]), masked], 1),
            given=given,
            both=_Sides(*(torch.cat(pair) for pair in zip(without, given, strict=True))),
        )

    def noise(self, step: int) -> torch.Tensor:
        """What lies in the latents before ``step`` (B, 4, h, w); the last one stays for good."""
        return self.noises[:, min(step, self.noises.shape[1] - 1)]


def _predict(
    unet: UNet2DConditionModel,
    latents: torch.Tensor,
    batch: _Batch,
    schedule: Schedule,
    recipe: Recipe,
    step: int,
) -> torch.Tensor:
    """The noise in ``latents``, weighed against what is seen without a prompt."""
    # the words have the model's numbers; asking the model itself walks through all of its modules
    numbers = batch.given.words.dtype
    view = torch.cat([latents * schedule.scales[step], batch.canvas], 1).to(numbers)
    if not recipe.guides(step):
        return _see(unet, view, schedule.timesteps[step], batch.given)
    pair = _see(unet, torch.cat([view, view]), schedule.timesteps[step], batch.both)
    without, given = pair.chunk(2)
    return without + recipe.guidance * (given - without)


def _advance(
    latents: torch.Tensor, error: torch.Tensor, batch: _Batch, schedule: Schedule, step: int
) -> torch.Tensor:
    """The latents at the next lower noise level, with the source where it is still held."""
    noise = batch.noise(step + 1)
    painted = schedule.keeps[step] * latents + schedule.strides[step] * error
    painted = painted + schedule.spreads[step] * noise
    known = batch.masked + schedule.sigmas[step + 1] * noise
    return torch.where(batch.hold >= (step + 1) / len(schedule), known, painted)


def _gather(rows: Sequence[Row], words: Sequence[Words]) -> _Sides:
    return _Sides(
        torch.stack([word.tokens for word in words]),
        torch.stack([word.pooled for word in words]),
        torch.stack([row.sizes for row in rows]),
    )


def _see(
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

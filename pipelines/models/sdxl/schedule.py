"""Coefficients of the steps along the noise levels, as tables that live on the device.

The model is trained on x = data + sigma * noise; a step goes from one sigma to the next lower
one (Karras et al. 2022, "Elucidating the Design Space of Diffusion-Based Generative Models").
Both samplers' steps are sums of the same three things, so they differ in numbers only:

    next = keep * x + stride * error + spread * fresh noise

Nothing here keeps a position: rows at different steps could share the tables.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import torch

from pipelines.errors import ModelError
from pipelines.models.device import Device
from pipelines.models.sdxl.recipe import Recipe, Sampler, Spacing

LESSONS = 50
"""Time steps that consistency is taught at, evenly over the training's."""

SHARPNESS = 10.0
"""How soon, with rising time, a consistent model stops to trust what it is shown."""

SPREAD_OF_DATA = 0.5
"""Standard deviation of the data that consistency was derived for."""


@dataclass(frozen=True, slots=True)
class Training:
    """How the model was trained to see noise: as many time steps, betas of square roots evenly."""

    steps: int
    beta_start: float
    beta_end: float
    offset: int

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Read a published scheduler's configuration.

        Raises:
            ModelError: the model was trained in a way that this loop does not speak.
        """
        spoken = {"beta_schedule": "scaled_linear", "prediction_type": "epsilon"}
        for key, value in spoken.items():
            if config.get(key) != value:
                msg = f"the model's {key} is {config.get(key)}, and only {value} is supported"
                raise ModelError(msg)
        return cls(
            steps=int(config["num_train_timesteps"]),
            beta_start=float(config["beta_start"]),
            beta_end=float(config["beta_end"]),
            offset=int(config.get("steps_offset", 0)),
        )

    def tabulate_sigmas(self) -> torch.Tensor:
        """The noise level of each training time step, rising, float32 (steps,)."""
        ends = self.beta_start**0.5, self.beta_end**0.5
        betas = torch.linspace(*ends, self.steps, dtype=torch.float32) ** 2
        kept = torch.cumprod(1 - betas, 0)
        return ((1 - kept) / kept).sqrt()


@dataclass(frozen=True, slots=True)
class Schedule:
    """One row of numbers per step taken, float32 on the device.

    ``timesteps`` (N,) is what the model is told, ``sigmas`` (N + 1,) the noise levels, the last
    one 0, ``scales`` (N,) bring latents to unit variance for the model. ``keeps``, ``strides``
    and ``spreads`` (N,) weigh the latents, the noise seen in them and fresh noise. ``start``
    (scalar) multiplies the first noise.
    """

    timesteps: torch.Tensor
    sigmas: torch.Tensor
    scales: torch.Tensor
    keeps: torch.Tensor
    strides: torch.Tensor
    spreads: torch.Tensor
    start: torch.Tensor

    def __len__(self) -> int:
        """Steps."""
        return len(self.timesteps)


def make_schedule(training: Training, recipe: Recipe, device: Device) -> Schedule:
    """The tables for the steps that ``recipe`` takes; it has fewer than the training had."""
    assert 1 <= recipe.steps < training.steps
    times = [_choose_time(training, recipe, step) for step in range(recipe.skipped, recipe.steps)]
    found = training.tabulate_sigmas()[times]
    sigmas = torch.cat([found, found.new_zeros(1)])
    scales = (found**2 + 1).rsqrt()
    weights = _weigh(recipe, torch.tensor(times, dtype=torch.float32), sigmas, scales)
    return Schedule(
        timesteps=device.upload(torch.tensor(times, dtype=torch.float32)),
        sigmas=device.upload(sigmas),
        scales=device.upload(scales),
        keeps=device.upload(weights.keeps),
        strides=device.upload(weights.strides),
        spreads=device.upload(weights.spreads),
        start=device.upload(_choose_start(recipe, found[0])),
    )


class _Weights(NamedTuple):
    keeps: torch.Tensor
    strides: torch.Tensor
    spreads: torch.Tensor


def _choose_time(training: Training, recipe: Recipe, step: int) -> int:
    steps = recipe.steps
    if recipe.sampler is Sampler.CONSISTENCY:
        assert steps <= LESSONS
        return (LESSONS - int(step * (LESSONS / steps))) * (training.steps // LESSONS) - 1
    match recipe.spacing:
        case Spacing.LEADING:
            return (steps - 1 - step) * (training.steps // steps) + training.offset
        case Spacing.TRAILING:
            return round(training.steps - step * training.steps / steps) - 1


def _choose_start(recipe: Recipe, sigma: torch.Tensor) -> torch.Tensor:
    """What multiplies the first noise, ``sigma`` being the first level.

    Where no picture lies below the noise, it makes up for the variance that the picture would
    have; with trailing spacing that is next to nothing, and the reference leaves it out.
    """
    if recipe.strength < 1:
        return sigma
    if recipe.sampler is Sampler.EULER and recipe.spacing is Spacing.TRAILING:
        return sigma
    return (sigma**2 + 1).sqrt()


def _weigh(
    recipe: Recipe, times: torch.Tensor, sigmas: torch.Tensor, scales: torch.Tensor
) -> _Weights:
    ones, nothing = torch.ones_like(scales), torch.zeros_like(scales)
    match recipe.sampler:
        case Sampler.EULER:
            return _Weights(ones, sigmas.diff(), nothing)
        case Sampler.CONSISTENCY:
            # the data that the model sees, x - sigma * error, and a little of what it was shown
            pull = (times * SHARPNESS) ** 2 + SPREAD_OF_DATA**2
            shown = SPREAD_OF_DATA**2 / pull
            seen = times * SHARPNESS / pull.sqrt()
            return _Weights(seen + shown * scales, -seen * sigmas[:-1], sigmas[1:])

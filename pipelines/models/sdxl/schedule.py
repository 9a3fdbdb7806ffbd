"""Coefficients of Euler's method along the noise levels, as tables that live on the device.

The model is trained on x = data + sigma * noise; a step goes from one sigma to the next lower
one (Karras et al. 2022, "Elucidating the Design Space of Diffusion-Based Generative Models").
Nothing here keeps a position: rows at different steps could share the tables.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

import torch

from pipelines.errors import ModelError
from pipelines.models.device import Device


class Spacing(StrEnum):
    """Which of the training's time steps are visited.

    ``trailing`` begins at the last one, in nearly pure noise; ``leading`` begins earlier, the
    more so the fewer steps there are.
    """

    LEADING = "leading"
    TRAILING = "trailing"


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
    """One row of numbers per step, float32 on the device.

    ``timesteps`` (N,) is what the model is told, ``sigmas`` (N + 1,) the noise levels, the last
    one 0, ``scales`` (N,) bring latents to unit variance for the model, ``strides`` (N,) are the
    differences of the noise levels. ``start`` (scalar) multiplies the first noise.
    """

    timesteps: torch.Tensor
    sigmas: torch.Tensor
    scales: torch.Tensor
    strides: torch.Tensor
    start: torch.Tensor

    def __len__(self) -> int:
        """Steps."""
        return len(self.timesteps)


def make_schedule(training: Training, steps: int, spacing: Spacing, device: Device) -> Schedule:
    """The tables for ``steps`` steps, at least 1 and fewer than the training had."""
    assert 1 <= steps < training.steps
    times = [_choose_time(training, steps, spacing, step) for step in range(steps)]
    found = training.tabulate_sigmas()[times]
    sigmas = torch.cat([found, found.new_zeros(1)])
    highest = sigmas[0]
    start = highest if spacing is Spacing.TRAILING else (highest**2 + 1).sqrt()
    return Schedule(
        timesteps=device.upload(torch.tensor(times, dtype=torch.float32)),
        sigmas=device.upload(sigmas),
        scales=device.upload((found**2 + 1).rsqrt()),
        strides=device.upload(sigmas.diff()),
        start=device.upload(start),
    )


def _choose_time(training: Training, steps: int, spacing: Spacing, step: int) -> int:
    match spacing:
        case Spacing.LEADING:
            return (steps - 1 - step) * (training.steps // steps) + training.offset
        case Spacing.TRAILING:
            return round(training.steps - step * training.steps / steps) - 1

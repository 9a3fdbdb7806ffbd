"""A sign of life: the device computes, and what the models are at goes on."""

from pipelines.errors import ModelError
from pipelines.models.batcher import Batcher
from pipelines.models.device import Device

LONGEST_SILENCE = 600.0
"""Seconds between two steps beyond which the work under way counts as stuck.

The longest were seen without a card, at full size: 143 s for a step, 133 s for the VAE.
"""


def probe(device: Device, batcher: Batcher) -> None:
    """Ask the device and the models' thread; waits for no batch.

    Raises:
        DeviceFailed: the device failed, and nothing more can be expected of it.
        ModelError: the device has no memory left, or the work under way is stuck.
    """
    device.answer()
    silence = batcher.silence()
    if silence > LONGEST_SILENCE:
        msg = f"the models have been at one step for {silence:.0f} s"
        raise ModelError(msg)

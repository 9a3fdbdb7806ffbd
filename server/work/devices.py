"""Which devices this machine has, found without loading anything that would occupy one."""

import os
import subprocess
from pathlib import Path

from server.cards import VISIBLE
from server.settings import EngineName

CPU = "cpu"
CARDS = Path("/proc/driver/nvidia/gpus")


def find_devices(engine: EngineName) -> tuple[str, ...]:
    """A name for each device that the engine can use: ``cpu``, or ``cuda:`` and the card's.

    What the operator made visible counts, else every card that the driver knows.
    """
    if engine is EngineName.PREVIEW:
        return (CPU,)
    visible = os.environ.get(VISIBLE)  # noqa: TID251  the driver's own variable, not a setting
    if visible is None:
        cards = [str(number) for number in range(_count_cards())]
    else:
        cards = [card.strip() for card in visible.split(",") if card.strip()]
    return tuple(f"cuda:{card}" for card in cards) or (CPU,)


def occupy(device: str) -> None:
    """Let this process see that device only; before anything that uses one is loaded."""
    kind, _, card = device.partition(":")
    variables = os.environ  # noqa: TID251  the driver's own variables, not settings
    variables["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"
    variables[VISIBLE] = card if kind == "cuda" else ""


def _count_cards() -> int:
    if CARDS.is_dir():
        return len(list(CARDS.iterdir()))
    try:
        listed = subprocess.run(
            ["nvidia-smi", "--list-gpus"],  # noqa: S607  the driver's own tool, wherever it is
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return 0
    return sum(line.startswith("GPU ") for line in listed.stdout.splitlines())

"""The memory of this machine's cards, asked of the driver without occupying one."""

import os
import subprocess

VISIBLE = "CUDA_VISIBLE_DEVICES"
QUERY = ("nvidia-smi", "--query-gpu=index,uuid,memory.total", "--format=csv,noheader,nounits")


def read_memories() -> tuple[int, ...] | None:
    """Bytes of each card that this process may use; nothing of the kind where there is no driver.

    None where it is not known: the driver does not answer, or only a part of a card may be used.
    """
    visible = os.environ.get(VISIBLE)  # noqa: TID251  the driver's own variable, not a setting
    try:
        answer = subprocess.run(  # noqa: S603  the driver's own tool, wherever it is
            QUERY, capture_output=True, text=True, timeout=10, check=True
        )
        cards = [line.split(", ") for line in answer.stdout.splitlines()]
        sizes = {(index, name): int(size) * 2**20 for index, name, size in cards}
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    if visible is None:
        return tuple(sizes.values())
    chosen = []
    for card in filter(None, map(str.strip, visible.split(","))):
        fits = [size for (index, name), size in sizes.items() if _is(card, index, name)]
        if len(fits) != 1:
            return None
        chosen += fits
    return tuple(chosen)


def _is(card: str, index: str, name: str) -> bool:
    """Whether a card is called so: by its number, or by the beginning of its name."""
    return card == index or (card.startswith("GPU-") and name.startswith(card))

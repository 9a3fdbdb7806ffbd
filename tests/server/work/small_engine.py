"""A real engine that needs no time to start: it paints one colour, and does what its prompt says.

Prompts: ``sleep 0.3`` in small steps that may be stopped, ``stubborn 0.3`` in one, ``die`` by
SIGKILL, ``exhaust`` the memory, ``break`` the device, ``stumble`` over a defect. What is done goes
into ``<folder>/renders.log``, a line when it begins and one when it ends.
"""

import os
import signal
import time
from pathlib import Path

from PIL import Image

from pipelines.composition import Composition
from pipelines.engine import Engine, Painting
from pipelines.errors import DeviceFailed, OutOfMemory
from pipelines.progress import Progress, Step

SLICE = 0.02


def append(path: Path, line: str) -> None:
    """Add a line in one write, so that processes may do so together."""
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(handle, f"{line}\n".encode())
    os.close(handle)


class SmallPainter:
    """Paints every canvas in the colour that its seed gives."""

    def __init__(self, folder: Path) -> None:
        """What is done is noted in ``folder``."""
        self._log = folder / "renders.log"

    def __call__(self, painting: Painting, progress: Progress) -> Image.Image:
        """Follow the prompt, then paint."""
        append(self._log, f"begin {painting.seed} {os.getpid()} {time.time()}")
        self._follow(painting.prompt, progress)
        picture = Image.new("RGB", painting.canvas.size, (painting.seed % 256, 90, 160))
        place = painting.canvas.place
        picture.paste(painting.canvas.picture.crop(place), place[:2])
        append(self._log, f"end {painting.seed} {os.getpid()} {time.time()}")
        return picture

    def _follow(self, prompt: str, progress: Progress) -> None:
        match prompt.split():
            case ["sleep", seconds]:
                until = time.monotonic() + float(seconds)
                while (left := until - time.monotonic()) > 0:
                    progress(Step.OUTPAINT, max(0.0, 1 - left / float(seconds)))
                    time.sleep(SLICE)
            case ["stubborn", seconds]:
                time.sleep(float(seconds))
            case ["die"]:
                os.kill(os.getpid(), signal.SIGKILL)
            case ["exhaust"]:
                raise OutOfMemory
            case ["break"]:
                raise DeviceFailed
            case ["stumble"]:
                raise ZeroDivisionError
            case _:
                pass


def describe(picture: Image.Image) -> Composition:
    """See nothing."""
    return Composition("small")


def make_engine(folder: Path) -> Engine:
    """The engine, ready to work."""
    return Engine("small", describe, SmallPainter(folder))

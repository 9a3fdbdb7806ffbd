"""The generative engine: models, the loop around them, and everything that touches torch.

Imported only where that engine is asked for; needs the packages of the extra ``cuda``, not a
card.
"""

from pathlib import Path

from pipelines.engine import Describer, Engine, Mode
from pipelines.models.components import load_components
from pipelines.models.device import choose_device
from pipelines.models.outpainter import SdxlOutpainter
from pipelines.models.recipe import RECIPES


def load(folder: Path, describe: Describer, mode: Mode = Mode.BALANCED) -> Engine:
    """The engine with the SDXL inpainting model in ``folder``, ready to work.

    Raises:
        WeightsMissing: a file is not there.
        ModelError: a file is damaged, or this is no SDXL inpainting model.
    """
    device = choose_device()
    outpaint = SdxlOutpainter(load_components(folder, device), device, RECIPES[mode])
    return Engine("sdxl", describe, outpaint)

"""The generative engine: models, the loop around them, and everything that touches torch.

Imported only where that engine is asked for; needs the packages of the extra ``cuda``, not a
card.
"""

from pathlib import Path

from pipelines.engine import Describer, Engine
from pipelines.models.device import choose_device
from pipelines.models.sdxl.components import load_components
from pipelines.models.sdxl.outpainter import SdxlOutpainter, alone
from pipelines.models.sdxl.painter import Painter


def load(folder: Path, describe: Describer) -> Engine:
    """The engine with the SDXL inpainting model in ``folder``, ready to work.

    Raises:
        WeightsMissing: a file is not there.
        ModelError: a file is damaged, or this is no SDXL inpainting model.
    """
    device = choose_device()
    components = load_components(folder, device)
    outpaint = SdxlOutpainter(
        alone(Painter(components, device)), native=components.native, cell=components.cell
    )
    return Engine("sdxl", describe, outpaint)

"""The generative engine: models, the loop around them, and everything that touches torch.

Imported only where that engine is asked for; needs the packages of the extra ``cuda``, not a
card.
"""

import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from pipelines.engine import Describer, Engine
from pipelines.errors import WeightsMissing
from pipelines.models.audience import Tick
from pipelines.models.batcher import Batcher
from pipelines.models.compiling import GraphCache, compile_unet, prefers_compiling
from pipelines.models.device import Device, choose_device
from pipelines.models.eight_bits import can_use_eight_bits, use_eight_bits
from pipelines.models.lane import Lane
from pipelines.models.liveness import probe
from pipelines.models.nsfw import load_nsfw
from pipelines.models.profile import choose_profile
from pipelines.models.sdxl.components import load_components
from pipelines.models.sdxl.outpainter import SdxlOutpainter
from pipelines.models.sdxl.painter import Painter
from pipelines.models.sdxl.patch import Kind, Patch
from pipelines.models.sdxl.recipe import choose_recipes, choose_refinements
from pipelines.models.sdxl.refiner import SdxlRefiner
from pipelines.models.vlm.components import load_vlm
from pipelines.models.vlm.describer import VlmDescriber
from pipelines.models.vlm.writer import Writer

log = logging.getLogger(__name__)

LOOKS = 16
"""Pictures that are rated together at most: they are small."""

UNRATED = "nobody looked whether it is safe for work: the classifier's weights are not there"
"""What the log says then, and the record of every picture that was to be looked at."""

UNADAPTED = "mode fast does without the few-step adapter: its weights are not there"


class Weights(NamedTuple):
    """A verified model: its folder, and ``repository@revision``."""

    folder: Path
    name: str


Find = Callable[[str], Weights]
"""The weights of a role; raises WeightsMissing, or WeightsMismatch.

A role that can be done without is done without where WeightsMissing is raised.
"""


def load(
    find: Find, fallback: Describer, *, graphs: Path | None = None, eight_bits: bool = False
) -> Engine:
    """The engine on the best device there is, ready to work for many threads at once.

    The inpainting model and the describer that suits the device must be there; without the
    few-step adapter ``fast`` paints otherwise and slower, and without the classifier nothing is
    rated, which every record says. With ``graphs`` UNet and describer are compiled where that
    pays, which takes minutes the first time, and what the compiler made is kept in that folder.
    With ``eight_bits`` the UNet's linear layers work in FP8 where the card can.

    Raises:
        WeightsMissing: the weights of a role are not there.
        WeightsMismatch: weights are not those of the lock.
        ModelError: a file is damaged, or is not the model that it should be.
        OutOfMemory: the models do not fit onto the device.
        EngineUnavailable: the card is too small or too old.
    """
    device = choose_device()
    profile = choose_profile(device.memory)
    if profile.offload:
        device = device.in_turns()
    painting, describing = find("inpaint"), find(profile.vlm)
    few_step = _find_if_there(find, "few-step", UNADAPTED)
    rating = _find_if_there(find, "nsfw", UNRATED)
    batcher = Batcher()
    components = load_components(painting.folder, device, few_step.folder if few_step else None)
    if eight_bits and can_use_eight_bits(device):
        use_eight_bits(components.unet)
    writer = Writer(load_vlm(describing.folder, device), device)
    if graphs and prefers_compiling(device):
        with GraphCache(graphs, device).kept():
            batcher.do(partial(compile_unet, components, device, rows=profile.rows))
            batcher.do(partial(writer.warm_up, profile.rows))
    native, cell = components.native, components.cell
    lane = Lane(
        Painter(components, device).__call__,
        kind=lambda patch: patch.kind,
        rows=profile.rows,
        thrifty=profile.thrifty,
        share=lambda kind: _measure(kind, native),
    )
    looks = Lane(writer, kind=lambda _: None, rows=profile.rows)

    def paint(patch: Patch, tick: Tick) -> Image.Image:
        return batcher.call(lane, patch.grounded(cell), tick)

    adapted = components.has_few_step
    used = (painting, describing, few_step, rating)
    return Engine(
        "sdxl",
        VlmDescriber(partial(batcher.call, looks), fallback),
        SdxlOutpainter(
            paint, native=native, cell=cell, recipes=choose_recipes(has_few_step=adapted)
        ),
        models=tuple(weights.name for weights in used if weights),
        refine=SdxlRefiner(
            paint,
            native=native,
            cell=cell,
            recipes=choose_refinements(has_few_step=adapted),
            workers=profile.rows,
        ),
        rate=_rate(rating, device, batcher) if rating else None,
        unrated="" if rating else UNRATED,
        batch=profile.rows,
        probe=partial(probe, device, batcher),
    )


def _rate(weights: Weights, device: Device, batcher: Batcher) -> Callable[[Image.Image], float]:
    classifier = load_nsfw(weights.folder, device)
    lane = Lane(classifier.rate_all, kind=lambda _: None, rows=LOOKS)

    def rate(picture: Image.Image) -> float:
        return max(batcher.call(lane, view, _stay) for view in classifier.look(picture))

    return rate


def _find_if_there(find: Find, role: str, without: str) -> Weights | None:
    """The weights of a role, or None with a word in the log about what it is like ``without``."""
    try:
        return find(role)
    except WeightsMissing as missing:
        log.warning(without, extra={"why": missing.detail})
        return None


def _measure(kind: Kind, native: int) -> float:
    """How many patches of the model's own size one of this kind counts for."""
    return max(1.0, kind.size.area / native**2)


def _stay(fraction: float) -> None:
    """Hear how far it is, and wait on."""

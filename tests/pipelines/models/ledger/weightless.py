"""The inpainting model at its full size, made of tensors that have shapes and no numbers.

Everything that the painter asks of it is asked, and takes no time. The pictures come out black,
and nobody puts them together.
"""

import functools
import json
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from PIL import Image
from torch.nn.attention import SDPBackend
from torch.utils._pytree import tree_map
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from pipelines.canvas import lay_out
from pipelines.composition import Composition
from pipelines.engine import Painting
from pipelines.geometry import Box, PixelBox, Size
from pipelines.models.device import Device
from pipelines.models.lane import alone
from pipelines.models.quiet import quietly
from pipelines.models.sdxl.components import Components
from pipelines.models.sdxl.outpainter import SdxlOutpainter
from pipelines.models.sdxl.painter import Painter
from pipelines.models.sdxl.recipe import REFINEMENTS
from pipelines.models.sdxl.refiner import SdxlRefiner
from pipelines.models.sdxl.schedule import Training
from pipelines.models.sdxl.window_decoder import WindowDecoder
from pipelines.plan import Plan
from pipelines.progress import ignore_progress
from tests.pipelines.models.ledger.ledger import Ledger
from tests.pipelines.models.ledger.spending import Spending
from tests.pipelines.models.sdxl.replica import SCHEDULER, write_tokenizer

PUBLISHED = Path(__file__).parents[1] / "published/sdxl"

NOWHERE = Device(torch.device("meta"), torch.float32, (SDPBackend.MATH,))


@dataclass(frozen=True, slots=True)
class WeightlessStudio:
    """Painter and refiner of the real size, watched."""

    outpaint: SdxlOutpainter
    refine: SdxlRefiner
    ledger: Ledger
    chance: np.random.Generator

    def spend(self, target: Size, place: PixelBox) -> Spending:
        """What it costs to paint around ``place`` at once, and to refine that if it is larger."""
        plan = Plan(place.size, target, Box(0, 0, *place.size), place)
        kept = self._draw_noise(place.size)
        small, large = (lay_out(kept, plan, SEEN, size) for size in (plan.canvas, target))
        with self.ledger.page() as page:
            self.outpaint(Painting(replace(small, passes=()), SEEN.scene), ignore_progress)
            if target != plan.canvas:
                draft = replace(large, picture=self._draw_noise(target))
                self.refine(Painting(draft, SEEN.scene), ignore_progress)
        return Spending.add_up(page)

    def _draw_noise(self, size: Size) -> Image.Image:
        """No two parts of it are alike, and no two of them, so none is known from another."""
        return Image.frombytes("RGB", size, self.chance.bytes(3 * size.area))


SEEN = Composition("nobody", scene="the red sky")


@contextmanager
def open_weightless_studio(folder: Path) -> Iterator[WeightlessStudio]:
    """Make the model; ``folder`` is for its small files."""
    ledger = Ledger()
    components = _make_components(folder)
    for model in (components.unet, components.vae, *components.text_encoders):
        ledger.watch(model)
    paint = alone(Painter(components, NOWHERE))
    native, cell = components.native, components.cell
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WindowDecoder, "_download", staticmethod(_draw_black))
        for step in ("stitch", "fade_mask", "keep_colours", "lay_over"):
            patch.setattr(f"pipelines.models.sdxl.refiner.{step}", _leave)
        yield WeightlessStudio(
            SdxlOutpainter(paint, native=native, cell=cell),
            SdxlRefiner(paint, native=native, cell=cell, recipes=REFINEMENTS),
            ledger,
            np.random.default_rng(1),
        )


def _make_components(folder: Path) -> Components:
    write_tokenizer(folder, pad="!")
    tokenizer = CLIPTokenizer.from_pretrained(folder)
    with torch.device("meta"), quietly():
        unet = UNet2DConditionModel.from_config(_read("unet"))
        vae = AutoencoderKL.from_config(_read("vae"))
        texts = (
            CLIPTextModel(CLIPTextConfig(**_read("text_encoder"))),
            CLIPTextModelWithProjection(CLIPTextConfig(**_read("text_encoder_2"))),
        )
    for module in (unet, vae.encoder, vae.decoder, *texts):
        module.forward = _remember(module.forward)
    return Components(
        unet=unet,
        vae=vae,
        text_encoders=texts,
        tokenizers=(tokenizer, tokenizer),
        training=Training.from_config(SCHEDULER),
        empty_is_zero=True,
    )


def _read(name: str) -> dict[str, Any]:
    config: dict[str, Any] = json.loads((PUBLISHED / name / "config.json").read_text())
    config.pop("torch_dtype", None)  # all of them in the same numbers
    return config


def _remember(forward: Callable[..., Any]) -> Callable[..., Any]:
    """Rows of the same shapes give the same result: it has no numbers."""
    results: dict[Hashable, Any] = {}

    @functools.wraps(forward)
    def remembered(*given: Any, **named: Any) -> Any:
        rows, *shape = given[0].shape
        if (key := tuple(shape)) not in results:
            results[key] = forward(*given, **named)
        return tree_map(lambda made: made[:1].expand(rows, *made.shape[1:]), results[key])

    return remembered


def _leave(picture: npt.NDArray[np.uint8], *_: object) -> npt.NDArray[np.uint8]:
    """What would take the processor seconds, and asks no model for anything."""
    return picture


def _draw_black(levels: torch.Tensor) -> npt.NDArray[np.uint8]:
    """What leaves a device that has no numbers."""
    rows, _, height, width = levels.shape
    return np.zeros((rows, height, width, 3), np.uint8)

"""Pictures to describe, who listens, and models bent to a known answer."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from PIL import Image

from pipelines.models.audience import Audience
from pipelines.models.device import CPU
from pipelines.models.vlm.components import Vlm, load_vlm
from tests.drawings import draw_coordinates, draw_meadow, draw_object_on_white


def draw_pictures() -> list[Image.Image]:
    """Of several sizes and shapes."""
    return [
        draw_meadow(240, 160),
        draw_coordinates(300, 700),
        draw_object_on_white(100, 90),
        draw_meadow(900, 120, seed=2),
    ]


def ignore(fraction: float) -> None:
    """Hear nothing."""


def nobody(rows: int = 1) -> Audience:
    """An audience that listens to the end and does nothing."""
    return Audience([ignore] * rows)


def load_stubborn(folder: Path, wishes: str) -> Vlm:
    """A model that sees nothing and always takes the first of its wishes that it may."""
    vlm = load_vlm(folder, CPU)
    bias = torch.zeros(vlm.vocabulary)
    for rank, wish in enumerate(reversed(wishes), start=1):
        bias[vlm.tokenizer.convert_tokens_to_ids(wish)] = rank
    vlm.model.model.language_model.norm.weight.zero_()
    vlm.model.lm_head.bias = torch.nn.Parameter(bias, requires_grad=False)
    return vlm


@contextmanager
def count_looks(vlm: Vlm) -> Iterator[list[int]]:
    """How many pictures the model was shown, batch by batch."""
    shown: list[int] = []
    hook = vlm.model.model.visual.register_forward_pre_hook(
        lambda _, __, given: shown.append(len(given["grid_thw"])), with_kwargs=True
    )
    try:
        yield shown
    finally:
        hook.remove()

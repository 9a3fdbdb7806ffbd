"""Operations that a picture must cost, counted on models without memory: two per multiplication."""

from collections.abc import Callable
from typing import Any

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from torch.utils.flop_counter import FlopCounterMode

from pipelines.geometry import Size
from pipelines.models.sdxl.components import Components


def count_unet(components: Components, size: Size) -> int:
    """One pass through the UNet for one picture of ``size`` px."""
    config: Any = components.unet.config
    cell = components.cell
    pooled = config.projection_class_embeddings_input_dim - 6 * config.addition_time_embed_dim
    with torch.device("meta"):
        unet = UNet2DConditionModel.from_config(config)
        view = torch.empty(1, config.in_channels, size.height // cell, size.width // cell)
        words = torch.empty(1, 77, config.cross_attention_dim)
        sides = {"text_embeds": torch.empty(1, pooled), "time_ids": torch.empty(1, 6)}
        return _count(lambda: unet(view, 1, encoder_hidden_states=words, added_cond_kwargs=sides))


def count_decode(components: Components, size: Size) -> int:
    """Decoding one picture of ``size`` px in one piece."""
    cell = components.cell
    with torch.device("meta"):
        vae = AutoencoderKL.from_config(components.vae.config)
        return _count(
            lambda: vae.decode(torch.empty(1, 4, size.height // cell, size.width // cell))
        )


def _count(work: Callable[[], object]) -> int:
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        work()
    return int(counter.get_total_flops())

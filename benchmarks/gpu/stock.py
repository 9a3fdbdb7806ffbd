"""The baseline: diffusers' own pipeline on the same weights, as it comes out of the box."""

import io
from collections.abc import Iterator
from functools import partial
from itertools import count
from typing import Any

from diffusers import EulerDiscreteScheduler, StableDiffusionXLInpaintPipeline

from benchmarks.gpu.bench import Bench, draw_canvas
from benchmarks.gpu.report import Reading


def time_stock(bench: Bench) -> Iterator[Reading]:
    """A picture in, a PNG out; before the few-step adapter is there to slow it down."""
    parts, folder = bench.components, bench.folder / "sdxl"
    pipeline: Any = StableDiffusionXLInpaintPipeline(
        vae=parts.vae,
        text_encoder=parts.text_encoders[0],
        text_encoder_2=parts.text_encoders[1],
        tokenizer=parts.tokenizers[0],
        tokenizer_2=parts.tokenizers[1],
        unet=parts.unet,
        scheduler=EulerDiscreteScheduler.from_pretrained(folder / "scheduler"),
        add_watermarker=False,
    )
    pipeline.set_progress_bar_config(disable=True)
    size, seeds = bench.scale(1024, 1024), count()

    def paint(steps: int) -> None:
        canvas = draw_canvas(size, next(seeds))
        made = pipeline(
            prompt="a meadow",
            image=canvas.picture,
            mask_image=canvas.mask,
            width=size.width,
            height=size.height,
            num_inference_steps=steps,
            guidance_scale=6.0,
            strength=1.0,  # a little less would encode the picture twice
        )
        made.images[0].save(io.BytesIO(), "PNG")

    for steps in (20, 30):
        seconds, spread = bench.clock.measure(partial(paint, steps))
        yield Reading(f"stock: {steps} CFG steps", seconds, "s", spread)

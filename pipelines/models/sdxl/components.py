"""The parts of an SDXL inpainting model, loaded from a local folder in its published layout.

Only safetensors are read, nothing is downloaded, and no code comes with the weights. Half
precision files (``*.fp16.safetensors``) are taken where they lie.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors import SafetensorError
from transformers import CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from pipelines.errors import ModelError, WeightsMissing
from pipelines.models.device import Device
from pipelines.models.quiet import quietly
from pipelines.models.sdxl.lora import load_few_step
from pipelines.models.sdxl.schedule import Training

CHANNELS = 9
"""What an inpainting UNet reads: noisy latents, the mask, the masked picture's latents."""

WEIGHTS = {
    "unet": "diffusion_pytorch_model",
    "vae": "diffusion_pytorch_model",
    "text_encoder": "model",
    "text_encoder_2": "model",
}
"""Folder to the stem of its file of weights."""

TEXTS = (
    "model_index.json",
    "scheduler/scheduler_config.json",
    *(f"{folder}/config.json" for folder in WEIGHTS),
    *(
        f"{folder}/{name}"
        for folder in ("tokenizer", "tokenizer_2")
        for name in ("vocab.json", "merges.txt", "tokenizer_config.json")
    ),
)
"""The small files that are needed beside the weights."""


@dataclass(frozen=True, slots=True)
class Components:
    """What the outpainter is made of; the models are on the device and only infer.

    With ``has_few_step`` the UNet carries the few-step adapter, for the recipes that want it.
    """

    unet: UNet2DConditionModel
    vae: AutoencoderKL
    text_encoders: tuple[CLIPTextModel, CLIPTextModelWithProjection]
    tokenizers: tuple[CLIPTokenizer, CLIPTokenizer]
    training: Training
    empty_is_zero: bool
    has_few_step: bool = False

    @property
    def cell(self) -> int:
        """Px that one latent covers on a side."""
        blocks: int = len(self.vae.config.block_out_channels)
        return int(2 ** (blocks - 1))

    @property
    def native(self) -> int:
        """Side in px of the square that the model was trained on."""
        latents: int = self.unet.config.sample_size
        return latents * self.cell


def load_components(folder: Path, device: Device, few_step: Path | None = None) -> Components:
    """Load everything once; takes seconds to a minute at full size.

    ``few_step`` is the folder of the few-step adapter, None to do without.

    Raises:
        WeightsMissing: a file is not there.
        ModelError: a file is damaged, or this is no SDXL inpainting model.
        OutOfMemory: the models do not fit onto the device.
    """
    for name in TEXTS:
        if not (folder / name).is_file():
            msg = f"{name} is missing from the model's folder"
            raise WeightsMissing(msg)
    try:
        with device.translating():
            return _load_all(folder, device, few_step)
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        msg = "the model's files are damaged or do not belong together"
        raise ModelError(msg) from error


def _load_all(folder: Path, device: Device, few_step: Path | None) -> Components:
    index = _read(folder / "model_index.json")
    training = Training.from_config(_read(folder / "scheduler/scheduler_config.json"))
    exact = _read(folder / "vae/config.json").get("force_upcast", True)
    unet = _load(UNet2DConditionModel, folder / "unet", device.dtype)
    if unet.config.in_channels != CHANNELS:
        msg = f"the UNet reads {unet.config.in_channels} channels; inpainting needs {CHANNELS}"
        raise ModelError(msg)
    if few_step is not None:
        load_few_step(unet, few_step)
    return Components(
        unet=device.settle(unet),
        # a VAE that asks for it overflows in half precision
        vae=device.settle(
            _load(AutoencoderKL, folder / "vae", torch.float32 if exact else device.dtype)
        ),
        text_encoders=(
            device.settle(_load(CLIPTextModel, folder / "text_encoder", device.dtype)),
            device.settle(
                _load(CLIPTextModelWithProjection, folder / "text_encoder_2", device.dtype)
            ),
        ),
        tokenizers=(_read_words(folder / "tokenizer"), _read_words(folder / "tokenizer_2")),
        training=training,
        empty_is_zero=bool(index.get("force_zeros_for_empty_prompt", True)),
        has_few_step=few_step is not None,
    )


def _read(path: Path) -> Mapping[str, Any]:
    content: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def _read_words(folder: Path) -> CLIPTokenizer:
    return CLIPTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)


def _load(kind: Any, folder: Path, dtype: torch.dtype) -> Any:
    """A model with every one of its weights from the file, none of them invented."""
    stem = WEIGHTS[folder.name]
    variant = "fp16" if (folder / f"{stem}.fp16.safetensors").is_file() else None
    name = f"{stem}.fp16.safetensors" if variant else f"{stem}.safetensors"
    if not (folder / name).is_file():
        msg = f"{folder.name}/{name} is missing from the model's folder"
        raise WeightsMissing(msg)
    with quietly():
        model, found = kind.from_pretrained(
            folder,
            variant=variant,
            dtype=dtype,
            local_files_only=True,
            use_safetensors=True,
            output_loading_info=True,
        )
    if found["missing_keys"] or found["mismatched_keys"]:
        msg = f"{folder.name}/{name} lacks weights that the model needs"
        raise ModelError(msg)
    return model

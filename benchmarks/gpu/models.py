"""Models with random weights: of full size, made where they run, or tiny ones of their classes."""

import json
import math
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from peft import LoraConfig
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
    GenerationConfig,
    Qwen2Tokenizer,
    Qwen2VLImageProcessorPil,
    Qwen3VLConfig,
    Qwen3VLForConditionalGeneration,
)

from pipelines.models.device import Device
from pipelines.models.sdxl.components import Components
from pipelines.models.sdxl.lora import ADAPTER
from pipelines.models.sdxl.schedule import Training
from pipelines.models.vlm.components import Vlm, load_vlm
from pipelines.models.vlm.look import LEAST_TOKENS, MOST_TOKENS
from tests.pipelines.models.sdxl.lora_replica import ADAPTED
from tests.pipelines.models.sdxl.replica import make_models, write_replica, write_tokenizer
from tests.pipelines.models.vlm.replica import (
    PREPROCESSOR,
    TEMPLATE,
    write_tokenizer as write_vlm_tokenizer,
    write_vlm_replica,
)

PUBLISHED = Path(__file__).parents[2] / "tests/pipelines/models/published"
RANK = 64
"""Of the published few-step adapter."""


def read_published(name: str) -> dict[str, Any]:
    """A published configuration, by its path in that folder."""
    content: dict[str, Any] = json.loads((PUBLISHED / name).read_text())
    return content


def build_sdxl() -> Mapping[str, Any]:
    """The four networks as published, on the device and in the numbers that torch is set to."""
    texts = {}
    for name in ("text_encoder", "text_encoder_2"):
        config = read_published(f"sdxl/{name}/config.json")
        del config["torch_dtype"]  # the library would make half of the model in it
        texts[name] = CLIPTextConfig(**config)
    return {
        "unet": UNet2DConditionModel.from_config(read_published("sdxl/unet/config.json")),
        "vae": AutoencoderKL.from_config(read_published("sdxl/vae/config.json")),
        "text_encoder": CLIPTextModel(texts["text_encoder"]),
        "text_encoder_2": CLIPTextModelWithProjection(texts["text_encoder_2"]),
    }


def build_vlm(size: str, ids: Mapping[str, int]) -> Qwen3VLForConditionalGeneration:
    """The describer as published, ``4b`` or ``2b``, told of a tokenizer's special ``ids``."""
    config = read_published(f"qwen3-vl-{size}/config.json")
    config["image_token_id"] = ids["<|image_pad|>"]
    config["video_token_id"] = ids["<|video_pad|>"]
    config["vision_start_token_id"] = ids["<|vision_start|>"]
    config["vision_end_token_id"] = ids["<|vision_end|>"]
    return Qwen3VLForConditionalGeneration(Qwen3VLConfig(**config))


def make_components(folder: Path, device: Device, *, tiny: bool) -> Components:
    """An inpainting model without the few-step adapter; its small files go to ``folder``."""
    if tiny:
        write_replica(folder)
        networks = _make(device, device.dtype, lambda: make_models(_count(folder / "tokenizer")))
        networks["unet"] = _make(device, device.dtype, lambda: _leave_levels(networks["unet"]))
    else:
        for name in ("tokenizer", "tokenizer_2"):
            write_tokenizer(folder / name, pad="!")
        shutil.copytree(PUBLISHED / "sdxl/scheduler", folder / "scheduler")
        networks = _make(device, device.dtype, build_sdxl)
    for network in networks.values():
        scale_weights(network)
    scheduler = json.loads((folder / "scheduler/scheduler_config.json").read_text())
    return Components(
        unet=device.settle(networks["unet"]),
        vae=device.settle(networks["vae"]),
        text_encoders=(
            device.settle(networks["text_encoder"]),
            device.settle(networks["text_encoder_2"]),
        ),
        tokenizers=(
            CLIPTokenizer.from_pretrained(folder / "tokenizer"),
            CLIPTokenizer.from_pretrained(folder / "tokenizer_2"),
        ),
        training=Training.from_config(scheduler),
        empty_is_zero=True,
    )


def add_few_step(unet: UNet2DConditionModel) -> None:
    """Put a random adapter of the published one's shape beside the UNet's layers, switched off."""
    kinds = torch.nn.Linear | torch.nn.Conv2d
    names = [
        name
        for name, layer in unet.named_modules()
        if name.endswith(ADAPTED) and isinstance(layer, kinds)
    ]
    dtype = unet.dtype
    adapter = LoraConfig(r=RANK, lora_alpha=RANK, target_modules=names, init_lora_weights=False)
    unet.add_adapter(adapter, adapter_name=ADAPTER)
    unet.to(dtype=dtype)
    unet.disable_adapters()
    unet.requires_grad_(requires_grad=False)


def make_vlm(folder: Path, device: Device, *, tiny: bool, size: str = "4b") -> Vlm:
    """A describer; its small files go to ``folder``. At full size it works in bfloat16."""
    if tiny:
        return load_vlm(write_vlm_replica(folder), device)
    folder.mkdir(parents=True)
    ids = write_vlm_tokenizer(folder)
    images = {**PREPROCESSOR, "image_processor_type": "Qwen2VLImageProcessorFast"}
    (folder / "preprocessor_config.json").write_text(json.dumps(images))
    processor = Qwen2VLImageProcessorPil.from_pretrained(folder)
    area = (processor.patch_size * processor.merge_size) ** 2
    processor.size = {"shortest_edge": LEAST_TOKENS * area, "longest_edge": MOST_TOKENS * area}
    model: Any = _make(device, torch.bfloat16, lambda: build_vlm(size, ids))
    end, pad = ids["<|im_end|>"], ids["<|endoftext|>"]
    model.generation_config = GenerationConfig(
        do_sample=False, eos_token_id=[end, pad], pad_token_id=pad
    )
    return Vlm(
        model=device.settle(model),
        tokenizer=Qwen2Tokenizer.from_pretrained(folder),
        image_processor=processor,
        template=TEMPLATE,
    )


def scale_weights(network: torch.nn.Module) -> None:
    """Random weights that neither blow activations up nor let them die: timing must see numbers."""
    for layer in network.modules():
        if isinstance(layer, torch.nn.Linear | torch.nn.Conv2d):
            inputs = layer.weight[0].numel()
            torch.nn.init.normal_(layer.weight, std=1 / math.sqrt(inputs))
            if layer.bias is not None:
                torch.nn.init.zeros_(layer.bias)


def _leave_levels(unet: UNet2DConditionModel) -> UNet2DConditionModel:
    """One like it of two levels: compiling is most of what a run with tiny models costs."""
    config: Any = unet.config
    levels = {
        "block_out_channels": config["block_out_channels"][:2],
        "down_block_types": config["down_block_types"][:2],
        "up_block_types": config["up_block_types"][-2:],
        "transformer_layers_per_block": config["transformer_layers_per_block"][:2],
        "attention_head_dim": config["attention_head_dim"][:2],
    }
    return UNet2DConditionModel.from_config({**config, **levels})


def _make(device: Device, dtype: torch.dtype, build: Callable[[], Any]) -> Any:
    with torch.device(device.hardware), _working_in(dtype), torch.no_grad():
        return build()


@contextmanager
def _working_in(dtype: torch.dtype) -> Iterator[None]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def _count(folder: Path) -> int:
    return len(json.loads((folder / "vocab.json").read_text()))

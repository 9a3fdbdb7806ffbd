"""A tiny few-step adapter with random weights, saved in the published layout."""

from pathlib import Path

import torch
from diffusers import UNet2DConditionModel
from safetensors.torch import save_file

from tests.pipelines.models.sdxl.replica import make_unet

FILE = "pytorch_lora_weights.safetensors"

RANK = 2

ADAPTED = (
    *("to_q", "to_k", "to_v", "to_out.0", "proj_in", "proj_out", "ff.net.0.proj", "ff.net.2"),
    *("conv1", "conv2", "conv_shortcut", "downsamplers.0.conv", "upsamplers.0.conv"),
    "time_emb_proj",
)
"""How the names of those layers end that the published adapter has a pair for."""


def write_lora(folder: Path, seed: int = 0) -> Path:
    """Build and save; the same seed gives the same weights, large enough to change a picture."""
    folder.mkdir(parents=True, exist_ok=True)
    with torch.device("meta"):
        unet = make_unet()
    generator = torch.Generator().manual_seed(seed)
    weights = {
        name: 0.1 * torch.randn(shape, generator=generator)
        for name, shape in list_tensors(unet, RANK).items()
    }
    for name in weights:
        if name.endswith("alpha"):
            # not all alike: nothing promises that they are
            weights[name] = torch.tensor(RANK / 2 if "mid_block" in name else RANK)
    save_file({name: weight.half() for name, weight in weights.items()}, folder / FILE)
    return folder


def list_tensors(unet: UNet2DConditionModel, rank: int) -> dict[str, tuple[int, ...]]:
    """What an adapter's file holds, by the names in it, and of what shape."""
    tensors: dict[str, tuple[int, ...]] = {}
    for name, layer in unet.named_modules():
        if name.endswith(ADAPTED) and isinstance(layer, torch.nn.Linear | torch.nn.Conv2d):
            outer, inner, *kernel = layer.weight.shape
            prefix = "lora_unet_" + name.replace(".", "_")
            tensors[f"{prefix}.alpha"] = ()
            tensors[f"{prefix}.lora_down.weight"] = (rank, inner, *kernel)
            tensors[f"{prefix}.lora_up.weight"] = (outer, rank, *(1 for _ in kernel))
    return tensors

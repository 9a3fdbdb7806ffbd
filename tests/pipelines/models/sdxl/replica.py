"""A tiny SDXL inpainting model with random weights, saved in the published layout.

The same classes and files as the real one; only the numbers are small.
"""

import json
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors.torch import load_file, save_file
from tokenizers.pre_tokenizers import ByteLevel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

WORDS = 32
"""Width of each text encoder."""

MERGES = ("t h", "th e</w>", "s k", "sk y</w>", "r e", "re d</w>")

INDEX = {
    "_class_name": "StableDiffusionXLInpaintPipeline",
    "force_zeros_for_empty_prompt": True,
    "requires_aesthetics_score": False,
    "scheduler": ["diffusers", "EulerDiscreteScheduler"],
    "text_encoder": ["transformers", "CLIPTextModel"],
    "text_encoder_2": ["transformers", "CLIPTextModelWithProjection"],
    "tokenizer": ["transformers", "CLIPTokenizer"],
    "tokenizer_2": ["transformers", "CLIPTokenizer"],
    "unet": ["diffusers", "UNet2DConditionModel"],
    "vae": ["diffusers", "AutoencoderKL"],
}

SCHEDULER = {
    "_class_name": "EulerDiscreteScheduler",
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "beta_start": 0.00085,
    "interpolation_type": "linear",
    "num_train_timesteps": 1000,
    "prediction_type": "epsilon",
    "steps_offset": 1,
    "timestep_spacing": "leading",
    "trained_betas": None,
    "use_karras_sigmas": False,
}


def write_replica(folder: Path, seed: int = 0, *, half: bool = False) -> Path:
    """Build and save; the same seed gives the same weights.

    In full precision, or in ``half`` under the names that such files are published with.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "model_index.json", INDEX)
    write_json(folder / "scheduler/scheduler_config.json", SCHEDULER)
    words = write_tokenizer(folder / "tokenizer", pad="<|endoftext|>")
    write_tokenizer(folder / "tokenizer_2", pad="!")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for name, model in make_models(words).items():
            if half:
                model.half().save_pretrained(folder / name, variant="fp16")
            else:
                model.save_pretrained(folder / name)
    add_leftovers(folder)
    return folder


def add_leftovers(folder: Path) -> None:
    """What training left in the published files: loaders must bear with it."""
    config = folder / "unet/config.json"
    averages = {"decay": 0.9999, "inv_gamma": 1.0, "optimization_step": 37000}
    write_json(config, {**json.loads(config.read_text()), **averages})
    for name in ("text_encoder", "text_encoder_2"):
        (path,) = (folder / name).glob("*.safetensors")
        weights = {_name_as_published(name): weight for name, weight in load_file(path).items()}
        weights["text_model.embeddings.position_ids"] = torch.arange(77)[None]
        save_file(weights, path, metadata={"format": "pt"})


def _name_as_published(name: str) -> str:
    """Text encoders were saved by an older library, which put everything into ``text_model``."""
    return name if name.startswith(("text_model", "text_projection")) else f"text_model.{name}"


def make_models(words: int) -> dict[str, Any]:
    """The four networks; ``words`` is the size of the vocabulary."""
    first = make_text_config(words, "quick_gelu", layers=2)
    second = make_text_config(words, "gelu", layers=3)
    return {
        "unet": make_unet(),
        "vae": make_vae(),
        "text_encoder": CLIPTextModel(first),
        "text_encoder_2": CLIPTextModelWithProjection(second),
    }


def make_unet() -> UNet2DConditionModel:
    return UNet2DConditionModel(
        sample_size=16,
        in_channels=9,
        out_channels=4,
        block_out_channels=(16, 32, 64),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        layers_per_block=1,
        transformer_layers_per_block=(1, 1, 2),
        attention_head_dim=(1, 2, 4),
        cross_attention_dim=2 * WORDS,
        norm_num_groups=8,
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=WORDS + 6 * 8,
    )


def make_vae() -> AutoencoderKL:
    vae = AutoencoderKL(
        block_out_channels=(8, 16, 16, 16),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        layers_per_block=1,
        latent_channels=4,
        norm_num_groups=4,
        sample_size=128,
        scaling_factor=0.13025,
        force_upcast=False,
    )
    # a trained encoder is sure of its latents; a random one would drown them in its own noise
    with torch.no_grad():
        vae.quant_conv.weight[4:] = 0
        vae.quant_conv.bias[4:] = -30
    return vae


def make_text_config(words: int, activation: str, layers: int) -> CLIPTextConfig:
    return CLIPTextConfig(
        vocab_size=words,
        hidden_size=WORDS,
        intermediate_size=2 * WORDS,
        num_hidden_layers=layers,
        num_attention_heads=2,
        projection_dim=WORDS,
        hidden_act=activation,
        bos_token_id=0,
        eos_token_id=2,  # as published: the models then look for the highest id
        pad_token_id=1,
    )


def write_tokenizer(folder: Path, pad: str) -> int:
    """Every byte, a few whole words; returns the size of the vocabulary."""
    letters = sorted(ByteLevel.alphabet())
    pieces = [*letters, *(letter + "</w>" for letter in letters)]
    pieces += [merge.replace(" ", "") for merge in MERGES]
    pieces += ["<|startoftext|>", "<|endoftext|>"]
    special = {"bos_token": pieces[-2], "eos_token": pieces[-1], "unk_token": pieces[-1]}
    special["pad_token"] = pad
    write_json(folder / "vocab.json", {piece: number for number, piece in enumerate(pieces)})
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *MERGES]) + "\n")
    write_json(folder / "special_tokens_map.json", special)
    settings = {"model_max_length": 77, "tokenizer_class": "CLIPTokenizer", "do_lower_case": True}
    write_json(folder / "tokenizer_config.json", {**settings, **special})
    return len(pieces)


def write_json(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2), encoding="utf-8")

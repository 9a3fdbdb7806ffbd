"""A tiny classifier with random weights, saved in the published layout of the real one."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import ViTConfig, ViTForImageClassification

SIDE = 32

PREPARING = {
    "do_normalize": True,
    "do_rescale": True,
    "do_resize": True,
    "image_mean": [0.5, 0.5, 0.5],
    "image_processor_type": "ViTImageProcessor",
    "image_std": [0.5, 0.5, 0.5],
    "resample": 2,
    "rescale_factor": 0.00392156862745098,
    "size": {"height": SIDE, "width": SIDE},
}


def write_nsfw_replica(folder: Path, labels: Sequence[str] = ("normal", "nsfw")) -> Path:
    """Build and save; the same labels give the same weights."""
    config = ViTConfig(
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        image_size=SIDE,
        patch_size=8,
        id2label=dict(enumerate(labels)),
        label2id={label: number for number, label in enumerate(labels)},
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = ViTForImageClassification(config)
        with torch.no_grad():  # fresh weights are too timid to tell two pictures apart
            for weight in model.parameters():
                weight.normal_(std=0.5)
    model.save_pretrained(folder, safe_serialization=True)
    edit_json(folder / "preprocessor_config.json", PREPARING)
    return folder


def edit_json(path: Path, changes: dict[str, Any]) -> None:
    """Put ``changes`` into a file of JSON, which need not be there yet."""
    content = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    path.write_text(json.dumps({**content, **changes}, indent=2), encoding="utf-8")

"""Full-size models have the published numbers of parameters; built without memory for them."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from transformers import ViTConfig, ViTForImageClassification

from benchmarks.gpu.models import PUBLISHED, build_sdxl, build_vlm, read_published
from pipelines.weights.digest import digest_file
from pipelines.weights.lock import LockedModel
from pipelines.weights.lock_file import find_lock, read_lock
from tests.pipelines.models.vlm.replica import SPECIAL

ROLES = {"inpaint": "sdxl", "vlm": "qwen3-vl-4b", "vlm-light": "qwen3-vl-2b", "nsfw": "nsfw"}
REWRITTEN = {"text_encoder/config.json", "text_encoder_2/config.json", "nsfw/config.json"}
MOST_NAMES = 250_000
"""Bytes that a file of weights spends on the names of its tensors, at most."""

IDS = dict.fromkeys(SPECIAL, 0)
"""Numbers of special tokens, which have no weights of their own."""

CASES: dict[str, tuple[int, Callable[[], Any]]] = {
    "inpaint/unet/": (2_567_478_084, lambda: build_sdxl()["unet"]),
    "inpaint/vae/": (83_653_863, lambda: build_sdxl()["vae"]),
    "inpaint/text_encoder/": (123_060_480, lambda: build_sdxl()["text_encoder"]),
    "inpaint/text_encoder_2/": (694_659_840, lambda: build_sdxl()["text_encoder_2"]),
    "vlm/": (4_437_815_808, lambda: build_vlm("4b", IDS)),
    "vlm-light/": (2_127_532_032, lambda: build_vlm("2b", IDS)),
    "nsfw/": (
        85_800_194,
        lambda: ViTForImageClassification(ViTConfig(**read_published("nsfw/config.json"))),
    ),
}


def find_model(role: str) -> LockedModel:
    (model,) = (model for model in read_lock(find_lock()).models if model.role == role)
    return model


@pytest.mark.parametrize("case", CASES)
def test_a_full_size_model_has_the_published_number_of_parameters(case: str) -> None:
    published, build = CASES[case]
    with torch.device("meta"):
        model = build()
    assert sum(weight.numel() for weight in model.parameters()) == published


@pytest.mark.parametrize("case", CASES)
def test_the_published_numbers_fill_the_files_that_are_locked(case: str) -> None:
    published, _ = CASES[case]
    role, _, folder = case.partition("/")
    sizes = [
        file.size
        for file in find_model(role).files
        if file.path.startswith(folder) and file.path.endswith(".safetensors")
    ]
    width = 4 if role == "nsfw" else 2
    assert 0 < sum(size for size in sizes if size) - width * published < MOST_NAMES


def test_the_configurations_here_are_those_that_are_locked() -> None:
    compared = 0
    for role, folder in ROLES.items():
        for file in find_model(role).files:
            path = PUBLISHED / folder / file.path
            if path.exists() and not {file.path, f"{folder}/{file.path}"} & REWRITTEN:
                assert digest_file(path).sha256 == file.sha256
                compared += 1
    assert compared == 8


def test_no_configuration_tells_whose_home_it_came_from() -> None:
    assert not [path for path in PUBLISHED.rglob("*.json") if "/home/" in path.read_text()]

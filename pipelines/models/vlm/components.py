"""The parts of a Qwen3-VL model, loaded from a local folder in its published layout.

Only safetensors are read, in one file or in shards; nothing is downloaded and no code comes with
the weights. The library's own processor is left alone: it insists on one for videos, which needs
torchvision, while pictures need no more than Pillow.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huggingface_hub.errors import StrictDataclassError
from safetensors import SafetensorError
from transformers import (
    GenerationConfig,
    Qwen2Tokenizer,
    Qwen2VLImageProcessorPil,
    Qwen3VLForConditionalGeneration,
)

from pipelines.errors import ModelError, WeightsMissing
from pipelines.models.device import Device
from pipelines.models.quiet import quietly
from pipelines.models.vlm.look import LEAST_TOKENS, MOST_TOKENS

KIND = "qwen3_vl"
"""The ``model_type`` of what this room can use."""

WEIGHTS = "model.safetensors"
"""The one file of weights, where there are no shards."""

INDEX = f"{WEIGHTS}.index.json"
"""Which shard holds which weight."""

TEXTS = (
    "config.json",
    "generation_config.json",
    "preprocessor_config.json",
    "chat_template.json",
    "tokenizer.json",
    "tokenizer_config.json",
)
"""The small files that are needed beside the weights."""

DAMAGE = (
    *(OSError, ValueError, LookupError, TypeError, AttributeError),
    *(RuntimeError, SafetensorError, StrictDataclassError),
)
"""What the libraries raise at files that are torn, or not what they seem to be."""


@dataclass(frozen=True, slots=True)
class Vlm:
    """What the describer is made of; the model is on the device and only infers."""

    model: Qwen3VLForConditionalGeneration
    tokenizer: Qwen2Tokenizer
    image_processor: Qwen2VLImageProcessorPil
    template: str

    @property
    def cell(self) -> int:
        """Px that one visual token covers on a side."""
        return int(self.image_processor.patch_size * self.image_processor.merge_size)

    @property
    def vocabulary(self) -> int:
        """How many tokens the model tells apart; the last of them mean nothing."""
        return int(self.model.config.text_config.vocab_size)

    @property
    def ends(self) -> list[int]:
        """The tokens that end an answer."""
        ends: int | list[int] = self.model.generation_config.eos_token_id
        return [ends] if isinstance(ends, int) else ends


def load_vlm(folder: Path, device: Device) -> Vlm:
    """Load everything once; takes seconds to a minute at full size.

    Raises:
        WeightsMissing: a file is not there.
        ModelError: a file is damaged, or this is no Qwen3-VL.
        OutOfMemory: the model does not fit onto the device.
    """
    for name in TEXTS:
        _expect(folder, name)
    try:
        with device.translating():
            vlm = _load_all(folder, device)
            _check(vlm)
    except DAMAGE as error:
        msg = "the model's files are damaged or do not belong together"
        raise ModelError(msg) from error
    return vlm


def _load_all(folder: Path, device: Device) -> Vlm:
    kind = _read(folder / "config.json")["model_type"]
    if kind != KIND:
        msg = f"the model is of the kind {kind}; the describer needs {KIND}"
        raise ModelError(msg)
    for name in sorted(_list_weights(folder)):
        _expect(folder, name)
    return Vlm(
        model=_load(folder, device),
        tokenizer=Qwen2Tokenizer.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False
        ),
        image_processor=_load_image_processor(folder),
        template=_read(folder / "chat_template.json")["chat_template"],
    )


def _expect(folder: Path, name: str) -> None:
    if not (folder / name).is_file():
        msg = f"{name} is missing from the model's folder"
        raise WeightsMissing(msg)


def _read(path: Path) -> Mapping[str, Any]:
    content: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def _list_weights(folder: Path) -> set[str]:
    if (folder / INDEX).is_file():
        return set(_read(folder / INDEX)["weight_map"].values())
    return {WEIGHTS}


def _load(folder: Path, device: Device) -> Qwen3VLForConditionalGeneration:
    """The model with every one of its weights from the files, none of them invented."""
    with quietly():
        model, found = Qwen3VLForConditionalGeneration.from_pretrained(
            folder,
            dtype=device.wide,
            attn_implementation="sdpa",
            local_files_only=True,
            use_safetensors=True,
            trust_remote_code=False,
            output_loading_info=True,
        )
    if found["missing_keys"] or found["mismatched_keys"]:
        msg = "the weights lack what the model needs"
        raise ModelError(msg)
    # the published settings are for chats and draw by chance; of them only the tokens are kept
    published = _read(folder / "generation_config.json")
    model.generation_config = GenerationConfig(
        do_sample=False,
        eos_token_id=published["eos_token_id"],
        pad_token_id=published["pad_token_id"],
    )
    return device.settle(model)


def _load_image_processor(folder: Path) -> Qwen2VLImageProcessorPil:
    """The one that works with Pillow alone, and so alike on every machine."""
    processor = Qwen2VLImageProcessorPil.from_pretrained(folder, local_files_only=True)
    area = (processor.patch_size * processor.merge_size) ** 2
    # as published it takes 16 MP, sixteen thousand visual tokens
    processor.size = {"shortest_edge": LEAST_TOKENS * area, "longest_edge": MOST_TOKENS * area}
    return processor


def _check(vlm: Vlm) -> None:
    """Raise ValueError unless the parts belong to one model."""
    vision, images = vlm.model.config.vision_config, vlm.image_processor
    theirs = (images.patch_size, images.merge_size, images.temporal_patch_size)
    if theirs != (vision.patch_size, vision.spatial_merge_size, vision.temporal_patch_size):
        msg = f"the model cuts pictures unlike {theirs}"
        raise ValueError(msg)
    if len(vlm.tokenizer) > vlm.vocabulary:
        msg = f"the model knows fewer tokens than {len(vlm.tokenizer)}"
        raise ValueError(msg)

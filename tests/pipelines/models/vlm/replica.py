"""A tiny Qwen3-VL with random weights, saved in the published layout.

The same classes and files as the real one, in the same numbers and in shards; only the sizes are
small. Its tokenizer knows every byte and no word, so each letter is a token.
"""

import json
from pathlib import Path
from typing import Any

import torch
from tokenizers.pre_tokenizers import ByteLevel
from transformers import Qwen2Tokenizer, Qwen3VLConfig, Qwen3VLForConditionalGeneration

SPECIAL = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|image_pad|>",
    "<|video_pad|>",
)

VOCABULARY = 320
"""As with the real one, more numbers than the tokenizer has tokens."""

TEMPLATE = """\
{%- for message in messages -%}
<|im_start|>{{ message.role }}
{% if message.content is string -%}
{{ message.content }}
{%- else -%}
{%- for part in message.content -%}
{%- if part.type == "image" -%}
<|vision_start|><|image_pad|><|vision_end|>
{%- else -%}
{{ part.text }}
{%- endif -%}
{%- endfor -%}
{%- endif -%}
<|im_end|>
{% endfor -%}
{%- if add_generation_prompt -%}
<|im_start|>assistant
{% endif -%}
"""

PREPROCESSOR = {
    "size": {"longest_edge": 16777216, "shortest_edge": 65536},
    "patch_size": 16,
    "temporal_patch_size": 2,
    "merge_size": 2,
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.5, 0.5, 0.5],
    "processor_class": "Qwen3VLProcessor",
}


def write_vlm_replica(folder: Path, seed: int = 0, *, shard: str = "100KB") -> Path:
    """Build and save; the same seed gives the same weights.

    No file of weights is larger than ``shard``; a single one has no index beside it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    ids = write_tokenizer(folder)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Qwen3VLForConditionalGeneration(make_config(ids)).to(torch.bfloat16)
    model.save_pretrained(folder, max_shard_size=shard)
    write_json(
        folder / "generation_config.json",
        {
            "bos_token_id": ids["<|endoftext|>"],
            "pad_token_id": ids["<|endoftext|>"],
            "do_sample": True,
            "eos_token_id": [ids["<|im_end|>"], ids["<|endoftext|>"]],
            "top_k": 20,
            "top_p": 0.8,
            "repetition_penalty": 1.0,
            "temperature": 0.7,
        },
    )
    images = {**PREPROCESSOR, "image_processor_type": "Qwen2VLImageProcessorFast"}
    videos = {**PREPROCESSOR, "video_processor_type": "Qwen3VLVideoProcessor"}
    write_json(folder / "preprocessor_config.json", images)
    write_json(folder / "video_preprocessor_config.json", videos)
    write_json(folder / "chat_template.json", {"chat_template": TEMPLATE})
    return folder


def make_config(ids: dict[str, int]) -> Qwen3VLConfig:
    return Qwen3VLConfig(
        text_config={
            "vocab_size": VOCABULARY,
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 3,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "head_dim": 16,
            "max_position_embeddings": 8192,
            # wide enough for answers to differ from picture to picture
            "initializer_range": 0.3,
            "rope_parameters": {
                "rope_type": "default",
                "rope_theta": 5000000,
                "mrope_interleaved": True,
                "mrope_section": [4, 2, 2],
            },
            "bos_token_id": ids["<|endoftext|>"],
            "eos_token_id": ids["<|im_end|>"],
            "tie_word_embeddings": True,
        },
        vision_config={
            "depth": 3,
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_heads": 2,
            "out_hidden_size": 32,
            "patch_size": 16,
            "spatial_merge_size": 2,
            "temporal_patch_size": 2,
            "num_position_embeddings": 64,
            "deepstack_visual_indexes": [0, 1],
            "initializer_range": 0.3,
        },
        image_token_id=ids["<|image_pad|>"],
        video_token_id=ids["<|video_pad|>"],
        vision_start_token_id=ids["<|vision_start|>"],
        vision_end_token_id=ids["<|vision_end|>"],
        tie_word_embeddings=True,
    )


def write_tokenizer(folder: Path) -> dict[str, int]:
    """Every byte and no merges; returns the numbers of the special tokens."""
    letters = {letter: number for number, letter in enumerate(sorted(ByteLevel.alphabet()))}
    tokenizer = Qwen2Tokenizer(
        vocab=letters,
        merges=[],
        additional_special_tokens=list(SPECIAL[1:]),
        pad_token="<|endoftext|>",
        eos_token="<|im_end|>",
    )
    tokenizer.save_pretrained(folder)
    write_json(folder / "vocab.json", letters)
    (folder / "merges.txt").write_text("#version: 0.2\n")
    return {token: tokenizer.convert_tokens_to_ids(token) for token in SPECIAL}


def write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=2), encoding="utf-8")

"""Pictures and the question as the model reads them: one row for each picture."""

from collections.abc import Sequence
from typing import Any

import torch
from jinja2 import TemplateError
from PIL import Image

from pipelines.errors import ModelError
from pipelines.models.device import Device
from pipelines.models.vlm.components import Vlm
from pipelines.models.vlm.look import MOST_TOKENS, take_look
from pipelines.models.vlm.wording import QUESTION, SYSTEM

MESSAGES = [
    {"role": "system", "content": SYSTEM},
    {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": QUESTION}]},
]


class Prompt:
    """The question, tokenised once, with room for a picture in it."""

    def __init__(self, vlm: Vlm, device: Device) -> None:
        """Write the question by the model's own template.

        Raises:
            ModelError: the template has no place for a picture.
        """
        self._vlm = vlm
        self._device = device
        self._image: int = vlm.model.config.image_token_id
        ids = _write(vlm)
        if ids.count(self._image) != 1:
            msg = "the model's chat template has no place for a picture"
            raise ModelError(msg)
        place = ids.index(self._image)
        self._before, self._after = ids[:place], ids[place + 1 :]

    @property
    def longest(self) -> int:
        """Tokens of a prompt with the largest picture."""
        return len(self._before) + MOST_TOKENS + len(self._after)

    def __call__(self, pictures: Sequence[Image.Image]) -> dict[str, torch.Tensor]:
        """What ``generate`` takes, on the device; shorter rows are padded on their left."""
        looks = [take_look(picture, self._vlm.cell) for picture in pictures]
        seen = self._vlm.image_processor(images=looks, return_tensors="pt")
        grid: torch.Tensor = seen["image_grid_thw"]  # (B, 3), in patches
        patches: torch.Tensor = seen["pixel_values"]  # (all patches, their values)
        tokens = (grid.prod(dim=-1) // self._vlm.image_processor.merge_size**2).tolist()
        rows = [self._before + [self._image] * many + self._after for many in tokens]
        longest = max(map(len, rows))
        pad: int = self._vlm.model.generation_config.pad_token_id
        ids = torch.tensor([[pad] * (longest - len(row)) + row for row in rows])
        mask = torch.tensor([[0] * (longest - len(row)) + [1] * len(row) for row in rows])
        batch = {
            "input_ids": ids,
            "attention_mask": mask,
            # tells the model's positions where the picture is
            "mm_token_type_ids": (ids == self._image).int(),
            "pixel_values": patches,
            "image_grid_thw": grid,
        }
        return {name: self._device.upload(values) for name, values in batch.items()}


def _write(vlm: Vlm) -> list[int]:
    try:
        text: Any = vlm.tokenizer.apply_chat_template(
            MESSAGES, chat_template=vlm.template, tokenize=False, add_generation_prompt=True
        )
    except (TemplateError, TypeError) as error:
        msg = "the model's chat template is damaged"
        raise ModelError(msg) from error
    ids: list[int] = vlm.tokenizer.encode(text, add_special_tokens=False)
    return ids

"""Prompts as the model reads them: both text encoders' words, remembered."""

from functools import lru_cache
from typing import NamedTuple

import torch

from pipelines.models.device import Device
from pipelines.models.sdxl.components import Components

REMEMBERED = 256
"""Prompts kept; each takes about 0.3 MB of device memory at full size."""


class Words(NamedTuple):
    """One encoded prompt."""

    tokens: torch.Tensor
    """(77, D), both encoders' side by side."""
    pooled: torch.Tensor
    """(P,), the prompt as a whole."""


class PromptEncoder:
    """Encodes each prompt once; what does not fit into 77 tokens is left out."""

    def __init__(self, components: Components, device: Device) -> None:
        """Share the components' encoders; call inside ``device.working()``."""
        self._components = components
        self._device = device
        self._remember = lru_cache(REMEMBERED)(self._encode)

    def __call__(self, prompt: str) -> Words:
        """What the model is shown for ``prompt``."""
        return self._remember(prompt)

    def absence(self) -> Words:
        """What the model is shown where no prompt is given at all."""
        words = self("")
        if not self._components.empty_is_zero:
            return words
        return Words(torch.zeros_like(words.tokens), torch.zeros_like(words.pooled))

    def _encode(self, prompt: str) -> Words:
        layers: list[torch.Tensor] = []
        pooled: torch.Tensor | None = None
        parts = zip(self._components.tokenizers, self._components.text_encoders, strict=True)
        for tokenizer, encoder in parts:
            read = tokenizer(
                prompt,
                padding="max_length",
                max_length=tokenizer.model_max_length,
                truncation=True,
                return_tensors="pt",
            )
            ids: torch.Tensor = self._device.upload(read.input_ids)
            seen = encoder(ids, output_hidden_states=True)
            # the last layer but one: the last is bent to the task that the encoder learned on
            layer: torch.Tensor = seen.hidden_states[-2][0]
            layers.append(layer)
            pooled = seen[0]
        assert pooled is not None
        return Words(torch.cat(layers, dim=-1), pooled[0])

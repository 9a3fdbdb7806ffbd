"""The writer: pictures go in together, the model's answers come out as text."""

from collections.abc import Sequence
from typing import Any

import torch
from PIL import Image

from pipelines.models.audience import Audience
from pipelines.models.device import Device
from pipelines.models.vlm.components import Vlm
from pipelines.models.vlm.grammar import BUDGET, REST, Grammar, Guide
from pipelines.models.vlm.prompt import Prompt


def choose_cache(device: Device) -> str:
    """A static one where the model has its place on a card: there the library compiles a token."""
    stays = device.turns is None  # what was compiled does not outlast the weights' addresses
    return "static" if device.hardware.type == "cuda" and stays else "dynamic"


class Listening:
    """Tells the audience after each token, and stops ``generate`` when nobody is left."""

    def __init__(self, audience: Audience, longest: int) -> None:
        """``longest`` is the number of tokens that counts as all of the work."""
        self._audience = audience
        self._longest = longest
        self._written = 0

    def __call__(self, ids: torch.Tensor, _: object) -> torch.Tensor:
        """Whether each row (B,) ends here."""
        self._written += 1
        present = self._audience.tell(self._written / self._longest)
        return torch.full((len(ids),), not present, device=ids.device)


class Writer:
    """The model's one user; called from one thread only."""

    def __init__(self, vlm: Vlm, device: Device, budget: int = BUDGET) -> None:
        """``budget`` is the number of tokens after which an answer hurries to its end.

        Raises:
            ModelError: the model's chat template has no place for a picture.
        """
        self._vlm = vlm
        self._device = device
        self._budget = budget
        self._most = budget + REST
        self._grammar = Grammar(vlm)
        self._prompt = Prompt(vlm, device)

    def __call__(
        self, pictures: Sequence[Image.Image], audience: Audience, *, thrifty: bool = False
    ) -> dict[int, str]:
        """An answer for each picture by number, the same as it would get alone.

        When nobody is left in the audience, the answers break off. ``thrifty`` takes less memory
        and more time: the pictures have their answers one after the other.

        Raises:
            ModelError: the device could not do it.
        """
        parts = [[picture] for picture in pictures] if thrifty else [pictures]
        listening = Listening(audience, len(parts) * self._most)
        cache = choose_cache(self._device)
        answers: list[str] = []
        with self._device.working():
            for part in parts:
                answers += self._vlm.tokenizer.batch_decode(
                    self.write(part, listening, cache),
                    skip_special_tokens=True,
                    clean_up_tokenization_spaces=False,
                )
        return dict(enumerate(answers))

    def write(
        self, pictures: Sequence[Image.Image], listening: Listening, cache: str
    ) -> torch.Tensor:
        """The answers' tokens (B, L), with what ends and fills them."""
        given = self._prompt(pictures)
        # of one length whatever the pictures, so that what was compiled fits again
        room: dict[str, Any] = {"max_cache_len": self._prompt.longest + self._most}
        written: torch.Tensor = self._vlm.model.generate(
            **given,
            max_new_tokens=self._most,
            logits_processor=[Guide(self._grammar, len(pictures), self._budget, self._device)],
            stopping_criteria=[listening],
            cache_implementation=cache,
            **(room if cache == "static" else {}),
        )
        return written[:, given["input_ids"].shape[1] :]

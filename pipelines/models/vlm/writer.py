"""The writer: pictures go in together, the model's answers come out as text."""

import logging
from collections.abc import Sequence
from typing import Any

import torch
from PIL import Image

from pipelines.errors import DeviceFailed
from pipelines.models.audience import Audience
from pipelines.models.device import Device
from pipelines.models.vlm.caches import Caches
from pipelines.models.vlm.components import Vlm
from pipelines.models.vlm.grammar import BUDGET, REST, Grammar, Guide
from pipelines.models.vlm.prompt import Prompt


def choose_cache(device: Device) -> str:
    """A static one where the model has its place on a card: there the library compiles a token."""
    stays = device.turns is None  # what was compiled does not outlast the weights' addresses
    return "static" if device.hardware.type == "cuda" and stays else "dynamic"


log = logging.getLogger(__name__)


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
        self._device = device.for_any_length()
        self._budget = budget
        self._most = budget + REST
        self._grammar = Grammar(vlm)
        self._prompt = Prompt(vlm, device)
        self._caches = Caches(vlm, self._prompt.longest + self._most)
        self._cache = choose_cache(device)

    def __call__(
        self, pictures: Sequence[Image.Image], audience: Audience, *, thrifty: bool = False
    ) -> dict[int, str]:
        """An answer for each picture by number, the same as it would get alone.

        When nobody is left in the audience, the answers break off. ``thrifty`` takes less memory
        and more time: the pictures have their answers one after the other.

        Raises:
            ModelError: the device could not do it.
        """
        if thrifty:
            self._caches.clear()
        parts = [[picture] for picture in pictures] if thrifty else [pictures]
        listening = Listening(audience, len(parts) * self._most)
        answers: list[str] = []
        with self._device.working():
            for part in parts:
                answers += self._vlm.tokenizer.batch_decode(
                    self.write(part, listening, self._cache),
                    skip_special_tokens=True,
                    clean_up_tokenization_spaces=False,
                )
        return dict(enumerate(answers))

    def warm_up(self) -> None:
        """Have the library compile all that answers need, or do without where it cannot.

        That takes a minute or two where it is new. To be called in the thread that will write.

        Raises:
            DeviceFailed: the device failed.
        """
        if self._cache == "dynamic":
            return
        small, large = (Image.new("RGB", (side, side)) for side in (512, 1024))
        try:
            for pictures in ([small], [small, small], [small, large]):
                listening = Listening(Audience([_stay]), self._most)
                with self._device.working():
                    self.write(pictures, listening, self._cache)
        except DeviceFailed:
            raise
        except Exception:  # compilers fail in as many ways as there are tools that they call
            log.warning("the describer could not be compiled and runs without", exc_info=True)
            self._cache = "dynamic"
            self._caches.clear()

    def write(
        self, pictures: Sequence[Image.Image], listening: Listening, cache: str
    ) -> torch.Tensor:
        """The answers' tokens (B, L), with what ends and fills them."""
        given = self._prompt(pictures)
        static: dict[str, Any] = {}
        if cache == "static":
            static["past_key_values"] = self._caches.lend(len(pictures))
        written: torch.Tensor = self._vlm.model.generate(
            **given,
            max_new_tokens=self._most,
            logits_processor=[Guide(self._grammar, len(pictures), self._budget, self._device)],
            stopping_criteria=[listening],
            **static,
        )
        return written[:, given["input_ids"].shape[1] :]


def _stay(fraction: float) -> None:
    """Hear how far it is, and wait on."""

"""The writer: pictures go in together, the model's answers come out as text."""

import logging
from collections.abc import Sequence

import torch
from PIL import Image

from pipelines.errors import DeviceFailed
from pipelines.models.audience import Audience
from pipelines.models.device import Device
from pipelines.models.vlm.caches import Caches
from pipelines.models.vlm.components import Vlm
from pipelines.models.vlm.grammar import BUDGET, REST, Grammar, Guide
from pipelines.models.vlm.prompt import Prompt

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
        self._caches: Caches | None = None

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
        answers: list[str] = []
        with self._device.working():
            for part in parts:
                answers += self._vlm.tokenizer.batch_decode(
                    self.write(part, listening),
                    skip_special_tokens=True,
                    clean_up_tokenization_spaces=False,
                )
        return dict(enumerate(answers))

    def warm_up(self, rows: int) -> None:
        """Have the library compile the model for up to ``rows`` pictures at once.

        From then on the memory of a cache for so many is taken, and no more pictures may come
        together. It takes a minute or two where it is new, and pays where the model has its place
        on a card for good. Where the compiler fails or memory is short, answers are written as
        before. To be called in the thread that will write.

        Raises:
            DeviceFailed: the device failed.
        """
        small, large = (Image.new("RGB", (side, side)) for side in (512, 1024))
        # one row, many alike, and many of which some are padded: each has graphs of its own
        batches = ([small], [small] * rows, [large, *[small] * (rows - 1)])
        try:
            with self._device.working():
                length = self._prompt.longest + self._most
                self._caches = Caches(self._vlm, self._device, length, rows)
                for batch in batches:
                    self.write(batch, Listening(Audience([_stay]), self._most))
        except DeviceFailed:
            raise
        except Exception:  # compilers fail in as many ways as there are tools that they call
            log.warning("the describer could not be compiled and runs without", exc_info=True)
            self._caches = None

    def write(self, pictures: Sequence[Image.Image], listening: Listening) -> torch.Tensor:
        """The answers' tokens (B, L), with what ends and fills them."""
        given = self._prompt(pictures)
        # the library compiles a token where its place stays the same
        kept = {"past_key_values": self._caches.lend(len(pictures))} if self._caches else {}
        written: torch.Tensor = self._vlm.model.generate(
            **given,
            max_new_tokens=self._most,
            logits_processor=[Guide(self._grammar, len(pictures), self._budget, self._device)],
            stopping_criteria=[listening],
            **kept,
        )
        return written[:, given["input_ids"].shape[1] :]


def _stay(fraction: float) -> None:
    """Hear how far it is, and wait on."""

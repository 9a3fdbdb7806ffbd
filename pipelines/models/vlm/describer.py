"""The describer that has words: a vision-language model on top of the one without weights.

Words and subjects are the model's; what can be measured in the pixels stays the fallback's.
"""

from collections.abc import Callable
from dataclasses import replace

from PIL import Image

from pipelines.composition import Composition
from pipelines.engine import Describer
from pipelines.models.audience import Tick
from pipelines.models.vlm.answer import UnusableAnswer, read_answer
from pipelines.models.vlm.memory import Memory, fingerprint

UNUSABLE = "the vision-language model's answer could not be used: described without it"

Ask = Callable[[Image.Image, Tick], str]
"""The model's answer about one picture, alone or with those of other jobs; from any thread."""


class VlmDescriber:
    """Describes pictures; may be called from several threads if ``ask`` may.

    The same picture gets the same composition, and is looked at once while it is remembered.
    """

    def __init__(self, ask: Ask, fallback: Describer) -> None:
        """``fallback`` needs no weights; it works in the caller's thread."""
        self._ask = ask
        self._fallback = fallback
        self._memory = Memory()

    def __call__(self, picture: Image.Image) -> Composition:
        """Describe ``picture``, RGB or RGBA, upright.

        Raises:
            ModelError: the device could not do it.
        """
        key = fingerprint(picture)
        known = self._memory.recall(key)
        if known is None:
            known = self._describe(picture)
            self._memory.keep(key, known)
        return known

    def _describe(self, picture: Image.Image) -> Composition:
        seen = self._fallback(picture)
        try:
            return read_answer(self._ask(picture, _stay)).join(seen)
        except UnusableAnswer:
            return replace(seen, warnings=(*seen.warnings, UNUSABLE))


def _stay(fraction: float) -> None:
    """Hear how far it is, and wait on."""

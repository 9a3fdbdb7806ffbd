"""What is done about pictures that are not safe for work, and from which rating on.

Pure values: whoever looks at the pictures is the engine's, and gives a probability.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from PIL import Image

from pipelines.errors import ContentRejected, InvalidOption

Rater = Callable[[Image.Image], float]
"""How likely it is, 0 to 1, that an upright sRGB picture, RGB or RGBA, is not safe for work.

Called from several threads; raises ModelError.
"""

THRESHOLDS = {1: 0.97, 2: 0.9, 3: 0.75, 4: 0.5, 5: 0.3, 6: 0.15}
"""Strictness, the loosest first, to the rating above which a picture is not safe for work.

The numbers are this project's choice and have not been tried with real weights. At 4 a picture
is what it is more likely to be.
"""


class SafetyAction(StrEnum):
    """What happens where a picture is not safe for work: nothing, a note, or a refusal."""

    OFF = "off"
    FLAG = "flag"
    BLOCK = "block"


@dataclass(frozen=True, slots=True)
class Safety:
    """A caller's wishes; ``strictness`` runs from 1, the loosest, to 6."""

    action: SafetyAction = SafetyAction.FLAG
    strictness: int = 3

    def __post_init__(self) -> None:
        """Refuse what is not on the scale; raises InvalidOption."""
        if self.strictness not in THRESHOLDS:
            msg = f"strictness is a number from 1 to {max(THRESHOLDS)}, not {self.strictness}"
            raise InvalidOption(msg)

    @property
    def rates(self) -> bool:
        """Whether anybody is to look at the pictures."""
        return self.action is not SafetyAction.OFF

    @property
    def threshold(self) -> float:
        """The highest rating of a picture that is safe for work, 0 to 1."""
        return THRESHOLDS[self.strictness]

    def judge(self, score: float) -> bool:
        """Whether a picture with this rating is not safe for work."""
        return score > self.threshold

    def admit(
        self, source: float | None, output: float | None = None, unrated: str = ""
    ) -> "Verdict":
        """The verdict on the ratings of source and output, None for what was not rated.

        ``unrated`` is why nobody rates them, if somebody should.

        Raises:
            ContentRejected: one of them is not safe for work, and that is to be blocked.
        """
        if not self.rates:
            return Verdict(self)  # what other requests wanted to know is not this one's matter
        verdict = Verdict(self, source, output, unrated)
        if self.action is SafetyAction.BLOCK:
            assert source is not None  # an engine that cannot rate is refused before
            if verdict.detected:
                raise ContentRejected("; ".join(verdict.warnings))
        return verdict


@dataclass(frozen=True, slots=True)
class Verdict:
    """How source and output were rated, 0 to 1, by somebody's wishes; None if nobody looked.

    An output on which nothing was painted has no rating of its own.
    """

    safety: Safety
    source: float | None = None
    output: float | None = None
    unrated: str = ""

    @property
    def score(self) -> float | None:
        """The higher of both ratings."""
        return max((score for _, score in self._ratings), default=None)

    @property
    def detected(self) -> bool | None:
        """Whether source or output is not safe for work; None where nobody looked."""
        return None if self.score is None else self.safety.judge(self.score)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is not safe for work, in words, or why nobody knows."""
        if self.unrated and self.score is None:
            return (self.unrated,)
        limit = f"more than {self.safety.threshold:g} at strictness {self.safety.strictness}"
        return tuple(
            f"the {name} is probably not safe for work: rated {score:.3g}, {limit}"
            for name, score in self._ratings
            if self.safety.judge(score)
        )

    @property
    def _ratings(self) -> tuple[tuple[str, float], ...]:
        both = (("source", self.source), ("output", self.output))
        return tuple((name, score) for name, score in both if score is not None)

"""One output's wishes, after translation: the only request type inside."""

from dataclasses import dataclass, field, replace
from typing import Self

from pipelines.engine import Mode
from pipelines.errors import InvalidOption
from pipelines.export.wishes import Export
from pipelines.fill import Fill
from pipelines.geometry import Box
from pipelines.plan import Plan
from pipelines.rules import Rules
from pipelines.safety import Safety
from pipelines.target import Target

MOST_RETRIES = 4
"""More paintings of one output than the first."""


@dataclass(frozen=True, slots=True)
class ReframeRequest:
    """What one output is to be.

    ``plan`` replaces the search, ``prompt`` the describer's scene. Where the seam shows or a
    subject appears twice, ``retries`` more paintings are tried, each with a seed of its own, and
    the best is kept; if that still needs review, ``fallback`` fills instead, where it is given.
    ``safety`` says what becomes of pictures that are not safe for work, ``export`` what the file
    is to be.
    """

    target: Target
    rules: Rules = field(default_factory=Rules)
    plan: Plan | None = None
    fill: Fill = Fill.AUTO
    prompt: str = ""
    seed: int = 0
    mode: Mode = Mode.BALANCED
    retries: int = 0
    fallback: Fill | None = None
    export: Export = field(default_factory=Export)
    safety: Safety = field(default_factory=Safety)

    def __post_init__(self) -> None:
        """Refuse what cannot be done; raises InvalidOption."""
        if not 0 <= self.retries <= MOST_RETRIES:
            msg = f"retries is a number from 0 to {MOST_RETRIES}, not {self.retries}"
            raise InvalidOption(msg)
        if self.fallback:
            check_fallback(self.fallback)

    @property
    def counts_subjects(self) -> bool:
        """Whether what was painted is looked at for subjects that the source does not have."""
        return bool(self.retries or self.fallback or self.mode is Mode.QUALITY)

    def protecting(self, boxes: tuple[Box, ...]) -> Self:
        """The same, with these boxes of the source kept whole too; in fractions."""
        rules = replace(self.rules, protect=(*self.rules.protect, *boxes))
        return replace(self, rules=rules)


def check_fallback(fill: Fill) -> Fill:
    """The same; raises InvalidOption for one that needs an engine."""
    if not fill.is_drawn:
        names = ", ".join(each for each in Fill if each.is_drawn)
        msg = f"a fallback is one of {names}: it is there where painting was not good enough"
        raise InvalidOption(msg)
    return fill

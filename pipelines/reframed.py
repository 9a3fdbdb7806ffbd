"""A finished output and the record of what made it and whether it can be trusted."""

import hashlib
import importlib.metadata
from dataclasses import dataclass
from typing import Any

from pipelines.codec.decode import Source
from pipelines.codec.encode import Encoded
from pipelines.composition import Composition
from pipelines.engine import Mode
from pipelines.export.files import ExtraFile
from pipelines.fill import Fill
from pipelines.geometry import Edge
from pipelines.plan import Plan
from pipelines.proof import SEAM_VISIBLE, Preservation
from pipelines.rules import Rules
from pipelines.safety import Verdict


@dataclass(frozen=True, slots=True)
class Reframed:
    """One output, and everything needed to judge or repeat it.

    ``engine`` names who painted, with which ``models``; ``fill`` is what filled the new area,
    None where nothing was added. ``seam`` has a score per extended side, ``nsfw`` the ratings of
    source and output. ``seconds`` is the wall time of each step.
    """

    engine: str
    models: tuple[str, ...]
    mode: Mode
    source: Source
    composition: Composition
    rules: Rules
    plan: Plan
    fill: Fill | None
    prompt: str
    seed: int
    preservation: Preservation
    seam: dict[Edge, float]
    nsfw: Verdict
    file: Encoded
    extras: tuple[ExtraFile, ...]
    seconds: dict[str, float]

    @property
    def needs_review(self) -> bool:
        """Whether a person should look before the output is used."""
        return any(score > SEAM_VISIBLE for score in self.seam.values())

    @property
    def nsfw_detected(self) -> bool | None:
        """Whether source or output is not safe for work; None where nobody looked."""
        return self.nsfw.detected

    @property
    def warnings(self) -> tuple[str, ...]:
        """What did not go as wished, in words."""
        return self.plan.warnings + self.composition.warnings + self.nsfw.warnings

    def to_json(self) -> dict[str, Any]:
        """The record as plain JSON values, without the pixels."""
        return {
            "version": importlib.metadata.version("smart-resize"),
            "engine": self.engine,
            "models": list(self.models),
            "mode": self.mode.value,
            "describer": self.composition.describer,
            "fill": self.fill.value if self.fill else None,
            "prompt": self.prompt,
            "seed": self.seed,
            "source": {
                "format": self.source.format.lower(),
                "size": list(self.plan.source),
                "sha256": self.source.sha256,
                "notes": list(self.source.notes),
            },
            "output": {
                "format": self.file.format.value,
                "size": list(self.plan.target),
                "bytes": len(self.file.data),
                "quality": self.file.quality,
                "sha256": hashlib.sha256(self.file.data).hexdigest(),
                "notes": list(self.file.notes),
            },
            "rules": self.rules.to_json(),
            "plan": self.plan.to_json(),
            "preservation": self.preservation.to_json(),
            "seam": {edge.value: score for edge, score in self.seam.items()},
            "needs_review": self.needs_review,
            "nsfw_detected": self.nsfw_detected,
            "nsfw_score": self.nsfw.score,
            "warnings": list(self.warnings),
            "seconds": {step: round(value, 4) for step, value in self.seconds.items()},
        }

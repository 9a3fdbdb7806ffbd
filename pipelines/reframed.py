"""A finished output and the record of what made it and whether it can be trusted."""

import hashlib
import importlib.metadata
from dataclasses import dataclass, replace
from typing import Any, Self

from pipelines.attempts import Attempt
from pipelines.codec.decode import Source
from pipelines.codec.encode import Encoded
from pipelines.composition import Composition, Subject
from pipelines.duplicates import Duplicate
from pipelines.engine import Mode
from pipelines.export.extras import ExtraFile, write_record
from pipelines.export.provenance import Provenance
from pipelines.fill import Fill
from pipelines.geometry import Edge
from pipelines.plan import Plan
from pipelines.proof import Preservation
from pipelines.rules import Rules
from pipelines.safety import Verdict


@dataclass(frozen=True, slots=True)
class Reframed:
    """One output, and everything needed to judge or repeat it.

    ``engine`` names who painted, with which ``models``; ``fill`` is what filled the new area,
    None where nothing was added. ``seed`` is that of the painting that was kept, ``attempts`` are
    all that were tried, and ``fallback`` what filled instead because none was good enough.
    ``seam`` has a score per extended side, ``duplicates`` the subjects that were invented, and
    ``review`` says in words why a person should look. ``nsfw`` has the ratings of source and
    output. ``seconds`` is the wall time of each step.
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
    attempts: tuple[Attempt, ...]
    fallback: Fill | None
    seam: dict[Edge, float]
    duplicates: tuple[Duplicate, ...]
    review: tuple[str, ...]
    nsfw: Verdict
    file: Encoded
    provenance: Provenance
    extras: tuple[ExtraFile, ...]
    seconds: dict[str, float]

    @property
    def needs_review(self) -> bool:
        """Whether a person should look before the output is used."""
        return bool(self.review)

    @property
    def nsfw_detected(self) -> bool | None:
        """Whether source or output is not safe for work; None where nobody looked."""
        return self.nsfw.detected

    @property
    def warnings(self) -> tuple[str, ...]:
        """What did not go as wished, in words."""
        fallen = (
            (f"none of {len(self.attempts)} paintings could be used: filled with {self.fallback}",)
            if self.fallback
            else ()
        )
        return (*self.plan.warnings, *self.composition.warnings, *fallen, *self.nsfw.warnings)

    @property
    def subjects(self) -> tuple[Subject, ...]:
        """What the planner went by: what was found, and what the caller protects."""
        return self.composition.subjects

    def with_record(self) -> Self:
        """With its own record as one more file beside it."""
        return replace(self, extras=(*self.extras, write_record(self.to_json())))

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
            "provenance": self.provenance.to_json(),
            "extras": [extra.to_json() for extra in self.extras],
            "subjects": [subject.to_json() for subject in self.subjects],
            "rules": self.rules.to_json(),
            "plan": self.plan.to_json(),
            "preservation": self.preservation.to_json(),
            "seam": {edge.value: score for edge, score in self.seam.items()},
            "attempts": [tried.to_json() for tried in self.attempts],
            "fallback": self.fallback.value if self.fallback else None,
            "duplicates": [duplicate.to_json() for duplicate in self.duplicates],
            "review": list(self.review),
            "needs_review": self.needs_review,
            "nsfw_detected": self.nsfw_detected,
            "nsfw_score": self.nsfw.score,
            "warnings": list(self.warnings),
            "seconds": {step: round(value, 4) for step, value in self.seconds.items()},
        }

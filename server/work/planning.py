"""A plan job: the source is looked at and its plans are drawn, and nothing is painted."""

import importlib.metadata
from dataclasses import dataclass
from typing import Any

from PIL import Image

from pipelines.codec.encode import Encoded, Format, encode
from pipelines.engine import Mode
from pipelines.export.files import ExtraFile
from pipelines.overlay import draw_overlay
from pipelines.plan import Plan
from pipelines.progress import Step, Stopwatch
from pipelines.reframe import Described, Reframer
from pipelines.request import ReframeRequest
from pipelines.rules import Rules


@dataclass(frozen=True, slots=True)
class Drawn:
    """A plan for one target and its drawing; ``seconds`` is the wall time of each step."""

    engine: str
    models: tuple[str, ...]
    mode: Mode
    described: Described
    rules: Rules
    plan: Plan
    drawing: Image.Image
    file: Encoded
    seconds: dict[str, float]
    extras: tuple[ExtraFile, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The record as plain JSON values."""
        source = self.described.source
        return {
            "version": importlib.metadata.version("smart-resize"),
            "task": "plan",
            "engine": self.engine,
            "models": list(self.models),
            "mode": self.mode.value,
            "describer": self.described.composition.describer,
            "source": {
                "format": source.format.lower(),
                "size": list(self.plan.source),
                "sha256": source.sha256,
                "notes": list(source.notes),
            },
            "output": {
                "format": self.file.format.value,
                "size": list(self.drawing.size),
                "bytes": len(self.file.data),
            },
            "rules": self.rules.to_json(),
            "composition": self.described.composition.to_json(),
            "plan": self.plan.to_json(),
            "warnings": [*self.plan.warnings, *self.described.composition.warnings],
            "seconds": {step: round(value, 4) for step, value in self.seconds.items()},
        }


def draw_plan(
    reframer: Reframer, described: Described, request: ReframeRequest, watch: Stopwatch
) -> Drawn:
    """The plan for one request; ``watch`` has the seconds of what was done before.

    Raises:
        ReframeError: what went wrong.
    """
    watch.start(Step.PLAN)
    plan = reframer.plan(described, request)
    watch.start(Step.ENCODE)
    picture, seen = described.source.picture, described.composition
    drawing = draw_overlay(picture, plan, seen, request.rules)
    file = encode(drawing, Format.PNG)
    watch.stop()
    engine = reframer.engine
    return Drawn(
        engine=engine.name,
        models=engine.models,
        mode=request.mode,
        described=described,
        rules=request.rules,
        plan=plan,
        drawing=drawing,
        file=file,
        seconds=watch.seconds,
    )

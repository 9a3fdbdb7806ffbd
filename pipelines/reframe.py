"""The whole story of a reframing, from the bytes of a source to the bytes of its outputs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from PIL import Image

from pipelines.canvas import lay_out, resample
from pipelines.codec.decode import Source, decode
from pipelines.codec.limits import Limits
from pipelines.compose import compose, make_draft
from pipelines.composition import Composition
from pipelines.engine import Engine, Mode, Painting
from pipelines.errors import EngineUnavailable, InvalidPlan
from pipelines.export.files import Material, export
from pipelines.fill import Fill, choose_fill, fill_edge, fill_solid
from pipelines.geometry import Size
from pipelines.plan import Plan
from pipelines.planner import make_plan
from pipelines.progress import Progress, Step, Stopwatch, ignore_progress
from pipelines.proof import measure_preservation, score_seam
from pipelines.reframed import Reframed
from pipelines.request import ReframeRequest
from pipelines.safety import SafetyAction

ENLARGED = 1.5
"""What was painted is refined where the output has more than this many times its pixels."""


@dataclass(frozen=True, slots=True)
class Described:
    """A decoded source, what the describer saw in it, and its rating if that was asked for."""

    source: Source
    composition: Composition
    nsfw: float | None = None

    @property
    def size(self) -> Size:
        """Of the upright source, px."""
        return Size(*self.source.picture.size)


class Reframer:
    """One engine, ready to reframe; may be called from several threads."""

    def __init__(self, engine: Engine, limits: Limits | None = None) -> None:
        """Keep the engine, and the limits that every source is held to."""
        self.engine = engine
        self.limits = limits or Limits()

    def __call__(
        self, data: bytes, requests: Sequence[ReframeRequest], progress: Progress = ignore_progress
    ) -> Iterator[Reframed]:
        """Reframe one source to every request in turn; it is decoded and described once.

        Raises:
            ReframeError: what went wrong, with a stable code; outputs already yielded stand.
        """
        self._check_blocking(requests)
        watch = Stopwatch(progress)
        rated = any(request.safety.rates for request in requests)
        described = self.describe(data, watch, rated=rated)
        for request in requests:
            request.safety.admit(described.nsfw)  # or else nothing is painted
            yield self._reframe(described, request, Stopwatch(progress, watch.seconds))

    def describe(
        self, data: bytes, watch: Stopwatch | None = None, *, rated: bool = False
    ) -> Described:
        """Decode a source and look at it, and rate it where the engine can."""
        watch = watch or Stopwatch(ignore_progress)
        watch.start(Step.DECODE)
        source = decode(data, self.limits)
        watch.start(Step.DESCRIBE)
        composition = self.engine.describe(source.picture)
        score = self._rate(source.picture) if rated else None
        watch.stop()
        return Described(source, composition, score)

    def plan(self, described: Described, request: ReframeRequest) -> Plan:
        """The request's own plan, checked against the source, or the best one found."""
        plan = request.plan
        if plan is None:
            price = self.engine.paint_price
            return make_plan(
                described.size,
                described.composition,
                request.target,
                request.rules,
                paint_price=price,
            )
        if plan.source != described.size:
            msg = f"the plan is for a source of {plan.source}, this one is {described.size}"
            raise InvalidPlan(msg)
        return plan

    def _reframe(self, described: Described, request: ReframeRequest, watch: Stopwatch) -> Reframed:
        watch.start(Step.PLAN)
        plan = self.plan(described, request)
        watch.start(Step.LAY_OUT)
        kept = resample(described.source.picture, plan)
        seen = described.composition.protecting(request.rules.protect)
        canvas = lay_out(kept, plan, seen)
        watch.start(Step.OUTPAINT)
        fill = choose_fill(request.fill, canvas, plan, seen)
        prompt = request.prompt or seen.scene
        if fill in {Fill.SOLID, Fill.EDGE}:
            # exact at the output's own size, and nothing to blend
            plan = replace(plan, feather=plan.rim)
            canvas = lay_out(kept, plan, seen, plan.target)
        painting = Painting(canvas, prompt, request.seed, request.mode)
        painted = self._paint(painting, fill, watch.progress)
        if painted and fill is Fill.GENERATE and self._refines(request.mode, plan):
            watch.start(Step.REFINE)
            large = lay_out(kept, plan, seen, plan.target)
            draft = replace(large, picture=make_draft(painted, canvas, large))
            painted = self._refine(replace(painting, canvas=draft), watch.progress)
            canvas = large
        watch.start(Step.COMPOSE)
        output = compose(kept, painted, canvas, plan, request.seed)
        score = self._rate(output) if painted and request.safety.rates else None
        verdict = request.safety.admit(described.nsfw, score)
        preservation = measure_preservation(output, kept, plan)
        watch.start(Step.ENCODE)
        engine = self.engine
        material = Material(output, kept, plan, fill, described.source, engine.name, engine.models)
        exported = export(material, request.export)
        watch.stop()
        return Reframed(
            engine=engine.name,
            models=engine.models,
            mode=request.mode,
            source=described.source,
            composition=described.composition,
            rules=request.rules,
            plan=plan,
            fill=fill,
            prompt=prompt,
            seed=request.seed,
            preservation=preservation,
            seam=score_seam(output, plan),
            nsfw=verdict,
            file=exported.file,
            extras=exported.extras,
            seconds=watch.seconds,
        )

    def _check_blocking(self, requests: Sequence[ReframeRequest]) -> None:
        blocking = any(request.safety.action is SafetyAction.BLOCK for request in requests)
        if blocking and self.engine.rate is None:
            msg = f"engine {self.engine.name} has no check for what is not safe for work to block"
            raise EngineUnavailable(msg)

    def _rate(self, picture: Image.Image) -> float | None:
        return self.engine.rate(picture) if self.engine.rate else None

    def _refines(self, mode: Mode, plan: Plan) -> bool:
        enlarged = plan.target.area / plan.canvas.area
        return self.engine.refine is not None and (mode is Mode.QUALITY or enlarged > ENLARGED)

    def _refine(self, painting: Painting, progress: Progress) -> Image.Image:
        assert self.engine.refine
        return self.engine.refine(painting, progress)

    def _paint(
        self, painting: Painting, fill: Fill | None, progress: Progress
    ) -> Image.Image | None:
        match fill:
            case None:
                return None
            case Fill.SOLID:
                return fill_solid(painting.canvas)
            case Fill.EDGE:
                return fill_edge(painting.canvas)
            case _:
                return self.engine.outpaint(painting, progress)

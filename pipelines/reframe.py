"""The whole story of a reframing, from the bytes of a source to the bytes of its outputs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from PIL import Image

from pipelines.attempts import Choice, attempt, fall_back, list_seeds
from pipelines.codec.decode import Source, decode
from pipelines.codec.limits import Limits
from pipelines.composition import Composition
from pipelines.duplicates import find_duplicates
from pipelines.engine import Engine, Painting
from pipelines.errors import EngineUnavailable
from pipelines.export.files import check_signing, export
from pipelines.export.material import Material
from pipelines.export.signing import Signer
from pipelines.export.wishes import Extra
from pipelines.fill import Fill, choose_fill
from pipelines.geometry import Size
from pipelines.plan import Plan
from pipelines.planner import fit_plan, make_plan
from pipelines.progress import Progress, Step, Stopwatch, ignore_progress
from pipelines.proof import measure_preservation
from pipelines.reframed import Reframed
from pipelines.rendering import Layout, Rendering, draw, paint
from pipelines.request import ReframeRequest
from pipelines.safety import SafetyAction


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

    def __init__(
        self, engine: Engine, limits: Limits | None = None, signer: Signer | None = None
    ) -> None:
        """Keep the engine, the limits that every source is held to, and who signs outputs."""
        self.engine = engine
        self.limits = limits or Limits()
        self.signer = signer

    def __call__(
        self, data: bytes, requests: Sequence[ReframeRequest], progress: Progress = ignore_progress
    ) -> Iterator[Reframed]:
        """Reframe one source to every request in turn; it is decoded and described once.

        Raises:
            ReframeError: what went wrong, with a stable code; outputs already yielded stand.
        """
        for request in requests:
            self.check(request)
        watch = Stopwatch(progress)
        rated = any(request.safety.rates for request in requests)
        described = self.describe(data, watch, rated=rated)
        for request in requests:
            yield self.reframe(described, request, Stopwatch(progress, watch.seconds))

    def check(self, request: ReframeRequest) -> None:
        """Raise InvalidOption or EngineUnavailable for what cannot be had from any source."""
        if request.safety.action is SafetyAction.BLOCK and self.engine.rate is None:
            msg = f"engine {self.engine.name} has no check for what is not safe for work to block"
            raise EngineUnavailable(msg)
        check_signing(request.export, can_sign=self.signer is not None)

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
        """The request's own plan, fitted to the source, or the best one found."""
        source, seen, rules = described.size, described.composition, request.rules
        if request.plan is not None:
            return fit_plan(request.plan, source, seen, rules)
        price = self.engine.paint_price
        return make_plan(source, seen, request.target, rules, paint_price=price)

    def reframe(self, described: Described, request: ReframeRequest, watch: Stopwatch) -> Reframed:
        """One output of a described source; ``watch`` has the seconds of what was done before.

        Raises:
            ReframeError: what went wrong, with a stable code; others of this source may do well.
        """
        request.safety.admit(described.nsfw)  # or else nothing is painted
        watch.start(Step.PLAN)
        plan = self.plan(described, request)
        watch.start(Step.LAY_OUT)
        rules, source = request.rules, described.source
        seen = described.composition.protecting(rules.protect, rules.protect_kinds)
        layout = Layout.make(source.picture, plan, seen)
        choice = self._fill(described, request, layout, watch)
        made = choice.rendering
        score = self._rate(made.composed.output) if made.fill and request.safety.rates else None
        verdict = request.safety.admit(described.nsfw, score, self.engine.unrated)
        preservation = measure_preservation(made.composed.output, layout.kept, made.plan)
        watch.start(Step.ENCODE)
        engine = self.engine
        material = Material(
            made.composed, layout.kept, made.plan, made.fill, source, engine.name, engine.models
        )
        exported = export(material, request.export, self.signer)
        watch.stop()
        reframed = Reframed(
            engine=engine.name,
            models=engine.models,
            mode=request.mode,
            source=source,
            composition=seen,
            rules=rules,
            plan=made.plan,
            fill=made.fill,
            prompt=request.prompt or described.composition.scene,
            seed=made.seed,
            preservation=preservation,
            attempts=choice.attempts,
            fallback=choice.fallback,
            seam=made.seam,
            duplicates=made.duplicates,
            review=choice.review,
            nsfw=verdict,
            file=exported.file,
            provenance=exported.provenance,
            extras=exported.extras,
            seconds=watch.seconds,
        )
        return reframed.with_record() if Extra.RECORD in request.export.extras else reframed

    def _fill(
        self, described: Described, request: ReframeRequest, layout: Layout, watch: Stopwatch
    ) -> Choice:
        """The best of the paintings that may be tried, or what needs no painting."""
        fill = choose_fill(request.fill, layout.canvas, layout.plan, layout.seen)
        if fill is not Fill.GENERATE:
            return Choice(draw(layout, fill, request.seed, watch))

        def paint_with(seed: int) -> Rendering:
            prompt = request.prompt or layout.seen.scene
            painting = Painting(layout.canvas, prompt, seed, request.mode)
            rendering = paint(layout, painting, self.engine, watch)
            if not request.counts_subjects:
                return rendering
            seen = self.engine.describe(rendering.composed.output)
            added = find_duplicates(described.composition, seen, layout.plan)
            return replace(rendering, duplicates=added)

        choice = attempt(paint_with, list_seeds(request.seed, request.retries))
        if choice.review and request.fallback:
            return fall_back(choice, draw(layout, request.fallback, request.seed, watch))
        return choice

    def _rate(self, picture: Image.Image) -> float | None:
        return self.engine.rate(picture) if self.engine.rate else None

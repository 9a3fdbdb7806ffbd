"""The whole story, with an engine small enough to read."""

import io
import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from pipelines.codec.encode import Format
from pipelines.composition import Composition, Subject
from pipelines.engine import Engine, Mode, Painting
from pipelines.errors import (
    ContentRejected,
    EngineUnavailable,
    ImageUndecodable,
    InvalidPlan,
    JobCancelled,
)
from pipelines.export.wishes import Export
from pipelines.fill import Fill, fill_edge
from pipelines.geometry import Box, Size
from pipelines.plan import Plan
from pipelines.progress import Progress, Step
from pipelines.reframe import Reframer
from pipelines.request import ReframeRequest
from pipelines.rules import Policy, Rules
from pipelines.safety import Safety, SafetyAction
from pipelines.target import Expansion
from tests.drawings import draw_coordinates, draw_meadow, to_png

SOURCE = to_png(draw_meadow(120, 80))


class Eye:
    """Sees one subject in the middle and counts how often it looks."""

    def __init__(self) -> None:
        self.looks = 0

    def __call__(self, picture: Image.Image) -> Composition:
        self.looks += 1
        ball = Subject(Box(0.3, 0.3, 0.7, 0.9), "ball", trusted=True)
        return Composition("eye", scene="a meadow", subjects=(ball,))


class Brush:
    """Repeats the border, and notes what it was asked to paint."""

    def __init__(self) -> None:
        self.prompts: list[str] = []

    def __call__(self, painting: Painting, progress: Progress) -> Image.Image:
        self.prompts.append(f"{painting.prompt} #{painting.seed}")
        progress(Step.OUTPAINT, 0.5)
        return fill_edge(painting.canvas)


class Pencil:
    """Refines to one plain colour, and notes the pictures that it was given."""

    def __init__(self) -> None:
        self.seen: list[Painting] = []

    def __call__(self, painting: Painting, progress: Progress) -> Image.Image:
        self.seen.append(painting)
        progress(Step.REFINE, 0.5)
        return Image.new("RGB", painting.canvas.size, "navy")


class Judge:
    """Rates the source by one number and outputs by another, and notes the sizes it saw."""

    def __init__(self, source: float, output: float) -> None:
        self.source, self.output = source, output
        self.seen: list[tuple[int, int]] = []

    def __call__(self, picture: Image.Image) -> float:
        self.seen.append(picture.size)
        return self.source if picture.size == (120, 80) else self.output


WIDER = ReframeRequest(Size(240, 80), Rules(Policy.EXPAND))
BLOCK = Safety(SafetyAction.BLOCK)


def make_reframer() -> tuple[Reframer, Eye, Brush]:
    eye, brush = Eye(), Brush()
    return Reframer(Engine("test", eye, brush)), eye, brush


def test_several_targets_share_one_look_at_the_source() -> None:
    reframer, eye, _ = make_reframer()
    sizes = [Size(160, 90), Size(90, 160), Size(97, 9)]
    outputs = list(reframer(SOURCE, [ReframeRequest(size) for size in sizes]))
    assert eye.looks == 1
    assert [output.plan.target for output in outputs] == sizes
    for output in outputs:
        with Image.open(io.BytesIO(output.file.data)) as picture:
            assert picture.size == output.plan.target


def test_the_record_says_what_made_the_output() -> None:
    reframer, _, brush = make_reframer()
    request = ReframeRequest(Size(300, 80), Rules(Policy.EXPAND), prompt="grass", seed=7)
    (output,) = reframer(SOURCE, [request])
    record = json.loads(json.dumps(output.to_json()))
    assert brush.prompts == ["grass #7"]
    assert record["engine"] == "test"
    assert record["describer"] == "eye"
    assert record["fill"] == "generate"
    assert record["seed"] == 7
    assert record["plan"]["target"] == [300, 80]
    assert record["preservation"]["changed"] == 0
    assert record["output"]["bytes"] == len(output.file.data)
    assert set(record["seam"]) == {"left", "right"}
    assert set(record["seconds"]) == {step.value for step in Step} - {"refine"}


@pytest.mark.parametrize(
    ("target", "mode", "refined"),
    [
        (Size(400, 100), Mode.BALANCED, False),
        (Size(400, 100), Mode.QUALITY, True),
        (Size(2400, 800), Mode.BALANCED, True),
        (Size(2400, 800), Mode.FAST, True),
    ],
)
def test_what_is_painted_small_is_refined_at_the_outputs_size(
    target: Size, mode: Mode, *, refined: bool
) -> None:
    pencil = Pencil()
    reframer = Reframer(Engine("test", Eye(), Brush(), refine=pencil))
    request = ReframeRequest(target, Rules(Policy.EXPAND), fill=Fill.GENERATE, mode=mode)
    (output,) = reframer(SOURCE, [request])
    assert len(pencil.seen) == refined
    assert ("refine" in output.seconds) == refined
    assert output.preservation.changed == 0
    for painting in pencil.seen:
        assert painting.canvas.size == target
        place = painting.canvas.place
        assert place == output.plan.place
        draft = np.asarray(painting.canvas.picture)
        assert draft[:, : place.left].std() > 0  # what was painted is there to be refined
        with Image.open(io.BytesIO(output.file.data)) as picture:
            assert picture.getpixel((0, 0)) != tuple(draft[0, 0])


def test_a_plain_colour_needs_no_refining() -> None:
    pencil = Pencil()
    reframer = Reframer(Engine("test", Eye(), Brush(), refine=pencil))
    request = ReframeRequest(Size(400, 100), fill=Fill.SOLID, mode=Mode.QUALITY)
    list(reframer(SOURCE, [request]))
    assert not pencil.seen


def test_without_a_prompt_the_describers_scene_is_painted() -> None:
    reframer, _, brush = make_reframer()
    list(reframer(SOURCE, [ReframeRequest(Expansion(left=50), fill=Fill.GENERATE)]))
    assert brush.prompts == ["a meadow #0"]


def test_drawn_fills_do_not_trouble_the_engine_and_need_no_seam() -> None:
    reframer, _, brush = make_reframer()
    for fill in (fill for fill in Fill if fill.is_drawn):
        (output,) = reframer(SOURCE, [ReframeRequest(Expansion(left=50), fill=fill)])
        assert output.plan.feather == 0
        assert output.fill is fill
    assert brush.prompts == []


def test_a_plan_given_is_carried_out() -> None:
    reframer, _, _ = make_reframer()
    described = reframer.describe(SOURCE)
    plan = reframer.plan(described, ReframeRequest(Size(240, 80), Rules(Policy.EXPAND)))
    fields = plan.to_json()
    fields["place"] = [0, 0, 120, 80]
    edited = Plan.from_json(json.dumps(fields))
    (output,) = reframer(SOURCE, [ReframeRequest(edited.target, plan=edited)])
    assert output.plan.place == (0, 0, 120, 80)


def test_a_plan_for_another_source_is_refused() -> None:
    reframer, _, _ = make_reframer()
    plan = reframer.plan(reframer.describe(SOURCE), ReframeRequest(Size(240, 80)))
    other = to_png(draw_coordinates(50, 50))
    with pytest.raises(InvalidPlan, match="source of 120x80; 50x50 has another ratio"):
        list(reframer(other, [ReframeRequest(plan.target, plan=plan)]))


def test_progress_hears_every_step_in_order() -> None:
    reframer = Reframer(Engine("test", Eye(), Brush(), refine=Pencil()))
    heard: list[tuple[str, float]] = []
    request = ReframeRequest(Expansion(right=20), fill=Fill.GENERATE, mode=Mode.QUALITY)
    list(reframer(SOURCE, [request], lambda step, fraction: heard.append((step, fraction))))
    assert [step for step, fraction in heard if fraction == 0] == list(Step)
    assert (Step.OUTPAINT, 0.5) in heard


@pytest.mark.parametrize("last", list(Step))
def test_a_job_can_be_stopped_at_every_step(last: Step) -> None:
    reframer = Reframer(Engine("test", Eye(), Brush(), refine=Pencil()))

    def stop(step: str, fraction: float) -> None:
        if step == last:
            raise JobCancelled

    request = ReframeRequest(Expansion(right=20), fill=Fill.GENERATE, mode=Mode.QUALITY)
    with pytest.raises(JobCancelled):
        list(reframer(SOURCE, [request], stop))


def test_what_is_no_picture_is_refused_before_anyone_looks() -> None:
    reframer, eye, _ = make_reframer()
    with pytest.raises(ImageUndecodable):
        list(reframer(b"GIF89a", [ReframeRequest(Size(10, 10))]))
    assert eye.looks == 0


@pytest.mark.parametrize("form", list(Format))
def test_the_same_request_gives_the_same_bytes(form: Format) -> None:
    request = ReframeRequest(Size(200, 60), export=Export(form), seed=3)
    first, second = (next(make_reframer()[0](SOURCE, [request])) for _ in range(2))
    assert first.file.data == second.file.data


def test_pixels_with_alpha_come_back_with_alpha() -> None:
    picture = draw_coordinates(60, 60).convert("RGBA")
    picture.putalpha(Image.fromarray(np.full((60, 60), 128, np.uint8)))
    reframer, _, _ = make_reframer()
    (output,) = reframer(to_png(picture), [ReframeRequest(Expansion(left=50))])
    with Image.open(io.BytesIO(output.file.data)) as result:
        assert result.mode == "RGBA"
        assert result.crop((30, 0, 90, 60)).tobytes() == picture.tobytes()


def test_the_source_is_rated_once_and_so_is_every_output_that_was_painted_on() -> None:
    judge = Judge(0.1, 0.2)
    reframer = Reframer(Engine("test", Eye(), Brush(), rate=judge))
    cropped = ReframeRequest(Size(60, 80), Rules(Policy.CROP))
    taller = ReframeRequest(Size(120, 160), Rules(Policy.EXPAND), fill=Fill.SOLID)
    outputs = list(reframer(SOURCE, [WIDER, cropped, taller]))
    assert judge.seen == [(120, 80), (240, 80), (120, 160)]
    assert [output.nsfw.score for output in outputs] == [0.2, 0.1, 0.2]
    assert not any(output.nsfw_detected for output in outputs)


@pytest.mark.parametrize(
    ("source", "output", "detected"), [(0.1, 0.1, False), (0.9, 0.1, True), (0.1, 0.9, True)]
)
def test_what_is_not_safe_for_work_is_flagged_in_the_record(
    source: float, output: float, *, detected: bool
) -> None:
    reframer = Reframer(Engine("test", Eye(), Brush(), rate=Judge(source, output)))
    (made,) = reframer(SOURCE, [WIDER])
    record = json.loads(json.dumps(made.to_json()))
    assert record["nsfw_detected"] is made.nsfw_detected is detected
    assert record["nsfw_score"] == max(source, output)
    assert any("not safe for work" in warning for warning in record["warnings"]) is detected


def test_who_does_not_ask_is_not_told_what_others_asked() -> None:
    judge = Judge(0.9, 0.9)
    reframer = Reframer(Engine("test", Eye(), Brush(), rate=judge))
    silent = replace(WIDER, safety=Safety(SafetyAction.OFF))
    (made,) = reframer(SOURCE, [silent])
    assert judge.seen == []
    assert (made.nsfw_detected, made.to_json()["nsfw_score"]) == (None, None)
    assert [made.nsfw_detected for made in reframer(SOURCE, [silent, WIDER])] == [None, True]


def test_a_blocked_source_is_never_painted_on() -> None:
    brush = Brush()
    reframer = Reframer(Engine("test", Eye(), brush, rate=Judge(0.9, 0.1)))
    with pytest.raises(ContentRejected, match="the source is probably not safe"):
        next(reframer(SOURCE, [replace(WIDER, safety=BLOCK)]))
    assert brush.prompts == []


def test_a_blocked_output_is_not_handed_out_and_the_ones_before_it_stand() -> None:
    reframer = Reframer(Engine("test", Eye(), Brush(), rate=Judge(0.1, 0.9)))
    cropped = ReframeRequest(Size(60, 80), Rules(Policy.CROP), safety=BLOCK)
    outputs = reframer(SOURCE, [cropped, replace(WIDER, safety=BLOCK)])
    assert next(outputs).nsfw_detected is False
    with pytest.raises(ContentRejected, match="the output is probably not safe"):
        next(outputs)


def test_an_engine_that_cannot_rate_says_so_and_refuses_to_block() -> None:
    reframer, eye, _ = make_reframer()
    (made,) = reframer(SOURCE, [WIDER])
    assert (made.nsfw_detected, made.nsfw.warnings) == (None, ())
    with pytest.raises(EngineUnavailable, match="engine test has no check"):
        next(reframer(SOURCE, [WIDER, replace(WIDER, safety=BLOCK)]))
    assert eye.looks == 1

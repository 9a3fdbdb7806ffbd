"""Several paintings of one output, alone and through the whole story."""

import json
from dataclasses import replace

import pytest
from PIL import Image

from pipelines.attempts import STRIDE, attempt, list_seeds
from pipelines.compose import Composed
from pipelines.composition import Composition, Subject, SubjectKind
from pipelines.duplicates import Duplicate
from pipelines.engine import Engine, Mode, Painting
from pipelines.errors import InvalidOption, JobCancelled
from pipelines.fill import Fill, fill_edge
from pipelines.geometry import Box, Edge, Size
from pipelines.progress import Progress, Step
from pipelines.reframe import Reframer
from pipelines.rendering import Rendering
from pipelines.request import MOST_RETRIES, ReframeRequest
from pipelines.rules import Policy, Rules
from tests.drawings import center, draw_meadow, to_png

PLAN = center(Size(10, 10), Size(20, 10))
SOURCE = to_png(draw_meadow(120, 80))
WIDER = ReframeRequest(
    Size(240, 80), Rules(Policy.EXPAND), fill=Fill.GENERATE, seed=5, retries=MOST_RETRIES
)
FIRST, SECOND, THIRD = list_seeds(5, 2)


def make_rendering(seed: int, seam: float, added: int = 0) -> Rendering:
    composed = Composed(Image.new("RGB", PLAN.target), PLAN.place)
    duplicates = (Duplicate(SubjectKind.FACE, 1, 1 + added),) if added else ()
    return Rendering(composed, PLAN, Fill.GENERATE, seed, {Edge.LEFT: seam}, duplicates)


def choose(*outcomes: tuple[float, int]) -> tuple[int, int]:
    """Which of the paintings is kept, and how many were made."""
    choice = attempt(lambda n: make_rendering(n, *outcomes[n]), range(len(outcomes)))
    (chosen,) = (tried for tried in choice.attempts if tried.chosen)
    assert chosen.seed == choice.rendering.seed
    return choice.rendering.seed, len(choice.attempts)


def test_the_first_that_needs_no_review_is_kept() -> None:
    assert choose((3.0, 0), (1.2, 0), (1.1, 0)) == (1, 2)


def test_fewer_duplicates_come_first_and_then_the_lower_seam() -> None:
    assert choose((2.1, 1), (9.0, 0), (3.0, 0)) == (2, 3)
    assert choose((2.5, 2), (2.4, 1), (2.3, 2)) == (1, 3)


def test_of_equals_the_first_is_kept() -> None:
    assert choose((3.0, 1), (3.0, 1)) == (0, 2)


def test_seeds_are_far_apart_and_in_range() -> None:
    assert list_seeds(7, 0) == [7]
    assert list_seeds(7, 2) == [7, 7 + STRIDE, 7 + 2 * STRIDE]
    assert list_seeds(2**32 - 1, 1) == [2**32 - 1, STRIDE - 1]


class Eye:
    """Sees a ball where the source is red, and a second one in paintings that are blue."""

    def __init__(self) -> None:
        self.looks: list[tuple[int, int]] = []

    def __call__(self, picture: Image.Image) -> Composition:
        self.looks.append(picture.size)
        middle = Subject(Box(0.4, 0.3, 0.6, 0.9), "ball", SubjectKind.PRODUCT, trusted=True)
        corner = Subject(Box(0, 0, 0.1, 0.5), "ball", SubjectKind.PRODUCT, trusted=True)
        pixel = picture.getpixel((0, 0))
        blue = isinstance(pixel, tuple) and pixel == (0, 0, 255)
        return Composition("eye", subjects=(middle, corner) if blue else (middle,))


class Dauber:
    """Continues the border for seeds that are good, and daubs one colour for all others."""

    def __init__(self, colour: str, *good: int) -> None:
        self.colour, self.good = colour, good
        self.seeds: list[int] = []

    def __call__(self, painting: Painting, progress: Progress) -> Image.Image:
        self.seeds.append(painting.seed)
        progress(Step.OUTPAINT, 0.5)
        canvas = painting.canvas
        if painting.seed in self.good:
            return fill_edge(canvas)
        picture = Image.new("RGB", canvas.size, self.colour)
        picture.paste(canvas.picture.crop(canvas.place), canvas.place[:2])
        return picture


def make_reframer(brush: Dauber) -> tuple[Reframer, Eye]:
    eye = Eye()
    return Reframer(Engine("test", eye, brush)), eye


def test_a_visible_seam_is_painted_again_until_one_is_good() -> None:
    brush = Dauber("red", THIRD)
    reframer, eye = make_reframer(brush)
    (made,) = reframer(SOURCE, [WIDER])
    assert brush.seeds == [FIRST, SECOND, THIRD]
    assert made.seed == THIRD
    assert not made.needs_review
    record = json.loads(json.dumps(made.to_json()))
    assert [tried["seed"] for tried in record["attempts"]] == brush.seeds
    assert [tried["chosen"] for tried in record["attempts"]] == [False, False, True]
    assert record["attempts"][0]["seam_worst"] > 2 > record["attempts"][2]["seam_worst"]
    assert record["review"] == []
    assert eye.looks == [(120, 80)] + 3 * [(240, 80)]


def test_what_is_kept_is_what_its_seed_alone_would_give() -> None:
    (best,) = make_reframer(Dauber("red", SECOND))[0](SOURCE, [WIDER])
    alone = replace(WIDER, seed=SECOND, retries=0)
    (single,) = make_reframer(Dauber("red", SECOND))[0](SOURCE, [alone])
    assert best.file.data == single.file.data


def test_a_good_painting_is_not_painted_again() -> None:
    brush = Dauber("red", FIRST)
    (made,) = make_reframer(brush)[0](SOURCE, [WIDER])
    assert brush.seeds == [FIRST]
    assert [tried.chosen for tried in made.attempts] == [True]


def test_without_retries_nothing_is_painted_again_but_it_is_flagged() -> None:
    brush = Dauber("red")
    reframer, eye = make_reframer(brush)
    (made,) = reframer(SOURCE, [replace(WIDER, retries=0)])
    assert brush.seeds == [FIRST]
    assert len(eye.looks) == 1
    assert [reason.partition(":")[0] for reason in made.to_json()["review"]] == [
        "the seam shows at the left edge",
        "the seam shows at the right edge",
    ]


def test_a_second_subject_is_found_and_painted_away() -> None:
    (made,) = make_reframer(Dauber("blue", SECOND))[0](SOURCE, [WIDER])
    assert [tried.duplicates for tried in made.attempts] == [1, 0]
    assert made.duplicates == ()
    (flagged,) = make_reframer(Dauber("blue"))[0](SOURCE, [replace(WIDER, retries=1)])
    record = flagged.to_json()
    assert record["duplicates"] == [{"kind": "product", "source": 1, "output": 2}]
    assert "product was invented: 2 in the output, 1 in the source" in record["review"]
    assert record["needs_review"]


@pytest.mark.parametrize(
    ("change", "looks"),
    [
        ({"retries": 0}, 1),
        ({"retries": 0, "mode": Mode.QUALITY}, 2),
        ({"retries": 0, "fallback": Fill.EDGE}, 2),
        ({"retries": 1}, 2),
        ({"retries": 1, "fill": Fill.SOLID}, 1),
    ],
)
def test_outputs_are_looked_at_only_where_that_may_matter(
    change: dict[str, object], looks: int
) -> None:
    reframer, eye = make_reframer(Dauber("red", FIRST))
    list(reframer(SOURCE, [replace(WIDER, **change)]))  # type: ignore[arg-type]
    assert len(eye.looks) == looks


@pytest.mark.parametrize("fallback", [fill for fill in Fill if fill.is_drawn])
def test_where_no_painting_is_good_the_fallback_fills(fallback: Fill) -> None:
    brush = Dauber("blue")
    reframer, _ = make_reframer(brush)
    (made,) = reframer(SOURCE, [replace(WIDER, retries=1, fallback=fallback)])
    assert len(brush.seeds) == 2
    assert made.fill is made.fallback is fallback
    assert not any(tried.chosen for tried in made.attempts)
    assert not made.needs_review
    assert f"none of 2 paintings could be used: filled with {fallback}" in made.warnings
    assert made.preservation.changed == 0
    (plain,) = reframer(SOURCE, [replace(WIDER, fill=fallback)])
    assert made.file.data == plain.file.data


def test_a_good_painting_needs_no_fallback() -> None:
    brush = Dauber("red", FIRST)
    (made,) = make_reframer(brush)[0](SOURCE, [replace(WIDER, fallback=Fill.SOLID)])
    assert made.fill is Fill.GENERATE
    assert made.to_json()["fallback"] is None


def test_a_backdrop_does_not_claim_to_go_on_where_the_source_ends() -> None:
    reframer, _ = make_reframer(Dauber("red"))
    blurred, solid = (
        next(reframer(SOURCE, [replace(WIDER, fill=fill)])) for fill in (Fill.BLUR, Fill.SOLID)
    )
    assert min(blurred.seam.values(), default=0) > 2
    assert (blurred.needs_review, solid.needs_review) == (False, True)
    assert blurred.attempts == solid.attempts == ()


def test_only_painting_and_what_follows_from_it_is_done_again() -> None:
    heard: list[str] = []

    def hear(step: str, fraction: float) -> None:
        if fraction == 0:
            heard.append(step)

    list(make_reframer(Dauber("red", THIRD))[0](SOURCE, [WIDER], hear))
    again = [Step.OUTPAINT, Step.COMPOSE, Step.CHECK]
    before = [Step.DECODE, Step.DESCRIBE, Step.PLAN, Step.LAY_OUT]
    assert heard == [*before, *again, *again, *again, Step.ENCODE]


def test_the_seconds_of_all_attempts_are_added_up() -> None:
    (made,) = make_reframer(Dauber("red"))[0](SOURCE, [WIDER])
    assert set(made.seconds) == {step.value for step in Step} - {"refine"}


def test_a_job_can_be_stopped_between_two_attempts() -> None:
    brush = Dauber("red")

    def stop(step: str, fraction: float) -> None:
        if step == Step.OUTPAINT and brush.seeds:
            raise JobCancelled

    with pytest.raises(JobCancelled):
        list(make_reframer(brush)[0](SOURCE, [WIDER], stop))
    assert brush.seeds == [FIRST]


@pytest.mark.parametrize(
    "wish",
    [{"retries": -1}, {"retries": 5}, {"fallback": Fill.AUTO}, {"fallback": Fill.GENERATE}],
)
def test_wishes_out_of_range_are_refused(wish: dict[str, object]) -> None:
    with pytest.raises(InvalidOption, match=next(iter(wish))):
        replace(WIDER, **wish)  # type: ignore[arg-type]

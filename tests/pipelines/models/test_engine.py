"""The generative engine through the whole story, on a tiny model."""

import io
from pathlib import Path

import pytest
from PIL import Image

from pipelines import models
from pipelines.composition import Composition, Subject
from pipelines.engine import Engine, Mode
from pipelines.errors import JobCancelled, WeightsMissing
from pipelines.fill import Fill
from pipelines.geometry import Box, Size
from pipelines.models.sdxl.components import Components
from pipelines.models.sdxl.recipe import Recipe
from pipelines.progress import Step
from pipelines.reframe import Reframer, ReframeRequest
from pipelines.rules import Policy, Rules
from tests.drawings import draw_meadow, to_png
from tests.pipelines.models.sdxl.scenes import make_outpainter

SOURCE = to_png(draw_meadow(240, 160))


def see_ball(picture: Image.Image) -> Composition:
    ball = Subject(Box(0.3, 0.3, 0.7, 0.9), "ball", trusted=True)
    return Composition("tiny", scene="the red sky", subjects=(ball,))


@pytest.fixture(scope="module")
def reframer(components: Components) -> Reframer:
    outpaint = make_outpainter(components, Recipe(steps=2, guidance=3.0))
    return Reframer(Engine("sdxl", see_ball, outpaint))


@pytest.mark.parametrize(
    "target", [Size(480, 160), Size(160, 333), Size(1000, 999), Size(241, 160)]
)
def test_the_size_is_exact_and_the_source_is_kept(reframer: Reframer, target: Size) -> None:
    request = ReframeRequest(target, Rules(Policy.EXPAND), fill=Fill.GENERATE)
    (output,) = reframer(SOURCE, [request])
    with Image.open(io.BytesIO(output.file.data)) as picture:
        assert picture.size == target
    assert output.engine == "sdxl"
    assert output.prompt == "the red sky"
    assert output.preservation.changed == 0


def test_the_same_request_gives_the_same_bytes(reframer: Reframer) -> None:
    request = ReframeRequest(Size(480, 160), Rules(Policy.EXPAND), fill=Fill.GENERATE, seed=5)
    first, second = (next(reframer(SOURCE, [request])).file.data for _ in range(2))
    assert first == second


def test_a_job_can_be_stopped_while_it_is_painted(reframer: Reframer) -> None:
    def stop(step: str, fraction: float) -> None:
        if step == Step.OUTPAINT and 0 < fraction < 1:
            raise JobCancelled

    request = ReframeRequest(Size(480, 160), Rules(Policy.EXPAND), fill=Fill.GENERATE)
    with pytest.raises(JobCancelled):
        list(reframer(SOURCE, [request], stop))


def test_a_folder_of_weights_becomes_an_engine(replica: Path) -> None:
    engine = models.load(replica, see_ball)
    request = ReframeRequest(
        Size(480, 160), Rules(Policy.EXPAND), fill=Fill.GENERATE, mode=Mode.FAST
    )
    (output,) = Reframer(engine)(SOURCE, [request])
    assert output.engine == "sdxl"
    assert output.preservation.changed == 0


def test_an_empty_folder_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing, match=r"model_index\.json"):
        models.load(tmp_path, see_ball)

"""The generative engine through the whole story, on a tiny model."""

import io
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pipelines.composition import Composition, Subject
from pipelines.engine import Engine, Mode
from pipelines.errors import JobCancelled
from pipelines.fill import Fill
from pipelines.geometry import Box, Size
from pipelines.models.sdxl.components import Components
from pipelines.models.sdxl.recipe import Recipe
from pipelines.progress import Step
from pipelines.reframe import Reframer
from pipelines.request import ReframeRequest
from pipelines.rules import Policy, Rules
from server.engines import Supplies, load_engine
from server.settings import EngineName
from tests.drawings import draw_meadow, to_png
from tests.house.house import ROOT
from tests.pipelines.models.sdxl.scenes import make_outpainter
from tests.pipelines.models.supplies import LOCK

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


@pytest.fixture(scope="module")
def engine(supplies: Path) -> Engine:
    return load_engine(EngineName.SDXL, Supplies(supplies / "weights", supplies / LOCK))


@pytest.mark.parametrize("mode", list(Mode))
def test_locked_weights_become_an_engine_with_every_mode(engine: Engine, mode: Mode) -> None:
    request = ReframeRequest(Size(480, 160), Rules(Policy.EXPAND), fill=Fill.GENERATE, mode=mode)
    (output,) = Reframer(engine)(SOURCE, [request])
    assert output.engine == "sdxl"
    assert output.preservation.changed == 0
    assert ("refine" in output.seconds) == (mode is Mode.QUALITY)
    assert output.nsfw_detected is not None


def test_many_jobs_share_one_engine(engine: Engine) -> None:
    """Each gets what it would get alone, but for the rounding of sums in another order."""
    requests = [
        ReframeRequest(Size(480, 160), Rules(Policy.EXPAND), fill=Fill.GENERATE, seed=seed)
        for seed in range(4)
    ]
    reframer = Reframer(engine)

    def reframe(request: ReframeRequest) -> np.ndarray[Any, Any]:
        (output,) = reframer(SOURCE, [request])
        return np.asarray(Image.open(io.BytesIO(output.file.data)).convert("RGB"), np.int16)

    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(reframe, requests))
    for request, seen in zip(requests, together, strict=True):
        assert np.abs(seen - reframe(request)).max() <= 2


def test_what_is_not_needed_may_be_missing(supplies: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(supplies, tmp_path / "supplies"))
    for role in ("few-step", "nsfw"):
        shutil.rmtree(next((copy / "weights").glob(f"*{role}*")))
    engine = load_engine(EngineName.SDXL, Supplies(copy / "weights", copy / LOCK))
    assert engine.rate is None
    assert len(engine.models) == 2
    request = ReframeRequest(Size(480, 160), Rules(Policy.EXPAND), mode=Mode.FAST)
    (output,) = Reframer(engine)(SOURCE, [request])
    assert output.nsfw_detected is None


def test_the_engine_opens_no_socket(supplies: Path) -> None:
    script = """
import sys
from pathlib import Path

def watch(event, arguments):
    assert not event.startswith("socket."), event

sys.addaudithook(watch)
from pipelines.reframe import Reframer
from pipelines.request import ReframeRequest
from pipelines.geometry import Size
from server.engines import Supplies, load_engine
from server.settings import EngineName
from tests.drawings import draw_meadow, to_png
folder = Path(sys.argv[1])
engine = load_engine(EngineName.SDXL, Supplies(folder / "weights", folder / "weights.lock"))
(output,) = Reframer(engine)(to_png(draw_meadow(60, 40)), [ReframeRequest(Size(90, 40))])
print(output.engine)
"""
    command = [sys.executable, "-c", script, str(supplies)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "sdxl"

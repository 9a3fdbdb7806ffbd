"""The generative engine through the whole story, on a tiny model."""

import io
import json
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pipelines import models
from pipelines.composition import Composition, Subject
from pipelines.engine import Engine, Mode
from pipelines.errors import JobCancelled, WeightsError, WeightsMismatch, WeightsMissing
from pipelines.fill import Fill
from pipelines.geometry import Box, Size
from pipelines.models import UNADAPTED, UNRATED
from pipelines.models.device import CPU
from pipelines.models.profile import GIB, PROFILES
from pipelines.models.sdxl.components import Components
from pipelines.models.sdxl.recipe import Recipe
from pipelines.progress import Step
from pipelines.reframe import Reframer
from pipelines.request import ReframeRequest
from pipelines.rules import Policy, Rules
from pipelines.safety import Safety, SafetyAction
from server.engines import Supplies, load_engine
from server.settings import EngineName
from tests.drawings import draw_meadow, to_png
from tests.house.house import ROOT
from tests.pipelines.models.sdxl.scenes import make_outpainter
from tests.pipelines.models.supplies import LOCK

SOURCE = to_png(draw_meadow(240, 160))

FAST = Mode.FAST


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
    rules = Rules(Policy.EXPAND)
    requests = [
        ReframeRequest(Size(240, 200), rules, fill=Fill.GENERATE, mode=FAST, seed=seed)
        for seed in range(3)
    ]
    reframer = Reframer(engine)

    def reframe(request: ReframeRequest) -> np.ndarray[Any, Any]:
        (output,) = reframer(SOURCE, [request])
        return np.asarray(Image.open(io.BytesIO(output.file.data)).convert("RGB"), np.int16)

    with ThreadPoolExecutor(3) as threads:
        together = list(threads.map(reframe, requests))
    for request, seen in zip(requests, together, strict=True):
        assert np.abs(seen - reframe(request)).max() <= 2


@pytest.mark.parametrize("size", [24, 8])
def test_a_card_of_each_kind_loads_what_suits_it(
    supplies: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    """The large describer with all models side by side, and the small one in turns."""
    monkeypatch.setattr(models, "choose_device", lambda: replace(CPU, memory=size * GIB))
    engine = load_engine(EngineName.SDXL, Supplies(supplies / "weights", supplies / LOCK))
    profile = dict(PROFILES)[size]
    assert f"tiny/{profile.vlm}" in [name.partition("@")[0] for name in engine.models]
    assert engine.batch == profile.rows
    request = ReframeRequest(Size(240, 200), Rules(Policy.EXPAND), fill=Fill.GENERATE, mode=FAST)
    (output,) = Reframer(engine)(SOURCE, [request])
    assert output.plan.painted_fraction > 0
    assert output.composition.describer == "qwen3-vl"


def copy_without(supplies: Path, folder: Path, *roles: str) -> Supplies:
    copy = Path(shutil.copytree(supplies, folder))
    for role in roles:
        shutil.rmtree(copy / "weights" / f"tiny--{role}")
    return Supplies(copy / "weights", copy / LOCK)


def test_what_is_not_needed_may_be_missing_and_is_missed(
    supplies: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    few = copy_without(supplies, tmp_path / "few", "few-step", "nsfw", "vlm")
    engine = load_engine(EngineName.SDXL, few)
    assert engine.rate is None
    assert len(engine.models) == 2
    assert {record.getMessage() for record in caplog.records} == {UNADAPTED, UNRATED}
    request = ReframeRequest(Size(240, 200), Rules(Policy.EXPAND), fill=Fill.GENERATE, mode=FAST)
    (output,) = Reframer(engine)(SOURCE, [request])
    assert output.plan.painted_fraction > 0
    assert output.nsfw_detected is None
    assert UNRATED in output.warnings
    (output,) = Reframer(engine)(SOURCE, [replace(request, safety=Safety(SafetyAction.OFF))])
    assert UNRATED not in output.warnings


def test_the_engine_can_be_asked_whether_it_lives(engine: Engine) -> None:
    assert engine.probe
    engine.probe()


def test_what_is_there_is_not_missed(engine: Engine) -> None:
    request = ReframeRequest(Size(240, 160))
    (output,) = Reframer(engine)(SOURCE, [request])
    assert output.nsfw_detected is not None
    assert UNRATED not in output.warnings


def test_what_is_not_needed_but_damaged_or_begun_is_not_done_without(
    supplies: Path, tmp_path: Path
) -> None:
    copy = copy_without(supplies, tmp_path / "copy")
    (config,) = copy.weights.glob("tiny--nsfw/*/config.json")
    config.write_text("{}")
    with pytest.raises(WeightsMismatch, match="nsfw"):
        load_engine(EngineName.SDXL, copy)
    config.unlink()
    with pytest.raises(WeightsError, match=r"config\.json is missing; .* fetch nsfw"):
        load_engine(EngineName.SDXL, copy)


def test_a_describer_that_is_missing_is_named_with_the_command_that_gets_it(
    supplies: Path, tmp_path: Path
) -> None:
    few = copy_without(supplies, tmp_path / "few", "vlm-light")
    with pytest.raises(WeightsMissing, match="smart-resize weights fetch vlm-light"):
        load_engine(EngineName.SDXL, few)


ALONE = """
import json, socket, sys
from pathlib import Path

NAMELESS = {"socket.__new__", "socket.gethostname"}  # nobody else hears of them
heard, answers = [], []

def watch(event, arguments):
    if not event.startswith("socket.") or event in NAMELESS:
        return
    if event == "socket.bind" and arguments[1][0] in {"127.0.0.1", "::1"}:
        return  # libraries try what this machine can
    heard.append(event)

sys.addaudithook(watch)
sys.modules["torchvision"] = None  # as if it were not installed
import torch
from pipelines.engine import Mode
from pipelines.fill import Fill
from pipelines.geometry import Size
from pipelines.reframe import Reframer
from pipelines.request import ReframeRequest
from pipelines.rules import Policy, Rules
from server.engines import Supplies, load_engine
from server.settings import EngineName
from tests.drawings import draw_meadow, to_png

torch.set_num_threads(1)
folder = Path(sys.argv[1])
engine = load_engine(EngineName.SDXL, Supplies(folder / "weights", folder / "weights.lock"))
rules = Rules(Policy.EXPAND)
requests = [ReframeRequest(Size(96, 64), rules, fill=Fill.GENERATE, mode=mode) for mode in Mode]
for output in Reframer(engine)(to_png(draw_meadow(64, 64)), requests):
    record = output.to_json()
    painted = record["plan"]["painted_fraction"]
    answers.append([record["engine"], record["describer"], painted, record["nsfw_detected"]])
events = list(heard)
with socket.socket() as probe:
    probe.connect_ex(("127.0.0.1", 9))  # the watch is awake
print(json.dumps([answers, events, heard]))
assert sys.modules["torchvision"] is None
assert not [name for name in sys.modules if name.startswith("torchvision.")]
"""


def test_the_engine_asks_nobody_on_the_network_and_needs_no_torchvision(supplies: Path) -> None:
    """In a process of its own, where everything is imported, loaded and done for the first time."""
    command = [sys.executable, "-c", ALONE, str(supplies)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    answers, events, watched = json.loads(done.stdout)
    assert len(answers) == len(Mode)
    for engine, describer, painted, rated in answers:
        assert (engine, describer) == ("sdxl", "qwen3-vl")
        assert painted == pytest.approx(1 / 3)
        assert rated is not None
    assert events == []
    assert watched == ["socket.connect"]

"""The benchmark of the generative engine runs from end to end, on tiny models."""

import json
import math
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from peft.tuners.tuners_utils import BaseTunerLayer

import benchmarks.gpu.__main__ as program
from benchmarks.gpu.__main__ import PARTS, Slot, main, run_part
from benchmarks.gpu.bench import Bench, draw_canvas, set_up
from benchmarks.gpu.clock import Clock
from benchmarks.gpu.flops import count_decode, count_unet
from benchmarks.gpu.models import add_few_step, build_sdxl
from benchmarks.gpu.painting import count_waits
from benchmarks.gpu.planned import find_absent, plan_readings
from benchmarks.gpu.report import GOALS, Goal, Reading, Report
from benchmarks.gpu.serving import watch_card
from pipelines.canvas import Canvas
from pipelines.geometry import Size
from pipelines.models.device import CPU
from pipelines.models.profile import PROFILES
from pipelines.models.sdxl.components import Components
from pipelines.models.sdxl.patch import Patch
from pipelines.models.sdxl.recipe import Recipe
from tests.house.house import ROOT

# the stock pipeline's own business
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

ON_A_CARD_ONLY = {"device idle, closed loop", "waits for the device in the loop"}
"""Goals."""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """What one whole run with tiny models wrote down."""
    path = tmp_path_factory.mktemp("bench") / "bench.json"
    with pytest.MonkeyPatch.context() as patch:
        for name in ("TORCHINDUCTOR_CACHE_DIR", "TRITON_CACHE_DIR"):
            patch.setenv(name, "")  # so that the run's own values are gone afterwards
        assert main(["--tiny", "--out", str(path)]) == 0
    torch._dynamo.reset()
    content: dict[str, object] = json.loads(path.read_text())
    return content


def read_values(found: dict[str, object]) -> dict[str, float]:
    readings = found["readings"]
    assert isinstance(readings, list)
    values = {reading["key"]: reading["value"] for reading in readings}
    assert len(values) == len(readings), "a key says which reading it is"
    return values


def test_every_part_runs_to_its_end_with_tiny_models(found: dict[str, object]) -> None:
    parts = found["parts"]
    assert isinstance(parts, dict)
    assert list(parts) == list(PARTS)
    assert {end.split()[0] for end in parts.values()} == {"done"}


def test_every_reading_is_planned_and_there(found: dict[str, object], tmp_path: Path) -> None:
    values = read_values(found)
    planned = list(plan_readings(make_bench(tmp_path), list(PARTS)))
    assert sorted(values) == sorted(planned)
    assert all(value >= 0 for value in values.values())


def test_every_goal_is_about_something_that_is_measured(found: dict[str, object]) -> None:
    values = read_values(found)
    measured = {goal.words for goal in GOALS if goal.settle(values) is not None}
    assert {goal.words for goal in GOALS} - measured == ON_A_CARD_ONLY
    goals = found["goals"]
    assert isinstance(goals, list)
    assert {goal["words"] for goal in goals} == measured


def test_no_graph_is_made_once_all_is_warmed_up(found: dict[str, object]) -> None:
    """But where refining comes to sizes at which the processor convolves in another way."""
    values = read_values(found)
    assert values["graphs"] > 20
    for part in ("painting", "serving", "describing"):
        assert values[f"graphs after warm-up: {part}"] == 0


def test_numbers_of_tiny_models_are_held_to_no_goal(found: dict[str, object]) -> None:
    goals = found["goals"]
    assert isinstance(goals, list)
    assert goals
    assert {goal["met"] for goal in goals} == {None}
    assert "mean nothing" in str(found["note"])


def test_a_reading_that_is_absent_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def count(bench: Bench) -> Iterator[Reading]:
        yield Reading("card: matmul", 1.0, "TFLOP/s")

    monkeypatch.setattr(program, "PARTS", {"card": Slot(count, 10)})
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", "")
    monkeypatch.setenv("TRITON_CACHE_DIR", "")
    assert main(["--tiny", "--parts", "card"]) == 1
    assert "ABSENT: card: copy, card: convolution" in capsys.readouterr().out


def test_what_rests_on_another_part_is_planned_with_it_only(tmp_path: Path) -> None:
    bench = make_bench(tmp_path)
    both, alone = (
        list(plan_readings(bench, parts)) for parts in (["card", "painting"], ["painting"])
    )
    assert {"ours 8: efficiency"} == {key for key in both if "card" not in key} - set(alone)
    assert find_absent(bench, ["stock"]) == ["stock: 20 CFG steps", "stock: 30 CFG steps"]


def write_call(path: Path, **values: float) -> Path:
    """What a call wrote down that measured these."""
    report = Report(tiny=False, hardware=CPU.hardware)
    report.parts["card"] = "done in 1.0 s"
    report.readings = [Reading(key.replace("_", " "), value, "s") for key, value in values.items()]
    report.write(path)
    return path


def test_calls_are_joined_without_mixing_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = write_call(tmp_path / "a.json", warm_start=1.0, cold_start=10.0)
    second = write_call(tmp_path / "b.json", warm_start=5.0, waits_in_the_loop=0.0)
    third = write_call(tmp_path / "c.json", warm_start=4.0, cold_start=10.0)
    out = tmp_path / "joined.json"
    assert main(["--join", *map(str, (first, second, third)), "--out", str(out)]) == 1
    joined = json.loads(out.read_text())
    assert [goal["words"] for goal in joined["goals"]] == [goal.words for goal in GOALS]
    measured = {goal["words"]: goal for goal in joined["goals"] if goal["value"] is not None}
    assert measured.keys() == {"warm start / cold start", "waits for the device in the loop"}
    worst = measured["warm start / cold start"]
    assert (worst["value"], worst["met"], worst["call"]) == (0.4, False, "c.json")
    assert len(joined["readings"]) == 6
    assert "| warm start / cold start | <= 0.35 | 0.4 | no | c.json |" in capsys.readouterr().out


def test_calls_on_different_machines_are_not_joined(tmp_path: Path) -> None:
    first = write_call(tmp_path / "a.json", graphs=1)
    second = tmp_path / "b.json"
    second.write_text(first.read_text().replace('"device": "', '"device": "another '))
    assert main(["--join", str(first), str(second)]) == 2


def test_all_that_begin_alike_are_added_up_for_a_goal() -> None:
    goal = Goal("graphs", "new", "", 0)
    assert goal.settle({"new: painting": 1.0, "new: serving": 2.0, "newer": 9.0}) == 3
    assert goal.settle({"newer": 9.0}) is None


def test_without_a_card_nothing_but_tiny_models_is_run() -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has a card")
    assert main([]) == 2


@pytest.mark.parametrize(
    ("goal", "value", "met"),
    [
        (Goal("at most", "ours", "theirs", 0.5), 0.4, True),
        (Goal("at most", "ours", "theirs", 0.3), 0.4, False),
        (Goal("at least", "ours", "", 2.0, at_least=True), 2.0, True),
        (Goal("not measured", "ours", "nobody's", 1.0), None, None),
        (Goal("of nothing", "ours", "none", 1.0), None, None),
    ],
)
def test_a_goal_is_a_number_or_a_ratio_and_a_bound(
    goal: Goal, value: float | None, *, met: bool | None
) -> None:
    found = goal.settle({"ours": 2.0, "theirs": 5.0, "none": 0.0})
    assert found == value
    assert (None if found is None else goal.is_met(found)) is met


def make_bench(folder: Path, *, tiny: bool = True) -> Bench:
    bench = set_up(folder, Clock(CPU.hardware, 1, 0.0), CPU, tiny=True)
    bench.tiny = tiny
    return bench


def test_a_part_that_fails_is_told_and_costs_no_other_its_numbers(tmp_path: Path) -> None:
    def fail(bench: Bench) -> Iterator[Reading]:
        yield Reading("before", 1.0, "s")
        msg = "no more\nof this"
        raise ValueError(msg)

    report, bench = Report(tiny=True, hardware=CPU.hardware), make_bench(tmp_path)
    end = run_part(bench, Slot(fail, 10), report, time.monotonic() + 10)
    assert end == "failed: ValueError: no more"
    assert bench.values == {"before": 1.0}


def test_a_part_whose_time_is_up_is_left_and_keeps_what_it_has(tmp_path: Path) -> None:
    def count(bench: Bench) -> Iterator[Reading]:
        for number in range(1000):
            yield Reading(f"reading {number}", number, "")

    report, bench = Report(tiny=True, hardware=CPU.hardware), make_bench(tmp_path, tiny=False)
    end = run_part(bench, Slot(count, 0), report, time.monotonic() + 10)
    assert end == "its 0 s were up after 'reading 0'"
    assert len(report.readings) == 1
    assert run_part(make_bench(tmp_path / "tiny"), Slot(count, 0), report, math.inf)[:4] == "done"
    assert run_part(bench, Slot(count, 10), report, time.monotonic()).startswith("left out")


def test_a_measurement_that_was_begun_is_made_though_the_time_is_up() -> None:
    calls: list[float] = []
    clock = Clock(torch.device("cpu"), rounds=5, until=0.0)
    assert clock.measure(lambda: calls.append(time.monotonic())).seconds >= 0
    assert len(calls) == 2, "one to warm up"


def test_the_cards_own_numbers_are_read_while_it_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool, ready = tmp_path / "nvidia-smi", tmp_path / "ready"
    tool.write_text(f"#!/bin/sh\necho 40\necho '[N/A]'\necho 60\ntouch {ready}\nexec sleep 60\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with watch_card(torch.device("cuda")) as busy:
        while not ready.exists():
            time.sleep(0.01)
    assert busy == [0.4, 0.6]


def test_a_card_without_its_tool_is_not_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with watch_card(torch.device("cuda")) as busy:
        pass
    assert busy == []


def test_no_two_pictures_are_alike_to_who_remembers_them() -> None:
    size = Size(128, 64)
    patches = [make_bench_patch(draw_canvas(size, seed)) for seed in (0, 1, 256, 257)]
    grounds = [patch.lay_ground(8) for patch in patches]
    assert len({ground.known.digest for ground in grounds}) == 4
    assert len({ground.below.digest for ground in grounds if ground.below}) == 4


def make_bench_patch(canvas: Canvas) -> Patch:
    recipe = Recipe(steps=2, guidance=1.0)
    return Patch(canvas.picture, canvas.mask, "", torch.zeros(1, 4, 8, 16), recipe)


def test_waits_are_counted_and_the_remark_on_counting_is_not() -> None:
    remark = (
        "Synchronization debug mode is a prototype feature and does not yet detect all "
        "synchronizing operations (Triggered internally at Module.cpp:1.)"
    )
    wait = "called a synchronizing CUDA operation (Triggered internally at CUDAFunctions.cpp:1.)"
    assert count_waits([remark]) == 0
    assert count_waits([remark, wait, "something is deprecated", wait]) == 2


def test_the_random_adapter_sits_where_the_published_one_does() -> None:
    with torch.device("meta"):
        unet = build_sdxl()["unet"]
        add_few_step(unet)
    layers = [layer for layer in unet.modules() if isinstance(layer, BaseTunerLayer)]
    assert len(layers) == 788


def test_work_is_counted_in_proportion_to_the_picture(components: Components) -> None:
    small, large = (count_decode(components, Size(64, side)) for side in (64, 128))
    assert 1.9 < large / small < 2.3, "attention in the middle grows faster"
    assert count_unet(components, Size(128, 128)) > 2.5 * count_unet(components, Size(64, 64))


def test_the_page_of_hardware_says_what_the_code_does() -> None:
    page = (ROOT / "docs/hardware.md").read_text()
    for name in PARTS:
        assert f"| {name} |" in page
    for goal in GOALS:
        assert f"| {goal.words} | {'≥' if goal.at_least else '≤'} {goal.bound:g} |" in page
    for size, profile in PROFILES:
        line = next(line for line in page.splitlines() if line.startswith(f"| {size} GB |"))
        assert f"(`{profile.vlm}`)" in line
        assert ("in turns" in line) is profile.offload
        assert ("tiles" in line) is profile.thrifty
        assert f"| {profile.rows} |" in line

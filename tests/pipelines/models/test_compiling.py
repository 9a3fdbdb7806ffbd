"""Compiled blocks paint the same, are compiled once, and what was compiled is kept."""

import logging
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import pytest
import torch
from diffusers import UNet2DConditionModel
from torch._dynamo.utils import counters

from benchmarks.gpu.models import build_sdxl
from pipelines.errors import OutOfMemory
from pipelines.geometry import Size
from pipelines.models.compiling import (
    MOST_GRAPHS,
    Compiler,
    GraphCache,
    compile_regions,
    compile_unet,
    count_graphs,
    find_regions,
    prefers_compiling,
    warm_up,
)
from pipelines.models.device import CPU
from pipelines.models.sdxl.components import Components

LEAD = Size(28, 12)
"""Latents to warm up with: of no side that is also a width of the model below."""

inductor = pytest.mark.filterwarnings("ignore:.*torch.jit.script_method:DeprecationWarning")
"""The compiler warns of its own deprecations when it is first imported."""

BUCKETS = [Size(16, 16), Size(24, 16), Size(16, 24), Size(24, 8)]


@pytest.fixture(autouse=True)
def forget_graphs() -> Iterator[None]:
    torch._dynamo.reset()
    counters.clear()  # others may have compiled in this process
    yield
    torch._dynamo.reset()


def make_unet() -> UNet2DConditionModel:
    """One level of the real model's blocks: fewer widths to compile than the replica has."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        unet: UNet2DConditionModel = CPU.settle(
            UNet2DConditionModel(
                sample_size=16,
                in_channels=9,
                block_out_channels=(16,),
                down_block_types=("CrossAttnDownBlock2D",),
                up_block_types=("CrossAttnUpBlock2D",),
                layers_per_block=1,
                attention_head_dim=2,
                cross_attention_dim=64,
                norm_num_groups=8,
                use_linear_projection=True,
                addition_embed_type="text_time",
                addition_time_embed_dim=8,
                projection_class_embeddings_input_dim=32 + 6 * 8,
            )
        )
    return unet


def see(unet: UNet2DConditionModel, size: Size, rows: int) -> torch.Tensor:
    draw = torch.Generator().manual_seed(size.area + rows)
    sides: dict[str, Any] = {
        "text_embeds": torch.randn(rows, 32, generator=draw),
        "time_ids": torch.zeros(rows, 6),
    }
    with CPU.working():
        seen: torch.Tensor = unet(
            torch.randn(rows, 9, size.height, size.width, generator=draw),
            torch.tensor(7.0),
            encoder_hidden_states=torch.randn(rows, 77, 64, generator=draw),
            added_cond_kwargs=sides,
            return_dict=False,
        )[0]
    return seen


def test_only_a_card_is_worth_compiling_for() -> None:
    assert not prefers_compiling(CPU)
    card = replace(CPU, hardware=torch.device("cuda"))
    assert prefers_compiling(card)
    assert not prefers_compiling(card.in_turns()), "weights that come and go are not worth it"


def test_after_warming_up_no_bucket_and_no_batch_is_compiled_again() -> None:
    plain, unet = make_unet(), make_unet()
    regions = compile_regions(unet, backend="aot_eager")
    made = warm_up(unet, CPU, [LEAD])
    # ResNet blocks of two widths, those in the middle apart, and transformer blocks: each for many
    # rows and for one
    assert (regions, made) == (9, 8)
    frames = counters["frames"]["total"]
    assert frames == counters["frames"]["ok"]
    for size in BUCKETS:
        for rows in (1, 2, 3, 8, 15):
            torch.testing.assert_close(
                see(unet, size, rows), see(plain, size, rows), rtol=1e-4, atol=1e-5
            )
    assert counters["frames"]["total"] == frames
    assert count_graphs() == made


def test_the_published_unet_has_no_more_kinds_of_blocks_than_may_be_compiled() -> None:
    with torch.device("meta"):
        unet = build_sdxl()["unet"]
    regions = find_regions(unet)
    assert len(regions) == 87
    kinds = {
        (type(region), *(weight.shape for weight in region.parameters())) for region in regions
    }
    assert 4 * len(kinds) <= MOST_GRAPHS, "one row or many, with the adapter or without"


def fail_at_once(graph: torch.fx.GraphModule, given: list[torch.Tensor]) -> NoReturn:
    msg = "no C compiler"
    raise RuntimeError(msg)


def fail_when_run(graph: torch.fx.GraphModule, given: list[torch.Tensor]) -> Callable[..., Any]:
    """Launchers are built when they are first used, by a compiler in a process of its own."""

    def launch(*given: torch.Tensor) -> NoReturn:
        raise subprocess.CalledProcessError(1, "gcc")

    return launch


@pytest.mark.parametrize("backend", [fail_at_once, fail_when_run])
def test_where_the_compiler_fails_the_unet_works_on_as_it_was(
    components: Components, caplog: pytest.LogCaptureFixture, backend: Compiler
) -> None:
    unet = make_unet()
    broken = replace(components, unet=unet)
    assert compile_unet(broken, CPU, latents=[LEAD], backend=backend) == 0
    assert "runs without" in caplog.text
    size = BUCKETS[0]
    torch.testing.assert_close(see(unet, size, 2), see(make_unet(), size, 2))


def test_a_card_that_is_full_is_no_fault_of_the_compiler(components: Components) -> None:
    def fill(graph: torch.fx.GraphModule, given: list[torch.Tensor]) -> Callable[..., Any]:
        def launch(*given: torch.Tensor) -> NoReturn:
            raise torch.OutOfMemoryError

        return launch

    with pytest.raises(OutOfMemory):
        compile_unet(replace(components, unet=make_unet()), CPU, latents=[LEAD], backend=fill)


def test_a_torch_that_has_one_limit_for_all_graphs_is_told_that(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compile_now = torch.compile

    def compile_as_before(model: Any, **wishes: Any) -> Any:
        assert wishes.keys() == {"dynamic", "backend"}
        return compile_now(model, **wishes)

    monkeypatch.setattr(torch, "compile", compile_as_before)
    with torch._dynamo.config.patch(recompile_limit=8):
        assert compile_regions(make_unet(), backend="eager") == 9
        assert torch._dynamo.config.recompile_limit == MOST_GRAPHS


class Scale(torch.nn.Module):
    """The least that a compiler makes something of."""

    def __init__(self, width: int = 8) -> None:
        super().__init__()
        self.inner = torch.nn.Linear(8, width)

    def forward(self, given: torch.Tensor) -> torch.Tensor:
        scaled: torch.Tensor = self.inner(given)
        return scaled


def compile_something(folder: Path, monkeypatch: pytest.MonkeyPatch, width: int = 8) -> None:
    """Compile, as a process would that starts with the empty ``folder`` for its work."""
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(folder))
    torch._dynamo.reset()
    counters.clear()
    model = Scale(width).requires_grad_(requires_grad=False)
    model.compile(dynamic=True, backend="inductor")
    with torch.inference_mode():
        model(torch.ones(3, 8))


@inductor
def test_graphs_of_an_earlier_run_are_taken_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = GraphCache(tmp_path / "graphs", CPU)
    assert not cache.load()
    for folder, taken in (("first", "miss"), ("second", "hit")):
        monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path / folder))
        with cache.kept():
            for width in (8, 16):  # as UNet and describer are, one after the other
                compile_something(tmp_path / folder, monkeypatch, width)
                found = {
                    key: counters["inductor"][f"fxgraph_cache_{key}"] for key in ("miss", "hit")
                }
                assert found == {**dict.fromkeys(found, 0), taken: 1}
        assert [path.name for path in cache.folder.iterdir()] == [cache.path.name]

    content = cache.path.read_bytes()
    for damaged in (content[:-1], content[:20], b"", content[:-9] + b"otherwise"):
        cache.path.write_bytes(damaged)
        assert not cache.load()
    cache.path.write_bytes(content.replace(b" on cpu\n", b" on gpu\n", 1))
    assert not cache.load()


def test_a_file_of_graphs_that_is_of_no_use_is_spoken_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cache = GraphCache(tmp_path, CPU)
    cache.path.write_bytes(b"not graphs at all")
    with caplog.at_level(logging.WARNING):
        assert not cache.load()
    assert "damaged or foreign" in caplog.text


def test_graphs_are_named_after_who_made_them(tmp_path: Path) -> None:
    name = GraphCache(tmp_path, CPU).path.name
    assert name.startswith("torch-" + torch.__version__.split("+")[0])
    assert name.endswith("-on-cpu.graphs")


@inductor
def test_a_folder_that_cannot_be_written_costs_no_more_than_the_graphs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    compile_something(tmp_path / "work", monkeypatch)
    with caplog.at_level(logging.WARNING):
        assert not GraphCache(blocked, CPU).save()
    assert "cannot be written" in caplog.text

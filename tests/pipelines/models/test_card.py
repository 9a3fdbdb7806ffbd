"""What only a card can show: the production path in its thread and its numbers."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pipelines.engine import Painting
from pipelines.errors import OutOfMemory
from pipelines.models.batcher import Batcher
from pipelines.models.compiling import GraphCache, compile_unet, count_graphs
from pipelines.models.device import Device, choose_device
from pipelines.models.eight_bits import EightBitLinear, can_use_eight_bits
from pipelines.models.lane import Lane
from pipelines.models.sdxl.components import Components, load_components
from pipelines.models.sdxl.recipe import Recipe
from pipelines.models.vlm.components import load_vlm
from pipelines.models.vlm.writer import Writer
from pipelines.progress import ignore_progress
from tests.pipelines.models.sdxl.scenes import draw_canvas, make_outpainter
from tests.pipelines.models.test_compiling import BUCKETS, LEAD, make_unet
from tests.pipelines.models.test_eight_bits import draw, make_linear, measure_difference
from tests.pipelines.models.vlm.replica import write_vlm_replica
from tests.pipelines.models.vlm.scenes import draw_pictures, ignore

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
    pytest.mark.filterwarnings("default"),  # compilers warn of what could be faster
]

MORE_THAN_THERE_IS = 1 << 50
"""Bytes."""


@pytest.fixture(autouse=True)
def forget_graphs() -> Iterator[None]:
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


@pytest.fixture(scope="module")
def card() -> Device:
    return choose_device()


def test_a_card_that_is_full_says_so_and_works_on(card: Device) -> None:
    with pytest.raises(OutOfMemory), card.working():
        torch.empty(MORE_THAN_THERE_IS, dtype=torch.uint8, device=card.hardware)
    with card.working():
        assert card.upload(torch.ones(3)).sum().item() == 3


def test_half_precision_paints_nearly_the_same(
    card: Device, components: Components, replica: Path
) -> None:
    canvas = Painting(draw_canvas(160, 96), prompt="the red sky", seed=3)
    recipe = Recipe(steps=2, guidance=3.0)
    expected = make_outpainter(components, recipe)(canvas, ignore_progress)
    parts = load_components(replica, card)
    assert {parts.unet.dtype, parts.vae.dtype} == {card.dtype}
    painted = make_outpainter(parts, recipe, device=card)(canvas, ignore_progress)
    levels = [np.asarray(picture, np.float32) for picture in (painted, expected)]
    assert np.abs(levels[0] - levels[1]).mean() < 8


def see(unet: Any, card: Device, rows: int, height: int, width: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(height * width + rows)

    def draw_noise(*shape: int) -> torch.Tensor:
        return card.upload(torch.randn(*shape, generator=generator)).to(unet.dtype)

    sides = {"text_embeds": draw_noise(rows, 32), "time_ids": draw_noise(rows, 6)}
    with card.working():
        seen: torch.Tensor = unet(
            draw_noise(rows, 9, height, width),
            card.upload(torch.tensor(7.0)),
            encoder_hidden_states=draw_noise(rows, 77, 64),
            added_cond_kwargs=sides,
            return_dict=False,
        )[0]
    return seen


def test_compiled_blocks_serve_every_shape_in_the_models_thread(
    card: Device, components: Components, tmp_path: Path
) -> None:
    plain, unet = (card.settle(make_unet().to(card.dtype)) for _ in range(2))
    parts, cache = replace(components, unet=unet), GraphCache(tmp_path, card)
    with Batcher() as batcher:
        with cache.kept():
            batcher.do(lambda: compile_unet(parts, card, rows=8, latents=[LEAD]))
        graphs = count_graphs()
        assert graphs, "the compiler failed"
        assert cache.path.is_file()

        def compare() -> None:
            for size in BUCKETS:
                for rows in (1, 2, 3, 8):
                    found = see(unet, card, rows, size.height, size.width)
                    wanted = see(plain, card, rows, size.height, size.width)
                    assert measure_difference(found.float(), wanted.float()) < 0.02

        batcher.do(compare)
    assert count_graphs() == graphs


def test_answers_are_whole_when_written_in_the_models_thread(card: Device, tmp_path: Path) -> None:
    write = Writer(load_vlm(write_vlm_replica(tmp_path), card), card, 12)
    lane = Lane(write, kind=lambda _: None, rows=4)
    with Batcher() as batcher, ThreadPoolExecutor(4) as callers:
        batcher.do(lambda: write.warm_up(4))
        graphs = count_graphs()
        assert graphs, "the compiler failed"
        for _ in range(3):
            for text in callers.map(lambda each: batcher.call(lane, each, ignore), draw_pictures()):
                assert list(json.loads(text)) == ["c", "s", "e", "o"]
    assert count_graphs() == graphs


def test_a_card_multiplies_in_eight_bits_as_the_processor_does(card: Device) -> None:
    if not can_use_eight_bits(card):
        pytest.skip("this card does not multiply in eight bits")
    linear = make_linear().to(card.dtype)
    given = draw(5, 64).to(card.dtype)
    expected = EightBitLinear(linear.float())(given.float())
    found = EightBitLinear(linear.to(card.hardware, card.dtype))(card.upload(given))
    assert found.dtype is card.dtype
    assert measure_difference(found.float().cpu(), expected) < 0.02
